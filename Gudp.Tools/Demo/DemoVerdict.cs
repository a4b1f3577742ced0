using System.Globalization;
using Gudp.Tools.Output;

namespace Gudp.Tools.Demo;

/// <summary>What came of one run.</summary>
/// <param name="Plan">How it was run.</param>
/// <param name="RunDigest">The server's digest over all members' histories.</param>
/// <param name="Members">By member, without those that did not come to the end.</param>
/// <param name="Elapsed">From the first process to the last report.</param>
internal sealed record DemoRunResult(
    DemoRunPlan Plan, string RunDigest, IReadOnlyList<MemberReport> Members, TimeSpan Elapsed)
{
    /// <summary>What was done to the run, and what it said to that, for people.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>Compares the runs: whatever the network did, all must have seen the same history.</summary>
internal static class DemoVerdict
{
    /// <returns>One sentence per difference; none means deterministic.</returns>
    internal static IReadOnlyList<string> Differences(DemoRunResult first, DemoRunResult second)
    {
        List<string> differences = [];

        if (first.RunDigest != second.RunDigest)
        {
            differences.Add($"The run digests differ: {first.RunDigest} and {second.RunDigest}.");
        }

        foreach ((MemberReport one, MemberReport other) in first.Members.Zip(second.Members))
        {
            if (one.Digest != other.Digest)
            {
                differences.Add(
                    $"Member {one.Member} was delivered different histories: {one.Digest} and {other.Digest}.");
            }
        }

        string checksum = first.Members[0].Checksum;

        foreach (DemoRunResult run in new[] { first, second })
        {
            differences.AddRange(run.Members
                .Where(member => member.RunDigest != run.RunDigest)
                .Select(member =>
                    $"Member {member.Member} was told the digest {member.RunDigest} of run {run.Plan.Number}, "
                    + $"not {run.RunDigest}."));

            differences.AddRange(run.Members
                .Where(member => member.Checksum != checksum)
                .Select(member =>
                    $"Member {member.Member} ended run {run.Plan.Number} with the flock {member.Checksum}, "
                    + $"not {checksum}."));
        }

        return differences;
    }

    internal static TextTable Table(IEnumerable<DemoRunResult> runs)
    {
        TextTable table = new(
            "member", "run", "steps", "grants", "messages", "waited", "mostly for", "rtt", "loss", "retransmits");

        foreach (DemoRunResult run in runs)
        {
            foreach (MemberReport member in run.Members)
            {
                table.Add(
                    FlockRun.NameOf(member.Member),
                    Text(run.Plan.Number),
                    Text(member.Steps),
                    Text(member.Grants),
                    Text(member.Messages),
                    Units.Span(member.Waited),
                    MostlyFor(member),
                    Units.Span(member.Rtt),
                    Units.Share(member.PacketsLost, member.PacketsSent),
                    Text(member.Retransmits));
            }
        }

        return table;
    }

    private static string MostlyFor(MemberReport member)
    {
        if (member.WaitedFor.Count == 0)
        {
            return "-";
        }

        (string name, TimeSpan waited) = member.WaitedFor.MaxBy(one => one.Value);
        return $"{name} {Units.Span(waited)}";
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
