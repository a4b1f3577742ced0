using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>Waits that are long are told of, and nothing else changes by it (lock-time section 14).</summary>
[TestFixture]
public sealed class HealthTests
{
    private static readonly TimeSpan HealthLimit = TimeSpan.FromMilliseconds(300);

    // The first half of S-B19.
    [Test]
    public void A_long_wait_is_told_once_at_1_3_6_and_10_times_the_limit()
    {
        SingleProcessRun run = Waiting();
        List<(int Stage, long Milliseconds)> told = [];
        Instant start = run.Now;

        for (int i = 0; i < 100; i++)
        {
            run.Pass(TimeSpan.FromMilliseconds(50));

            while (run["v2"].Health.TryTakeOverdue(out WaitReport? report))
            {
                told.Add((report.Stage, (long)(run.Now - start).TotalMilliseconds / 50 * 50));
            }
        }

        Assert.That(told, Is.EqualTo(new[] { (1, 300L), (3, 900L), (6, 1800L), (10, 3000L) }));
    }

    [Test]
    public void The_report_names_the_root_since_when_it_runs_and_where()
    {
        SingleProcessRun run = Waiting();

        run.Pass(TimeSpan.FromSeconds(1));
        bool isThere = run.Server.TryTakeReport(out WaitReport? report);

        Assert.That(isThere);
        Assert.That(
            (report!.Member, report.Root.Member, report.Root.Kind, report.Root.Now),
            Is.EqualTo(("v2", "v1", WaitKind.Running, (Tag)1)));
        Assert.That(report.Root.Since, Is.GreaterThanOrEqualTo(HealthLimit));
        Assert.That(report.ToString(), Does.Contain("v2 waits To 2, needs B > 2, has (1,1)"));
        Assert.That(report.ToString(), Does.Match("  <- v1 is running at 1 for .*ROOT"));
    }

    // Not after the limit, but with the loss.
    [Test]
    public void H84_whoever_waits_for_a_member_that_is_lost_hears_of_it_at_once()
    {
        SingleProcessRun run = Waiting();

        run.Lose(0);
        run.Settle();
        bool isThere = run["v2"].Health.TryTakeOverdue(out WaitReport? report);

        Assert.That(isThere);
        Assert.That((report!.Stage, report.Root.Member, report.Root.Kind), Is.EqualTo((0, "v1", WaitKind.Lost)));
    }

    [Test]
    public void Before_the_start_the_first_absent_member_is_named()
    {
        SingleProcessRun run = new(Config());
        run.MoveUp(1);

        WaitReport report = run.Server.WhoBlocks("v2", run.Now)!;

        Assert.That((report.Root.Member, report.Root.Kind), Is.EqualTo(("v1", WaitKind.Absent)));
    }

    [Test]
    public void Time_is_counted_by_root()
    {
        SingleProcessRun run = Waiting();

        run.Pass(TimeSpan.FromSeconds(1));
        run["v1"].Request(AdvanceMode.To, 3);
        run.Settle();
        MemberStatus v2 = run.Server.ReadStatus(run.Now).Members[1];
        TimeSpan blocked = run.Server.Members.All[1].Waits.Blocked.Single().Value;

        Assert.That(run["v2"].TryTakeGrant(out Grant grant));
        Assert.That(grant.Waited.TotalMilliseconds, Is.InRange(1_000, 1_100));
        Assert.That(v2.ServerTime.TotalMilliseconds, Is.InRange(1_000, 1_100));
        Assert.That(blocked.TotalMilliseconds, Is.InRange(1_000, 1_100));
    }

    private static SequencingConfig Config() => new()
    {
        Roster = [new MemberDeclaration("v1") { Publish = ["x"] }, new MemberDeclaration("v2") { Subscribe = ["x"] }],
        HealthLimit = HealthLimit,
    };

    /// <summary>v1 computes at 1, v2 wants to get to 2.</summary>
    private static SingleProcessRun Waiting()
    {
        SingleProcessRun run = new(Config());
        run.Settle();
        run.Members.ForEach(member => member.TryTakeGrant(out _));
        run["v1"].Request(AdvanceMode.To, 1);
        run["v2"].Request(AdvanceMode.To, 2);
        run.Settle();
        run["v1"].TryTakeGrant(out _);
        return run;
    }
}
