using System.Globalization;
using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>
/// The numbered scenarios of the time-management systems users come from, as a table. A row is a number, the members
/// and the steps. A step is "actions => outcomes": actions are separated by ";", and after each step everything that
/// can move has moved. Outcomes are the grants of the step by name, "!" and the error, or nothing: everybody waits.
/// </summary>
[TestFixture]
public sealed class ScenarioTests
{
    private static readonly Scenario[] Scenarios =
    [
        new("S-A1", "x()", "x To 10 => x 10", "x To 50 => x 50"),

        new("S-A2", "a(R) b(R) c(R)",
            "a To 10 => a 10", "b To 10 => b 10", "c To 10 => c 10", "a To 30; c To 45007 => a 30, c 45007"),

        new("S-A3", "a(S,L=5) b(S,L=5) c(S,L=5)",
            "a To 5 => a 5", "b To 10 => b 10", "c To 422455663 => c 422455663", "a To 422455663 => a 422455663"),

        new("S-A5", "d(R) x(S,L=50) y(S,L=50)",
            "d To 49 => d 49", "d To 100 =>", "x To 49; y To 49 => x 49, y 49", "x To 50; y To 50 => x 50, y 50",
            "x To 51 => x 51", "y To 51 => y 51, d 100"),

        new("S-A6", "d(R) x(S,L=5) z()",
            "d To 10 =>", "z To 100 => z 100", "x To 50 => x 50, d 10"),

        new("S-A7", "a(S,R,L=10) b(S,R,L=10)",
            "a To 10 =>", "b To 10 => a 10, b 10", "a To 21 =>", "b To 21 => a 21, b 21"),

        new("S-A8", "d(R) x(S,L=1)", "d To 5 =>", "x resigns => d 5", "d To 100 => d 100"),

        new("S-A9", "a(S,R,L=10) b(S,R,L=10) c(S,R,L=10)",
            "a To 10; b To 10; c To 10 => a 10, b 10, c 10", "a resigns; b resigns; c resigns => end"),

        new("S-A9 again", "a(S,R,L=10) b(S,R,L=10) c(S,R,L=10)",
            "a To 10; b To 10; c To 10 => a 10, b 10, c 10", "a resigns; b resigns; c resigns => end"),

        new("S-A13", "d(R) x(S,L=1)", "d To 10 =>", "x To 10 => x 10, d 10"),

        new("S-A15", "d(R) x(S,L=5)",
            "x sends m at 5; x To 5; d To 5 => x 5, d 5 [m@5]",
            "x lookahead 10; x sends n at 15; x To 15; d To 15 => x 15, d 15 [n@15]"),

        new("S-A16", "x(S,L=2)",
            "x lookahead 1 =>", "x sends m at 1 => !LookaheadViolation", "x To 1 => x 1",
            "x sends m at 2; x To 2 => x 2"),

        new("S-A17", "x(S,L=5) d(R)",
            "x sends m at 2 => !LookaheadViolation", "x sends m at 5; x To 1; d To 5 => x 1, d 5 [m@5]"),

        new("S-A18", "x(S,R) y(S,R)", "x To 5 =>", "x To 10 => !AlreadyRequesting"),

        new("S-A19", "x()", "x To 10 => x 10", "x To 5 => !PastTag", "x To -1 => !PastTag"),

        new("S-A20", "x()", "x To 10 => x 10", "x To 10 => x 10"),

        new("S-A21", "f0(S,R,L=1) f1(S,R,L=1)",
            "f0 sends m5 at 5; f0 sends m10 at 10; f0 To 10 =>", "f1 To 4 => f1 4", "f1 To 5 => f1 5 [m5@5]",
            "f1 To 9 => f1 9", "f1 To 10 => f0 10, f1 10 [m10@10]"),

        new("S-A22", "r(S,L=5) c(R)", "r sends m at 5; r To 5 => r 5", "c Next 3 => c 3"),

        new("S-A24", "r(S,L=1) d(R)", "r To 10 => r 10", "d Next 6 => d 6"),

        new("S-A11", "d(R) x(S,L=5)", "d To 50 =>", "operator withdraws d => d 50", "d To 60 => d 60"),

        new("S-A12", "x(S,L=5) d(,subscribed)",
            "d To 100 => d 100", "x sends m at 50; x sends n at 150; d roles R; d To 100 =>",
            "x To 200 => x 200, d 100",
            "d To 150 => d 150 [n@150]"),

        new("S-A27", "f0(S,L=1) f1(R,peeks)",
            "f0 sends m5 at 5; f0 sends m10 at 10; f0 To 20 => f0 20", "f1 peeks => f1 sees [m5@5 m10@10]",
            "f1 peeks => f1 sees [m5@5 m10@10]", "f1 To 10 => f1 10 [m5@5 m10@10]", "f1 peeks => f1 sees []"),

        new("S-A28", "a(S,R,L=1) b(S,R,L=1)", "a Next 1000000 =>", "b Next 1000000 => a 1000000, b 1000000"),

        new("S-B1", "v1(S,R) v2(S,R)",
            "v1 sends m; v1 Next 20 grid 5 =>", "v2 Next 20 grid 5 => v2 5 [m@(0,1)]",
            "v2 Next 20 grid 5 => v1 20, v2 20"),

        new("S-B4", "link=10 v1(S,R) v2(S,R)",
            "v1 Next 100 grid 10; v2 Next 200 grid 10 => v1 100", "v1 sends m; v1 Next 190 grid 10 => v2 110 [m@110]",
            "v2 Next 200 grid 10 => v1 190", "v1 resigns => v2 200"),

        new("S-B10", "s(S) r(R)",
            "s sends m0 at 1; s To 1; r Next INF => s 1, r 1 [m0@1]",
            "s sends m1 at 2; s To 2; r Next INF => s 2, r 2 [m1@2]",
            "s sends m2 at 3; s To 3; r Next INF => s 3, r 3 [m2@3]",
            "s sends m3 at 4; s To 4; r Next INF => s 4, r 4 [m3@4]",
            "s sends m4 at 5; s To 5; r Next INF => s 5, r 5 [m4@5]", "r Next INF =>", "s resigns => r infinity final",
            "r To 6 => !PastTag", "r Next INF => !Stopped", "r resigns => end"),

        new("S-B12", "f1(S,R) f2(S,R) f3(S,R) ring",
            "f1 sends m; f1 Next 50; f2 Next 50; f3 Next 50 => f2 (0,1) [m@(0,1)]",
            "f2 sends m; f2 Next 50 => f3 (0,2) [m@(0,2)]", "f3 sends m; f3 Next 50 => f1 (0,3) [m@(0,3)]",
            "f1 Next 50 => f1 50, f2 50, f3 50"),

        new("S-B13", "v1(S,R) v2(S,R)",
            "v1 Next 10; v2 Next 30 => v1 10", "v1 sends m; v1 Next 20 => v2 (10,1) [m@(10,1)]",
            "v2 sends echo; v2 Next 30 => v1 (10,2) [echo@(10,2)]", "v1 Next 20 => v1 20",
            "v1 sends m; v1 Next 30 => v2 (20,1) [m@(20,1)]", "v2 sends echo; v2 Next 30 => v1 (20,2) [echo@(20,2)]"),

        new("S-B15", "a(S,R) b(S,R)",
            "a EndOf 1 =>", "b EndOf 1 => a end of 1, b end of 1",
            "a sends x; b sends y; a EndOf 2 =>", "b EndOf 2 => a end of 2 [y@2], b end of 2 [x@2]"),

        new("S-B21", "v1(S,L=r1) v2(R)",
            "v1 sends m; v1 To 1; v2 Next 1 => v1 1, v2 (0,1) [m@(0,1)]", "v2 Next 1 => v2 1"),

        new("S-B24", "a(S,R) b(S,R) c(S,R)",
            "a Next 1 grid 1; b Next 2 grid 2; c Next 3 grid 3 => a 1", "a Next 2 grid 1 => a 2, b 2",
            "b sends b2; b Next 4 grid 2; a Next 3 grid 1 => a 3 [b2@(2,1)], c 3 [b2@(2,1)]",
            "c sends c3; c Next 6 grid 3; a Next 4 grid 1 => a 4 [c3@(3,1)], b 4 [c3@(3,1)]",
            "b Next 6 grid 2; a Next 5 grid 1 => a 5", "a Next 6 grid 1 => a 6, b 6, c 6"),

        new("S-B24 end of", "a(S,R) b(S,R)",
            "b Next 2 grid 2; a EndOf 2 => b 2", "b sends b2; b Next 4 grid 2 => a end of 2 [b2@(2,1)]"),

        new("S-B24 offset", "b(S,R) c(S,R)",
            "c Next 4 grid 3; b Next 2 grid 2+1/2 => b 3", "b Next 10 grid 2+1/2 => c 6", "c Next 7 grid 3 => c 9"),

        new("S-C2", "link=200 source(S) sink(R)",
            "sink Next 5000; source To 1000 => source 1000",
            "source sends 1 at 1000; source To 2000 => !LookaheadViolation, source 2000"),

        new("S-C6", "a(S,R,stops) b(S,R,stops)",
            "a stops (0,1); a Next INF =>", "b stops (0,1); b Next INF => a (0,1) final, b (0,1) final",
            "a sends m at 5 => !Stopped", "a To 6 => !Stopped", "a resigns; b resigns => end"),

        new("S-C4", "x(S,R) self",
            "x To 100 => x 100", "x sends 1; x Next 200 => x (100,1) [1@(100,1)]", "x Next 200 => x 200",
            "x sends 2; x Next 300 => x (200,1) [2@(200,1)]", "x Next 300 => x 300"),

        // Two without look-ahead feed each other and hear each other's answer: a circle that holds nobody for ever.
        new("S-C7", "t0(S,R,hears=t1) t1(S,R,hears=t0) check(R,hears=t1)",
            "t0 sends v; t0 Next 10; t1 Next 10; check Next 10 => t1 (0,1) [v@(0,1)]",
            "t1 sends v; t1 Next 10 => t0 (0,2) [v@(0,2)], check (0,2) [v@(0,2)]",
            "t0 Next 10; check Next 10 => t0 10, t1 10, check 10"),

        new("S-D3", "x()", "x To 5 grid 0 => !no such grid", "x To 5 grid 5 => x 5"),

        new("S-F10", "rounds=20 a(S,R) b(S,R)",
            "a echoes b => !RoundLimit on and on: \"a\" on 'from/a' 10 times; \"b\" on 'from/b' 10 times."),

        new("S-F4", "a(S,L=5) b(S,L=5) r(R)",
            "b sends fromB at 5; b To 5 => b 5", "a sends fromA at 5; a To 5 => a 5",
            "r To 5 => r 5 [fromA@5 fromB@5]"),
    ];

