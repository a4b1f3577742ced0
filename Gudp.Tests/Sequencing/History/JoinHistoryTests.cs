using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Tests.Sequencing.Joining;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.History;

/// <summary>What of the past a late joiner gets, and that nothing is missing or twice at the seam (clause ).</summary>
[TestFixture]
public sealed class JoinHistoryTests
{
    private const long Join = 30;
    private const long End = 60;

    [Test]
    public void Live_gets_nothing_of_the_past()
    {
        LinkedRun run = Filled(new());

        Grant first = JoinWith(run, HistoryStart.Live);

        Assert.That(first.Messages, Is.Empty);
        Assert.That(first.HistoryFrom, Is.Null);
    }

    [Test]
    public void S_E6_last_gets_exactly_one_message_of_each_channel_and_then_what_is_live()
    {
        LinkedRun run = Filled(new());

        Grant first = JoinWith(run, HistoryStart.Last(1));
        Grant second = Next(run, 50);

        Assert.That(first.Messages.Select(message => message.Channel), Is.EquivalentTo((string[])["x", "y"]));
        Assert.That(first.Messages.Select(message => message.Arrival.Time), Is.All.InRange(Join - 3, Join));
        Assert.That(first.Messages, Is.Ordered.By("Arrival"));
        Assert.That(second.Messages.Select(message => message.Arrival.Time), Is.All.GreaterThan(Join));
    }

    [Test]
    public void A_tag_gets_what_arrives_there_or_later_and_not_after_the_join()
    {
        LinkedRun run = Filled(new());

        Grant first = JoinWith(run, HistoryStart.Since(new Tag(20, 0)));

        Assert.That(first.Messages.Select(message => message.Arrival.Time).Distinct(),
            Is.EqualTo(Enumerable.Range(20, 11).Select(time => (long)time)));
    }

    [Test]
    public void A_number_gets_that_message_and_all_later_ones()
    {
        LinkedRun run = Filled(new());
        Grant all = JoinWith(Filled(new()), HistoryStart.FromNumber(1));

        Grant first = JoinWith(run, HistoryStart.FromNumber(11));

        Assert.That(first.Messages.Select(Identity), Is.EqualTo(all.Messages.Skip(10).Select(Identity)));
        Assert.That(all.Messages, Has.Count.GreaterThan(30));
    }

    // S-E4: with one who was there from the start, and on any network that is the same for both.
    [TestCase(0, 0)]
    [TestCase(7, 0)]
    [TestCase(7, 100_000)]
    public void S_E4_at_the_seam_nothing_is_missing_and_nothing_comes_twice(long latency, int duplicates)
    {
        for (int joinsAfter = 0; joinsAfter < 45; joinsAfter += 3)
        {
            LinkedRun run = new(Config(latency, duplicates), "late");
            run.Settle();
            List<string> there = Walk(run, joinsAfter)["there"];
            run.Join(Late(HistoryStart.FromNumber(1)));
            Dictionary<string, List<string>> got = Walk(run, 200);
            there.AddRange(got["there"]);

            Assert.That(got["late"], Is.EqualTo(there).And.Count.GreaterThan(80));
            Assert.That(run["late"].Engine.Error, Is.EqualTo(SequencingError.None), run["late"].Engine.ErrorDetail);
        }
    }

    [Test]
    public void The_first_batch_is_the_same_whenever_it_connects_and_is_in_the_digest()
    {
        HashSet<ulong> digests = [];

        for (int joinsAfter = 0; joinsAfter < 40; joinsAfter += 4)
        {
            LinkedRun run = new(Config(5, 50_000), "late");
            run.Settle();
            Walk(run, joinsAfter);
            run.Join(Late(HistoryStart.Since(new Tag(4, 0))));
            Walk(run, 200);
            digests.Add(run["late"].Engine.Digest);
        }

        Assert.That(digests, Has.Count.EqualTo(1));
    }

