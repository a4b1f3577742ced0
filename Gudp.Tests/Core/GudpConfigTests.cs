using System.Runtime.CompilerServices;
using Gudp.Core;
using Gudp.Core.Config;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class GudpConfigTests
{
    private static readonly GudpConfig[] Presets =
        [GudpConfig.Lan, GudpConfig.Internet, GudpConfig.Lossy, GudpConfig.Lockstep, GudpConfig.Bulk];

    [Test]
    public void The_default_is_valid() => Assert.DoesNotThrow(() => default(GudpConfig).Validate());

    [TestCaseSource(nameof(Presets))]
    public void Every_preset_is_valid_and_survives_its_text(GudpConfig preset)
    {
        Assert.DoesNotThrow(preset.Validate);
        Assert.That(GudpConfig.Parse(preset.ToString()), Is.EqualTo(preset));
        Assert.That(GudpConfig.FromDictionary(preset.ToDictionary()), Is.EqualTo(preset));
    }

    [Test]
    public void Elements_of_an_array_have_the_defaults_too()
    {
        var elements = new ConnectionConfig[1];
        ConnectionConfig element = elements[0];

        Assert.That(element.IdleTimeout, Is.EqualTo(TimeSpan.FromSeconds(15)));
        Assert.That(element.HeartbeatStart, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(element.HeartbeatInterval, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(element.HandshakeTimeout, Is.EqualTo(TimeSpan.FromSeconds(10)));
        Assert.That(element.HandshakeRetry, Is.EqualTo(TimeSpan.FromMilliseconds(250)));
        Assert.That(element.Path.PacketBytes, Is.EqualTo(1_200));
        Assert.That(element.Loss.FirstRoundTrip, Is.EqualTo(TimeSpan.FromMilliseconds(333)));
        Assert.That(element.Loss.PacketThreshold, Is.EqualTo(3));
        Assert.That(element.Loss.MaxAckDelay, Is.EqualTo(TimeSpan.FromMilliseconds(25)));
        Assert.That(element.Loss.AckEveryPackets, Is.EqualTo(2));
        Assert.That(element.Congestion.InitialWindowPackets, Is.EqualTo(10));
        Assert.That(element.Congestion.Pacing, Is.True);
        Assert.That(element.Security.Protection, Is.EqualTo(Protection.Unset));
    }

    [Test]
    public void Naming_the_default_equals_the_default()
        => Assert.That(
            new GudpConfig { Name = "gudp", Connections = new() { IdleTimeout = TimeSpan.FromSeconds(15) } },
            Is.EqualTo(default(GudpConfig)));

    [Test]
    public void The_text_of_the_default_is_empty() => Assert.That(default(GudpConfig).ToString(), Is.Empty);

    [Test]
    public void The_text_names_deviations_only()
    {
        GudpConfig config = default(GudpConfig) with
        {
            ApplicationId = 42,
            Connections = new()
            {
                IdleTimeout = TimeSpan.FromSeconds(5),
                Security = new() { Protection = Protection.Plain },
            },
        };

        Assert.That(config.ToString(), Is.EqualTo(
            "ApplicationId=0x2A; Connections.IdleTimeout=5s; Connections.Security.Protection=Plain"));
    }

    [TestCase("Connections.IdleTimeout=5s", 5_000_000)]
    [TestCase("connections.idletimeout = 5 s", 5_000_000)]
    [TestCase("Connections.IdleTimeout=5000ms", 5_000_000)]
    [TestCase("Connections.IdleTimeout=0.5min;", 30_000_000)]
    [TestCase("\nConnections.IdleTimeout=5000500us\r\n", 5_000_500)]
    [TestCase("Connections.IdleTimeout=1h", 3_600_000_000)]
    public void A_duration_is_read_with_its_unit(string text, long microseconds)
        => Assert.That(
            GudpConfig.Parse(text).Connections.IdleTimeout, Is.EqualTo(TimeSpan.FromMicroseconds(microseconds)));

    [TestCase("5")]
    [TestCase("s")]
    [TestCase("five s")]
    [TestCase("99999999999999999999h")]
    [TestCase("")]
    public void A_duration_without_number_or_unit_is_refused(string value)
        => Assert.That(ProblemsOf($"Connections.IdleTimeout={value}"), Has.Count.EqualTo(1));

    [TestCase("512MB", 512L << 20)]
    [TestCase("1GB", 1L << 30)]
    [TestCase("100000KB", 100_000L << 10)]
    [TestCase("99999999B", 99_999_999)]
    [TestCase("99999999", 99_999_999)]
    public void Bytes_are_read_with_or_without_unit(string value, long bytes)
        => Assert.That(GudpConfig.Parse($"MemoryBudgetBytes={value}").MemoryBudgetBytes, Is.EqualTo(bytes));

    [TestCase("-1")]
    [TestCase("1.5MB")]
    [TestCase("9999999999GB")]
    [TestCase("5000000000")]
    public void Bytes_that_do_not_fit_are_refused(string value)
        => Assert.That(ProblemsOf($"Sockets.SendBufferBytes={value}"), Has.Count.EqualTo(1));

    [TestCase("Waiting=block", WaitingPolicy.Block)]
    [TestCase("Waiting=Hybrid", WaitingPolicy.Hybrid)]
    public void A_name_is_read(string text, WaitingPolicy waiting)
        => Assert.That(GudpConfig.Parse(text).Waiting, Is.EqualTo(waiting));

    [TestCase("Waiting=1")]
    [TestCase("Waiting=Sometimes")]
    [TestCase("Waiting=Block,Spin")]
    [TestCase("Waiting=Hybrid,Block")]
    public void A_name_that_is_none_is_refused(string text)
        => Assert.That(ProblemsOf(text).Single(), Does.Contain("Hybrid, Block, Spin"));

    [TestCase("ApplicationId=0x2a", 42UL)]
    [TestCase("ApplicationId=42", 42UL)]
    [TestCase("ApplicationId=0xFFFFFFFFFFFFFFFF", ulong.MaxValue)]
    public void An_application_id_is_read_in_both_forms(string text, ulong id)
        => Assert.That(GudpConfig.Parse(text).ApplicationId, Is.EqualTo(id));

    [Test]
    public void A_flag_is_read()
        => Assert.That(GudpConfig.Parse("Connections.Congestion.Pacing=false").Connections.Congestion.Pacing, Is.False);

    [TestCase("Connections.IdleTimeuot=5s", "Connections.IdleTimeout")]
    [TestCase("IdleTimeout=5s", "Connections.IdleTimeout")]
    [TestCase("PacketThreshold=5", "Connections.Loss.PacketThreshold")]
    public void An_unknown_key_names_the_nearest(string text, string nearest)
        => Assert.That(ProblemsOf(text).Single(), Does.EndWith($"did you mean {nearest}?."));

    [Test]
    public void A_key_like_no_other_gets_no_guess()
        => Assert.That(ProblemsOf("Xylophone.Quartet.Zzzzzz=1").Single(), Does.Not.Contain("did you mean"));

    [TestCase("Name=a; Name=b", "given twice")]
    [TestCase("Name", "write Key=value")]
    [TestCase("=5", "write Key=value")]
    public void An_entry_that_makes_no_sense_is_refused(string text, string part)
        => Assert.That(ProblemsOf(text).Single(), Does.Contain(part));

    [Test]
    public void All_problems_are_found_at_once()
    {
        IReadOnlyList<string> problems = ProblemsOf(
            "Connections.Loss.PacketThreshold=1; Connections.HeartbeatInterval=20s; Nonsense=1; Waiting=Maybe");

        Assert.That(problems, Has.Count.EqualTo(4));
        Assert.That(problems, Has.Some.StartsWith(
            "Connections.Loss.PacketThreshold is 1; allowed is 3 to 64: a smaller threshold takes"));
        Assert.That(problems, Has.Some.Contains("three heartbeats must fit into IdleTimeout, which is 15s"));
    }

    [TestCase("5s", 0)]
    [TestCase("5001ms", 1)]
    public void Three_heartbeats_fit_into_the_idle_timeout(string interval, int problems)
        => Assert.That(ProblemsOf($"Connections.HeartbeatInterval={interval}"), Has.Count.EqualTo(problems));

    [TestCase("9999ms", 0)]
    [TestCase("10s", 1)]
    public void The_second_hello_goes_before_the_handshake_times_out(string retry, int problems)
        => Assert.That(ProblemsOf($"Connections.HandshakeRetry={retry}"), Has.Count.EqualTo(problems));

    [TestCase(10 * 1024 * 1024, 0)]
    [TestCase((10 * 1024 * 1024) - 1, 1)]
    public void The_memory_budget_lets_every_connection_start_and_one_fill_its_queues(int bytes, int problems)
        => Assert.That(ProblemsOf($"MemoryBudgetBytes={bytes}"), Has.Count.EqualTo(problems));

    [TestCase(1_199, 1)]
    [TestCase(1_200, 0)]
    [TestCase(65_507, 0)]
    [TestCase(65_508, 1)]
    public void A_packet_is_between_what_all_paths_carry_and_what_udp_allows(int bytes, int problems)
        => Assert.That(ProblemsOf($"Connections.Path.PacketBytes={bytes}"), Has.Count.EqualTo(problems));

    [Test]
    public void Trying_says_no_without_an_exception()
    {
        bool isRead = GudpConfig.TryParse("Name=; IdleTimeout=5s", out GudpConfig config);

        Assert.That(isRead, Is.False);
        Assert.That(config, Is.EqualTo(default(GudpConfig)));
    }

    [Test]
    public void Trying_reads_what_is_right()
        => Assert.That(GudpConfig.TryParse("Name=left", out GudpConfig config) ? config.Name : "", Is.EqualTo("left"));

    [Test]
    public void Opening_without_a_named_protection_is_refused_and_says_how()
    {
        GudpConfigException? refused = Assert.Throws<GudpConfigException>(
            () => default(ConnectionConfig).ValidateForOpening());

        Assert.That(refused!.Problems.Single(), Does.StartWith("Connections.Security.Protection is Unset"));
        Assert.That(refused.Message, Does.Contain("Protection.Plain"));
    }

    [Test]
    public void Opening_with_plain_protection_by_name_is_allowed()
        => Assert.DoesNotThrow(
            () => new ConnectionConfig { Security = new() { Protection = Protection.Plain } }.ValidateForOpening());

    [Test]
    public void Rings_are_powers_of_two_with_room_to_spare()
    {
        Limits limits = Limits.From(default);

        Assert.That(limits.SentSlots, Is.EqualTo(4_096));
        Assert.That(limits.PoolBytes, Is.EqualTo(default(GudpConfig).MemoryBudgetBytes));
    }

    [Test]
    public void The_worst_case_is_the_sum_of_its_parts()
    {
        Limits limits = Limits.From(new GudpConfig { MaxConnections = 10 });

        Assert.That(limits.WorstCaseBytes, Is.GreaterThan((10 * limits.FixedBytesPerConnection) + limits.PoolBytes));
    }

    [Test]
    public void A_config_inside_another_keeps_its_keys_rules_and_errors()
    {
        var outer = new ConfigTable<Outer>()
            .Count("Lanes", c => c.Lanes, (c, v) => c with { Lanes = v }, (0, 256), "a lane has one byte")
            .Include("Core", GudpConfig.KeyTable, c => c.Core, (c, v) => c with { Core = v });

        Outer read = outer.Parse("Lanes=3; Core.Connections.IdleTimeout=5s");
        GudpConfigException? refused = Assert.Throws<GudpConfigException>(
            () => outer.Parse("Lanes=257; Core.Connections.HeartbeatStart=6s"));

        Assert.That(read.Core.Connections.IdleTimeout, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(outer.ToText(read), Is.EqualTo("Lanes=3; Core.Connections.IdleTimeout=5s"));
        Assert.That(refused!.Message, Does.StartWith("2 problems in Outer."));
        Assert.That(refused.Problems, Has.Some.StartsWith("Core.Connections.HeartbeatStart is 6s"));
    }

    [Test]
    public void The_tuning_page_names_every_key_with_its_default_and_range()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "TUNING.md"));

        foreach (ConfigKey key in GudpConfig.Keys)
        {
            Assert.That(page, Does.Contain($"| `{key.Key}` | {key.Kind} | {key.Default} | {key.Range} |"));
        }
    }

    private static IReadOnlyList<string> ProblemsOf(string text)
    {
        try
        {
            GudpConfig.Parse(text);
            return [];
        }
        catch (GudpConfigException refused)
        {
            return refused.Problems;
        }
    }

    private static string RepositoryRoot([CallerFilePath] string thisFile = "")
        => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", ".."));

    private readonly record struct Outer(int Lanes, GudpConfig Core);
}
