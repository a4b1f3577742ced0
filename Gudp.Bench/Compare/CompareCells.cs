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

    internal static readonly int[] Sizes = [32, 256, 1_024, 16 * 1_024, 1_024 * 1_024];
    internal static readonly int[] Crowds = [10, 100, 1_000];
    internal static readonly double[] CurveRates = [1_000, 10_000, 30_000, 100_000, 300_000];

    private const int MeshBytes = 256;
    private const int MeshNodes = 4;
    private const int CurveBytes = 256;

    private static readonly string[] Reliable =
        [LoadSystems.Gudp, LoadSystems.Tcp, LoadSystems.TcpCoalesced, LoadSystems.Enet, LoadSystems.ZeroMq];

    private static readonly string[] Spoken = [LoadSystems.Gudp, LoadSystems.Tcp, LoadSystems.Enet, LoadSystems.ZeroMq];

    private static readonly string[] Many =
        [LoadSystems.Gudp, LoadSystems.TcpCoalesced, LoadSystems.Enet, LoadSystems.ZeroMq];

    /// <summary>In the order of the report.</summary>
    internal static IReadOnlyList<IReadOnlyList<LoadCell>> Groups(CompareExtent extent) => extent switch
    {
        CompareExtent.Smoke => [OneWay(SmallBytes), RoundTrip(LoadWaiting.Block)],
        CompareExtent.Quick => [OneWay(32), OneWay(1_024), OneWay(16 * 1_024), Bare(), RoundTrip(LoadWaiting.Block)],
        _ =>
        [
            .. Sizes.Select(OneWay),
            Bare(),
            RoundTrip(LoadWaiting.Poll),
            RoundTrip(LoadWaiting.Block),
            On(Reliable, LoadWork.TwoWay, 1_024, 1),
            .. Crowds.Select(peers => On(Many, LoadWork.NTo1, SmallBytes, peers)),
            On(Many, LoadWork.NToN, MeshBytes, MeshNodes),
            .. CurveRates.Select(Curve),
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
        CompareExtent.Smoke => new() { WarmUp = TimeSpan.FromSeconds(0.5), Span = TimeSpan.FromSeconds(0.5) },
        CompareExtent.Quick => new() { WarmUp = TimeSpan.FromSeconds(1), Span = TimeSpan.FromSeconds(0.7) },
        _ => new() { WarmUp = TimeSpan.FromSeconds(3), Span = TimeSpan.FromSeconds(1.5) },
    };

    internal static LoadCell Stream(string system, int bytes, bool hasOffload = true)
        => new(system, LoadWork.OneWay, bytes, 1) { HasOffload = hasOffload };

    internal static LoadCell Ask(string system, LoadWaiting waiting)
        => new(system, LoadWork.RequestResponse, SmallBytes, 1) { Waiting = waiting };

    internal static LoadCell Crowd(string system, int peers) => new(system, LoadWork.NTo1, SmallBytes, peers);

    private static LoadCell[] OneWay(int bytes) => On(Reliable, LoadWork.OneWay, bytes, 1);

    // The limits of the system, and what is left of them without offload.
    private static LoadCell[] Bare() =>
    [
        Stream(LoadSystems.RawUdp, 1_472),
        Stream(LoadSystems.RawUdp, 1_472, hasOffload: false),
        Stream(LoadSystems.Gudp, 1_024, hasOffload: false),
        Stream(LoadSystems.Gudp, 16 * 1_024, hasOffload: false),
    ];

    private static LoadCell[] RoundTrip(LoadWaiting waiting)
        => [.. new[] { LoadSystems.RawUdp }.Concat(Spoken).Select(system => Ask(system, waiting))];

    private static LoadCell[] Curve(double rate)
        => [.. Spoken.Select(system => new LoadCell(system, LoadWork.OneWay, CurveBytes, 1) { Rate = rate })];

    private static LoadCell[] On(string[] systems, LoadWork work, int bytes, int peers)
        => [.. systems.Select(system => new LoadCell(system, work, bytes, peers))];
}