    /// <summary>All rows; those that need no wire run on the bare rule as well.</summary>
    internal static IEnumerable<Scenario> Rows => Scenarios.Concat(Generated());

    private static IEnumerable<TestCaseData> Cases()
        => Rows.Select(scenario => new TestCaseData(scenario).SetArgDisplayNames(scenario.Number));

    // A (least step 10) and B (grid 5) send one message each at the start of every ten ticks; one of them is silent for
    // as long as the other can do anything, after the k-th message of both.
    [Test]
    public void S_B23_A_stall_after_any_message_changes_no_grant(
        [Range(25, 79)] int k, [Values("a", "b")] string stalled)
    {
        const int Rounds = 20;
        SequencingConfig config = new()
        {
            Roster =
            [
                new MemberDeclaration("a") { Publish = ["fromA"], Subscribe = ["fromB"] },
                new MemberDeclaration("b") { Publish = ["fromB"], Subscribe = ["fromA"] },
            ],
        };
        SingleProcessRun run = new(config);
        int stalledLink = stalled == "a" ? 0 : 1;
        int moved = 0;
        bool mayStall = true;
        List<string>[] grants = [[], []];
        List<string>[] expected = [["0 []"], ["0 []"]];

        for (bool goesOn = true; goesOn;)
        {
            goesOn = false;

            for (int link = 0; link < 2; link++)
            {
                if (mayStall && moved >= k && link == stalledLink)
                {
                    continue;
                }

                bool isMoved = run.MoveUp(link) | run.MoveDown(link);
                goesOn |= isMoved;
                moved += isMoved ? 1 : 0;
                Act(run.Members[link], grants[link], 10 * Rounds);
            }

            // The other one can do nothing more: the silence is over.
            if (!goesOn && mayStall && moved >= k)
            {
                (mayStall, goesOn) = (false, true);
            }
        }

        for (int tick = 0; tick < 10 * Rounds; tick += 10)
        {
            expected[0].Add($"{tick + 10} [b{tick}]");
            expected[1].AddRange([$"{tick + 5} [a{tick}]", $"{tick + 10} []"]);
        }

        Assert.That(mayStall, Is.False, "The stall was in the run.");
        Assert.That(grants[0], Is.EqualTo(expected[0]));
        Assert.That(grants[1], Is.EqualTo(expected[1]));

        static void Act(MemberEngine member, List<string> grants, long until)
        {
            if (!member.TryTakeGrant(out Grant grant))
            {
                return;
            }

            string batch = string.Join(' ', grant.Messages.Select(m => Encoding.UTF8.GetString(m.Payload.Span)));
            grants.Add($"{grant.Tag} [{batch}]");
            long time = grant.Tag.Time;

            if (time >= until)
            {
                member.Resign();
                return;
            }

            if (time % 10 == 0)
            {
                string channel = member.Name == "a" ? "fromA" : "fromB";
                member.Publish(channel, Encoding.UTF8.GetBytes($"{member.Name}{time}"), null);
            }

            long next = (time / 10 * 10) + 10;
            member.Request(
                member.Name == "a" ? AdvanceMode.To : AdvanceMode.Next, next,
                member.Name == "a" ? new Grid(1, 0, 10) : new Grid(5));
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void A_scenario_gives_exactly_its_grants(Scenario scenario)
        => scenario.Play(new EngineScenario(scenario.Configure()));

    private static IEnumerable<Scenario> Generated()
    {
        // v2 is always a multiple of 5 behind; a batch holds just the five messages since its last grant.
        List<string> steps = ["v2 To 5 =>"];

        for (int k = 1; k <= 100; k++)
        {
            // With one round of look-ahead v1's message for k goes out on its way from k - 1.
            string granted = k % 5 == 0 ? $"v1 {k}, v2 {k} [{string.Join(' ', FiveUpTo(k))}]" : $"v1 {k}";
            string next = k % 5 == 0 && k < 100 ? $"; v2 To {k + 5}" : "";
            steps.Add($"v1 sends {k}; v1 To {k} => {granted}");

            if (next.Length > 0)
            {
                steps.Add($"v2 To {k + 5} =>");
            }
        }

        yield return new Scenario("S-B5", "v1(S) v2(R)", [.. steps]);

        steps = ["v2 To 5 =>"];

        // The same, and v2 answers at each of its grants; v1 hears it at its next one.
        for (int k = 1; k <= 100; k++)
        {
            string heard = k % 5 == 1 && k > 1 ? $" [back{k - 1}@({k - 1},1)]" : "";
            string granted = k % 5 == 0 ? $", v2 {k} [{string.Join(' ', FiveUpTo(k))}]" : "";
            steps.Add($"v1 sends {k}; v1 To {k} => v1 {k}{heard}{granted}");

            if (k % 5 == 0 && k < 100)
            {
                steps.Add($"v2 sends back{k}; v2 To {k + 5} =>");
            }
        }

        yield return new Scenario("S-B6", "v1(S,R) v2(S,R)", [.. steps]);

        // Delays 1000 between values, 200 on the link: the sink sees value k at 1000 k - 800.
        steps = ["sink Next 5000 =>"];

        for (int k = 1; k <= 5; k++)
        {
            string arrival = $"{(1000 * k) - 800}";
            string seen = string.Create(CultureInfo.InvariantCulture, $"sink {arrival} [{k}@{arrival}]");
            string at = k == 1 ? "(0,1)" : $"({(k - 1) * 1000},1)";
            steps.Add($"source sends {k} at {at}; source To {k * 1000} => source {k * 1000}, {seen}");
            steps.Add(k < 5 ? "sink Next 5000 =>" : "sink Next 5000 => sink 5000");
        }

        // Over 5000 ticks on a link of 500, ten promises are enough for a receiver that asks for each 500.
        yield return new Scenario(
            "S-D4", "link=500 s(S) r(R)",
            [.. Enumerable.Range(1, 10).SelectMany(k => (string[])
                [$"r Next {500 * k} =>", $"s promises {500 * k}; s flushes => r {500 * k}"])]);

        yield return new Scenario("S-C2 counted", "link=200 source(S) sink(R)", [.. steps]);
    }

    private static IEnumerable<string> FiveUpTo(int k)
        => Enumerable.Range(k - 4, 5).Select(value => value == 1 ? "1@(0,1)" : $"{value}@({value - 1},1)");
}
