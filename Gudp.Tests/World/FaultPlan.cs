using Gudp.Core;
using Gudp.Core.Simulation;

namespace Gudp.Tests.World;

/// <summary>What a fault does for a while, beside the links' own chances.</summary>
internal enum FaultKind
{
    /// <summary>Nothing passes between two nodes, in one or in both directions.</summary>
    Cut,

    /// <summary>As a cut of both directions, and as long as three probe time-outs at least.</summary>
    LongCut,

    /// <summary>A node's process stands still: no turns, no application.</summary>
    Pause,

    /// <summary>A node's application reads nothing.</summary>
    ReaderPause,

    /// <summary>Long datagrams vanish on one link.</summary>
    Narrow,

    /// <summary>A node's own system refuses long datagrams.</summary>
    SmallMtu,

    /// <summary>
    /// A translator gives the last node, which only ever connects to others, a new port, and a new address too if it is
    /// not one-way. A moment, not a while.
    /// </summary>
    Rebind,

    /// <summary>As a pause, but for seconds, as in a debugger.</summary>
    LongPause,

    /// <summary>A link carries only what an Ethernet path may carry, or less: 1,200 to 1,452 bytes.</summary>
    PathSize,

    /// <summary>
    /// A node's process is killed and starts again at the same addresses, remembering nothing. A moment. Never the first
    /// node.
    /// </summary>
    Restart,
}

/// <summary>One fault: what, when, where.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="At">When, counted from the world's start.</param>
/// <param name="Lasting">For how long, if healing does not come first.</param>
/// <param name="From">A node, or the link's sending end.</param>
/// <param name="To">The link's receiving end.</param>
/// <param name="IsOneWay">Only that direction of the link.</param>
internal sealed record Fault(FaultKind Kind, TimeSpan At, TimeSpan Lasting, int From, int To, bool IsOneWay);

/// <summary>Everything that goes wrong in one world until it heals, decided by a seed before it starts.</summary>
internal sealed class FaultPlan
{
    private const int Million = 1_000_000;
    private const int MostLossPpm = 300_000;

    // Slower links make long worlds, not other ones.
    private const long LeastRate = 64_000;

    private FaultPlan(TimeSpan lasting, LinkModel[,] links, IReadOnlyList<Fault> faults)
    {
        Lasting = lasting;
        Links = links;
        Faults = faults;
    }

    /// <summary>The phase of faults; then the world heals.</summary>
    internal TimeSpan Lasting { get; }

    /// <summary>The links' chances and times, by sending and receiving node.</summary>
    internal LinkModel[,] Links { get; }

    internal IReadOnlyList<Fault> Faults { get; }

    /// <summary>Draws a plan.</summary>
    /// <param name="draws">Of this plan alone.</param>
    /// <param name="nodes">2 or more.</param>
    /// <param name="isHard">With a long cut and a paused reader for certain; else each fault by chance.</param>
    internal static FaultPlan Drawn(Prng draws, int nodes, bool isHard)
    {
        LinkModel[,] links = new LinkModel[nodes, nodes];

        for (int i = 0; i < nodes * nodes; i++)
        {
            links[i / nodes, i % nodes] = DrawnLink(draws);
        }

        TimeSpan lasting = Between(draws, 2_000, 8_000);
        List<Fault> faults = [];

        for (long i = draws.NextBetween(1, 6); i > 0; i--)
        {
            FaultKind kind = draws.NextBelow(6) switch
            {
                0 => FaultKind.Pause,
                1 => FaultKind.ReaderPause,
                2 => FaultKind.Narrow,
                3 => FaultKind.SmallMtu,
                4 => FaultKind.Rebind,
                _ => FaultKind.Cut,
            };
            faults.Add(DrawnFault(draws, kind, nodes, lasting, mostMilliseconds: 2_000));
        }

        // From a generator of their own, so that they change nothing of the rest.
        Prng rarer = draws.Split(1);
        AddByChance(faults, rarer, FaultKind.LongPause, nodes, lasting);
        AddByChance(faults, rarer, FaultKind.PathSize, nodes, lasting);
        AddByChance(faults, rarer, FaultKind.Restart, nodes, lasting);

        if (isHard)
        {
            faults.Add(DrawnFault(draws, FaultKind.LongCut, nodes, lasting, mostMilliseconds: 4_000));
            faults.Add(DrawnFault(draws, FaultKind.ReaderPause, nodes, lasting, mostMilliseconds: 60_000));
        }

        return new FaultPlan(lasting, links, faults);
    }

    private static void AddByChance(List<Fault> faults, Prng draws, FaultKind kind, int nodes, TimeSpan within)
    {
        bool isWanted = draws.NextChance(Million / 3);
        Fault fault = DrawnFault(draws, kind, nodes, within, mostMilliseconds: 8_000);

        if (isWanted)
        {
            faults.Add(fault);
        }
    }

    private static LinkModel DrawnLink(Prng draws)
    {
        LinkModel link = LinkModel.Drawn(draws);
        bool isVeryLossy = draws.NextChance(Million / 3);
        long loss = draws.NextBetween(0, MostLossPpm);
        bool isNarrow = draws.NextChance(Million / 8);

        return link with
        {
            LossPpm = isVeryLossy ? (int)loss : link.LossPpm,
            RateBytesPerSecond = link.RateBytesPerSecond == 0 ? 0 : Math.Max(link.RateBytesPerSecond, LeastRate),
            QueueBytes = isNarrow ? 8 * 1024 : link.QueueBytes,
        };
    }

    private static Fault DrawnFault(Prng draws, FaultKind kind, int nodes, TimeSpan within, long mostMilliseconds)
    {
        int from = (int)draws.NextBelow(nodes);
        int to = (int)((from + draws.NextBetween(1, nodes - 1)) % nodes);
        TimeSpan at = Between(draws, 50, (long)within.TotalMilliseconds - 500);
        TimeSpan span = Between(draws, mostMilliseconds / 8, mostMilliseconds);
        return new Fault(kind, at, span, from, to, IsOneWay: draws.NextChance(Million / 2));
    }

    private static TimeSpan Between(Prng draws, long leastMilliseconds, long mostMilliseconds)
        => TimeSpan.FromMilliseconds(draws.NextBetween(leastMilliseconds, mostMilliseconds));
}
