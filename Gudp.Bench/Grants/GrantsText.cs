using System.Globalization;
using Gudp.Bench.Transport;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Grants;

/// <summary>What the report for people says.</summary>
internal static class GrantsText
{
    private const string Title = "Grant measurements";

    private const string Intro =
        "Measured on one machine over its loopback and in one process, so every figure depends on it and on what else "
        + "runs there. Every figure is the median of the rounds, \"least to most\" their range.";

    private const string RowNote =
        "Ticks: every member advances by one tick as soon as all have come so far, and nothing is published, so that a "
        + "grant is a round trip through all of them. Phold: each event that arrives schedules one at now + look-ahead + "
        + "a keyed draw, at a member drawn too; 256 events for each member are under way, an event is some five steps of "
        + "the look-ahead. Over UDP the members are in processes of their own, from nine members on several in each, every "
        + "one on a thread that blocks; the server has one process more. In-process the engines are called directly on "
        + "one thread. CPU us is processor time per grant of all processes; up and down are messages per grant.";

    private const string EvaluateNote =
        "One pass of the rule over all members, of whom all but one wait: what the server computes when something "
        + "changed. One channel that all use, a ring of neighbours, and a channel of each that all others hear.";

    private const string Schema = """
        ## The JSON file

        `grants.json` holds what the tables show. `schema` is 1; `rounds` is how many runs a figure is the median of,
        `spanMs` how long each was measured, `processors` what the machine had. A *spread* is
        `{ "median", "least", "most" }`; -1 stands for "not measured".

        - `rows[]`: `work` (ticks, phold), `transport` (udp, in-process), `members`, `processes` (of the members; over UDP the
          server has one more), `grants_per_s` and `cpu_us_per_grant` (medians); spreads `grants`, `processor` (of the same
          two), `eventsPerSecond`, `messagesUp`, `messagesDown` (per grant), `allocatedBytes` (per grant, in-process only)
        - `evaluate[]`: `shape`, `waits`, `members`; spread `microseconds` (for a pass)
        - `floors[]`: `id`, `work`, `value`, `bound`, `isLeast`, `passed`: computed from the rest by `GrantFloors`, which a
          test does again. `control` holds on any machine; `goal`, P17 and P18 say how fast this one was

        """;

    internal static ReportPage Page(GrantsReport report) => new("grants", Title)
    {
        Usage = "`--only NAME` measures one part anew and keeps the rest of the JSON file; names:\n"
            + "udp, in-process, ticks, phold, evaluate. `--quick` tells little.",
        Schema = Schema,
        Intro = Intro,
        Runs = FormattableString.Invariant(
            $"Rounds: {report.Rounds}, of {report.SpanMs} ms, on {report.Processors} processors."),
        Floors = report.Floors,
        Sections = Sections(report),
    };

    private static ReportSection[] Sections(GrantsReport report) =>
    [
        new("Grants", RowNote, RowTable(report), [RateChart(report), ProcessorChart(report)]),
        new("Cost of evaluate", EvaluateNote, EvaluateTable(report), []),
    ];

    private static PageTable RowTable(GrantsReport report)
    {
        PageTable table = new(
            "Work", "Transport", "Members", "Processes", "Grants/s", "Least to most", "CPU us", "Events/s", "Up", "Down",
            "Allocated B");

        foreach (GrantRow row in report.Rows)
        {
            table.Add(
                row.Work,
                row.Transport,
                Text(row.Members, "#,0"),
                Text(row.Processes, "0"),
                Text(row.GrantsPerSecond, "#,0"),
                $"{Text(row.Grants.Least, "#,0")} to {Text(row.Grants.Most, "#,0")}",
                Text(row.ProcessorMicroseconds, "#,0.00"),
                row.EventsPerSecond.Median > 0 ? Text(row.EventsPerSecond.Median, "#,0") : "-",
                Text(row.MessagesUp.Median, "0.00"),
                Text(row.MessagesDown.Median, "0.00"),
                row.AllocatedBytes.Median < 0 ? "-" : Text(row.AllocatedBytes.Median, "0.##"));
        }

        return table;
    }

    private static PageTable EvaluateTable(GrantsReport report)
    {
        PageTable table = new("Channels", "Waits", "Members", "Pass, us", "Least to most", "ns per member");

        foreach (EvaluateRow row in report.Evaluate)
        {
            table.Add(
                row.Shape.ToString(),
                row.Waits.ToString(),
                Text(row.Members, "#,0"),
                Text(row.Microseconds.Median, "#,0.00"),
                $"{Text(row.Microseconds.Least, "#,0.00")} to {Text(row.Microseconds.Most, "#,0.00")}",
                Text(1_000 * row.Microseconds.Median / row.Members, "#,0.0"));
        }

        return table;
    }

    private static BarChart RateChart(GrantsReport report) => Chart(
        report, "Grants a second", new ChartAxis("grants", "/s") { IsLogarithmic = true }, row => row.Grants);

    private static BarChart ProcessorChart(GrantsReport report) => Chart(
        report, "Processor time per grant", new ChartAxis("time", "us") { IsLogarithmic = true }, row => row.Processor);

    private static BarChart Chart(GrantsReport report, string title, ChartAxis axis, Func<GrantRow, Spread> value)
        => new(
            title,
            [.. report.Rows.Select(row => FormattableString.Invariant($"{row.Work} | {row.Transport} | {row.Members}"))],
            axis,
            [new BarSeries("measured", [.. report.Rows.Select(row => BarOf(value(row)))])])
        {
            CategoryName = "work | transport | members",
        };

    private static Bar BarOf(Spread spread) => new(spread.Median) { Least = spread.Least, Most = spread.Most };

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
