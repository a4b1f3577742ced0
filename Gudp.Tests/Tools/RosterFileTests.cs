using System.Reflection;
using System.Text.Json;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Tests.House;
using Gudp.Tools;
using Gudp.Tools.Arguments;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>A roster says whatever the declarations can say, its schema says the same, and every mistake is named.</summary>
[TestFixture]
public sealed class RosterFileTests
{
    private const string Everything =
        """
        {
          // Every property once, and none at its default.
          "$schema": "docs/roster.schema.json",
          "runId": "00000000-0000-0000-0000-000000000007",
          "stopTag": { "time": 900, "round": 2 }, "maxRounds": 99, "maxPayloadBytes": 1000, "maxInboxBytes": 100000,
          "seed": 18446744073709551615, "tieSeed": 3, "logBytes": 1, "logMessages": 2, "snapshotBytes": 9, "maxObservers": 5,
          "inboxLimit": { "messages": 3, "bytes": 4 }, "healthLimit": "20ms", "operators": "all",
          "admitsEarliest": true, "startsOnCommand": true, "pace": 2.5, "tickLength": "01:00:00", "whenLate": "slip",
          "members": [
            {
              "name": "a", "sends": true, "receives": false, "lookahead": { "ticks": 5, "rounds": 2 }, "publish": ["x"],
              "subscribe": ["y"], "subscribeQuietly": ["z"], "policies": { "y": "newest 3", "z": "latest" },
              "mayStop": true, "maySponsor": true, "join": 4, "mayPeek": true, "crashPolicy": "resign",
              "inboxLimit": { "messages": 5, "bytes": 6 }, "paced": false,
            },
          ],
          "channels": [
            {
              "name": "x", "minimumLatency": 2, "latency": { "uniform": [2, 9] }, "scatter": true, "senderLossPpm": 1,
              "receiverLossPpm": 2, "senderDuplicatePpm": 3, "receiverDuplicatePpm": 4, "policy": "oldest 2",
              "history": "last 3", "historyBytes": 7, "historyTicks": 8,
            },
          ],
        }
        """;

    private static readonly (Type Type, string Kind)[] Kinds =
    [
        (typeof(SequencingConfig), "roster"), (typeof(MemberDeclaration), "member"), (typeof(ChannelDeclaration), "channel"),
        (typeof(InboxLimit), "inboxLimit"),
    ];

    [Test]
    public void Everything_that_can_be_declared_can_be_written_in_a_file()
    {
        SequencingConfig expected = new()
        {
            RunId = 7,
            StopTag = new Tag(900, 2),
            MaxRounds = 99,
            MaxPayloadBytes = 1000,
            MaxInboxBytes = 100_000,
            Seed = ulong.MaxValue,
            TieSeed = 3,
            LogBytes = 1,
            LogMessages = 2,
            SnapshotBytes = 9,
            MaxObservers = 5,
            InboxLimit = new InboxLimit(3, 4),
            HealthLimit = TimeSpan.FromMilliseconds(20),
            Operators = OperatorAccess.All,
            AdmitsEarliest = true,
            StartsOnCommand = true,
            Pace = 2.5,
            TickLength = TimeSpan.FromHours(1),
            WhenLate = LatePolicy.Slip,
            Roster =
            [
                new("a")
                {
                    Sends = true, Receives = false, Lookahead = Delay.Of(5, 2), Publish = ["x"], Subscribe = ["y"],
                    SubscribeQuietly = ["z"],
                    Policies = new Dictionary<string, BufferPolicy>
                    {
                        ["y"] = BufferPolicy.Newest(3), ["z"] = BufferPolicy.Latest,
                    },
                    MayStop = true, MaySponsor = true, Join = 4, MayPeek = true, CrashPolicy = CrashPolicy.Resign,
                    InboxLimit = new InboxLimit(5, 6), Paced = false,
                },
            ],
            Channels =
            [
                new("x")
                {
                    MinimumLatency = Delay.Ticks(2), Latency = LatencyModel.Uniform(2, 9), Scatter = true, SenderLossPpm = 1,
                    ReceiverLossPpm = 2, SenderDuplicatePpm = 3, ReceiverDuplicatePpm = 4,
                    Policy = BufferPolicy.Oldest(2), History = ChannelHistory.Last(3), HistoryBytes = 7, HistoryTicks = 8,
                },
            ],
        };

        SequencingConfig read = RosterFile.Parse(Everything);

        Assert.That(read.ComputeHash(), Is.EqualTo(expected.ComputeHash()));
        Assert.That(read.ComputeSettingsHash(), Is.EqualTo(expected.ComputeSettingsHash()));
        Assert.That(read.RunId, Is.EqualTo(expected.RunId));
        Assert.That(read.AdmitsEarliest, Is.True);
        Assert.That((read.SnapshotBytes, read.MaxObservers), Is.EqualTo((9, 5)));
    }

