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

    /// <summary>Processes that are killed; null: none is.</summary>
    internal DemoKills? Kills { get; init; }

    /// <summary>Where runs are recorded; null: they are not.</summary>
    internal DemoFolder? Folder { get; init; }

    /// <summary>What to type to run it again.</summary>
    internal string CommandLine() => string.Create(
        CultureInfo.InvariantCulture,
        $"gudp demo --members {Members} --agents {Agents} --steps {Steps} --loss {LossPpm / 10_000.0:0.####}% "
        + $"--delay {Delay.TotalMilliseconds:0.####}ms --seed {Seed}{(Kills is null ? "" : " --kill")}");

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

        DemoRunPlan first = new(1, draws.NextUInt64(), inOrder, PausedMember: null);
        DemoRunPlan second = new(2, draws.NextUInt64(), otherOrder, PausedMember: null);

        return Kills is { } kills
            ?
            [
                first,
                second with { Kill = new DemoKill(kills.Resumed, ComesBack: true) },
                new DemoRunPlan(3, draws.NextUInt64(), inOrder, PausedMember: null)
                {
                    Kill = new DemoKill(kills.Removed, ComesBack: false),
                },
            ]
            : [first, second with { PausedMember = (int)draws.NextBelow(Members) }];
    }
}

/// <summary>One of the runs.</summary>
/// <param name="Number">1 or 2.</param>
/// <param name="LossSeed">Decides which datagrams the relay hits.</param>
/// <param name="StartOrder">Members in the order their processes are started.</param>
/// <param name="PausedMember">Who sleeps in the middle of the run; null if nobody.</param>
internal sealed record DemoRunPlan(int Number, ulong LossSeed, IReadOnlyList<int> StartOrder, int? PausedMember)
{
    /// <summary>Whose process is killed in the middle of the run; null if nobody's.</summary>
    internal DemoKill? Kill { get; init; }

    public override string ToString()
    {
        string order = string.Join(' ', StartOrder);
        string pause = PausedMember is { } member
            ? string.Create(
                CultureInfo.InvariantCulture, $", member {member} sleeps {DemoPlan.Pause.TotalMilliseconds:0} ms")
            : string.Empty;
        string kill = Kill is { } killed
            ? string.Create(
                CultureInfo.InvariantCulture,
                $", member {killed.Member} is killed and {(killed.ComesBack ? "comes back" : "stays away")}")
            : string.Empty;

        return $"run {Number}: loss seed {LossSeed:x16}, start order {order}{pause}{kill}";
    }
}

/// <summary>One member's process is killed.</summary>
/// <param name="Member">Whose.</param>
/// <param name="ComesBack">Another process goes on from what it saved.</param>
internal sealed record DemoKill(int Member, bool ComesBack);

/// <summary>What <c>gudp demo --kill</c> does to its processes.</summary>
internal sealed record DemoKills
{
    /// <summary>Members there must be: one of each kind, and one that watches.</summary>
    internal const int LeastMembers = 3;

    /// <summary>Steps there must be, so that there is a middle.</summary>
    internal const int LeastSteps = 4;

    /// <summary>The member with policy Resign: the run goes on without it.</summary>
    internal required int Removed { get; init; }

    /// <summary>A member with policy Stall: the run waits until it is back.</summary>
    internal required int Resumed { get; init; }

    /// <summary>Draws who is killed.</summary>
    internal static DemoKills Draw(int members, ulong seed)
    {
        Prng draws = new(seed);
        int removed = (int)draws.NextBelow(members);
        int resumed = (removed + 1 + (int)draws.NextBelow(members - 1)) % members;
        return new DemoKills { Removed = removed, Resumed = resumed };
    }
}
