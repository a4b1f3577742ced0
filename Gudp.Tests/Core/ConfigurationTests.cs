using System.Text;
using Gudp.Core;
using Gudp.Messaging;
using Microsoft.Extensions.Configuration;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Configs from and to Microsoft.Extensions.Configuration, which the libraries do not reference.</summary>
[TestFixture]
public sealed class ConfigurationTests
{
    private const string Settings = """
        {
          "Logging": { "Level": "Debug" },
          "Gudp": {
            "Name": "left",
            "Waiting": "Block",
            "Metrics": true,
            "Connections": {
              "IdleTimeout": "5s",
              "Loss": { "PacketThreshold": 4 },
              "Security": { "Protection": "Plain" }
            }
          }
        }
        """;

    [Test]
    public void A_section_of_json_goes_straight_in()
    {
        IConfigurationSection section = Json(Settings).GetSection("Gudp");

        GudpConfig config = GudpConfig.FromConfiguration(section.AsEnumerable(makePathsRelative: true));

        Assert.That(config, Is.EqualTo(GudpConfig.Parse(
            "Name=left; Waiting=Block; Metrics=true; Connections.IdleTimeout=5s; "
            + "Connections.Loss.PacketThreshold=4; Connections.Security.Protection=Plain")));
    }

    [Test]
    public void A_whole_configuration_is_read_below_its_section_only()
    {
        IConfiguration configuration = Json(Settings);

        GudpConfig config = GudpConfig.FromConfiguration(configuration.AsEnumerable(), "Gudp");

        Assert.That(config.Name, Is.EqualTo("left"));
        Assert.That(config.Connections.Loss.PacketThreshold, Is.EqualTo(4));
    }

    [Test]
    public void The_environment_overrides_a_file()
    {
        const string Variable = "GUDPTEST_Gudp__Connections__IdleTimeout";
        Environment.SetEnvironmentVariable(Variable, "7s");

        try
        {
            IConfiguration configuration = new ConfigurationBuilder()
                .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Settings)))
                .AddEnvironmentVariables("GUDPTEST_")
                .Build();

            GudpConfig config = GudpConfig.FromConfiguration(
                configuration.GetSection("Gudp").AsEnumerable(makePathsRelative: true));

            Assert.That(config.Connections.IdleTimeout, Is.EqualTo(TimeSpan.FromSeconds(7)));
            Assert.That(config.Name, Is.EqualTo("left"));
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, null);
        }
    }

    [TestCase("")]
    [TestCase("Net:Gudp")]
    public void What_is_written_is_read_as_the_same(string section)
    {
        GudpConfig config = GudpConfig.Bulk with { Name = "left" };

        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(config.ToConfiguration(section))
            .Build();

        Assert.That(GudpConfig.FromConfiguration(configuration.AsEnumerable(), section), Is.EqualTo(config));
    }

    [Test]
    public void Messaging_and_what_it_contains_go_the_same_way()
    {
        MessagingConfig config = MessagingConfig.Parse("Lanes=5; Core.Preset=Lossy; Core.Connections.IdleTimeout=20s");

        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(config.ToConfiguration("Gudp"))
            .Build();
        MessagingConfig read = MessagingConfig.FromConfiguration(
            configuration.GetSection("Gudp").AsEnumerable(makePathsRelative: true));

        Assert.That(read, Is.EqualTo(config));
        Assert.That(configuration["Gudp:Core:Connections:IdleTimeout"], Is.EqualTo("20s"));
    }

    [Test]
    public void A_preset_is_the_start_although_a_configuration_sorts_its_keys()
    {
        IConfiguration configuration = Json(
            """{ "Gudp": { "Connections": { "IdleTimeout": "20s" }, "Preset": "lossy" } }""");

        GudpConfig config = GudpConfig.FromConfiguration(configuration.AsEnumerable(), "gudp");

        Assert.That(config, Is.EqualTo(GudpConfig.Lossy with
        {
            Connections = GudpConfig.Lossy.Connections with { IdleTimeout = TimeSpan.FromSeconds(20) },
        }));
    }

    [TestCase("""{ "Gudp": { "Connections": { "IdleTimeuot": "5s" } } }""", "Connections.IdleTimeuot",
        "did you mean Connections.IdleTimeout?")]
    [TestCase("""{ "Gudp": { "Conections": { "IdleTimeout": "5s" } } }""", "Conections.IdleTimeout",
        "did you mean Connections.IdleTimeout?")]
    [TestCase("""{ "Gudp": { "Nonsense": null } }""", "Nonsense", "is not a key of GudpConfig")]
    [TestCase("""{ "Gudp": { "Nonsense": {} } }""", "Nonsense", "is not a key of GudpConfig")]
    [TestCase("""{ "Gudp": { "Connections": { "IdleTimeout": 5 } } }""", "Connections.IdleTimeout", "is '5'; write")]
    [TestCase("""{ "Gudp": { "Connections": { "IdleTimeout": "00:00:05" } } }""", "Connections.IdleTimeout", "write")]
    [TestCase("""{ "Gudp": { "Connections": { "IdleTimeout": ["5s"] } } }""", "Connections.IdleTimeout.0", "not a key")]
    [TestCase("""{ "Gudp": { "Connections.IdleTimeout": "5s", "Connections": { "IdleTimeout": "5s" } } }""",
        "Connections.IdleTimeout", "given twice")]
    public void A_mistake_is_named_as_in_the_text_form(string json, string key, string part)
    {
        GudpConfigException? refused = Assert.Throws<GudpConfigException>(() => GudpConfig.FromConfiguration(
            Json(json).GetSection("Gudp").AsEnumerable(makePathsRelative: true)));

        Assert.That(refused!.Problems, Has.Count.EqualTo(1));
        Assert.That(refused.Problems[0], Does.StartWith(key).And.Contain(part));
    }

    [TestCase("""{ "Gudp": { "Connections": { "Loss": {} } } }""")]
    [TestCase("""{ "Gudp": { "Name": null } }""")]
    [TestCase("""{ "Gudp": {} }""")]
    [TestCase("{}")]
    public void A_section_without_values_changes_nothing(string json)
        => Assert.That(
            GudpConfig.FromConfiguration(Json(json).GetSection("Gudp").AsEnumerable(makePathsRelative: true)),
            Is.EqualTo(default(GudpConfig)));

    private static IConfigurationRoot Json(string json)
        => new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();
}
