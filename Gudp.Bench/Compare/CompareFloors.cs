using Gudp.Bench.Load;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Compare;

/// <summary>The floors that a comparison can judge, and the one place that does.</summary>
internal static class CompareFloors
{
    internal static IReadOnlyList<FloorRow> Judge(CompareReport report)
        => [.. Streams(report), .. WithoutOffload(report), .. Processor(report), .. Trips(report), .. Crowd(report), Errors(report)];

    private static IEnumerable<FloorRow> Streams(CompareReport report)
    {
        (string Id, int Bytes, double OfEnet, double OfTcp)[] floors =
        [
            ("P1", 32, 6, 0.8),
            ("P2", 256, 6, 0.7),
            ("P3", 1_024, 8, 0.6),
            ("P4", 16 * 1_024, 8, 0.6),
            ("P4", 1_024 * 1_024, 8, 0.9),
        ];

        foreach ((string id, int bytes, double ofEnet, double ofTcp) in floors)
        {
            double? gudp = Rate(report, CompareCells.Stream(LoadSystems.Gudp, bytes));
            string work = FormattableString.Invariant($"stream of {bytes} B");
            yield return FloorRow.Least(
                id, $"{work}, over ENet", Over(gudp, Rate(report, CompareCells.Stream(LoadSystems.Enet, bytes))), ofEnet);
            yield return FloorRow.Least(
                id,
                $"{work}, over coalesced TCP",
                Over(gudp, Rate(report, CompareCells.Stream(LoadSystems.TcpCoalesced, bytes))),
                ofTcp);
        }
    }

    // By bytes: what a datagram of Gudp carries besides the payload counts against it.
    private static IEnumerable<FloorRow> WithoutOffload(CompareReport report)
    {
        foreach (bool isFrameworkOnly in new[] { false, true })
        {
            double? Payload(string system, int bytes)
                => report.Find(CompareCells.BareStream(system, bytes, isFrameworkOnly))?.MbPerS.Median;

            double? limit = Payload(LoadSystems.RawUdp, CompareCells.DatagramBytes);
            string socket = isFrameworkOnly ? "framework's socket" : "no offload";

            foreach (int bytes in new[] { 1_024, 16 * 1_024 })
            {
                yield return FloorRow.Least(
                    "P5",
                    FormattableString.Invariant($"{socket}, {bytes} B, bytes over bare UDP"),
                    Over(Payload(LoadSystems.Gudp, bytes), limit),
                    0.85);
            }
        }
    }

    private static IEnumerable<FloorRow> Processor(CompareReport report)
    {
        double? small = report.Find(CompareCells.Stream(LoadSystems.Gudp, 32))?.CpuUsPerMessage.Median;
        double? large = report.Find(CompareCells.Stream(LoadSystems.Gudp, 16 * 1_024))?.CpuUsPerMessage.Median;
        yield return FloorRow.Most("P6", "CPU of both sides, us for 32 B", small, 0.12);
        yield return FloorRow.Most("P6", "CPU of both sides, s/GB at 16 KB", large * 1e3 / (16 * 1_024), 0.8);

        foreach (int bytes in CompareCells.Sizes.Where(bytes => bytes <= 16 * 1_024))
        {
            yield return FloorRow.Most(
                "P7",
                FormattableString.Invariant($"bytes allocated for a message of {bytes} B"),
                Spread.Round(report.Find(CompareCells.Stream(LoadSystems.Gudp, bytes))?.AllocBytesPerMessage.Median ?? -1),
                0.01);
        }
    }

    private static IEnumerable<FloorRow> Trips(CompareReport report)
    {
        double? Trip(string system, LoadWaiting waiting)
            => report.Find(CompareCells.Ask(system, waiting))?.RttUsP50.Median;

        double? polled = Trip(LoadSystems.Gudp, LoadWaiting.Poll);
        double? blocked = Trip(LoadSystems.Gudp, LoadWaiting.Block);
        yield return FloorRow.Most(
            "P8", "round trip, caller polls, over bare UDP", Over(polled, Trip(LoadSystems.RawUdp, LoadWaiting.Poll)), 1.5);
        yield return FloorRow.Most(
            "P9", "round trip, blocking, over bare UDP", Over(blocked, Trip(LoadSystems.RawUdp, LoadWaiting.Block)), 1.1);
        yield return FloorRow.Most(
            "P9", "round trip, blocking, over ENet", Over(blocked, Trip(LoadSystems.Enet, LoadWaiting.Block)), 1);
    }

    private static IEnumerable<FloorRow> Crowd(CompareReport report)
    {
        int most = CompareCells.Crowds[^1];
        double? gudp = Rate(report, CompareCells.Crowd(LoadSystems.Gudp, most));
        double? zeroMq = Rate(report, CompareCells.Crowd(LoadSystems.ZeroMq, most));
        yield return FloorRow.Least("P11", "1,000 connections to one, over ZeroMQ", Over(gudp, zeroMq), 0.45);
    }

    // Counted for every system: a peer that fails its own promise is not a peer to be compared with.
    private static FloorRow Errors(CompareReport report)
        => FloorRow.Most("control", "messages damaged, out of order, twice or missing", report.Rows.Sum(row => row.Errors), 0);

    private static double? Rate(CompareReport report, LoadCell cell) => report.Find(cell)?.MessagesPerS.Median;

    private static double? Over(double? value, double? of)
        => of > 0 && value >= 0 ? Spread.Round(value.Value / of.Value) : null;
}
