using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Members that read only, and that nothing depends on (clause Q-12.7).</summary>
[TestFixture]
public sealed class ObserverTests
{
    [Test]
    public void S_B18_an_observer_sees_the_last_value_and_what_comes_next_and_nobody_waits_for_it()
    {
        LinkedRun run = new(Config());
        run.Settle();
        run["v1"].Engine.TryTakeGrant(out _);
        run["v1"].Engine.Publish("x", "0.27"u8, null);
        Ask(run, "v1", 2);
        run.Join(Watching(history: HistoryStart.Last(1)));
        run.Settle();
        bool isJoined = run["eye"].Engine.TryTakeGrant(out Grant first);

        run["eye"].Engine.Request(AdvanceMode.Next, Tag.Infinity);
        Ask(run, "v1", 3);
        run["v1"].Engine.TryTakeGrant(out _);
        run["v1"].Engine.Publish("x", "0.8987"u8, null);
        Ask(run, "v1", 4);

        Assert.That(isJoined, Is.True);
        Assert.That(first.Tag, Is.LessThanOrEqualTo(new Tag(2, 0)));
        Assert.That(first.Messages.Single().Payload.ToArray(), Is.EqualTo("0.27"u8.ToArray()));
        Assert.That(run["eye"].Engine.TryTakeGrant(out Grant next), Is.True);
        Assert.That(next.Tag, Is.EqualTo(new Tag(3, 1)));
        Assert.That(next.Messages.Single().Payload.ToArray(), Is.EqualTo("0.8987"u8.ToArray()));
        Assert.That(run["v1"].Engine.Now, Is.EqualTo(new Tag(4, 0)));
    }

    // Draws are keyed by name: whoever looks on gets none, and moves nobody else's (lock-time 17).
    [TestCase(false)]
    [TestCase(true)]
    public void One_more_or_less_changes_nothing_for_anybody(bool isDrawn)
    {
        HashSet<ulong> histories = [];

        for (int joinsAfter = -1; joinsAfter < 30; joinsAfter += 3)
        {
            histories.Add(Play(joinsAfter, isDrawn));
        }

        Assert.That(histories, Has.Count.EqualTo(1));
    }

    [Test]
    public void It_may_join_at_any_tag_that_the_log_still_has()
    {
        LinkedRun run = new(Config());
        run.Settle();

        for (int time = 1; time <= 20; time++)
        {
            run["v1"].Engine.TryTakeGrant(out _);
            run["v1"].Engine.Publish("x", [(byte)time], new Tag(time, 0));
            Ask(run, "v1", time);
        }

        LinkedMember eye = run.Join(Watching(join: 7));
        run.Settle();
        eye.Engine.TryTakeGrant(out Grant first);
        eye.Engine.Request(AdvanceMode.To, new Tag(15, 0));
        run.Settle();
        eye.Engine.TryTakeGrant(out Grant second);

        Assert.That(first.Tag, Is.EqualTo(new Tag(7, 0)));
        Assert.That(
            second.Messages.Select(message => message.Arrival.Time), Is.EqualTo(Enumerable.Range(8, 8)));
    }

    [TestCase("publishes", SequencingError.NotDeclared)]
    [TestCase("unknown", SequencingError.UnknownChannel)]
    [TestCase("name", SequencingError.NameTaken)]
    [TestCase("hash", SequencingError.ConfigMismatch)]
    [TestCase("full", SequencingError.TooLarge)]
    public void An_observer_with_something_wrong_is_refused(string wrong, SequencingError expected)
    {
        LinkedRun run = new(Config());
        run.Settle();

        if (wrong == "full")
        {
            run.Join(Watching());
            run.Settle();
        }

        LinkedMember eye = run.Join(new MemberOptions(wrong == "name" ? "v1" : "eye2")
        {
            Publish = wrong == "publishes" ? ["x"] : [],
            Subscribe = [wrong == "unknown" ? "nothing" : "x"],
            Observes = true,
            ConfigHash = wrong == "hash" ? 5UL : 0,
        });
        run.Settle();

        Assert.That(eye.Engine.Error, Is.EqualTo(expected), eye.Engine.ErrorDetail);
    }

