using System.Text.Json;
using System.Xml.Linq;
using Gudp.Bench.Compare;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;
using Gudp.Tests.House;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>What was measured stands in docs/measurements/compare.json; here it is read and judged, not measured.</summary>
[TestFixture]
public sealed class CompareReportTests
{
    private const string Command = "dotnet run -c Release --project Gudp.Bench -- compare";

    [Test]
    public void A_row_has_the_names_that_others_read()
    {
        JsonElement row = JsonDocument.Parse(MadeUp().ToJson()).RootElement.GetProperty("rows")[0];

        string[] plain = ["system", "work", "size", "peers", "rounds", "errors", "waiting", "offload", "socket", "rate"];
        string[] measured =
        [
            "messages_per_s", "mb_per_s", "rtt_us_p50", "rtt_us_p90", "rtt_us_p99", "rtt_us_p99_9", "rtt_us_max",
            "cpu_us_per_message", "alloc_bytes_per_message", "memory_mb", "packets_per_s", "wire_mb_per_s", "packets_lost",
            "retransmissions", "most_retransmissions", "delayed_percent", "lost_percent", "foreign_percent",
        ];
        Assert.Multiple(() =>
        {
            Assert.That(row.EnumerateObject().Select(one => one.Name), Is.SupersetOf(plain.Concat(measured)));
            Assert.That(
                measured.SelectMany(name => row.GetProperty(name).EnumerateObject().Select(one => one.Name)).Distinct(),
                Is.EqualTo(new[] { "median", "min", "max" }));
        });
    }

    [Test]
    public void A_report_has_the_names_that_others_read()
    {
        JsonElement report = JsonDocument.Parse(MadeUp().ToJson()).RootElement;

        string[] names =
        [
            "schema", "machine", "commit", "extent", "warm_up_seconds", "seconds", "is_pinned", "foreign_percent", "clock",
            "clock_ns", "missing", "rows", "limits", "ratios", "floors",
        ];
        Assert.That(report.EnumerateObject().Select(one => one.Name), Is.EquivalentTo(names));
    }

