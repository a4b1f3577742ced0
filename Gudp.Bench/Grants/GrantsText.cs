using System.Globalization;
using System.Text;
using Gudp.Bench.Transport;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Grants;

/// <summary>The report for people: an HTML page with charts, a Markdown file with the same tables.</summary>
internal static class GrantsText
{
    internal const string Command = "dotnet run -c Release --project Gudp.Bench -- grants";

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

    internal static string ToMarkdown(GrantsReport report)
    {
        StringBuilder text = new();
        text.Append($"# {Title}\n\nMade by\n\n```\n{Command} --json docs/measurements/grants.json ")
            .Append("--html docs/measurements/grants.html --markdown docs/measurements/grants.md\n```\n\n")
            .Append("with charts in [grants.html](grants.html). `--only NAME` measures one part anew and keeps the rest ")
            .Append("of the JSON file; names:\nudp, in-process, ticks, phold, evaluate. `--quick` tells little.\n\n")
            .Append(Schema.ReplaceLineEndings("\n"))
            .Append($"## Floors\n\n{ReportText.Wrap(Intro)}\n\n{RoundsOf(report)}\n\n")
            .Append(FloorRow.ToTable(report.Floors).ToMarkdown());

        foreach ((string heading, string note, PageTable table, _) in Sections(report))
        {
            text.Append($"\n## {heading}\n\n{ReportText.Wrap(note)}\n\n").Append(table.ToMarkdown());
        }

        return text.ToString();
    }

    internal static string ToHtml(GrantsReport report)
    {
        HtmlPage page = new(Title + " of Gudp");
        page.Paragraph(Intro);
        page.Paragraph($"{RoundsOf(report)} Made by");
        page.Command(Command);
        page.Heading("Floors");
        page.Table(FloorRow.ToTable(report.Floors));

        foreach ((string heading, string note, PageTable table, IReadOnlyList<IChart> charts) in Sections(report))
        {
            page.Heading(heading);
            page.Paragraph(note);
            page.Charts(charts);
            page.Table(table);
        }

        return page.ToHtml();
    }

    private static string RoundsOf(GrantsReport report) => FormattableString.Invariant(
        $"Rounds: {report.Rounds}, of {report.SpanMs} ms, on {report.Processors} processors.");

    private static IEnumerable<(string Heading, string Note, PageTable Table, IReadOnlyList<IChart> Charts)> Sections(
        GrantsReport report)
    {
        yield return ("Grants", RowNote, RowTable(report), [RateChart(report), ProcessorChart(report)]);
        yield return ("Cost of evaluate", EvaluateNote, EvaluateTable(report), []);
    }

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