    // Rule zero: neither when it connects nor how far the others are by then decides what it is given.
    [TestCase("none")]
    [TestCase("last")]
    [TestCase("ticks")]
    [TestCase("bytes")]
    public void What_a_channel_keeps_for_a_joiner_is_judged_at_its_join(string kept)
    {
        ChannelDeclaration channel = kept switch
        {
            "none" => new("x") { History = ChannelHistory.None },
            "last" => new("x") { History = ChannelHistory.Last(4) },
            "ticks" => new("x") { HistoryTicks = 6 },
            _ => new("x") { HistoryBytes = 900 },
        };
        HashSet<string> firsts = [];

        for (int joinsAfter = 0; joinsAfter < 60; joinsAfter += 3)
        {
            LinkedRun run = new(With(Config(), new() { Channels = [channel] }), "late");
            run.Settle();
            Walk(run, joinsAfter);
            run.Join(Late(HistoryStart.FromNumber(1)));
            firsts.Add(string.Join(';', Walk(run, 200, isFirstOnly: true)["late"].Where(one => one.EndsWith('x'))));
        }

        Assert.That(firsts, Has.Count.EqualTo(1));
        Assert.That(
            firsts.Single().Split(';', StringSplitOptions.RemoveEmptyEntries),
            Has.Length.EqualTo(kept switch { "none" => 0, "ticks" => 7, _ => 4 }));
    }

    [TestCase(50)]
    [TestCase(57)]
    [TestCase(60)]
    public void A_number_is_counted_also_among_what_is_not_final_yet(long from)
    {
        HashSet<string> firsts = [];

        for (int joinsAfter = 0; joinsAfter < 60; joinsAfter += 3)
        {
            LinkedRun run = new(Config(), "late");
            run.Settle();
            Walk(run, joinsAfter);
            run.Join(Late(HistoryStart.FromNumber(from)));
            firsts.Add(string.Join(';', Walk(run, 200, isFirstOnly: true)["late"]));
        }

        Assert.That(firsts, Has.Count.EqualTo(1));
    }

    // A sender may be far below the join when nothing it says can arrive there any more: it is waited for all the same.
    [Test]
    public void Which_snapshot_it_gets_does_not_depend_on_how_far_its_sender_has_come()
    {
        HashSet<Tag?> tags = [];

        for (int joinsAfter = 0; joinsAfter < 60; joinsAfter++)
        {
            LinkedRun run = new(
                new()
                {
                    Roster =
                    [
                        new("a") { Publish = ["x"], Lookahead = Delay.Ticks(9) },
                        new("late") { Subscribe = ["x"], Join = new Tag(Join, 0) },
                    ],
                },
                "late");
            run.Settle();
            Walk(run, joinsAfter, snapshots: "a");
            run.Join(new MemberOptions("late")
            {
                Subscribe = ["x"],
                Join = new Tag(Join, 0),
                History = HistoryStart.Snapshot,
            });

            for (int turn = 0; run["late"].Engine.Phase == MemberPhase.Joining && turn < 100; turn++)
            {
                Walk(run, 1, snapshots: "a", only: "a");
            }

            run["late"].Engine.TryTakeGrant(out Grant first);
            tags.Add(first.Snapshot?.Tag);
        }

        Assert.That(tags, Is.EqualTo(new Tag?[] { new Tag(Join - 1, 0) }));
    }

    // Each receiver has latencies of its own: its past is what arrived at it.
    [Test]
    public void On_a_channel_that_scatters_every_message_comes_once_before_or_after_the_join()
    {
        SequencingConfig config = Config(9, 0, scatters: true);
        LinkedRun run = new(config, "late");
        run.Settle();
        Walk(run, 10);
        run.Join(Late(HistoryStart.FromNumber(1)));

        List<string> late = Walk(run, 200)["late"];

        Assert.That(NumbersOf(late, "a"), Is.EqualTo(Enumerable.Range(1, NumbersOf(late, "a").Count)));
        Assert.That(NumbersOf(late, "a"), Has.Count.EqualTo(run.Server.Members.Find("a")!.SubSequence));
    }

    // H93 for a joiner: it goes on, and knows what it has not got.
    [Test]
    public void H93_who_asks_for_what_is_gone_is_told_from_where_on_nothing_is_missing()
    {
        LinkedRun run = Filled(new() { LogMessages = 8 });

        Grant first = JoinWith(run, HistoryStart.FromNumber(1));

        Assert.That(first.HistoryFrom, Is.EqualTo(run.Server.Run.Log.Complete).And.GreaterThan(1));
        Assert.That(run["late"].Engine.Error, Is.EqualTo(SequencingError.None));
    }

