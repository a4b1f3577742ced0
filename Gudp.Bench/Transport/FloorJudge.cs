using Gudp.Core;

namespace Gudp.Bench.Transport;

/// <summary>The floors, and the one place that compares them with what was measured.</summary>
internal static class FloorJudge
{
    private const double LeastShare = 0.5;

    // P13: Mbit/s of 100, by round trip and loss.
    private static readonly (double RoundTripMs, double LossPercent, double Mbit)[] TransferFloors =
        [(20, 0, 90), (20, 1, 85), (20, 5, 75), (100, 1, 60)];

    // P14: 99 % of the messages are there within so many ms.
    private static readonly (double LossPercent, double Ms)[] TickFloors = [(0, 27), (2, 84), (10, 142)];

    internal static IReadOnlyList<FloorRow> Judge(TransportReport report)
        => [.. Transfers(report), .. LongFat(report), .. Fairness(report), .. Ticks(report), Speed(report)];

    /// <summary>P13's floor of a cell; not a number where there is none.</summary>
    internal static double TransferFloor(double roundTripMs, double lossPercent)
        => TransferFloors.FirstOrDefault(
            floor => floor.RoundTripMs == roundTripMs && floor.LossPercent == lossPercent, (0, 0, double.NaN)).Mbit;

    /// <summary>P14's floor of a loss; not a number where there is none.</summary>
    internal static double TickFloor(double lossPercent)
        => TickFloors.FirstOrDefault(floor => floor.LossPercent == lossPercent, (0, double.NaN)).Ms;

    private static IEnumerable<FloorRow> Transfers(TransportReport report)
    {
        foreach ((double roundTrip, double loss, double floor) in TransferFloors)
        {
            TransferRow? row = report.Transfers.FirstOrDefault(one =>
                one.Group == TransferRow.Grid && one.Config == Presets.Lossy && one.IsPresetsChoice
                && one.RoundTripMs == roundTrip && one.LossPercent == loss);
            string link = FormattableString.Invariant($"20 MB, 100 Mbit/s, {roundTrip} ms, {loss} % loss, Lossy preset");
            double mostDatagrams = Spread.Round(1.10 / (1 - (loss / 100)));
            yield return FloorRow.Least("P13", link + ": Mbit/s", row?.GoodputMbit.Median, floor);
            yield return FloorRow.Most("P13", link + ": datagrams over the least", row?.DatagramsOverLeast.Median, mostDatagrams);
        }
    }

    private static IEnumerable<FloorRow> LongFat(TransportReport report)
    {
        string algorithm = Presets.AlgorithmOf(Presets.Default).ToString();
        TransferRow? clean = report.Transfers.FirstOrDefault(row =>
            row.Group == TransferRow.LongFat && row.Algorithm == algorithm && row.LossPercent == 0);
        TransferRow? small = report.Transfers.FirstOrDefault(row =>
            row.Group == TransferRow.Goodput && row.Algorithm == algorithm);
        yield return FloorRow.Least(
            "T14", "10 s over 1 Gbit/s, 100 ms, clean, default controller: Mbit/s", clean?.GoodputMbit.Median, 800);
        yield return FloorRow.Least(
            "T13", "10 MB, 10 Mbit/s, 30 ms, queue of 25 packets, default: Mbit/s", small?.GoodputMbit.Median, 9);
    }

    private static IEnumerable<FloorRow> Fairness(TransportReport report)
    {
        string algorithm = Presets.AlgorithmOf(Presets.Default).ToString();

        foreach (Rival rival in Enum.GetValues<Rival>())
        {
            FairnessRow? row = report.Fairness.FirstOrDefault(
                one => one.Algorithm == algorithm && one.Rival == rival);
            string work = $"{algorithm} beside {rival}: ours over theirs";
            yield return FloorRow.Least("T12", work, row?.Ratio.Median, LeastShare);
            yield return FloorRow.Most("T12", work, row?.Ratio.Median, 1 / LeastShare);
        }
    }

    private static IEnumerable<FloorRow> Ticks(TransportReport report)
    {
        foreach ((double loss, double floor) in TickFloors)
        {
            TickRow? row = report.Ticks.FirstOrDefault(
                one => one.Config == Presets.Lockstep && one.LossPercent == loss);
            string work = FormattableString.Invariant($"60 Hz x 200 B, 50 ms, {loss} % loss, Lockstep: one-way p99, ms");
            yield return FloorRow.Most("P14", work, row?.P99Ms.Median, floor);
        }
    }

    private static FloorRow Speed(TransportReport report)
        => FloorRow.Least(
            "P19",
            "8 nodes, 100 datagrams/s each: virtual seconds per processor second",
            report.Speed?.PerProcessorSecond.Median,
            500);
}
