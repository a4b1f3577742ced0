using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>Grants wait for the wall, and only for it (lock-time section 13, clause ).</summary>
[TestFixture]
public sealed class PacingTests
{
    private const int Steps = 8;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    [TestCase(1.0, 500)]
    [TestCase(10.0, 50)]
    [TestCase(0.5, 1_000)]
    public void S_B20_paced_grants_come_at_their_tags_and_never_before_their_moment(double pace, int milliseconds)
    {
        SingleProcessRun run = Started(pace, out Instant start);
        List<double> moments = [];

        for (int step = 1; step <= Steps; step++)
        {
            run["a"].Request(AdvanceMode.To, step);
            run.Settle();
            moments.Add(WaitForGrant(run, "a", out Grant grant) - (start.Ticks / 10_000.0));
            Assert.That((grant.Tag, grant.IsLate), Is.EqualTo(((Tag)step, false)));
        }

        double[] due = [.. Enumerable.Range(1, Steps).Select(step => (double)step * milliseconds)];
        Assert.That(moments.Zip(due, (at, planned) => at - planned), Is.All.InRange(0, 5));
    }

    [Test]
    public void What_waits_for_the_wall_says_so()
    {
        SingleProcessRun run = Started(1, out _);

        run["a"].Request(AdvanceMode.To, 1);
        run.Settle();
        WaitKind root = run.Server.WhoBlocks("a", run.Now)!.Root.Kind;
        WaitForGrant(run, "a", out Grant grant);

        Assert.That((root, grant.WaitedBecause, grant.WaitedFor), Is.EqualTo((WaitKind.Pacing, WaitKind.Pacing, (string?)null)));
    }

    [TestCase(LatePolicy.CatchUp, 2_000)]
    [TestCase(LatePolicy.Slip, 3_200)]
    public void A_late_member_is_marked_and_the_plan_stays_or_moves(LatePolicy policy, int nextDue)
    {
        SingleProcessRun run = Started(1, out Instant start, policy);

        run.Pass(TimeSpan.FromMilliseconds(1_700));
        run["a"].Request(AdvanceMode.To, 1);
        run.Settle();
        WaitForGrant(run, "a", out Grant late);
        run["a"].Request(AdvanceMode.To, 4);
        run.Settle();
        double next = WaitForGrant(run, "a", out Grant onTime) - (start.Ticks / 10_000.0);
        MemberStatus a = run.Server.ReadStatus(run.Now).Members[0];

        Assert.That((late.IsLate, onTime.IsLate), Is.EqualTo((true, false)));
        Assert.That(next, Is.InRange(nextDue, nextDue + 10));
        Assert.That((a.LateGrants, a.MaxLag.TotalMilliseconds), Is.EqualTo((1L, 1_200.0)).Using<(long, double)>(
            (x, y) => x.Item1 == y.Item1 && Math.Abs(x.Item2 - y.Item2) < 10));
    }

    [Test]
    public void Final_grants_and_members_not_paced_do_not_wait()
    {
        SingleProcessRun run = Started(1, out _);

        run["free"].Request(AdvanceMode.To, 1_000);
        run["a"].Request(AdvanceMode.Next, Tag.Infinity);
        run.Settle();

        Assert.That(run["free"].TryTakeGrant(out _));
        Assert.That(run["a"].TryTakeGrant(out Grant final) && final.IsFinal);
    }

    [Test]
    public void A_moment_beyond_the_clock_never_comes_and_breaks_nothing()
    {
        SingleProcessRun run = Started(0.000_001, out _);

        run["a"].Request(AdvanceMode.To, 1L << 61);
        run.Pass(TimeSpan.FromDays(1_000));

        Assert.That(run["a"].TryTakeGrant(out _), Is.False);
    }

    // Goal: pace changes moments only. Method: the same random systems with and without, whose digests must be equal.
    [Test]
    public void A_pace_leaves_the_history_as_it_is([Range(1, 5)] int seed)
    {
        SequencingConfig free = DeterminismTests.Draw(new Prng((ulong)seed));
        SequencingConfig paced = new()
        {
            Roster = free.Roster,
            Channels = free.Channels,
            Pace = 1,
            TickLength = TimeSpan.FromTicks(1),
        };
        string history = DeterminismTests.Play(free, (ulong)seed, DeterminismTests.RandomTurns(free), scheduleSeed: 1);

        Assert.That(
            DeterminismTests.Play(paced, (ulong)seed, DeterminismTests.RandomTurns(paced), scheduleSeed: 2),
            Is.EqualTo(history));
    }

    private static SingleProcessRun Started(
        double pace, out Instant start, LatePolicy policy = LatePolicy.CatchUp)
    {
        SingleProcessRun run = new(new SequencingConfig
        {
            Roster = [new MemberDeclaration("a"), new MemberDeclaration("free") { Paced = false }],
            Pace = pace,
            TickLength = Step,
            WhenLate = policy,
        });
        run.Settle();
        run.Members.ForEach(member => member.TryTakeGrant(out _));
        start = run.Now;
        return run;
    }

    /// <returns>When it came, in milliseconds.</returns>
    private static double WaitForGrant(SingleProcessRun run, string name, out Grant grant)
    {
        while (!run[name].TryTakeGrant(out grant))
        {
            Assert.That(run.Now, Is.LessThan(new Instant(TimeSpan.FromMinutes(1).Ticks)), "The grant comes.");
            run.Pass(TimeSpan.FromMilliseconds(1));
        }

        return run.Now.Ticks / 10_000.0;
    }
}