    [Test]
    public void A_channel_without_history_has_none_and_that_is_no_gap()
    {
        LinkedRun run = Filled(new() { Channels = [new("x") { History = ChannelHistory.None }] });

        Grant first = JoinWith(run, HistoryStart.FromNumber(1));

        Assert.That(first.Messages.Select(message => message.Channel).Distinct(), Does.Contain("y"));
        Assert.That(first.HistoryFrom, Is.Null);
    }

    [Test]
    public void The_latest_snapshot_up_to_the_join_comes_with_what_arrived_after_it()
    {
        LinkedRun run = new(Config(), "late");
        run.Settle();
        Walk(run, 80, snapshots: "there");

        Grant first = JoinWith(run, HistoryStart.Snapshot);

        Assert.That(first.Snapshot!.Tag.Time, Is.InRange(Join - 6, Join));
        Assert.That(first.Snapshot.Sender, Is.EqualTo("there"));
        Assert.That(first.Snapshot.Name, Is.EqualTo("state"));
        Assert.That(BitConverter.ToInt64(first.Snapshot.Payload.Span), Is.EqualTo(first.Snapshot.Tag.Time));
        Assert.That(first.Messages.Select(message => message.Arrival),
            Is.All.GreaterThan(first.Snapshot.Tag).And.All.LessThanOrEqualTo(new Tag(Join, 0)));
        Assert.That(run["late"].Engine.Error, Is.EqualTo(SequencingError.None), run["late"].Engine.ErrorDetail);
    }

    [Test]
    public void Without_a_snapshot_everything_that_is_kept_comes()
    {
        LinkedRun run = Filled(new());
        Grant all = JoinWith(Filled(new()), HistoryStart.FromNumber(1));

        Grant first = JoinWith(run, HistoryStart.Snapshot);

        Assert.That(first.Snapshot, Is.Null);
        Assert.That(first.Messages.Select(Identity), Is.EqualTo(all.Messages.Select(Identity)));
    }

    [Test]
    public void A_snapshot_whose_tail_is_gone_is_passed_over()
    {
        SequencingConfig config = Config();
        LinkedRun run = new(With(config, new() { LogMessages = 4 }), "late");
        run.Settle();
        Walk(run, 80, snapshots: "there");

        Grant first = JoinWith(run, HistoryStart.Snapshot);

        Assert.That(first.Snapshot, Is.Null);
        Assert.That(first.HistoryFrom, Is.GreaterThan(1));
    }

    // S-B18 as an earliest joiner that only receives: it blocks nobody and starts with the last value.
    [Test]
    public void S_B18_who_comes_as_early_as_possible_sees_the_last_value_first()
    {
        LinkedRun run = new(new()
        {
            Roster = [new("v1") { Publish = ["value"], Lookahead = Delay.OneRound }],
            AdmitsEarliest = true,
        });
        run.Settle();
        MemberEngine v1 = run["v1"].Engine;
        v1.TryTakeGrant(out _);
        v1.Publish("value", "0.27"u8, null);
        v1.Request(AdvanceMode.To, new Tag(2, 0));
        run.Settle();
        v1.TryTakeGrant(out _);

        run.Join(new MemberOptions("observer")
        {
            Subscribe = ["value"],
            JoinEarliest = true,
            History = HistoryStart.Last(1),
        });
        run.Settle();
        bool isThere = run["observer"].Engine.TryTakeGrant(out Grant first);

        Assert.That(run["observer"].Engine.Error, Is.EqualTo(SequencingError.None), run["observer"].Engine.ErrorDetail);
        Assert.That(isThere, Is.True);
        Assert.That(first.Messages.Select(message => message.Payload.Span.SequenceEqual("0.27"u8)), Is.EqualTo((bool[])[true]));

        run["observer"].Engine.Request(AdvanceMode.Next, new Tag(10, 0));
        v1.Request(AdvanceMode.To, new Tag(3, 0));
        run.Settle();
        v1.TryTakeGrant(out _);
        v1.Publish("value", "0.8987"u8, null);
        v1.Request(AdvanceMode.To, new Tag(4, 0));
        run.Settle();
        run["observer"].Engine.TryTakeGrant(out Grant second);

        Assert.That(second.Tag, Is.EqualTo(new Tag(3, 1)));
        Assert.That(second.Messages, Has.Count.EqualTo(1));
    }

