using Gudp.Bench.Load;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Compare;

/// <summary>The charts of a comparison: each system has the same colour in all of them.</summary>
internal static class CompareCharts
{
    private static readonly ChartAxis PerMessage = new("processor time of both processes", "us/message") { IsLogarithmic = true };

    internal static IReadOnlyList<IChart> Streams(CompareRow[] rows) =>
    [
        BySize("Messages a second, by size", rows, row => row.MessagesPerS, new ChartAxis("messages", "/s") { IsLogarithmic = true }),
        BySize("Payload that arrives, by size", rows, row => row.MbPerS, new ChartAxis("payload", "MB/s") { IsLogarithmic = true }),
        BySize("Processor time for a message, by size", rows, row => row.CpuUsPerMessage, PerMessage),
    ];

    /// <summary>Gudp over the others: 1 is the same.</summary>
    internal static IReadOnlyList<IChart> Limits(CompareReport report)
    {
        CompareRatio[] streams = [.. report.Ratios.Where(ratio => ratio.Work == LoadNames.Of(LoadWork.OneWay))];
        return streams.Length == 0 ? [] :
        [
            Ratio("Messages a second, Gudp over the others", "times as many", streams, ratio => ratio.MessagesPerS),
            Ratio("Processor time of a message, Gudp over the others", "times as much", streams, ratio => ratio.CpuUsPerMessage),
        ];
    }

    internal static IReadOnlyList<IChart> Trips(CompareReport report)
    {
        CompareRow[] rows = [.. report.Rows.Where(row => row.Work == LoadNames.Of(LoadWork.RequestResponse))];
        return
        [
            .. Percentiles("Round trip of 64 B, both processes awake", [.. rows.Where(row => row.Waiting == "poll")]),
            .. Percentiles("Round trip of 64 B, both processes asleep", [.. rows.Where(row => row.Waiting == "block")]),
        ];
    }

    internal static IReadOnlyList<IChart> Crowds(CompareReport report)
    {
        CompareRow[] rows = [.. report.Rows.Where(row => row.Work == LoadNames.Of(LoadWork.NTo1))];
        ChartAxis messages = new("messages", "/s") { IsLogarithmic = true };
        return rows.Length == 0 ? [] :
        [
            ByCrowd("Messages of 64 B a second at one receiver, by connections", messages, rows, row => row.MessagesPerS),
            ByCrowd("Processor time for each of them", PerMessage, rows, row => row.CpuUsPerMessage),
        ];
    }

    internal static IReadOnlyList<IChart> Curves(CompareRow[] rows)
    {
        CompareRow[] small = [.. rows.Where(row => row.Size == CompareCells.CurveBytes)];
        CompareRow[] large = [.. rows.Where(row => row.Size == CompareCells.LargeCurveBytes)];
        ChartAxis messages = new("messages that arrive", "/s") { IsLogarithmic = true };
        ChartAxis payload = new("payload that arrives", "MB/s") { IsLogarithmic = true };
        return
        [
            .. Curve("Delay by message rate, 64 B, median", small, messages, (row => row.MessagesPerS, row => row.RttUsP50)),
            .. Curve("Delay by message rate, 64 B, 99 of 100", small, messages, (row => row.MessagesPerS, row => row.RttUsP99)),
            .. Curve("Delay by byte rate, 16 KB, median", large, payload, (row => row.MbPerS, row => row.RttUsP50)),
            .. Curve("Delay by byte rate, 16 KB, 99 of 100", large, payload, (row => row.MbPerS, row => row.RttUsP99)),
        ];
    }

    private static BarChart Ratio(string title, string unit, CompareRatio[] streams, Func<CompareRatio, double> value)
    {
        int[] sizes = [.. streams.Select(ratio => ratio.Size).Distinct()];
        string[] systems = [.. LoadSystems.All.Where(system => streams.Any(ratio => ratio.To == system))];
        return new BarChart(
            title,
            [.. sizes.Select(NameOf)],
            new ChartAxis(unit) { IsLogarithmic = true },
            [.. Coloured(systems.Select(system => (system, (IReadOnlyList<Bar>)[.. sizes.Select(bytes => new Bar(Positive(
                streams.Where(ratio => ratio.To == system && ratio.Size == bytes).Select(value).FirstOrDefault())))])))])
        {
            CategoryName = "size of a message",
            Levels = [.. sizes.Select(_ => 1.0)],
            LevelName = "the same",
        };
    }

