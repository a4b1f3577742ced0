using System.Globalization;
using Gudp.Core;

namespace Gudp.Tools.Demo;

/// <summary>What the demo simulates and what the network does to it.</summary>
internal sealed record DemoPlan
{
    /// <summary>How long the one member of the second run sleeps.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    internal required int Members { get; init; }

    internal required int Agents { get; init; }

    internal required int Steps { get; init; }

    internal required int LossPpm { get; init; }

    internal required TimeSpan Delay { get; init; }

    internal required ulong Seed { get; init; }

    /// <summary>Everything that may differ between two runs without a difference in the result.</summary>
    internal IReadOnlyList<DemoRunPlan> Runs()
    {
        int[] inOrder = [.. Enumerable.Range(0, Members)];
        int[] otherOrder = [.. inOrder];
        Prng draws = new(Seed);

        for (int i = Members - 1; i > 0; i--)
        {
            int other = (int)draws.NextBelow(i + 1);
            (otherOrder[i], otherOrder[other]) = (otherOrder[other], otherOrder[i]);
        }

        if (otherOrder.SequenceEqual(inOrder))
        {
            Array.Reverse(otherOrder);
        }

        return
        [
            new DemoRunPlan(1, draws.NextUInt64(), inOrder, PausedMember: null),
            new DemoRunPlan(2, draws.NextUInt64(), otherOrder, PausedMember: (int)draws.NextBelow(Members)),
        ];
    }
}

/// <summary>One of the runs.</summary>
/// <param name="Number">1 or 2.</param>
/// <param name="LossSeed">Decides which datagrams the relay hits.</param>
/// <param name="StartOrder">Members in the order their processes are started.</param>
/// <param name="PausedMember">Who sleeps in the middle of the run; null if nobody.</param>
internal sealed record DemoRunPlan(int Number, ulong LossSeed, IReadOnlyList<int> StartOrder, int? PausedMember)
{
    public override string ToString()
    {
        string order = string.Join(' ', StartOrder);
        string pause = PausedMember is { } member
            ? string.Create(
                CultureInfo.InvariantCulture, $", member {member} sleeps {DemoPlan.Pause.TotalMilliseconds:0} ms")
            : string.Empty;

        return $"run {Number}: loss seed {LossSeed:x16}, start order {order}{pause}";
    }
}
