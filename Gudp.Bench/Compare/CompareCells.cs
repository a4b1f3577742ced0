using Gudp.Bench.Load;

namespace Gudp.Bench.Compare;

/// <summary>How much is measured, and for how long.</summary>
internal enum CompareExtent
{
    /// <summary>Everything works: a minute.</summary>
    Smoke,

    /// <summary>A first look: five minutes.</summary>
    Quick,

    /// <summary>What counts: forty minutes.</summary>
    Full,
}

/// <summary>Which cells there are.</summary>
/// <remarks>
/// A group is what is measured one after the other in each round: the same work and size on every system that can.
/// </remarks>
internal static class CompareCells
{
    internal const int SmallBytes = 64;

    /// <summary>A datagram that fills an Ethernet packet.</summary>
    internal const int DatagramBytes = 1_472;

    internal const int CurveBytes = 64;
    internal const int LargeCurveBytes = 16 * 1_024;

    internal static readonly int[] Sizes = [32, 256, 1_024, 16 * 1_024, 1_024 * 1_024];
    internal static readonly int[] Crowds = [10, 100, 1_000];

    /// <summary>Messages a second of <see cref="CurveBytes"/>, then of <see cref="LargeCurveBytes"/>.</summary>
    internal static readonly double[] CurveRates = [3_000, 30_000, 100_000, 300_000, 1_000_000];
    internal static readonly double[] LargeCurveRates = [1_000, 5_000, 20_000, 60_000];

    private const int MeshBytes = 256;
    private const int MeshNodes = 4;
    private const int SmokeCrowd = 10;
    private const int SmokeNodes = 3;

    private static readonly int[] QuickSizes = [32, 1_024, 16 * 1_024];
    private static readonly int[] BareSizes = [1_024, 16 * 1_024];

    private static readonly string[] Reliable =
        [LoadSystems.Gudp, LoadSystems.Tcp, LoadSystems.TcpCoalesced, LoadSystems.Enet, LoadSystems.ZeroMq];

    private static readonly string[] Spoken =
        [LoadSystems.RawUdp, LoadSystems.Gudp, LoadSystems.Tcp, LoadSystems.Enet, LoadSystems.ZeroMq];

    private static readonly string[] Curved = [LoadSystems.Gudp, LoadSystems.Tcp, LoadSystems.Enet, LoadSystems.ZeroMq];

    private static readonly string[] Many =
        [LoadSystems.Gudp, LoadSystems.TcpCoalesced, LoadSystems.Enet, LoadSystems.ZeroMq];

    /// <summary>In the order of the report.</summary>
    internal static IReadOnlyList<IReadOnlyList<LoadCell>> Groups(CompareExtent extent) => extent switch
    {
        CompareExtent.Smoke =>
        [
            [.. Streams(SmallBytes), Stream(LoadSystems.RawUdp, SmallBytes)],
            RoundTrips(LoadWaiting.Block),
            [Of(LoadSystems.Gudp, LoadWork.TwoWay, SmallBytes, 1)],
            [Crowd(LoadSystems.Gudp, SmokeCrowd)],
            [Of(LoadSystems.Gudp, LoadWork.NToN, SmallBytes, SmokeNodes)],
        ],
        CompareExtent.Quick =>
        [
            .. QuickSizes.Select(Streams),
            Bare(),
            RoundTrips(LoadWaiting.Poll),
            RoundTrips(LoadWaiting.Block),
            [Crowd(LoadSystems.Gudp, Crowds[^1]), Crowd(LoadSystems.ZeroMq, Crowds[^1])],
        ],
        _ =>
        [
            .. Sizes.Select(Streams),
            Bare(),
            RoundTrips(LoadWaiting.Poll),
            RoundTrips(LoadWaiting.Block),
            On(Many, LoadWork.TwoWay, 1_024, 1),
            .. Crowds.Select(peers => On(Many, LoadWork.NTo1, SmallBytes, peers)),
            On(Many, LoadWork.NToN, MeshBytes, MeshNodes),
            .. CurveRates.Select(rate => Curve(CurveBytes, rate)),
            .. LargeCurveRates.Select(rate => Curve(LargeCurveBytes, rate)),
        ],
    };

    internal static int RoundsOf(CompareExtent extent) => extent switch
    {
        CompareExtent.Smoke => 1,
        CompareExtent.Quick => 3,
        _ => 5,
    };

    internal static LoadTiming TimingOf(CompareExtent extent) => extent switch
    {
        CompareExtent.Smoke => new()
        {
            WarmUp = TimeSpan.FromSeconds(0.2),
            Span = TimeSpan.FromSeconds(0.3),
            Patience = TimeSpan.FromSeconds(6),
        },
        CompareExtent.Quick => new() { WarmUp = TimeSpan.FromSeconds(1), Span = TimeSpan.FromSeconds(0.7) },
        _ => new() { WarmUp = TimeSpan.FromSeconds(3), Span = TimeSpan.FromSeconds(1.2) },
    };

    /// <summary>
    /// Each process keeps to a processor: where the scheduler places the two decides over a round trip by a factor of
    /// five, and over a stream by little.
    /// </summary>
    internal static bool IsPinned(LoadCell cell) => cell.Work == LoadWork.RequestResponse;

    internal static LoadCell Stream(string system, int bytes) => Of(system, LoadWork.OneWay, bytes, 1);

    /// <summary>One datagram a call.</summary>
    internal static LoadCell BareStream(string system, int bytes, bool isFrameworkOnly)
        => Stream(system, bytes) with { HasOffload = false, IsFrameworkOnly = isFrameworkOnly };

    internal static LoadCell Ask(string system, LoadWaiting waiting)
        => new(system, LoadWork.RequestResponse, SmallBytes, 1) { Waiting = waiting };

    internal static LoadCell Crowd(string system, int peers) => Of(system, LoadWork.NTo1, SmallBytes, peers);

    // Where all that counts is how much goes through, whoever has threads of its own sleeps beside them: awake it would
    // take their processor.
    private static LoadCell Of(string system, LoadWork work, int bytes, int peers)
        => new(system, work, bytes, peers)
        {
            Waiting = LoadSystems.HasOwnThreads(system) ? LoadWaiting.Block : LoadWaiting.Poll,
        };

    private static LoadCell[] Streams(int bytes) => On(Reliable, LoadWork.OneWay, bytes, 1);

    // The limits of the system, and what is left of them without offload.
    private static LoadCell[] Bare() =>
    [
        Stream(LoadSystems.RawUdp, DatagramBytes),
        BareStream(LoadSystems.RawUdp, DatagramBytes, isFrameworkOnly: false),
        .. BareSizes.Select(bytes => BareStream(LoadSystems.Gudp, bytes, isFrameworkOnly: false)),
        BareStream(LoadSystems.RawUdp, DatagramBytes, isFrameworkOnly: true),
        .. BareSizes.Select(bytes => BareStream(LoadSystems.Gudp, bytes, isFrameworkOnly: true)),
    ];

    // Whoever has threads of its own is asked by a user that sleeps, and in no other way.
    private static LoadCell[] RoundTrips(LoadWaiting waiting)
        => [.. Spoken.Where(system => waiting == LoadWaiting.Block || !LoadSystems.HasOwnThreads(system))
            .Select(system => Ask(system, waiting))];

    private static LoadCell[] Curve(int bytes, double rate)
        => [.. Curved.Select(system => Stream(system, bytes) with { Rate = rate })];

    private static LoadCell[] On(string[] systems, LoadWork work, int bytes, int peers)
        => [.. systems.Select(system => Of(system, work, bytes, peers))];
}