    private static BarChart ByCrowd(string title, ChartAxis axis, CompareRow[] rows, Func<CompareRow, Rounds> value)
    {
        int[] crowds = [.. rows.Select(row => row.Peers).Distinct()];
        return new BarChart(
            title,
            [.. crowds.Select(peers => FormattableString.Invariant($"{peers:#,0}"))],
            axis,
            [.. Coloured(SystemsOf(rows).Select(system => (system, (IReadOnlyList<Bar>)[.. crowds.Select(peers => BarOf(
                rows.Where(row => row.System == system && row.Peers == peers).Select(value).FirstOrDefault()))])))])
        {
            CategoryName = "connections",
        };
    }

    private static IReadOnlyList<IChart> Curve(
        string title, CompareRow[] rows, ChartAxis x, (Func<CompareRow, Rounds> X, Func<CompareRow, Rounds> Y) values)
        => rows.Length == 0 ? [] :
        [
            new LineChart(title, x, new ChartAxis("from due to arrived", "us") { IsLogarithmic = true }, SeriesOf(rows, values)),
        ];

    private static IReadOnlyList<IChart> Percentiles(string title, CompareRow[] rows)
    {
        (string Name, Func<CompareRow, Rounds> Value)[] percentiles =
        [
            ("p50", row => row.RttUsP50),
            ("p90", row => row.RttUsP90),
            ("p99", row => row.RttUsP99),
            ("p99.9", row => row.RttUsP999),
        ];
        return rows.Length == 0 ? [] :
        [
            new BarChart(
                title,
                [.. percentiles.Select(percentile => percentile.Name)],
                new ChartAxis("round trip", "us") { IsLogarithmic = true },
                [.. Coloured(rows.Select(row => (
                    row.System,
                    (IReadOnlyList<Bar>)[.. percentiles.Select(percentile => BarOf(percentile.Value(row)))])))]),
        ];
    }

    private static LineChart BySize(string title, CompareRow[] rows, Func<CompareRow, Rounds> value, ChartAxis y)
        => new(title, new ChartAxis("size of a message", "B") { IsLogarithmic = true }, y, SeriesOf(rows, (row => SizeOf(row), value)));

    private static Rounds SizeOf(CompareRow row) => new(row.Size, row.Size, row.Size);

    // Every system has a series, so that its colour is the same everywhere; who has no points is not drawn.
    private static IReadOnlyList<ChartSeries> SeriesOf(
        CompareRow[] rows, (Func<CompareRow, Rounds> X, Func<CompareRow, Rounds> Y) values)
        =>
        [
            .. SystemsOf(rows).Select(system => new ChartSeries(
                system,
                [.. rows.Where(row => row.System == system).Select(row => new ChartPoint(
                    Positive(values.X(row).Median), Positive(values.Y(row).Median)))])
            {
                Style = SeriesStyle.LineAndPoints,
                Colour = ColourOf(system),
            }),
        ];

    private static IEnumerable<BarSeries> Coloured(IEnumerable<(string System, IReadOnlyList<Bar> Bars)> series)
        => series.Select(one => new BarSeries(one.System, one.Bars) { Colour = ColourOf(one.System) });

    private static int ColourOf(string system) => Array.IndexOf(LoadSystems.All, system);

    private static IEnumerable<string> SystemsOf(CompareRow[] rows)
        => LoadSystems.All.Where(system => rows.Any(row => row.System == system));

    private static string NameOf(int bytes) => FormattableString.Invariant($"{bytes:#,0} B");

    private static double Positive(double? value) => value > 0 ? value.Value : double.NaN;

    private static Bar BarOf(Rounds? rounds) => rounds?.Median > 0
        ? new(rounds.Median) { Least = Math.Max(rounds.Min, rounds.Median / 1e3), Most = rounds.Max }
        : new Bar(double.NaN);
}