    [Test]
    public void A_file_with_defaults_only_is_a_roster_of_defaults()
    {
        SequencingConfig read = RosterFile.Parse("""{ "members": [{ "name": "a" }], "channels": [{ "name": "x" }] }""");
        SequencingConfig expected = new() { Roster = [new("a")], Channels = [new("x")] };

        Assert.That(read.ComputeHash(), Is.EqualTo(expected.ComputeHash()));
        Assert.That(read.ComputeSettingsHash(), Is.EqualTo(expected.ComputeSettingsHash()));
    }

    // As its first program declares it: a member of the one joins a server of the other.
    [Test]
    public void The_roster_of_the_page_that_teaches_is_that_of_its_program()
    {
        string page = File.ReadAllText(Repository.PathOf("docs", "lock-time.md")).ReplaceLineEndings("\n");
        int start = page.IndexOf("```json\n", StringComparison.Ordinal) + "```json\n".Length;
        SequencingConfig expected = new()
        {
            StopTag = 1_000,
            Roster =
            [
                new("room") { Publish = ["temperature"], Subscribe = ["heater"], Lookahead = Delay.Ticks(10) },
                new("thermostat") { Publish = ["heater"], Subscribe = ["temperature"], Lookahead = Delay.Ticks(1) },
            ],
        };

        SequencingConfig read = RosterFile.Parse(page[start..page.IndexOf("```", start, StringComparison.Ordinal)]);

        Assert.That(read.ComputeHash(), Is.EqualTo(expected.ComputeHash()));
    }

    [Test]
    public void Each_property_of_the_schema_is_read_and_each_that_is_read_is_in_the_schema()
    {
        RosterMistakes known = new();
        RosterFile.Parse(Everything, known);
        using JsonDocument schema = Schema();

        IEnumerable<(string, string)> inSchema = Kinds.SelectMany(kind => PropertiesOf(schema, kind.Kind)
            .Select(property => (kind.Kind, property.Name)));

        Assert.That(known.Known, Is.EquivalentTo(inSchema));
    }

