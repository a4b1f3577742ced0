using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools;
using Gudp.Tools.Commands;
using Gudp.Tools.Configuration;
using Gudp.Tools.Output;
using NUnit.Framework;
using static Gudp.Tests.Tools.CommandCall;

namespace Gudp.Tests.Tools;

/// <summary><c>gudp config</c>, in this process.</summary>
[TestFixture]
public sealed class ConfigCommandTests
{
    private string _folder = "";

    private static IEnumerable<string> EveryKey
        => GudpConfig.Keys.Select(key => key.Key).Concat(MessagingConfig.Keys.Select(key => key.Key));

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("gudp-config-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Show_prints_every_key_and_marks_the_defaults()
    {
        var (code, output, errors) = await RunAsync("config", "show");

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(GudpConfig.Keys.Count() + 1));
        Assert.That(output, Does.Match(@"(?m)^Connections\.IdleTimeout +15s +yes$"));
    }

    [Test]
    public async Task Show_puts_text_on_a_file_on_a_preset()
    {
        string file = Write("a.conf", "# ours\nConnections.IdleTimeout=40s\nConnections.Loss.PacketThreshold=9\n");

        var (code, output, errors) = await RunAsync(
            "config", "show", "--preset", "Lossy", "--file", file, "Connections.Loss.PacketThreshold=8");

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.Match(@"(?m)^Connections\.Loss\.EagerResend +true +false$"));
        Assert.That(output, Does.Match(@"(?m)^Connections\.IdleTimeout +40s +15s$"));
        Assert.That(output, Does.Match(@"(?m)^Connections\.Loss\.PacketThreshold +8 +3$"));
    }

    [Test]
    public async Task Show_reads_json_and_the_messaging_layer()
    {
        string file = Write("a.json", """
            { // comments and trailing commas are fine
              "Lanes": 5,
              "Core": { "Preset": "Bulk", "Name": "left", "ForceSpin": true, "Connections": {}, },
            }
            """);

        var (code, output, errors) = await RunAsync("config", "show", "--layer", "messaging", "--file", file);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.Match(@"(?m)^Lanes +5 +16$"));
        Assert.That(output, Does.Match(@"(?m)^Core\.MemoryBudgetBytes +1GB +256MB$"));
        Assert.That(output, Does.Match(@"(?m)^Core\.ForceSpin +true +false$"));
    }

    [Test]
    public async Task Validate_says_what_is_still_missing_to_open()
    {
        var (code, output, _) = await RunAsync("config", "validate", "Preset=Lan");
        var (whole, complete, _) = await RunAsync("config", "validate", "Connections.Security.Protection=Plain");

        Assert.That((code, whole), Is.EqualTo((ExitCode.Fine, ExitCode.Fine)));
        Assert.That(output, Does.StartWith("valid; to open anything, Connections.Security.Protection must be named"));
        Assert.That(complete, Is.EqualTo("valid\n"));
    }

    [Test]
    public async Task Validate_lists_all_mistakes_of_all_sources()
    {
        string file = Write("a.conf", "Connections.IdleTimeuot=5s\nWaiting=Maybe");

        var (code, output, errors) = await RunAsync("config", "validate", "--file", file, "Name=; Nonsense");

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(output, Is.Empty);
        Assert.That(errors.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(4));
        Assert.That(errors, Does.Contain("gudp: Connections.IdleTimeuot is not a key of GudpConfig; did you mean"));
        Assert.That(errors, Does.Contain("gudp: Waiting is 'Maybe'"));
        Assert.That(errors, Does.Contain("gudp: Name is ;"));
        Assert.That(errors, Does.Contain("gudp: 'Nonsense' is not an entry"));
    }

    [TestCase("""{ "Name": """, "The JSON cannot be read")]
    [TestCase("""{ "Name": ["a"] }""", "Name is a list")]
    [TestCase("""{ "Names": "a" }""", "did you mean Name?")]
    [TestCase("\u0000\u0001\u0002", "is not an entry")]
    public async Task A_file_that_makes_no_sense_is_one_line(string text, string problem)
    {
        var (code, output, errors) = await RunAsync("config", "validate", "--file", Write("bad", text));

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(output, Is.Empty);
        Assert.That(errors, Does.Contain(problem));
        Assert.That(errors.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Json_deeper_than_any_config_is_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("{\"a\":", 1_000)) + "1" + new string('}', 1_000);

        var (code, _, errors) = await RunAsync("config", "validate", "--file", Write("deep", deep));

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(errors, Does.Contain("The JSON cannot be read"));
    }

    [Test]
    public async Task A_file_larger_than_any_config_is_refused()
    {
        var (code, _, errors) = await RunAsync(
            "config", "show", "--file", Write("large", new string('x', (1024 * 1024) + 1)));

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(errors, Does.Contain("a config has at most 1048576"));
    }

    [TestCase("config show --file no-such-file", "cannot be read")]
    [TestCase("config show --preset Wan", "write one of Lan, Internet")]
    [TestCase("config show --layer bogus", "bogus")]
    [TestCase("config explain IdelTimeout", "did you mean Connections.IdleTimeout?")]
    [TestCase("config diff Lan Wan", "'Wan' is no preset (Lan, Internet")]
    [TestCase("config diff Lan Name=;Nmae=a", "did you mean Name?")]
    public async Task A_mistake_ends_with_code_2(string commandLine, string problem)
    {
        var (code, output, errors) = await RunAsync(commandLine.Split(' '));

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(output, Is.Empty);
        Assert.That(errors, Does.StartWith("gudp: ").And.Contain(problem));
    }

    [Test]
    public async Task Explain_prints_the_row_of_the_tuning_page()
    {
        var (code, output, errors) = await RunAsync("config", "explain", "packetthreshold");

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output.Split('\n'), Is.EqualTo(new[]
        {
            "Connections.Loss.PacketThreshold (count)",
            "Larger suits paths that reorder; each step delays recovery by one packet.",
            "default: 3",
            "allowed: 3 to 64",
            "source: RFC 9002 section 6.1.1",
            "",
        }));
    }

    [TestCaseSource(nameof(EveryKey))]
    public void Every_key_has_a_row_that_says_what_it_means_and_where_it_comes_from(string key)
    {
        ConfigKey known = GudpConfig.Keys.Concat(MessagingConfig.Keys).First(candidate => candidate.Key == key);

        TuningRow? row = TuningPage.Load().Find(key);

        Assert.That(row, Is.Not.Null);
        Assert.That((row!.Kind, row.Default, row.Range), Is.EqualTo((known.Kind, known.Default, known.Range)));
        Assert.That(row.Meaning, Is.Not.Empty);
        Assert.That(row.Source, Is.Not.Empty);
    }

    [Test]
    public async Task Diff_names_the_keys_that_differ()
    {
        string file = Write("a.conf", "Preset=Lan\nName=left");

        var (code, output, errors) = await RunAsync("config", "diff", "lan", file);
        var (_, same, _) = await RunAsync("config", "diff", "Internet", "");

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Is.EqualTo("key      A     B\nName  gudp  left\n"));
        Assert.That(same, Is.EqualTo("no difference\n"));
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
