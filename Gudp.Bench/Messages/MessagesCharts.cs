using Gudp.Bench.Transport;
using Gudp.Messaging;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Messages;

/// <summary>The charts of a report.</summary>
internal static class MessagesCharts
{
    internal static BarChart Rates(MessagesReport report, LaneMode mode)
    {
        List<StreamRow> rows = [.. report.Streams.Where(row => row.Mode == mode)];
        int[] sizes = [.. rows.Select(row => row.Bytes).Distinct()];
        return new BarChart(
            $"Messages a second, {MessagesTables.NameOf(mode)}",
            [.. sizes.Select(bytes => FormattableString.Invariant($"{bytes} B"))],
            new ChartAxis("messages", "/s") { IsLogarithmic = true },
            [.. rows.GroupBy(row => row.Receipts).Select(group => new BarSeries(
                "receipts " + MessagesTables.NameOf(group.Key),
                [.. group.Select(row => BarOf(row.MessagesPerSecond))]))])
        {
            CategoryName = "size",
        };
    }

    internal static BarChart Lanes(MessagesReport report)
        => new(
            "Cost of a message over 64 lanes, over that with one lane",
            [.. report.Lanes.Select(row => FormattableString.Invariant($"{(int)row.Mode} | {row.Bytes} B"))],
            new ChartAxis("ratio", "x"),
            [
                new BarSeries("64 lanes in turn", [.. report.Lanes.Select(row => BarOf(row.Ratio))]),
                new BarSeries("one of 64 open", [.. report.Lanes.Select(row => BarOf(row.IdleRatio))]),
            ])
        {
            CategoryName = "mode | size",
            Levels = [.. report.Lanes.Select(_ => MessageFloors.MostLaneRatio)],
            LevelName = "most allowed",
        };

    internal static BarChart Repeats(MessagesReport report)
    {
        RepeatRow[] ordered = [.. report.Repeats.Where(row => row.Mode == LaneMode.OrderedReliable)];
        double[] losses = [.. ordered.Select(row => row.LossPercent).Distinct()];
        return new BarChart(
            "60 Hz x 200 B over 50 ms, ordered reliable: 99 % of the messages are there within",
            [.. losses.Select(loss => FormattableString.Invariant($"{loss} %"))],
            new ChartAxis("one-way delay, p99", "ms"),
            [.. ordered.GroupBy(row => row.Repeats).Select(group => new BarSeries(
                FormattableString.Invariant($"{group.Key} repeats"), [.. group.Select(row => BarOf(row.P99Ms))]))])
        {
            CategoryName = "loss",
            Levels = [.. losses.Select(FloorJudge.TickFloor)],
            LevelName = "most allowed without repeats (P14)",
        };
    }

    private static Bar BarOf(Spread spread) => new(spread.Median) { Least = spread.Least, Most = spread.Most };
}