    [Test]
    public void One_that_does_not_ask_is_dropped_when_its_inbox_is_full_and_the_run_goes_on()
    {
        LinkedRun run = new(Config());
        run.Settle();
        LinkedMember eye = run.Join(Watching());
        run["v2"].Engine.Resign();
        run.Settle();

        for (int time = 1; time <= 40; time++)
        {
            run["v1"].Engine.TryTakeGrant(out _);
            run["v1"].Engine.Publish("x", new byte[9_000], new Tag(time, 0));
            Ask(run, "v1", time);
        }

        Assert.That(eye.Engine.Error, Is.EqualTo(SequencingError.InboxLimit));
        Assert.That(run.Server.Counters.ObserversDropped, Is.EqualTo(1));
        Assert.That(run.Closed, Is.EqualTo(new[] { eye.Link }));
        Assert.That(run["v1"].Engine.Now, Is.EqualTo(new Tag(40, 0)));
    }

    [Test]
    public void It_reads_to_the_end_after_the_run_is_over()
    {
        LinkedRun run = new(Config());
        run.Settle();
        LinkedMember eye = run.Join(Watching());
        run.Settle();
        run["v1"].Engine.TryTakeGrant(out _);
        run["v1"].Engine.Publish("x", "last"u8, 9);
        run["v1"].Engine.Resign();
        run["v2"].Engine.Resign();
        run.Settle();

        eye.Engine.TryTakeGrant(out _);
        eye.Engine.Request(AdvanceMode.Next, Tag.Infinity);
        run.Settle();
        bool isGranted = eye.Engine.TryTakeGrant(out Grant last);

        Assert.That(isGranted && last.Tag == new Tag(9, 0), Is.True);
        Assert.That(eye.Engine.RunDigest, Is.EqualTo(run.Server.RunDigest));
    }

