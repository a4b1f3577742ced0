using System.Globalization;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Transport;

/// <summary>The tables of a report, the same for the page and for the Markdown file.</summary>
internal static class ReportTables
{
    internal static PageTable Transfers(TransportReport report, string group)
    {
        PageTable table = new(
            "Config", "Controller", "RTT ms", "Loss %", "Mbit/s", "Least to most", "Datagrams over least",
            "Sent again %", "RTT p50 ms", "RTT p99 ms", "Queue p50 ms", "Queue p99 ms");

        foreach (TransferRow row in report.Transfers.Where(row => row.Group == group))
        {
            table.Add(
                row.Config,
                row.IsPresetsChoice ? row.Algorithm + " (its own)" : row.Algorithm,
                Number(row.RoundTripMs),
                Number(row.LossPercent),
                WithVerdict(row),
                $"{Tenths(row.GoodputMbit.Least)} to {Tenths(row.GoodputMbit.Most)}",
                Text(row.DatagramsOverLeast.Median, "0.000"),
                Text(row.RetransmittedPercent.Median, "0.00"),
                Tenths(row.RoundTripP50Ms.Median),
                Tenths(row.RoundTripP99Ms.Median),
                Tenths(row.QueueDelayP50Ms.Median),
                Tenths(row.QueueDelayP99Ms.Median));
        }

        return table;
    }

    internal static PageTable Fairness(TransportReport report)
    {
        PageTable table = new(
            "Gudp flow", "Beside", "Ours Mbit/s", "Theirs Mbit/s", "Ours over theirs", "Least to most", "Jain's index");

        foreach (FairnessRow row in report.Fairness)
        {
            table.Add(
                row.Algorithm,
                NameOf(row),
                Tenths(row.OursMbit.Median),
                Tenths(row.TheirsMbit.Median),
                Text(row.Ratio.Median, "0.00"),
                $"{Text(row.Ratio.Least, "0.00")} to {Text(row.Ratio.Most, "0.00")}",
                Text(row.JainIndex.Median, "0.000"));
        }

        return table;
    }

    internal static PageTable Ticks(TransportReport report)
    {
        PageTable table = new("Config", "Loss %", "p50 ms", "p99 ms", "p99, least to most", "Slowest ms");

        foreach (TickRow row in report.Ticks)
        {
            double floor = FloorJudge.TickFloor(row.LossPercent);
            PageCell p99 = row.Config == Presets.Lockstep && double.IsFinite(floor)
                ? PageCell.Judged(Tenths(row.P99Ms.Median), row.P99Ms.Median <= floor)
                : Tenths(row.P99Ms.Median);
            table.Add(
                row.Config,
                Number(row.LossPercent),
                Tenths(row.P50Ms.Median),
                p99,
                $"{Tenths(row.P99Ms.Least)} to {Tenths(row.P99Ms.Most)}",
                Tenths(row.MostMs.Median));
        }

        return table;
    }

    internal static PageTable Speed(SpeedRow row)
    {
        PageTable table = new("Nodes", "Virtual s per processor s", "Least to most", "Virtual s per s");
        table.Add(
            Number(row.Nodes),
            Text(row.PerProcessorSecond.Median, "0"),
            $"{Text(row.PerProcessorSecond.Least, "0")} to {Text(row.PerProcessorSecond.Most, "0")}",
            Text(row.PerWallSecond.Median, "0"));
        return table;
    }

    internal static PageTable Relay(TransportReport report)
    {
        PageTable table = new("RTT ms", "Loss %", "Relay Mbit/s", "Least to most", "Simulator Mbit/s", "Relay / simulator");

        foreach (RelayRow row in report.Relay)
        {
            table.Add(
                Number(row.RoundTripMs),
                Number(row.LossPercent),
                Tenths(row.RelayMbit.Median),
                $"{Tenths(row.RelayMbit.Least)} to {Tenths(row.RelayMbit.Most)}",
                Tenths(row.SimulatorMbit.Median),
                PageCell.Judged(Text(row.Ratio, "0.00"), Math.Abs(row.Ratio - 1) <= RelayRun.Tolerance));
        }

        return table;
    }

    internal static string NameOf(FairnessRow row) => row.Rival switch
    {
        Rival.TcpReno => "TCP Reno",
        Rival.TcpCubic => "TCP CUBIC",
        _ => $"Gudp {row.Algorithm}",
    };

    private static PageCell WithVerdict(TransferRow row)
    {
        string text = Tenths(row.GoodputMbit.Median);
        double floor = FloorJudge.TransferFloor(row.RoundTripMs, row.LossPercent);
        bool isJudged = row.Group == TransferRow.Grid && row.Config == Presets.Lossy && row.IsPresetsChoice;
        return isJudged && double.IsFinite(floor) ? PageCell.Judged(text, row.GoodputMbit.Median >= floor) : text;
    }

    private static string Number(double value) => Text(value, "0.####");

    private static string Tenths(double value) => Text(value, "0.0");

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
