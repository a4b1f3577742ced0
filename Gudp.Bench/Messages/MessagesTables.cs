using System.Globalization;
using Gudp.Bench.Transport;
using Gudp.Messaging;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Messages;

/// <summary>The tables of a report, the same for the page and for the Markdown file.</summary>
internal static class MessagesTables
{
    internal static PageTable Streams(MessagesReport report, LaneMode mode)
    {
        PageTable table = new(
            "Bytes", "Receipts", "Messages/s", "Least to most", "MB/s", "Arrived %", "CPU us", "Allocated B");

        foreach (StreamRow row in report.Streams.Where(row => row.Mode == mode))
        {
            Spread rate = row.MessagesPerSecond;
            table.Add(
                Text(row.Bytes, "#,0"),
                NameOf(row.Receipts),
                Text(rate.Median, "#,0"),
                $"{Text(rate.Least, "#,0")} to {Text(rate.Most, "#,0")}",
                Text(rate.Median * row.Bytes / 1e6, "#,0.0"),
                Text(row.ArrivedPercent.Median, "0.0"),
                Text(row.ProcessorMicroseconds.Median, "#,0.00"),
                PageCell.Judged(Number(row.AllocatedBytes.Median), row.AllocatedBytes.Median == 0));
        }

        return table;
    }

    /// <summary>What was counted beside what the wire format says.</summary>
    internal static PageTable Overhead(MessagesReport report)
    {
        PageTable table = new(
            "Mode", "Bytes", "Head of a packet, counted", "Of the format", "Per message, counted", "Of the format",
            "Returned, receipts off", "Received", "Taken");

        foreach (StreamRow row in report.Streams.Where(row => row.Receipts == AskedReceipts.Off))
        {
            table.Add(
                NameOf(row.Mode),
                Text(row.Bytes, "#,0"),
                Tenths(row.PacketOverheadBytes.Median),
                Number(WireOverhead.PacketBytes),
                Tenths(row.MessageOverheadBytes.Median),
                Tenths(WireOverhead.PerMessage(row.Mode, row.Bytes)),
                Tenths(row.ReturnBytes.Median),
                Tenths(Returned(report, row.Cell with { Receipts = AskedReceipts.Received })),
                Tenths(Returned(report, row.Cell with { Receipts = AskedReceipts.Taken })));
        }

        return table;
    }

    /// <summary>What the wire format says alone; stands in docs/README.md.</summary>
    internal static PageTable Format()
    {
        PageTable table = new(["Bytes per", "mode", .. StreamCells.Sizes.Select(bytes => Text(bytes, "#,0") + " B")]);

        foreach (LaneMode mode in Enum.GetValues<LaneMode>())
        {
            table.Add(["packet", NameOf(mode), .. Sizes(mode, WireOverhead.PerPacket)]);
        }

        foreach (LaneMode mode in Enum.GetValues<LaneMode>())
        {
            table.Add(["message", NameOf(mode), .. Sizes(mode, WireOverhead.PerMessage)]);
        }

        return table;
    }

    internal static PageTable Lanes(MessagesReport report)
    {
        PageTable table = new(
            "Mode", "Bytes", "1 lane, us", "64 lanes, us", "64 over 1", "Least to most", "1 of 64 open, us", "Over 1");

        foreach (LaneRow row in report.Lanes)
        {
            table.Add(
                NameOf(row.Mode),
                Text(row.Bytes, "#,0"),
                Text(row.OneLane.Median, "0.000"),
                Text(row.ManyLanes.Median, "0.000"),
                PageCell.Judged(Text(row.Ratio.Median, "0.00"), row.Ratio.Median <= MessageFloors.MostLaneRatio),
                $"{Text(row.Ratio.Least, "0.00")} to {Text(row.Ratio.Most, "0.00")}",
                Text(row.OneOfMany.Median, "0.000"),
                Text(row.IdleRatio.Median, "0.00"));
        }

        return table;
    }

    internal static PageTable Repeats(MessagesReport report)
    {
        PageTable table = new(
            "Mode", "Loss %", "Repeats", "p50 ms", "p99 ms", "p99, least to most", "Slowest ms", "Arrived %",
            "Bytes sent per message", "Over none");

        foreach (RepeatRow row in report.Repeats)
        {
            RepeatRow none = report.Repeats.First(
                one => one.Mode == row.Mode && one.Repeats == 0 && one.LossPercent == row.LossPercent);
            table.Add(
                NameOf(row.Mode),
                Number(row.LossPercent),
                Number(row.Repeats),
                Tenths(row.P50Ms.Median),
                Tenths(row.P99Ms.Median),
                $"{Tenths(row.P99Ms.Least)} to {Tenths(row.P99Ms.Most)}",
                Tenths(row.MostMs.Median),
                Text(row.ArrivedPercent.Median, "0.00"),
                Tenths(row.WireBytes.Median),
                Text(row.WireBytes.Median / none.WireBytes.Median, "0.00"));
        }

        return table;
    }

    internal static string NameOf(LaneMode mode) => mode switch
    {
        LaneMode.OrderedReliable => "ordered reliable",
        LaneMode.UnorderedReliable => "unordered reliable",
        LaneMode.SequencedReliable => "sequenced reliable",
        LaneMode.SequencedUnreliable => "sequenced unreliable",
        _ => "unreliable",
    };

    internal static string NameOf(AskedReceipts receipts) => receipts switch
    {
        AskedReceipts.Received => "received",
        AskedReceipts.Taken => "taken",
        _ => "off",
    };

    private static IEnumerable<PageCell> Sizes(LaneMode mode, Func<LaneMode, int, double> overhead)
        => StreamCells.Sizes.Select(bytes =>
            (PageCell)(StreamCells.IsAllowed(mode, bytes) ? Tenths(overhead(mode, bytes)) : "-"));

    private static double Returned(MessagesReport report, StreamCell cell)
        => report.Streams.FirstOrDefault(row => row.Cell == cell)?.ReturnBytes.Median ?? -1;

    private static string Number(double value) => Text(value, "0.####");

    private static string Tenths(double value) => value < 0 ? "-" : Text(value, "#,0.0");

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
