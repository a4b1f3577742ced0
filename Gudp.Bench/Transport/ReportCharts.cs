using Gudp.Tools.Charts;

namespace Gudp.Bench.Transport;

/// <summary>The charts of a report.</summary>
internal static class ReportCharts
{
    // Where a logarithmic axis shows the path without loss.
    private const double NoLossPlace = 0.0001;

    /// <summary>The presets as they are: what a user gets.</summary>
    internal static BarChart Presets(TransportReport report)
    {
        List<TransferRow> rows = [.. Grid(report).Where(row => row.IsPresetsChoice)];
        return Goodput(
            "20 MB over 100 Mbit/s, the presets as they are",
            rows,
            row => $"{row.Config} ({row.Algorithm})",
            "floor of the Lossy preset (P13)");
    }

    /// <summary>Every controller with the config of one preset.</summary>
    internal static BarChart Controllers(TransportReport report, string config)
        => Goodput(
            $"20 MB over 100 Mbit/s, config {config}, each controller",
            [.. Grid(report).Where(row => row.Config == config)],
            row => row.Algorithm,
            "floor (P13)");

    internal static BarChart QueueDelay(TransportReport report)
    {
        List<TransferRow> rows = [.. Grid(report)
            .Where(row => row.Config == Transport.Presets.Default && row.LossPercent == 0)];
        string[] links = [.. rows.Select(row => row.LinkName).Distinct()];
        return new BarChart(
            "Delay in the queue while 20 MB pass, median and range of the seeds' p99",
            links,
            new ChartAxis("p99 of the queue delay", "ms"),
            [.. rows.GroupBy(row => row.Algorithm).Select(group => new BarSeries(
                group.Key,
                [.. links.Select(link => BarOf(group.First(row => row.LinkName == link).QueueDelayP99Ms))]))])
        {
            CategoryName = "round trip, loss",
        };
    }

    internal static LineChart LossCurve(TransportReport report)
    {
        List<TransferRow> rows = [.. report.Transfers.Where(row => row.Group == TransferRow.LongFat)];
        List<ChartSeries> series = [.. rows.GroupBy(row => row.Algorithm).Select(group => new ChartSeries(
            group.Key,
            [.. group.Select(row => new ChartPoint(
                Math.Max(NoLossPlace, row.LossPercent), row.GoodputMbit.Median))])
        {
            Style = SeriesStyle.LineAndPoints,
        })];
        double right = rows.Count == 0 ? 1 : rows.Max(row => row.LossPercent);
        series.Add(ChartSeries.Level("80 % of the link (T14, clean)", 800, NoLossPlace, right));
        return new LineChart(
            "10 s over 1 Gbit/s and 100 ms; the leftmost points are without loss",
            new ChartAxis("loss", "%") { IsLogarithmic = true, Least = NoLossPlace, Most = right },
            new ChartAxis("goodput", "Mbit/s") { Least = 0, Most = 1000 },
            series);
    }

    internal static BarChart Fairness(TransportReport report)
        => new(
            $"Two flows on {FairnessRun.LinkMbit} Mbit/s, {FairnessRun.RoundTripMs} ms, 60 s",
            [.. report.Fairness.Select(row => $"{row.Algorithm}|{ShortNameOf(row.Rival)}")],
            new ChartAxis("share", "Mbit/s"),
            [
                new BarSeries("the Gudp flow", [.. report.Fairness.Select(row => BarOf(row.OursMbit))]),
                new BarSeries("the flow beside it", [.. report.Fairness.Select(row => BarOf(row.TheirsMbit))]),
            ])
        {
            CategoryName = "Gudp's controller | beside",
            Levels = [.. report.Fairness.Select(_ => FairnessRun.LinkMbit / 3)],
            LevelName = "a third of the link: below it shares are worse than 1:2",
        };

    internal static IReadOnlyList<LineChart> FairnessOverTime(TransportReport report)
        => [.. report.Fairness
            .Where(row => row.Algorithm == Transport.Presets.AlgorithmOf(Transport.Presets.Default).ToString())
            .Select(row => new LineChart(
                $"Gudp {row.Algorithm} beside {ReportTables.NameOf(row)}, seed 1",
                new ChartAxis("time", "s"),
                new ChartAxis("goodput", "Mbit/s") { Least = 0 },
                [SeriesOf("ours", row.OursBySecond), SeriesOf("theirs", row.TheirsBySecond)]))];

    internal static BarChart Ticks(TransportReport report)
    {
        double[] losses = [.. report.Ticks.Select(row => row.LossPercent).Distinct()];
        return new BarChart(
            "60 Hz x 200 B over 50 ms: 99 % of the messages are there within",
            [.. losses.Select(loss => FormattableString.Invariant($"{loss} %"))],
            new ChartAxis("one-way delay, p99", "ms"),
            [.. report.Ticks.GroupBy(row => row.Config).Select(group => new BarSeries(
                group.Key, [.. group.Select(row => BarOf(row.P99Ms))]))])
        {
            CategoryName = "loss",
            Levels = [.. losses.Select(FloorJudge.TickFloor)],
            LevelName = "most allowed for Lockstep (P14)",
        };
    }

    internal static BarChart Relay(TransportReport report)
        => new(
            "The same 20 MB: two processes through the relay, and the simulator",
            [.. report.Relay.Select(row => FormattableString.Invariant($"{row.RoundTripMs} ms, {row.LossPercent} %"))],
            new ChartAxis("goodput", "Mbit/s"),
            [
                new BarSeries("relay, real time", [.. report.Relay.Select(row => BarOf(row.RelayMbit))]),
                new BarSeries("simulator", [.. report.Relay.Select(row => BarOf(row.SimulatorMbit))]),
            ])
        {
            CategoryName = "round trip, loss",
        };

    private static BarChart Goodput(
        string title, List<TransferRow> rows, Func<TransferRow, string> nameOf, string levelName)
    {
        TransferRow[] links = [.. rows.DistinctBy(row => row.LinkName)];
        return new BarChart(
            title,
            [.. links.Select(row => row.LinkName)],
            new ChartAxis("goodput", "Mbit/s") { Most = 100 },
            [.. rows.GroupBy(nameOf).Select(group => new BarSeries(
                group.Key,
                [.. links.Select(link => BarOf(group.First(row => row.LinkName == link.LinkName).GoodputMbit))]))])
        {
            CategoryName = "round trip, loss",
            Levels = [.. links.Select(link => FloorJudge.TransferFloor(link.RoundTripMs, link.LossPercent))],
            LevelName = levelName,
        };
    }

    private static IEnumerable<TransferRow> Grid(TransportReport report)
        => report.Transfers.Where(row => row.Group == TransferRow.Grid);

    private static Bar BarOf(Spread spread) => new(spread.Median) { Least = spread.Least, Most = spread.Most };

    private static ChartSeries SeriesOf(string name, IReadOnlyList<double> bySecond)
        => new(name, [.. bySecond.Select((value, second) => new ChartPoint(second + 1, value))]);

    private static string ShortNameOf(Rival rival) => rival switch
    {
        Rival.TcpReno => "Reno",
        Rival.TcpCubic => "CUBIC",
        _ => "same",
    };
}