    [Test]
    public void Each_property_of_the_declarations_is_in_the_schema()
    {
        using JsonDocument schema = Schema();

        foreach ((Type type, string kind) in Kinds)
        {
            IEnumerable<string> declared = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.CanRead)
                .Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name))
                .Select(name => name == "roster" ? "members" : name);

            // What editors look for says nothing about the run.
            IEnumerable<string> known = PropertiesOf(schema, kind).Select(property => property.Name).Except(["$schema"]);

            Assert.That(known, Is.EquivalentTo(declared), kind);
        }
    }

    [Test]
    public void The_schema_allows_nothing_else_describes_everything_and_names_the_same_choices()
    {
        using JsonDocument schema = Schema();
        Dictionary<string, Type> choices = new()
        {
            ["operators"] = typeof(OperatorAccess),
            ["whenLate"] = typeof(LatePolicy),
            ["crashPolicy"] = typeof(CrashPolicy),
        };

        foreach (JsonProperty property in Kinds.SelectMany(kind => PropertiesOf(schema, kind.Kind)))
        {
            Assert.That(property.Value.GetProperty("description").GetString(), Does.EndWith("."), property.Name);

            if (choices.TryGetValue(property.Name, out Type? type))
            {
                Assert.That(
                    property.Value.GetProperty("enum").EnumerateArray().Select(entry => entry.GetString()),
                    Is.EqualTo(Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)));
            }
        }

        Assert.That(
            Kinds.Select(kind => PartOf(schema, kind.Kind).GetProperty("additionalProperties").GetBoolean()),
            Is.All.False);
    }

    [Test]
    public void A_file_with_three_mistakes_names_all_three_with_their_paths()
    {
        GudpConfigException? failure = Assert.Throws<GudpConfigException>(() => RosterFile.Parse(
            """
            { "members": [
              { "name": "a", "lookahead": -3 },
              { "name": "b", "publich": ["x"] },
              { "name": "a" } ] }
            """));

        Assert.That(failure!.Problems, Has.Count.EqualTo(3));
        Assert.That(failure.Problems[0], Does.StartWith("$.members[0].lookahead is -3; allowed is ticks"));
        Assert.That(failure.Problems[1], Does.StartWith("$.members[1].publich is unknown; a member has crashPolicy,"));
        Assert.That(failure.Problems[2], Does.StartWith("$.members[2].name is \"a\"; allowed is a name that no other has"));
    }

    [TestCase("", "$ is not JSON")]
    [TestCase("[]", "$ is []; allowed is an object")]
    [TestCase("{}", "$.roster.Count|$.members")]
    [TestCase("""{"members":[{"name":"\ud800"}]}""", """$.members[0].name is "\ud800"; allowed is a text""")]
    [TestCase("""{"members":[{"name":"a","\udc00":5}]}""", "$.members[0] has a property whose name is no text")]
    [TestCase("""{"members":[{"name":"a","join":{"\udc00":5}}]}""", "$ is not Unicode")]
    [TestCase("""{"members":[{}]}""", "$.members[0].name is missing")]
    [TestCase("""{"members":[7]}""", "$.members[0] is 7; allowed is an object")]
    [TestCase("""{"members":[{"name":"a","publish":["x",5]}]}""", "$.members[0].publish[1] is 5; allowed is a text")]
    [TestCase("""{"members":[{"name":"a","subscribe":"x"}]}""", "$.members[0].subscribe is \"x\"; allowed is a list")]
    [TestCase("""{"members":[{"name":"a","mayStop":1}]}""", "$.members[0].mayStop is 1; allowed is true or false")]
    [TestCase("""{"members":[{"name":"a","crashPolicy":"Stall"}]}""", "\"stall\", \"resign\", \"abort\"")]
    [TestCase("""{"members":[{"name":"a","policies":{"x":"newest"}}]}""", "$.members[0].policies.x is \"newest\"")]
    [TestCase("""{"members":[{"name":"a","inboxLimit":{"messages":1}}]}""", "$.members[0].inboxLimit.bytes is missing")]
    [TestCase("""{"members":[{"name":"a"},{"name":"a"}],"members":[]}""", "$.members is there twice")]
    [TestCase("""{"members":[{"name":"a"}],"healthLimit":5}""", "$.healthLimit is 5; allowed is a time such as 20ms")]
    [TestCase("""{"members":[{"name":"a"}],"$schema":1}""", "$.$schema is 1; allowed is a text")]
    [TestCase("""{"members":[{"name":"a"}],"pace":-1}""", "$.pace is -1; allowed is 0")]
    [TestCase("""{"members":[{"name":"a"}],"channels":[{"name":"x","latency":{"uniform":[9,2]}}]}""", "$.channels[0].latency is")]
    [TestCase("""{"members":[{"name":"a"}],"channels":[{"name":"x","senderLossPpm":2000000}]}""", "$.channels[0].senderLossPpm")]
    public void A_mistake_is_named_with_its_path(string text, string expected)
    {
        GudpConfigException? failure = Assert.Throws<GudpConfigException>(() => RosterFile.Parse(text));

        Assert.That(expected.Split('|').Any(part => failure!.Message.Contains(part)), Is.True, failure!.Message);
    }

    [TestCase("serve", "--check", "--roster", "")]
    [TestCase("serve", "--port", "0", "--record", "")]
    [TestCase("serve", "--port", "0", "--record", "no such folder/run.rec")]
    [TestCase("log", "")]
    public async Task A_path_that_is_none_is_a_mistake_of_the_user(params string[] words)
    {
        var (code, _, errors) = await CommandCall.RunAsync(words);

        Assert.That(code, Is.EqualTo(ExitCode.Usage), errors);
        Assert.That(errors, Does.Not.Contain("defect"));
    }

    [Test]
    public async Task Serve_with_check_says_what_is_wrong_or_what_the_run_is_and_opens_no_port()
    {
        string file = Path.GetTempFileName();

        try
        {
            await File.WriteAllTextAsync(file, Everything);
            var good = await CommandCall.RunAsync("serve", "--roster", file, "--check");
            await File.WriteAllTextAsync(file, """{ "members": [{ "nam": "a" }] }""");
            var bad = await CommandCall.RunAsync("serve", "--roster", file, "--check");

            Assert.That(good.Code, Is.EqualTo(ExitCode.Fine), good.Errors);
            Assert.That(good.Output, Does.StartWith("1 members, config hash"));
            Assert.That(bad.Code, Is.EqualTo(ExitCode.Usage));
            Assert.That(bad.Errors, Does.Contain("2 mistakes:\n  $.members[0]").And.Contain("\n  $.members[0].nam is unknown"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static JsonDocument Schema() => JsonDocument.Parse(File.ReadAllText(Repository.PathOf("docs/roster.schema.json")));

    private static JsonElement PartOf(JsonDocument schema, string kind)
        => kind == "roster" ? schema.RootElement : schema.RootElement.GetProperty("$defs").GetProperty(kind);

    private static JsonElement.ObjectEnumerator PropertiesOf(JsonDocument schema, string kind)
        => PartOf(schema, kind).GetProperty("properties").EnumerateObject();
}
