using Gudp.Sequencing;

namespace Gudp.Tools.Demo;

/// <summary>One step of a recorded run, in the server's wall time.</summary>
/// <param name="Tag">What its grants have in common.</param>
/// <param name="Milliseconds">From the last grant of the step before to the last one of this.</param>
internal readonly record struct StepTime(Tag Tag, long Milliseconds)
{
    /// <summary>Members granted this step.</summary>
    internal int Grants { get; init; }

    /// <summary>Of them, those whose request did not find everything there.</summary>
    internal int Waiting { get; init; }

    /// <summary>The grant that waited longest; default if none did.</summary>
    internal RecordedGrant Longest { get; init; }
}

/// <summary>What the wall clock said at each step of a recorded run, and whom grants waited for.</summary>
internal sealed class StepTimes
{
    private readonly Dictionary<int, (int Steps, long Milliseconds)> _waitedFor = [];

    private StepTimes(IReadOnlyList<StepTime> steps) => Steps = steps;

    /// <summary>By tag; the start, which took no step, is not one.</summary>
    internal IReadOnlyList<StepTime> Steps { get; }

    /// <summary>Of all steps.</summary>
    internal long Milliseconds => Steps.Sum(step => step.Milliseconds);

    /// <summary>Wall time of the start's last grant, since the record began.</summary>
    internal long StartedAt { get; private init; }

    internal static StepTimes Of(RunRecord record)
    {
        Dictionary<Tag, Round> rounds = [];
        Dictionary<int, long> waited = [];

        foreach (RecordedBatch batch in record.ReadGrants())
        {
            RecordedGrant grant = batch.Grant;
            rounds[grant.Tag] = rounds.GetValueOrDefault(grant.Tag).With(grant);

            if (grant.WaitedBecause != WaitKind.None && grant.WaitedFor is { } root)
            {
                waited[root] = waited.GetValueOrDefault(root) + grant.WaitedMilliseconds;
            }
        }

        (Tag Tag, Round Round)[] inOrder = [.. rounds.Select(one => (one.Key, one.Value)).OrderBy(one => one.Key)];
        StepTime[] steps = new StepTime[Math.Max(0, inOrder.Length - 1)];

        for (int i = 0; i < steps.Length; i++)
        {
            (Tag tag, Round round) = inOrder[i + 1];
            steps[i] = round.Since(tag, inOrder[i].Round.LastAt);
        }

        StepTimes times = new(steps) { StartedAt = inOrder.Length > 0 ? inOrder[0].Round.LastAt : 0 };
        times.CountWaits(waited);
        return times;
    }

    /// <summary>Steps at which the longest wait was for this member, and how long all grants waited for it together.</summary>
    internal (int Steps, long Milliseconds) WaitedFor(int member) => _waitedFor.GetValueOrDefault(member);

    private void CountWaits(Dictionary<int, long> waited)
    {
        foreach ((int member, long milliseconds) in waited)
        {
            int steps = Steps.Count(step => step.Waiting > 0 && step.Longest.WaitedFor == member);
            _waitedFor[member] = (steps, milliseconds);
        }
    }

    /// <summary>The grants of one tag.</summary>
    private readonly record struct Round(long LastAt, int Grants, int Waiting, RecordedGrant Longest)
    {
        internal Round With(in RecordedGrant grant)
        {
            bool hasWaited = grant.WaitedBecause != WaitKind.None;
            bool isLongest = hasWaited && (Waiting == 0 || grant.WaitedMilliseconds > Longest.WaitedMilliseconds);

            return new Round(
                Math.Max(LastAt, grant.WallMilliseconds), Grants + 1, Waiting + (hasWaited ? 1 : 0),
                isLongest ? grant : Longest);
        }

        // A member may be a step ahead of one that is told later; the last grants follow each other all the same.
        internal StepTime Since(Tag tag, long before) => new(tag, Math.Max(0, LastAt - before))
        {
            Grants = Grants,
            Waiting = Waiting,
            Longest = Longest,
        };
    }
}
