using Gudp.Tools.Demo;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class DemoVerdictTests
{
    [Test]
    public void Equal_histories_are_no_difference()
        => Assert.That(DemoVerdict.Differences(Run(1), Run(2)), Is.Empty);

    [Test]
    public void Another_run_digest_is_a_difference()
        => Assert.That(
            DemoVerdict.Differences(Run(1), Run(2) with { RunDigest = "0" }),
            Has.One.Contains("The run digests differ"));

    [Test]
    public void Another_digest_of_one_member_is_a_difference()
    {
        DemoRunResult other = Run(2);
        other = other with { Members = [other.Members[0], other.Members[1] with { Digest = "0" }] };

        Assert.That(DemoVerdict.Differences(Run(1), other), Has.One.Contains("Member 1"));
    }

    [Test]
    public void Another_flock_of_one_member_is_a_difference_even_within_the_first_run()
    {
        DemoRunResult first = Run(1);
        first = first with { Members = [first.Members[0], first.Members[1] with { Checksum = "0" }] };

        Assert.That(DemoVerdict.Differences(first, Run(2)), Has.One.Contains("Member 1").And.One.Contains("run 1"));
    }

    [Test]
    public void Measurements_may_differ()
    {
        DemoRunResult other = Run(2);
        other = other with
        {
            Elapsed = TimeSpan.FromSeconds(9),
            Members =
            [
                .. other.Members.Select(member => member with { Retransmits = 99, Waited = TimeSpan.FromSeconds(3) }),
            ],
        };

        Assert.That(DemoVerdict.Differences(Run(1), other), Is.Empty);
    }

    [Test]
    public void The_table_names_whom_a_member_waited_for_most()
        => Assert.That(DemoVerdict.Table([Run(1)]).Rows[0], Has.One.Contains("m01"));

    [Test]
    public void The_runs_of_a_plan_differ_in_everything_that_must_not_matter([Range(2, 6)] int members)
    {
        IReadOnlyList<DemoRunPlan> runs = Plan(members, seed: 7).Runs();

        Assert.That(runs[0].LossSeed, Is.Not.EqualTo(runs[1].LossSeed));
        Assert.That(runs[0].StartOrder, Is.Not.EqualTo(runs[1].StartOrder).AsCollection);
        Assert.That(runs[0].StartOrder, Is.EquivalentTo(runs[1].StartOrder));
        Assert.That(runs[0].PausedMember, Is.Null);
        Assert.That(runs[1].PausedMember, Is.InRange(0, members - 1));
    }

    [Test]
    public void The_same_seed_plans_the_same_runs()
        => Assert.That(
            Plan(5, seed: 3).Runs().Select(run => run.ToString()),
            Is.EqualTo(Plan(5, seed: 3).Runs().Select(run => run.ToString())));

    [Test]
    public void A_line_of_a_child_is_read_as_written()
    {
        using StringWriter written = new();
        ChildLine line = new() { Member = Member(1) };

        line.Write(written);

        MemberReport? read = ChildLine.Read(written.ToString())?.Member;
        Assert.That(read, Is.Not.Null);
        Assert.That(read!.WaitedFor, Is.EquivalentTo(line.Member.WaitedFor));
        Assert.That(read with { WaitedFor = line.Member.WaitedFor }, Is.EqualTo(line.Member));
    }

    [TestCase("")]
    [TestCase("warning: something")]
    [TestCase("{")]
    [TestCase("{\"port\":\"x\"}")]
    public void Any_other_line_is_none_of_a_child(string line)
        => Assert.That(ChildLine.Read(line), Is.Null);

    private static DemoPlan Plan(int members, ulong seed) => new()
    {
        Members = members,
        Agents = 1,
        Steps = 1,
        LossPpm = 0,
        Delay = TimeSpan.Zero,
        Seed = seed,
    };

    private static DemoRunResult Run(int number) => new(
        new DemoRunPlan(number, 1, [0, 1], null), "aa", [Member(0), Member(1)], TimeSpan.FromSeconds(1));

    private static MemberReport Member(int member) => new()
    {
        Member = member,
        Steps = 5,
        Grants = 6,
        Messages = 10,
        Waited = TimeSpan.FromMilliseconds(30),
        WaitedFor = new Dictionary<string, TimeSpan>
        {
            ["m00"] = TimeSpan.FromMilliseconds(1),
            ["m01"] = TimeSpan.FromMilliseconds(20),
        },
        Rtt = TimeSpan.FromMilliseconds(20),
        PacketsSent = 100,
        PacketsLost = 5,
        Retransmits = 6,
        Digest = "bb",
        Checksum = "cc",
        RunDigest = "aa",
    };
}
