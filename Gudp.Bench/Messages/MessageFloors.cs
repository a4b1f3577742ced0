using Gudp.Bench.Transport;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>The floors of the message layer, and the one place that compares them with what was measured.</summary>
internal static class MessageFloors
{
    /// <summary>So much more may a message cost over 64 lanes than over one.</summary>
    internal const double MostLaneRatio = 1.3;

    /// <summary>Sizes over which lanes are compared.</summary>
    internal static readonly int[] LaneSizes = [32, 256];

    internal static readonly int[] Repeats = [0, 1, 2];

    internal static readonly double[] LossPercents = [0, 2, 10];

    internal static IReadOnlyList<FloorRow> Judge(MessagesReport report)
        => [.. StreamCells.All.Select(cell => Stream(report, cell)), .. Lanes(report), .. Ticks(report)];

    private static FloorRow Stream(MessagesReport report, StreamCell cell)
    {
        StreamRow? row = report.Streams.FirstOrDefault(row => row.Cell == cell);
        string work = $"{cell.Mode}, {cell.Bytes} B, receipts {cell.Receipts}: bytes allocated per message";
        return Most("P7", work, row?.AllocatedBytes.Median, 0);
    }

    private static IEnumerable<FloorRow> Lanes(MessagesReport report)
        => from mode in StreamCells.Modes
           from bytes in LaneSizes
           let row = report.Lanes.FirstOrDefault(row => row.Mode == mode && row.Bytes == bytes)
           select Most("lanes", $"{mode}, {bytes} B: 64 lanes over one", row?.Ratio.Median, MostLaneRatio);

    // P14's floor, however many repeats; with one no later than with none.
    private static IEnumerable<FloorRow> Ticks(MessagesReport report)
    {
        foreach (double loss in LossPercents)
        {
            double none = Row(report, 0, loss)?.P99Ms.Median ?? -1;

            foreach (int repeats in Repeats)
            {
                string work = FormattableString.Invariant(
                    $"60 Hz x 200 B, 50 ms, {loss} % loss, Lockstep, {repeats} repeats: one-way p99, ms");
                double bound = repeats == 1 ? none : FloorJudge.TickFloor(loss);
                yield return Most("P14", work, Row(report, repeats, loss)?.P99Ms.Median, bound);
            }
        }
    }

    private static RepeatRow? Row(MessagesReport report, int repeats, double loss)
        => report.Repeats.FirstOrDefault(row => row.Repeats == repeats && row.LossPercent == loss);

    private static FloorRow Most(string id, string work, double? value, double bound) => new()
    {
        Id = id,
        Work = work,
        Value = value ?? -1,
        Bound = bound,
        Passed = value >= 0 && value <= bound,
    };
}