    [Test]
    public void Every_name_in_the_file_is_explained_on_the_page()
    {
        string page = CompareText.Page(MadeUp()).ToMarkdown();

        IEnumerable<string> silent = NamesIn(JsonDocument.Parse(MadeUp().ToJson()).RootElement)
            .Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)
                && !page.Contains($"`{name}[]`", StringComparison.Ordinal)
                && !page.Contains($"\"{name}\"", StringComparison.Ordinal))
            .Except(LoadSystems.All);

        Assert.That(silent, Is.Empty);
    }

    [Test]
    public void Of_some_rounds_the_median_the_least_and_the_most_stand_there()
    {
        CompareRow row = CompareRow.Of(
            CompareCells.Stream(LoadSystems.Gudp, 64), [Sample(5), Sample(1), Sample(9) with { Errors = 2, Fault = "late" }]);

        Assert.That(row.MessagesPerS, Is.EqualTo(new Rounds(5, 1, 9)));
        Assert.That((row.RoundCount, row.Errors, row.Fault), Is.EqualTo((3, 2L, "late")));
    }

    [Test]
    public void A_process_that_ended_too_early_is_an_error_and_no_figure()
    {
        CompareRow row = CompareRow.Of(CompareCells.Stream(LoadSystems.Enet, 64), [LoadSample.Failed("node 1 ended too early")]);

        Assert.That((row.Errors, row.Fault), Is.EqualTo((1L, "node 1 ended too early")));
        Assert.That(row.MessagesPerS, Is.EqualTo(new Rounds(-1, -1, -1)));
    }

    [Test]
    public void A_report_reads_back_as_it_was_written()
    {
        CompareReport report = MadeUp();

        CompareReport back = CompareReport.Parse(report.ToJson());

        Assert.That(back.ToJson(), Is.EqualTo(report.ToJson()));
        Assert.That(back.Rows, Is.EqualTo(report.Rows));
    }

    [Test]
    public void A_file_of_another_schema_is_refused()
    {
        string json = (MadeUp() with { Schema = 99 }).ToJson();

        Assert.That(() => CompareReport.Parse(json), Throws.InvalidOperationException.With.Message.Contains("99"));
    }

    [Test]
    public void Ratios_are_Gudp_over_the_others_at_the_same_work()
    {
        CompareReport report = MadeUp();

        CompareRatio ratio = report.Ratios.Single(one => one is { To: LoadSystems.Enet, Size: 32 });

        Assert.That(ratio.MessagesPerS, Is.EqualTo(2));
        Assert.That(report.Ratios.Select(one => one.To), Has.None.EqualTo(LoadSystems.Gudp));
    }

    [Test]
    public void Limits_are_named_as_in_the_design()
        => Assert.That(
            MadeUp().Limits.Select(limit => limit.Id).Distinct(), Is.EqualTo(new[] { "R1", "R2", "R3", "R4", "R5" }));

    [Test]
    public void A_page_stands_alone_and_has_only_numbers()
    {
        CompareReport gaps = MadeUp() with { Rows = [.. MadeUp().Rows, Failed()] };

        string html = CompareText.Page(gaps.WithConclusions()).ToHtml();

        Assert.Multiple(() =>
        {
            Assert.That(() => XDocument.Parse(html), Throws.Nothing);
            Assert.That(html, Does.Not.Contain("NaN").And.Not.Contain("Infinity").And.Not.Contain("\u221E"));
            Assert.That(html, Does.Not.Match("(src|href)=\"").And.Not.Contain("@import").And.Not.Contain("<script"));
            Assert.That(html, Does.Contain("<svg"));
        });
    }

    [Test]
    public void A_report_without_a_row_still_makes_a_page()
        => Assert.That(() => CompareText.Page(new CompareReport()).ToHtml(), Throws.Nothing);

    [Test]
    public void A_missing_system_is_named_with_what_installs_it()
    {
        CompareReport report = MadeUp() with
        {
            Missing = new Dictionary<string, string> { ["enet"] = "apt-get install libenet7" },
        };

        Assert.That(CompareText.Page(report).ToMarkdown(), Does.Contain("Not here: enet (apt-get install libenet7)"));
    }

    // Every system in one work at least, and Gudp in all: what does not start is red, however fast it would be.
    [Test]
    public void The_shortest_comparison_has_every_system_and_every_work()
    {
        LoadCell[] cells = [.. CompareCells.Groups(CompareExtent.Smoke).SelectMany(group => group)];

        Assert.That(cells.Select(cell => cell.System).Distinct(), Is.EquivalentTo(LoadSystems.All));
        Assert.That(
            cells.Where(cell => cell.System == LoadSystems.Gudp).Select(cell => cell.Work).Distinct(),
            Is.EquivalentTo(Enum.GetValues<LoadWork>()));
    }

    [Test]
    public void The_full_comparison_measures_all_that_is_judged_and_no_cell_twice()
    {
        LoadCell[] cells = [.. CompareCells.Groups(CompareExtent.Full).SelectMany(group => group)];
        CompareReport report = new()
        {
            Rows = [.. cells.Select(cell => CompareRow.Of(cell, [Sample(1) with { Spans = Spans() }]))],
        };

        IEnumerable<FloorRow> unknown = CompareFloors.Judge(report).Where(floor => floor.Value < 0);

        Assert.That(unknown, Is.Empty);
        Assert.That(cells, Is.Unique);
        Assert.That(CompareCells.RoundsOf(CompareExtent.Full), Is.GreaterThanOrEqualTo(5));
    }

    [Test]
    public void Every_cell_can_be_measured(
        [Values("Smoke", "Quick", "Full")] string extent)
    {
        IEnumerable<string> refused = CompareCells.Groups(Enum.Parse<CompareExtent>(extent))
            .SelectMany(group => group)
            .Select(LoadSystems.Refusal)
            .OfType<string>();

        Assert.That(refused, Is.Empty);
    }

    [Test]
    public void The_committed_verdicts_limits_and_ratios_are_those_of_the_committed_figures()
    {
        CompareReport report = Committed();

        Assert.That(report.WithConclusions().ToJson(), Is.EqualTo(report.ToJson()));
    }

    [Test]
    public void The_committed_page_and_tables_show_the_committed_figures()
    {
        CompareReport report = Committed();

        Assert.Multiple(() =>
        {
            Assert.That(Read("compare.md"), Is.EqualTo(CompareText.Page(report).ToMarkdown()));
            Assert.That(Read("compare.html"), Is.EqualTo(CompareText.Page(report).ToHtml()));
        });
    }

    [Test]
    public void The_committed_figures_have_no_error()
        => Assert.That(Committed().Rows.Where(row => row.Errors > 0), Is.Empty);

    [Test]
    public void The_readme_shows_the_committed_figures_to_the_letter_and_how_they_are_made()
    {
        string readme = File.ReadAllText(Repository.PathOf("README.md"));

        Assert.That(readme, Does.Contain(ReadmeTable.Of(Committed()) + "\n"));
        Assert.That(readme, Does.Contain(Command));
    }

    private static CompareReport MadeUp() => new CompareReport
    {
        Machine = "a machine",
        Commit = "c0ffee",
        Extent = "full",
        Clock = "tsc",
        Rows =
        [
            .. CompareCells.Groups(CompareExtent.Full).SelectMany(group => group).Select(cell => CompareRow.Of(
                cell, [Sample(cell.System == LoadSystems.Gudp ? 2_000_000 : 1_000_000) with { Spans = Spans() }])),
        ],
    }.WithConclusions();

    private static CompareRow Failed()
        => CompareRow.Of(CompareCells.Stream(LoadSystems.Enet, 128), [LoadSample.Failed("node 1 ended too early")]);

    private static LoadSample Sample(double rate) => new()
    {
        MessagesPerSecond = rate,
        MegabytesPerSecond = rate,
        ProcessorMicroseconds = 1,
        Spans = new LatencyHistogram(),
    };

    private static LatencyHistogram Spans()
    {
        LatencyHistogram spans = new();
        spans.Record(0, 10_000);
        return spans;
    }

    private static IEnumerable<string> NamesIn(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(one => NamesIn(one.Value).Prepend(one.Name)).Distinct(),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(NamesIn).Distinct(),
        _ => [],
    };

    private static CompareReport Committed() => CompareReport.Parse(Read("compare.json"));

    private static string Read(string name) => File.ReadAllText(Repository.PathOf($"docs/measurements/{name}"));
}