    // Q-4.6: whoever comes after it is named to it before the first message.
    [Test]
    public void It_reads_what_somebody_says_who_came_after_it()
    {
        LinkedRun run = new(Open());
        run.Settle();
        run.Join(Watching());
        run.Settle();
        run["eye"].Engine.TryTakeGrant(out _);
        run["eye"].Engine.Request(AdvanceMode.Next, Tag.Infinity);

        run.Join(new MemberOptions("new") { Publish = ["x"], JoinEarliest = true });
        run.Settle();
        run["new"].Engine.TryTakeGrant(out _);
        run["new"].Engine.Publish("x", "hello"u8, null);
        Ask(run, "new", 50);
        Ask(run, "v1", 50);

        Assert.That(run["eye"].Engine.Error, Is.EqualTo(SequencingError.None), run["eye"].Engine.ErrorDetail);
        Assert.That(run["eye"].Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(grant.Messages.Single().Sender, Is.EqualTo("new"));
    }

    // It is never beyond where somebody who takes up sending may be heard, and nobody looks at it to find that out.
    [TestCase(true)]
    [TestCase(false)]
    public void It_misses_nothing_of_those_who_become_senders_late(bool isNewcomer)
    {
        LinkedRun run = new(Open());
        run.Settle();
        run.Join(new MemberOptions("eye") { Subscribe = ["z"], Observes = true });
        run.Settle();
        run["eye"].Engine.TryTakeGrant(out _);
        run["eye"].Engine.Request(AdvanceMode.Next, new Tag(1_000, 0));
        Ask(run, "v1", 5);
        bool isBeyond = run["eye"].Engine.TryTakeGrant(out _);

        if (isNewcomer)
        {
            run.Join(new MemberOptions("new") { Publish = ["z"], JoinEarliest = true });
            run.Settle();
        }

        LinkedMember speaker = run[isNewcomer ? "new" : "quiet"];
        speaker.Engine.TryTakeGrant(out _);
        speaker.Engine.SetRoles(sends: true, receives: true);
        speaker.Engine.Flush();
        Ask(run, speaker.Engine.Name, 3);
        speaker.Engine.TryTakeGrant(out _);
        SequencingError said = speaker.Engine.Publish("z", "late"u8, null);

        foreach (LinkedMember member in run.Members.Where(member => member.Engine.Name != "eye"))
        {
            Ask(run, member.Engine.Name, 2_000);
        }

        Assert.That(said, Is.EqualTo(SequencingError.None));
        Assert.That(isBeyond, Is.False);
        Assert.That(run["eye"].Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(grant.Messages, Has.Count.EqualTo(1));
        Assert.That(grant.Tag, Is.LessThan(new Tag(100, 0)));
    }

    [Test]
    public void It_reads_ties_in_the_order_in_which_everybody_does()
    {
        for (ulong seed = 0; seed < 8; seed++)
        {
            SequencingConfig config = new()
            {
                Roster =
                [
                    .. "abcde".Select(name => new MemberDeclaration($"{name}") { Publish = ["x"] }),
                    new("there") { Subscribe = ["x"] },
                ],
                TieSeed = seed,
            };
            LinkedRun run = new(config);
            run.Settle();
            run.Join(Watching());
            run.Settle();
            run["eye"].Engine.TryTakeGrant(out _);
            run["eye"].Engine.Request(AdvanceMode.To, new Tag(9, 0));
            Ask(run, "there", 9);

            foreach (char name in "abcde")
            {
                run[$"{name}"].Engine.TryTakeGrant(out _);
                run[$"{name}"].Engine.Publish("x", [(byte)name], new Tag(7, 0));
                Ask(run, $"{name}", 20);
            }

            run["there"].Engine.TryTakeGrant(out Grant there);
            run["eye"].Engine.TryTakeGrant(out Grant seen);

            Assert.That(there.Messages, Has.Count.EqualTo(5));
            Assert.That(
                seen.Messages.Select(message => message.Sender), Is.EqualTo(there.Messages.Select(message => message.Sender)));
        }
    }

    [Test]
    public void It_is_told_that_the_run_was_aborted()
    {
        LinkedRun run = new(new()
        {
            Roster = [new("v1") { Publish = ["x"], CrashPolicy = CrashPolicy.Abort }],
        });
        run.Settle();
        LinkedMember eye = run.Join(Watching());
        run.Settle();
        eye.Engine.TryTakeGrant(out _);
        eye.Engine.Request(AdvanceMode.Next, Tag.Infinity);
        run.Settle();

        run.Drop(run["v1"]);
        run.Settle();

        Assert.That(eye.Engine.Error, Is.EqualTo(SequencingError.Stopped));
    }

    // Every message of its own, up or down, is the last one on its link once.
    [TestCase(true)]
    [TestCase(false)]
    public void It_goes_on_where_its_link_broke_after_any_message(bool isNoticed)
    {
        (string got, int messages) = Watch(cutAfter: -1, isNoticed);

        for (int n = 0; n < messages; n++)
        {
            Assert.That(Watch(n, isNoticed).Got, Is.EqualTo(got), $"cut after message {n}");
        }

        Assert.That(messages, Is.GreaterThan(40));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void The_place_of_one_that_is_lost_is_given_to_another_or_taken_when_too_much_waits(bool isByAnother)
    {
        LinkedRun run = new(Config());
        run.Settle();
        LinkedMember eye = run.Join(Watching());
        run["v2"].Engine.Resign();
        run.Settle();
        run.Drop(eye);

        if (isByAnother)
        {
            run.Join(new MemberOptions("eye2") { Subscribe = ["x"], Observes = true });
            run.Settle();
        }
        else
        {
            run["v1"].Engine.TryTakeGrant(out _);
            run["v1"].Engine.Publish("x", new byte[9_000], new Tag(1, 0));
            Ask(run, "v1", 9);
        }

        eye.Engine.TryResume();
        run.Settle();

        Assert.That(eye.Engine.Error, Is.EqualTo(SequencingError.StaleEpoch), eye.Engine.ErrorDetail);
        Assert.That(run.Server.Members.Observers, Has.Count.EqualTo(isByAnother ? 1 : 0));
    }

    [Test]
    public void A_second_one_after_the_end_does_not_end_the_first_again()
    {
        LinkedRun run = new(new() { Roster = [new("v1") { Publish = ["x"] }] });
        run.Settle();
        LinkedMember eye = run.Join(Watching());
        run.Settle();
        run["v1"].Engine.TryTakeGrant(out _);
        run["v1"].Engine.Resign();
        run.Settle();

        LinkedMember second = run.Join(new MemberOptions("eye2") { Subscribe = ["x"], Observes = true });
        run.MoveUp(second);
        int again = run.SentTo(eye.Link).Count;
        run.Settle();

        Assert.That(again, Is.Zero);
        Assert.That(second.Engine.RunDigest, Is.EqualTo(run.Server.RunDigest));
        Assert.That(eye.Engine.RunDigest, Is.EqualTo(run.Server.RunDigest));
    }

    private static (string Got, int Messages) Watch(int cutAfter, bool isNoticed)
    {
        LinkedRun run = new(Config(areTwo: true));
        List<Walker> walkers = [.. run.Members.Select(member => new Walker(run, member, 20))];
        run.Settle();
        LinkedMember eye = run.Join(Watching(join: 1));
        string got = "";
        int count = 0;

        for (int turn = 0; eye.Engine.RunDigest is null || eye.Engine.Phase == MemberPhase.Waiting; turn++)
        {
            Assert.That(turn, Is.LessThan(10_000), "The run stands still.");
            walkers.ForEach(walker => walker.Act());

            foreach (LinkedMember member in run.Members)
            {
                for (int way = 0; way < 2; way++)
                {
                    bool moved = way == 0 ? run.MoveUp(member) : run.MoveDown(member);

                    if (moved && member == eye && count++ == cutAfter)
                    {
                        run.Cut(eye, isNoticed || !eye.Engine.IsWelcome);
                    }
                }
            }

            if (eye.Engine.TryTakeGrant(out Grant grant))
            {
                got += $"{grant.Tag}:{string.Join(',', grant.Messages.Select(one => $"{one.Sender}{one.SubSequence}"))};";
                eye.Engine.Request(AdvanceMode.Next, Tag.Infinity);
            }

            Assert.That(eye.Engine.Error, Is.EqualTo(SequencingError.None), eye.Engine.ErrorDetail);
        }

        return ($"{got}{eye.Engine.Digest:x16}", count);
    }

    private static SequencingConfig Open() => new()
    {
        Roster =
        [
            new("quiet") { Publish = ["z"], Sends = false },
            new("v1") { Publish = ["x"] },
        ],
        Channels = [new("z")],
        AdmitsEarliest = true,
    };

    private static ulong Play(int joinsAfter, bool isDrawn)
    {
        LinkedRun run = new(Config(areTwo: true, isDrawn));
        List<Walker> walkers = [.. run.Members.Select(member => new Walker(run, member, 20))];

        for (int turn = 0; run.Server.Phase != RunPhase.Ended; turn++)
        {
            Assert.That(turn, Is.LessThan(10_000), "The run stands still.");

            if (turn == joinsAfter)
            {
                run.Join(Watching());
            }

            foreach (Walker walker in walkers)
            {
                walker.Act();
            }

            foreach (LinkedMember member in run.Members)
            {
                if (member.Engine.Name == "eye" && member.Engine.TryTakeGrant(out _))
                {
                    member.Engine.Request(AdvanceMode.Next, Tag.Infinity);
                }

                run.MoveUp(member);
                run.MoveDown(member);
                Assert.That(
                    member.Engine.Error,
                    Is.EqualTo(SequencingError.None).Or.EqualTo(SequencingError.NotJoined), member.Engine.ErrorDetail);
            }
        }

        Assert.That(run.Server.IsInfluenced, Is.False);
        return run.Server.RunDigest;
    }

    private static void Ask(LinkedRun run, string name, long time)
    {
        run[name].Engine.TryTakeGrant(out _);
        run[name].Engine.Request(AdvanceMode.To, new Tag(time, 0));
        run.Settle();
    }

    private static MemberOptions Watching(long join = 0, HistoryStart history = default)
        => new("eye") { Subscribe = ["x"], Observes = true, Join = new Tag(join, 0), History = history };

    private static SequencingConfig Config(bool areTwo = false, bool isDrawn = false) => new()
    {
        Channels = isDrawn
            ?
            [
                new("x")
                {
                    Latency = LatencyModel.Uniform(0, 5), Scatter = true, ReceiverLossPpm = 300_000,
                    ReceiverDuplicatePpm = 200_000,
                },
            ]
            : [],
        Roster = [new("v1") { Publish = ["x"] }, new("v2") { Subscribe = ["x"], Publish = areTwo ? ["x"] : [] }],
        MaxObservers = 1,
        MaxPayloadBytes = 10_000,
        MaxInboxBytes = 100_000,
    };
}
