using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Members at the end of time: nothing overflows, throws or stands still (clause ).</summary>
[TestFixture]
public sealed class ExtremeTagTests
{
    private const long Last = (1L << 62) - 1;

    // Its news would arrive further from the listener's grant than a wire integer can say.
    [TestCase(CrashPolicy.Stall)]
    [TestCase(CrashPolicy.Resign)]
    public void Who_leaves_beyond_the_last_publication_leaves_without_news(CrashPolicy policy)
    {
        LinkedRun run = new(new()
        {
            Roster =
            [
                new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1L << 60), CrashPolicy = policy },
                new("listener") { Subscribe = [SystemEvent.Channel] },
            ],
        });
        run.Settle();
        Ask(run, "listener", AdvanceMode.Next, Tag.Infinity);
        Ask(run, "a", AdvanceMode.To, new Tag(Last, 0));
        run["a"].Engine.TryTakeGrant(out _);

        if (policy == CrashPolicy.Resign)
        {
            run.Drop(run["a"]);
        }
        else
        {
            run["a"].Engine.Resign();
        }

        run.Settle();

        Assert.That(run["listener"].Engine.Error, Is.EqualTo(SequencingError.None), run["listener"].Engine.ErrorDetail);
        Assert.That(run["listener"].Engine.TryTakeGrant(out Grant end) && end.IsFinal, Is.True);
        Assert.That(end.Messages, Is.Empty);
    }

    [Test]
    public void The_news_of_a_system_channel_that_takes_long_are_told_up_to_the_last_publication()
    {
        foreach (long until in (long[])[Last - 11, Last - 10, Last - 2])
        {
            LinkedRun run = new(new()
            {
                Roster =
                [
                    new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
                    new("listener") { Subscribe = [SystemEvent.Channel] },
                ],
                Channels = [new(SystemEvent.Channel) { Latency = LatencyModel.Uniform(10, 10) }],
            });
            run.Settle();
            Ask(run, "listener", AdvanceMode.Next, Tag.Infinity);
            Ask(run, "a", AdvanceMode.To, new Tag(until, 0));
            run["a"].Engine.TryTakeGrant(out _);
            run["a"].Engine.Resign();
            run.Settle();

            Assert.That(run["listener"].Engine.Error, Is.EqualTo(SequencingError.None), run["listener"].Engine.ErrorDetail);
            Assert.That(run["listener"].Engine.TryTakeGrant(out Grant grant), Is.True);
            Assert.That(grant.Messages, Has.Count.EqualTo(until + 11 <= Last ? 1 : 0));
        }
    }

    [TestCase(1)]
    [TestCase(long.MaxValue / 4)]
    public void Nobody_comes_early_into_a_run_where_all_have_had_their_final_grant(long lookahead)
    {
        LinkedRun run = new(new()
        {
            Roster = [new("a") { Publish = ["x"], Subscribe = ["x"] }],
            AdmitsEarliest = true,
        });
        run.Settle();
        Ask(run, "a", AdvanceMode.Next, Tag.Infinity);

        LinkedMember late = run.Join(new MemberOptions("late")
        {
            Publish = ["x"],
            Lookahead = Delay.Ticks(lookahead),
            JoinEarliest = true,
        });
        run.Settle();

        Assert.That(run["a"].Engine.IsFinal, Is.True);
        Assert.That(late.Engine.Error, Is.EqualTo(SequencingError.Stopped), late.Engine.ErrorDetail);
        Assert.That(run.Server.Members.Count, Is.EqualTo(1));
    }

    [TestCase(long.MaxValue - 1)]
    [TestCase(Last)]
    public void An_observer_may_wait_at_any_tag_and_is_granted_it_at_the_end(long join)
    {
        LinkedRun run = new(new()
        {
            Roster = [new("a") { Publish = ["x"] }],
            Channels = [new("x") { Latency = LatencyModel.Uniform(0, 1L << 60) }],
        });
        run.Settle();
        run["a"].Engine.TryTakeGrant(out _);
        run["a"].Engine.Publish("x", "far"u8, new Tag(Last - (1L << 60), 0));
        Ask(run, "a", AdvanceMode.To, new Tag(9, 0));
        LinkedMember eye = run.Join(new MemberOptions("eye")
        {
            Subscribe = ["x"],
            Observes = true,
            Join = new Tag(join, 0),
            History = HistoryStart.Since(new Tag(long.MinValue, 0)),
        });
        run.Settle();
        run["a"].Engine.TryTakeGrant(out _);
        run["a"].Engine.Resign();
        run.Settle();

        Assert.That(eye.Engine.Error, Is.EqualTo(SequencingError.None), eye.Engine.ErrorDetail);
        Assert.That(eye.Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(grant.Tag, Is.EqualTo(new Tag(join, 0)));
        Assert.That(grant.Messages, Has.Count.EqualTo(1));
    }

    private static void Ask(LinkedRun run, string name, AdvanceMode mode, Tag target)
    {
        run[name].Engine.TryTakeGrant(out _);
        Assert.That(run[name].Engine.Request(mode, target), Is.EqualTo(SequencingError.None));
        run.Settle();
    }
}
