using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Members that read only, and that nothing depends on (clause ).</summary>
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

    [Test]
    public void One_more_or_less_changes_nothing_for_anybody()
    {
        HashSet<ulong> histories = [];

        for (int joinsAfter = -1; joinsAfter < 30; joinsAfter += 3)
        {
            histories.Add(Play(joinsAfter));
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

    private static ulong Play(int joinsAfter)
    {
        LinkedRun run = new(Config(areTwo: true));
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

    private static SequencingConfig Config(bool areTwo = false) => new()
    {
        Roster = [new("v1") { Publish = ["x"] }, new("v2") { Subscribe = ["x"], Publish = areTwo ? ["x"] : [] }],
        MaxObservers = 1,
        MaxPayloadBytes = 10_000,
        MaxInboxBytes = 100_000,
    };
}
