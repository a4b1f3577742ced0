using Gudp.Sequencing;
using Gudp.Tests.Sequencing.Records;
using Gudp.Tools.Demo;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>The judge of <c>gudp demo --kill</c> is not blind: each thing that can be wrong is named.</summary>
[TestFixture]
public sealed class KillVerdictTests
{
    private const int Removed = 2;
    private const string RunDigest = "0000000000000063";

    private static readonly FlockDeparture Told = new(Removed, LastStep: 2, ToldAt: 3);

    [Test]
    public void Runs_as_specified_have_no_difference()
    {
        using RunRecord peace = Record();
        using RunRecord back = Record(new("m01", "Lost", 2, 0), new("m01", "Resumed", 2, 0));
        using RunRecord away = Record(new("m02", "Lost", 2, 0), new("m02", "Removed", 2, 0));

        Assert.That(KillVerdict.AgainstRecord(Run(1, peace), peace), Is.Empty);
        Assert.That(KillVerdict.Resumed(Run(1, peace), Run(2, back), peace, back), Is.Empty);
        Assert.That(KillVerdict.Removed(Removed, Run(1, peace), Away(away), away), Is.Empty);
    }

    [Test]
    public void A_member_whose_history_is_not_the_servers_is_named()
    {
        using RunRecord record = Record();
        DemoRunResult run = Run(1, record);

        Assert.That(
            KillVerdict.AgainstRecord(With(run, 1, member => member with { Digest = "0" }), record),
            Has.One.Contains("member 1 has the history 0"));
        Assert.That(
            KillVerdict.AgainstRecord(With(run, 1, member => member with { RunDigest = "0" }), record),
            Has.One.Contains("member 1 was told the digest 0"));
        Assert.That(
            KillVerdict.AgainstRecord(run with { RunDigest = "0" }, record), Has.One.Contains("the server's record"));
    }

    [Test]
    public void A_message_that_is_lost_or_comes_twice_after_a_resumption_is_named()
    {
        using RunRecord peace = Record();
        using RunRecord more = RecordedRun.Of(members: 3, grants: 5, messages: 3).Open();
        DemoRunResult twice = With(Run(2, peace), 0, member => member with { Messages = member.Messages + 1 });

        Assert.That(
            KillVerdict.Resumed(Run(1, peace), twice, peace, peace), Has.One.Contains("Member 0 was given 10 messages"));
        Assert.That(
            KillVerdict.Resumed(Run(1, peace), Run(2, peace), peace, more), Has.One.Contains("The records differ"));
    }

    [Test]
    public void A_resumption_that_took_somebody_out_is_named()
    {
        using RunRecord peace = Record();
        using RunRecord influenced = Record(new RecordedFact("m01", "Removed", 2, 0));
        DemoRunResult told = With(Run(2, peace), 0, member => member with { Departures = [Told] });

        Assert.That(
            KillVerdict.Resumed(Run(1, peace), Run(2, peace), peace, influenced), Has.One.Contains("influenced"));
        Assert.That(KillVerdict.Resumed(Run(1, peace), told, peace, peace), Has.One.Contains("1 departures"));
    }

    [Test]
    public void A_departure_that_is_told_at_two_tags_or_not_at_all_is_named()
    {
        using RunRecord record = Record(new RecordedFact("m02", "Removed", 2, 0));

        foreach (IReadOnlyList<FlockDeparture>? other in new[] { null, [Told with { ToldAt = 4 }], new[] { Told, Told } })
        {
            DemoRunResult away = With(Away(record), 1, member => member with { Departures = other });

            Assert.That(
                KillVerdict.Removed(Removed, Run(1, record), away, record), Has.One.StartWith("Member 1 was told "));
        }
    }

    [Test]
    public void A_departure_that_the_record_does_not_have_is_named()
    {
        using RunRecord none = Record();
        using RunRecord other = Record(new RecordedFact("m01", "Removed", 2, 0));
        using RunRecord elsewhere = Record(new RecordedFact("m02", "Removed", 1, 0));

        Assert.That(
            KillVerdict.Removed(Removed, Run(1, none), Away(none), none), Has.One.Contains("[] were removed, not m02"));
        Assert.That(
            KillVerdict.Removed(Removed, Run(1, other), Away(other), other), Has.One.Contains("[m01] were removed, not m02"));
        Assert.That(
            KillVerdict.Removed(Removed, Run(1, elsewhere), Away(elsewhere), elsewhere), Has.One.Contains("the record says"));
    }

    [Test]
    public void Survivors_that_stop_or_fly_elsewhere_or_are_too_few_are_named()
    {
        using RunRecord record = Record(new RecordedFact("m02", "Removed", 2, 0));
        DemoRunResult away = Away(record);

        Assert.That(
            KillVerdict.Removed(
                Removed, Run(1, record), With(away, 1, member => member with { Checksum = "0" }), record),
            Has.One.Contains("Member 1 ended with the flock 0"));
        Assert.That(
            KillVerdict.Removed(Removed, Run(1, record), With(away, 1, member => member with { Steps = 4 }), record),
            Has.One.Contains("at step 4"));
        Assert.That(
            KillVerdict.Removed(Removed, Run(1, record), away with { Members = [away.Members[0]] }, record),
            Has.One.Contains("1 members came to the end"));
    }

    private static RunRecord Record(params RecordedFact[] facts)
    {
        RecordedRun run = RecordedRun.Of(members: 3, grants: 5, messages: 2);
        run.Facts.AddRange(facts);
        return run.Open();
    }

    private static DemoRunResult Run(int number, RunRecord record) => new(
        new DemoRunPlan(number, 1, [0, 1, 2], null), RunDigest,
        [.. record.Members.Select(Report)], TimeSpan.FromSeconds(1));

    private static DemoRunResult Away(RunRecord record)
    {
        DemoRunResult all = Run(3, record);
        return all with { Members = [.. all.Members.Take(Removed).Select(one => one with { Departures = [Told] })] };
    }

    private static DemoRunResult With(DemoRunResult run, int member, Func<MemberReport, MemberReport> change)
        => run with { Members = [.. run.Members.Select(one => one.Member == member ? change(one) : one)] };

    private static MemberReport Report(RecordedMember member) => new()
    {
        Member = member.Ordinal,
        Steps = 5,
        Grants = 6,
        Messages = member.Deliveries,
        Waited = TimeSpan.Zero,
        WaitedFor = new Dictionary<string, TimeSpan>(),
        Rtt = TimeSpan.Zero,
        PacketsSent = 0,
        PacketsLost = 0,
        Retransmits = 0,
        Digest = FlockServer.TextOf(member.LastDigest),
        Checksum = "cc",
        RunDigest = RunDigest,
    };
}