    private static string Identity(SequencedMessage message)
        => $"{message.Arrival} {message.Sender} {message.SubSequence} {message.Channel}";

    private static List<int> NumbersOf(List<string> got, string sender)
        => [.. got.Select(one => one.Split(' ')).Where(parts => parts[1] == sender).Select(parts => int.Parse(parts[2]))
            .Order()];

    private static SequencingConfig Config(long latency = 0, int duplicates = 0, bool scatters = false) => new()
    {
        Roster =
        [
            new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
            new("b") { Publish = ["y"], Lookahead = Delay.Ticks(2) },
            new("late") { Subscribe = ["x", "y"], Join = new Tag(Join, 0) },
            new("there") { Subscribe = ["x", "y"] },
        ],
        Channels =
        [
            new("x")
            {
                Latency = LatencyModel.Uniform(0, latency),
                SenderDuplicatePpm = duplicates,
                Scatter = scatters,
            },
        ],
        Seed = 5,
    };

    private static SequencingConfig With(SequencingConfig config, SequencingConfig other) => new()
    {
        Roster = config.Roster,
        Channels = other.Channels.Count > 0 ? other.Channels : config.Channels,
        LogMessages = other.LogMessages,
        Seed = config.Seed,
    };

    private static MemberOptions Late(HistoryStart history)
        => new("late") { Subscribe = ["x", "y"], Join = new Tag(Join, 0), History = history };

    private static LinkedRun Filled(SequencingConfig other)
    {
        LinkedRun run = new(With(Config(), other), "late");
        run.Settle();
        Walk(run, 80);
        return run;
    }

    private static Grant JoinWith(LinkedRun run, HistoryStart history)
    {
        run.Join(Late(history));
        run.Settle();
        Assert.That(run["late"].Engine.TryTakeGrant(out Grant first), Is.True, run["late"].Engine.ErrorDetail);
        Assert.That(first.Tag, Is.EqualTo(new Tag(Join, 0)));
        return first;
    }

    private static Grant Next(LinkedRun run, long until)
    {
        run["late"].Engine.Request(AdvanceMode.Next, new Tag(until, 0));
        run.Settle();
        Assert.That(run["late"].Engine.TryTakeGrant(out Grant next), Is.True);
        return next;
    }

    /// <summary>Every member that has been granted does one step, as often; what receivers were given.</summary>
    private static Dictionary<string, List<string>> Walk(
        LinkedRun run, int turns, string? snapshots = null, bool isFirstOnly = false, string? only = null)
    {
        Dictionary<string, List<string>> got = new() { ["late"] = [], ["there"] = [] };

        for (int turn = 0; turn < turns; turn++)
        {
            if (isFirstOnly && got["late"].Count > 0)
            {
                return got;
            }

            foreach (LinkedMember member in run.Members)
            {
                MemberEngine engine = member.Engine;

                if ((only is null || only == engine.Name) && engine.TryTakeGrant(out Grant grant))
                {
                    got.GetValueOrDefault(engine.Name)?.AddRange(grant.Messages.Select(Identity));
                    Act(engine, grant.Tag, snapshots);
                }
            }

            run.Settle();
        }

        return got;
    }

    private static void Act(MemberEngine engine, Tag now, string? snapshots)
    {
        if (engine.Name is "a" or "b" && now.Time < End)
        {
            engine.Publish(engine.Name == "a" ? "x" : "y", BitConverter.GetBytes(now.Time), null);
        }

        if (engine.Name == snapshots)
        {
            engine.Snapshot("state", BitConverter.GetBytes(now.Time));
        }

        bool isSender = engine.Name is "a" or "b";

        if (now.Time >= (isSender ? End : End + 40))
        {
            engine.Resign();
            return;
        }

        engine.Request(AdvanceMode.To, now + Delay.Ticks(engine.Name == "there" ? 5 : 1));
    }
}
