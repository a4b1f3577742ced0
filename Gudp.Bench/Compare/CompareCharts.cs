using Gudp.Bench.Load;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Compare;

/// <summary>The charts of a comparison.</summary>
internal static class CompareCharts
{
    private static readonly string[] Waitings = ["poll", "block"];

    internal static IReadOnlyList<IChart> Streams(CompareRow[] rows)
    {
        int[] sizes = [.. rows.Select(row => row.Size).Distinct()];
        return
        [
            Bars("Payload that arrives, by size", sizes, rows, row => row.MbPerS, new ChartAxis("payload", "MB/s")),
            Bars(
                "Messages a second, by size", sizes, rows, row => row.MessagesPerS,
                new ChartAxis("messages", "/s") { IsLogarithmic = true }),
            Bars(
                "Processor time of both processes for a message", sizes, rows, row => row.CpuUsPerMessage,
                new ChartAxis("processor time", "us") { IsLogarithmic = true }),
        ];
    }

    internal static IReadOnlyList<IChart> Trips(CompareReport report)
        => [.. Waitings.Select(waiting => Percentiles(
            waiting == "poll" ? "Round trip of 64 B, both processes poll" : "Round trip of 64 B, both processes sleep",
            [.. report.Rows.Where(row => row.Work == LoadNames.Of(LoadWork.RequestResponse) && row.Waiting == waiting)]))];

    internal static IReadOnlyList<IChart> Crowds(CompareReport report)
    {
        CompareRow[] rows = [.. report.Rows.Where(row => row.Work == LoadNames.Of(LoadWork.NTo1))];
        return
        [
            new LineChart(
                "Messages of 64 B a second at one receiver, by connections",
                new ChartAxis("connections") { IsLogarithmic = true },
                new ChartAxis("messages", "/s") { Least = 0 },
                [.. rows.GroupBy(row => row.System).Select(group => Series(group, row => row.Peers, row => row.MessagesPerS.Median))]),
        ];
    }

    internal static IReadOnlyList<IChart> Curve(CompareRow[] rows) =>
    [
        new LineChart(
            "Delay by message rate, 256 B, 99 of 100 within",
            new ChartAxis("messages that arrive", "/s") { IsLogarithmic = true },
            new ChartAxis("from due to arrived, p99", "us") { IsLogarithmic = true },
            [
                .. rows.GroupBy(row => row.System).Select(
                    group => Series(group, row => row.MessagesPerS.Median, row => row.RttUsP99.Median)),
            ]),
        new LineChart(
            "Delay by payload, median",
            new ChartAxis("payload that arrives", "MB/s") { IsLogarithmic = true },
            new ChartAxis("from due to arrived, p50", "us") { IsLogarithmic = true },
            [.. rows.GroupBy(row => row.System).Select(group => Series(group, row => row.MbPerS.Median, row => row.RttUsP50.Median))]),
    ];

    private static BarChart Percentiles(string title, CompareRow[] rows)
    {
        (string Name, Func<CompareRow, Rounds> Value)[] percentiles =
        [
            ("p50", row => row.RttUsP50),
            ("p90", row => row.RttUsP90),
            ("p99", row => row.RttUsP99),
            ("p99.9", row => row.RttUsP999),
        ];
        return new BarChart(
            title,
            [.. percentiles.Select(percentile => percentile.Name)],
            new ChartAxis("round trip", "us") { IsLogarithmic = true },
            [.. rows.Select(row => new BarSeries(row.System, [.. percentiles.Select(percentile => BarOf(percentile.Value(row)))]))]);
    }

    private static BarChart Bars(
        string title, int[] sizes, CompareRow[] rows, Func<CompareRow, Rounds> value, ChartAxis axis)
        => new(
            title,
            [.. sizes.Select(bytes => FormattableString.Invariant($"{bytes} B"))],
            axis,
            [.. rows.GroupBy(row => row.System).Select(group => new BarSeries(
                group.Key,
                [.. sizes.Select(bytes => group.FirstOrDefault(row => row.Size == bytes) is { } row
                    ? BarOf(value(row))
                    : new Bar(double.NaN))]))])
        {
            CategoryName = "size of a message",
        };

    private static ChartSeries Series(
        IEnumerable<CompareRow> rows, Func<CompareRow, double> x, Func<CompareRow, double> y)
    {
        CompareRow[] points = [.. rows];
        return new ChartSeries(points[0].System, [.. points.Select(row => new ChartPoint(x(row), y(row)))])
        {
            Style = SeriesStyle.LineAndPoints,
        };
    }

    private static Bar BarOf(Rounds rounds) => new(rounds.Median) { Least = rounds.Min, Most = rounds.Max };
}
