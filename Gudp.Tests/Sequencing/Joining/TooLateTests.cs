using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>A member of the roster that joins at the end of the run or later, Q-12.9.</summary>
[TestFixture]
public sealed class TooLateTests
{
    [Test]
    public void Whether_it_came_before_the_stop_after_it_or_never_is_the_same_run(
        [Values] CrashPolicy policy, [Values(40, 50)] long stop)
    {
        HashSet<ulong> digests = [];

        foreach (string comes in (string[])["before", "lost", "after", "never"])
        {
            LinkedRun run = new(Config(policy), comes is "before" or "lost" ? [] : ["late"]);
            run.Settle();

            if (comes == "lost")
            {
                run.Drop(run["late"]);
            }

            bool isAborted = run.Server.Phase == RunPhase.Aborted;
            run["a"].Engine.TryTakeGrant(out _);
            run["a"].Engine.StopAt(new Tag(stop, 0));
            Ask(run, "a");
            Ask(run, "b");

            if (comes == "after")
            {
                run.Join(MemberOptions.From(run.Config, "late", run.Layout.ConfigHash));
                run.Settle();
            }

            Leave(run, "a");
            Leave(run, "b");

            if (comes is "before" or "after")
            {
                Assert.That(run["late"].Engine.Error, Is.EqualTo(SequencingError.Stopped));
                Assert.That(run["late"].Engine.TryTakeGrant(out _), Is.False);
            }

            // A loss that is to end the run still does.
            if (!isAborted)
            {
                Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Ended), comes);
                Assert.That(run.Server.IsInfluenced, Is.EqualTo(comes == "lost" && policy == CrashPolicy.Resign), comes);
                digests.Add(run.Server.RunDigest);
            }
        }

        Assert.That(digests, Has.Count.EqualTo(1));
    }

    private static void Ask(LinkedRun run, string name)
    {
        run[name].Engine.TryTakeGrant(out _);
        run[name].Engine.Request(AdvanceMode.To, 100);
        run.Settle();
    }

    private static void Leave(LinkedRun run, string name)
    {
        run[name].Engine.TryTakeGrant(out _);
        run[name].Engine.Resign();
        run.Settle();
    }

    private static SequencingConfig Config(CrashPolicy policy) => new()
    {
        Roster =
        [
            new("a") { Publish = ["x"], MayStop = true, Lookahead = Delay.Ticks(1) },
            new("b") { Subscribe = ["x"] },
            new("late") { Subscribe = ["x"], Join = 50, CrashPolicy = policy },
        ],
    };
}
