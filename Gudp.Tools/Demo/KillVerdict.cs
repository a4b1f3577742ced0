// What must be true of three runs of one simulation: the first in peace; in the second a member with policy Stall is
// killed and comes back; in the third one with policy Resign is killed and stays away (lock-time 8.4).

using Gudp.Sequencing;
using Gudp.Tools.Output;

namespace Gudp.Tools.Demo;

/// <summary>Judges <c>gudp demo --kill</c> by what members report and by the server's records.</summary>
/// <param name="Claims">What was found to be true, for people.</param>
/// <param name="Differences">One sentence for each thing that is not as it must be.</param>
internal sealed record KillVerdict(IReadOnlyList<string> Claims, IReadOnlyList<string> Differences)
{
    /// <param name="kills">Who was killed.</param>
    /// <param name="runs">The three, in their order.</param>
    /// <param name="folder">Where their records are.</param>
    internal static KillVerdict Of(DemoKills kills, IReadOnlyList<DemoRunResult> runs, DemoFolder folder)
    {
        List<string> differences = [];
        RunRecord[] records = [.. runs.Select(run => RunRecord.Open(folder.RecordOf(run.Plan)))];

        try
        {
            foreach ((DemoRunResult run, RunRecord record) in runs.Zip(records))
            {
                differences.AddRange(AgainstRecord(run, record));
            }

            differences.AddRange(Resumed(runs[0], runs[1], records[0], records[1]));
            differences.AddRange(Removed(kills.Removed, runs[0], runs[2], records[2]));
            return new KillVerdict(differences.Count == 0 ? ClaimsOf(kills, runs, records) : [], differences);
        }
        finally
        {
            Array.ForEach(records, record => record.Dispose());
        }
    }

    /// <summary>Every member that came to the end has the history that the server gave it.</summary>
    internal static IEnumerable<string> AgainstRecord(DemoRunResult run, RunRecord record)
    {
        string name = $"Run {run.Plan.Number}";

        if (!record.IsComplete || FlockServer.TextOf(record.RunDigest ?? 0) != run.RunDigest)
        {
            yield return $"{name}: the server's record does not end with the run digest {run.RunDigest}.";
        }

        foreach (MemberReport member in run.Members)
        {
            string recorded = FlockServer.TextOf(record.Members[member.Member].LastDigest);

            if (recorded != member.Digest)
            {
                yield return $"{name}: member {member.Member} has the history {member.Digest}, the server {recorded}.";
            }

            if (member.RunDigest != run.RunDigest)
            {
                yield return $"{name}: member {member.Member} was told the digest {member.RunDigest}.";
            }
        }
    }

    /// <summary>Policy Stall: nothing is lost and nothing comes twice, so both runs are one.</summary>
    internal static IEnumerable<string> Resumed(
        DemoRunResult peace, DemoRunResult resumed, RunRecord peaceRecord, RunRecord resumedRecord)
    {
        foreach (string difference in DemoVerdict.Differences(peace, resumed))
        {
            yield return difference;
        }

        foreach ((MemberReport one, MemberReport other) in peace.Members.Zip(resumed.Members))
        {
            if (one.Messages != other.Messages || other.Departures is not null)
            {
                yield return $"Member {one.Member} was given {one.Messages} messages in peace, and {other.Messages} "
                    + $"with {other.Departures?.Count ?? 0} departures in the other run.";
            }
        }

        RunDifference records = RunDifference.Between(peaceRecord, resumedRecord);

        if (!records.IsEqual)
        {
            yield return "The records differ: " + string.Join("; ", records.Summary);
        }

        if (resumedRecord.Facts.Any(fact => fact.What is not ("Lost" or "Resumed")))
        {
            yield return "Run 2 was influenced from outside.";
        }
    }

    /// <summary>Policy Resign: one departure, at one tag, and the run goes on the same for all that are left.</summary>
    internal static IEnumerable<string> Removed(
        int member, DemoRunResult peace, DemoRunResult removed, RunRecord record)
    {
        RecordedFact[] facts = [.. record.Facts.Where(fact => fact.What == "Removed")];
        FlockDeparture? told = removed.Members[0].Departures is [{ } only] ? only : null;

        if (facts is not [{ } fact] || fact.Name != FlockRun.NameOf(member))
        {
            yield return $"Run {removed.Plan.Number}: by the server's record "
                + $"[{string.Join(", ", facts.Select(one => one.Name))}] were removed, not {FlockRun.NameOf(member)}.";
        }
        else if (told != new FlockDeparture(member, fact.Tag.Time, told?.ToldAt ?? 0))
        {
            yield return $"Member {removed.Members[0].Member} was told {told}, the record says {fact}.";
        }

        foreach (MemberReport other in removed.Members)
        {
            if (other.Departures is not [{ } departure] || departure != told)
            {
                yield return $"Member {other.Member} was told {string.Join(", ", other.Departures ?? [])}, not {told}.";
            }

            // They flew the birds of the one that was gone as it would have.
            if (other.Steps != peace.Members[0].Steps || other.Checksum != peace.Members[0].Checksum)
            {
                yield return $"Member {other.Member} ended with the flock {other.Checksum} at step {other.Steps}.";
            }
        }

        if (removed.Members.Count != peace.Members.Count - 1)
        {
            yield return $"{removed.Members.Count} members came to the end of run {removed.Plan.Number}.";
        }
    }

    private static List<string> ClaimsOf(DemoKills kills, IReadOnlyList<DemoRunResult> runs, RunRecord[] records)
    {
        FlockDeparture told = runs[2].Members[0].Departures![0];

        return
        [
            $"came back: {FlockRun.NameOf(kills.Resumed)} gave and was given every message once; run 2 is run 1, "
                + $"grant for grant ({Units.Count(records[1].Grants)})",
            $"stayed away: all others were told at step {told.ToldAt} that {FlockRun.NameOf(kills.Removed)} left at "
                + $"{told.LastStep}, each has the server's history, and the flock is that of run 1",
        ];
    }
}
