using Gudp.Bench.Load;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Compare;

/// <summary>Gudp's medians over those of another system at the same work.</summary>
/// <param name="Work">Of both rows, as the next three.</param>
/// <param name="Size">Bytes of a message.</param>
/// <param name="Peers">Links, or nodes.</param>
/// <param name="Waiting">Of Gudp's row.</param>
/// <param name="To">The other system.</param>
/// <param name="MessagesPerS">Above 1: Gudp moves more; -1: not measured.</param>
/// <param name="RttUsP50">Below 1: Gudp is sooner.</param>
/// <param name="CpuUsPerMessage">Below 1: Gudp uses less.</param>
internal sealed record CompareRatio(
    string Work, int Size, int Peers, string Waiting, string To, double MessagesPerS, double RttUsP50, double CpuUsPerMessage)
{
    internal static IReadOnlyList<CompareRatio> Of(CompareReport report) =>
    [
        .. from gudp in report.Rows
           where IsPlain(gudp) && gudp.System == LoadSystems.Gudp
           from other in report.Rows
           where other.System != LoadSystems.Gudp && IsPlain(other) && IsSameWork(gudp, other)
           select new CompareRatio(
               gudp.Work,
               gudp.Size,
               gudp.Peers,
               gudp.Waiting,
               other.System,
               Over(gudp.MessagesPerS, other.MessagesPerS),
               Over(gudp.RttUsP50, other.RttUsP50),
               Over(gudp.CpuUsPerMessage, other.CpuUsPerMessage)),
    ];

    // How it waits is part of the work only where a round trip is measured.
    private static bool IsSameWork(CompareRow one, CompareRow other)
        => one.Work == other.Work && one.Size == other.Size && one.Peers == other.Peers
        && (one.Waiting == other.Waiting || one.Work != LoadNames.Of(LoadWork.RequestResponse));

    private static bool IsPlain(CompareRow row) => row is { Offload: true, Rate: 0 };

    private static double Over(Rounds one, Rounds other)
        => one.Median > 0 && other.Median > 0 ? Spread.Round(one.Median / other.Median) : -1;
}

/// <summary>What the system can do without a protocol, or with its own.</summary>
/// <param name="Id">R1 to R5 of the design.</param>
/// <param name="Work">What was done.</param>
/// <param name="Unit">Of the value.</param>
/// <param name="Value">A median; -1: not measured.</param>
internal sealed record CompareLimit(string Id, string Work, string Unit, double Value)
{
    private const string PerSecond = "/s";
    private const string Microseconds = "us";

    internal static IReadOnlyList<CompareLimit> Of(CompareReport report)
    {
        double Rate(LoadCell cell) => report.Find(cell)?.MessagesPerS.Median ?? -1;
        double Trip(LoadWaiting waiting)
            => report.Find(CompareCells.Ask(LoadSystems.RawUdp, waiting))?.RttUsP50.Median ?? -1;

        LoadCell BareOf(bool isFrameworkOnly)
            => CompareCells.BareStream(LoadSystems.RawUdp, CompareCells.DatagramBytes, isFrameworkOnly);

        LoadCell whole = CompareCells.Stream(LoadSystems.RawUdp, CompareCells.DatagramBytes);
        return
        [
            new("R1", "datagrams of 1,472 B, 44 a call", PerSecond, Rate(whole)),
            new("R2", "datagrams of 1,472 B, one a call", PerSecond, Rate(BareOf(isFrameworkOnly: false))),
            new("R2", "the same through .NET's socket", PerSecond, Rate(BareOf(isFrameworkOnly: true))),
            .. CompareCells.Sizes.Select(bytes => new CompareLimit(
                "R3",
                FormattableString.Invariant($"TCP, 64 KB a call, {bytes} B"),
                PerSecond,
                Rate(CompareCells.Stream(LoadSystems.TcpCoalesced, bytes)))),
            new("R4", "bare UDP round trip of 64 B, awake, p50", Microseconds, Trip(LoadWaiting.Poll)),
            new("R5", "bare UDP round trip of 64 B, asleep, p50", Microseconds, Trip(LoadWaiting.Block)),
        ];
    }
}
