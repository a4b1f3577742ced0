using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Sessions outlive links and processes: whatever breaks, the history is the same (clause ).</summary>
[TestFixture]
public sealed class ResumeTests
{
    private const int Few = 50;
    private const int Many = 200;

    // Every message of the run, up or down, is the last one on its link once.
    [TestCase(true)]
    [TestCase(false)]
    public void A_link_that_breaks_after_any_message_changes_nothing(bool isNoticed)
    {
        (ulong digest, int messages) = Play(Few, (_, _) => { });

        for (int n = 0; n < messages; n++)
        {
            ulong cut = Play(Few, (walker, count) => Cut(walker, count == n, isNoticed)).Digest;

            Assert.That(cut, Is.EqualTo(digest), $"cut after message {n}");
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_process_that_is_killed_after_any_message_comes_back_from_what_it_saved(bool isNoticed)
    {
        (ulong digest, int messages) = Play(Few, (_, _) => { });

        for (int n = 0; n < messages; n++)
        {
            ulong killed = Play(Few, (walker, count) => Kill(walker, count == n, isNoticed)).Digest;

            Assert.That(killed, Is.EqualTo(digest), $"killed after message {n}");
        }
    }

    [Test]
    public void A_process_may_be_killed_at_every_step_of_a_run_of_two_hundred()
    {
        (ulong digest, int messages) = Play(Many, (_, _) => { });

        for (int step = 0; step < Many; step++)
        {
            int n = (int)((long)step * messages / Many);

            ulong killed = Play(Many, (walker, count) => Kill(walker, count == n, isNoticed: true)).Digest;

            Assert.That(killed, Is.EqualTo(digest), $"killed after message {n}");
        }
    }

    [TestCase(5)]
    [TestCase(7)]
    [TestCase(11)]
    [TestCase(12)]
    public void Links_and_processes_that_break_again_and_again_change_nothing(int every)
    {
        ulong digest = Play(Many, (_, _) => { }).Digest;

        ulong broken = Play(Many, (walker, count) =>
        {
            Kill(walker, count % (2 * every) == every, count % 3 == 0);
            Cut(walker, count % (2 * every) == 0, count % 3 == 0);
        }).Digest;

        Assert.That(broken, Is.EqualTo(digest));
    }

    // Before it died it published, said so, and asked: two steps. A program that takes other ones is not the same one.
    [TestCase(0, "Step 1 asks to advance; before the resumption 2 did.")]
    [TestCase(2, "The grant answers step 2, this member is at 3.")]
    public void Who_does_something_else_than_before_its_death_is_told_that_it_diverged(int flushes, string text)
    {
        LinkedRun run = new(Config());
        run.Settle();
        LinkedMember member = run["m0"];
        member.Engine.TryTakeGrant(out _);
        ResumeTicket ticket = member.Engine.CreateTicket();
        Say(member.Engine, flushes: 1);
        Say(run["m1"].Engine, flushes: 0);
        run.Settle();
        run.Restart(member, ticket);
        run.Settle();
        string before = RunDump.Of(run.Server);

        Say(member.Engine, flushes);

        Assert.That((member.Engine.Error, member.Engine.ErrorDetail), Is.EqualTo((SequencingError.Diverged, text)));
        run.Settle();
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));

        static void Say(MemberEngine engine, int flushes)
        {
            engine.TryTakeGrant(out _);

            for (int i = 0; i < flushes; i++)
            {
                engine.Publish("x", "m"u8, null);
                engine.Flush();
            }

            engine.Request(AdvanceMode.To, 9);
        }
    }

    // A server that does not know that a link is dead keeps its member until somebody comes with the token.
    private static void Cut(Walker walker, bool isNow, bool isNoticed)
    {
        if (isNow)
        {
            walker.Run.Cut(walker.Member, isNoticed || !walker.Member.Engine.IsWelcome);
        }
    }

    private static void Kill(Walker walker, bool isNow, bool isNoticed)
    {
        if (isNow)
        {
            walker.Kill(isNoticed);
        }
    }

    /// <summary>One run of two; <paramref name="disturb"/> is called after each message with whose it was.</summary>
    private static (ulong Digest, int Messages) Play(int steps, Action<Walker, int> disturb)
    {
        LinkedRun run = new(Config());
        Walker[] walkers = [.. run.Members.Select(member => new Walker(run, member, steps))];
        int count = 0;

        for (int turn = 0; run.Server.Phase != RunPhase.Ended; turn++)
        {
            Assert.That(turn, Is.LessThan(50 * steps), "The run stands still.");

            foreach (Walker walker in walkers)
            {
                walker.Act();

                if (run.MoveUp(walker.Member))
                {
                    disturb(walker, count++);
                }

                if (run.MoveDown(walker.Member))
                {
                    disturb(walker, count++);
                }

                MemberEngine engine = walker.Member.Engine;
                Assert.That(engine.Error, Is.EqualTo(SequencingError.None), engine.ErrorDetail);
            }
        }

        Assert.That(run.Server.IsInfluenced, Is.False);

        // Who was killed after its last commit has not said it again.
        MemberEngine[] whole = [.. run.Members.Select(member => member.Engine)
            .Where(engine => engine.Phase == MemberPhase.Resigned)];
        Assert.That(whole, Is.Not.Empty);
        Assert.That(
            whole.Select(engine => engine.CommitDigest),
            Is.EqualTo(whole.Select(engine => run.Server.Members.Find(engine.Name)!.CommitDigest.Value)));
        return (run.Server.RunDigest, count);
    }

    private static SequencingConfig Config() => new()
    {
        Roster =
        [
            .. Enumerable.Range(0, 2).Select(i => new MemberDeclaration($"m{i}")
            {
                Publish = ["x"],
                Subscribe = ["x"],
                Lookahead = Delay.Ticks(1 + i),
            }),
        ],
    };
}
