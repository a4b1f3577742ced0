using Gudp.Bench.Transport;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>The floors of the message layer, and the one place that compares them with what was measured.</summary>
internal static class MessageFloors
{
    /// <summary>So much more may a message cost over 64 lanes than over one.</summary>
    internal const double MostLaneRatio = 1.3;

    private const double MostLossForOneRepeat = 2;

    /// <summary>Sizes over which lanes are compared.</summary>
    internal static readonly int[] LaneSizes = [32, 256];

    internal static readonly int[] Repeats = [0, 1, 2];

    /// <summary>Of the lane the repeats are measured on.</summary>
    internal static readonly LaneMode[] RepeatModes =
        [LaneMode.OrderedReliable, LaneMode.UnorderedReliable, LaneMode.Unreliable];

    internal static readonly double[] LossPercents = [0, 2, 10];

    internal static IReadOnlyList<FloorRow> Judge(MessagesReport report)
        => [.. StreamCells.All.Select(cell => Stream(report, cell)), .. Lanes(report), .. Ticks(report)];

    private static FloorRow Stream(MessagesReport report, StreamCell cell)
    {
        StreamRow? row = report.Streams.FirstOrDefault(row => row.Cell == cell);
        string work = $"{cell.Mode}, {cell.Bytes} B, receipts {cell.Receipts}: bytes allocated per message";
        return FloorRow.Most("P7", work, row?.AllocatedBytes.Median, 0);
    }

    private static IEnumerable<FloorRow> Lanes(MessagesReport report)
        => from mode in StreamCells.Modes
           from bytes in LaneSizes
           let row = report.Lanes.FirstOrDefault(row => row.Mode == mode && row.Bytes == bytes)
           select FloorRow.Most("lanes", $"{mode}, {bytes} B: 64 lanes over one", row?.Ratio.Median, MostLaneRatio);

    // Without repeats P14's floor, with them what P14 asks of redundancy. At 10 % one message of a hundred is lost together
    // with its only repeat: that takes two, and one is only no worse than none.
    private static IEnumerable<FloorRow> Ticks(MessagesReport report)
    {
        foreach (LaneMode mode in RepeatModes.Where(mode => !StreamCells.IsUnreliable(mode)))
        {
            foreach (double loss in LossPercents)
            {
                double none = Row(report, mode, 0, loss)?.P99Ms.Median ?? -1;

                foreach (int repeats in Repeats)
                {
                    double bound = repeats == 0 ? FloorJudge.TickFloor(loss)
                        : repeats == 1 && loss > MostLossForOneRepeat ? none
                        : RepeatFloor(loss);
                    yield return FloorRow.Most(
                        "P14", $"{TickWork(mode, repeats, loss)}: one-way p99, ms",
                        Row(report, mode, repeats, loss)?.P99Ms.Median, bound);
                }
            }
        }

        foreach (double loss in LossPercents)
        {
            foreach (int repeats in Repeats)
            {
                yield return FloorRow.Least(
                    "P14", $"{TickWork(LaneMode.Unreliable, repeats, loss)}: arrived, %",
                    Row(report, LaneMode.Unreliable, repeats, loss)?.ArrivedPercent.Median, ArrivedFloor(repeats, loss));
            }
        }
    }

    private static double RepeatFloor(double loss) => loss switch { 0 => 27, <= 2 => 45, _ => 65 };

    // Independent losses, and some slack for chance and for repeats the window had no room for.
    private static double ArrivedFloor(int repeats, double loss)
        => loss == 0 ? 100 : 100 - (110 * Math.Pow(loss / 100, repeats + 1)) - 0.3;

    private static string TickWork(LaneMode mode, int repeats, double loss) => FormattableString.Invariant(
        $"60 Hz x 200 B, {MessagesTables.NameOf(mode)}, 50 ms, {loss} % loss, Lockstep, {repeats} repeats");

    private static RepeatRow? Row(MessagesReport report, LaneMode mode, int repeats, double loss)
        => report.Repeats.FirstOrDefault(
            row => row.Mode == mode && row.Repeats == repeats && row.LossPercent == loss);
}
