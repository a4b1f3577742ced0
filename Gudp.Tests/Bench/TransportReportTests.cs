using System.Xml.Linq;
using Gudp.Bench.Transport;
using Gudp.Core;
using Gudp.Tests.House;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>What was measured stands in docs/measurements/transport.json; here it is judged, not measured.</summary>
[TestFixture]
public sealed class TransportReportTests
{
    [Test]
    public void The_committed_verdicts_are_those_of_the_committed_figures()
    {
        TransportReport report = Committed();

        Assert.That(report.Floors, Is.EqualTo(FloorJudge.Judge(report)));
    }

    [Test]
    public void Every_floor_holds()
    {
        IEnumerable<string> missed = FloorJudge.Judge(Committed())
            .Where(floor => !floor.Passed)
            .Select(floor => $"{floor.Id}: {floor.Work}");

        Assert.That(FloorJudge.Judge(Committed()), Is.Not.Empty);
        Assert.That(missed, Is.Empty);
    }

    [Test]
    public void Every_controller_there_is_was_measured()
    {
        TransportReport report = Committed();

        string[] algorithms = Enum.GetNames<CongestionAlgorithm>();
        Assert.That(report.Transfers.Select(row => row.Algorithm).Distinct(), Is.EquivalentTo(algorithms));
        Assert.That(report.Fairness.Select(row => row.Algorithm).Distinct(), Is.EquivalentTo(algorithms));
    }

    [Test]
    public void Every_figure_is_the_median_of_five_seeds_or_more()
        => Assert.That(Committed().Seeds, Is.GreaterThanOrEqualTo(5));

    [Test]
    public void What_was_not_measured_is_missed()
    {
        IReadOnlyList<FloorRow> floors = FloorJudge.Judge(new TransportReport());

        Assert.That(floors, Is.Not.Empty);
        Assert.That(floors.Select(floor => floor.Passed), Is.All.False);
    }

    [Test]
    public void A_report_reads_back_as_it_was_written()
    {
        TransportReport report = Committed();

        string json = TransportReport.Parse(report.ToJson()).ToJson();

        Assert.That(json, Is.EqualTo(report.ToJson()));
    }

    [Test]
    public void The_committed_page_and_tables_show_the_committed_figures()
    {
        TransportReport report = Committed();

        Assert.Multiple(() =>
        {
            Assert.That(Read("transport.md"), Is.EqualTo(ReportText.Page(report).ToMarkdown()));
            Assert.That(Read("transport.html"), Is.EqualTo(ReportText.Page(report).ToHtml()));
            Assert.That(() => XDocument.Parse(Read("transport.html")), Throws.Nothing);
        });
    }

    [Test]
    public void The_same_seed_gives_the_same_transfer()
    {
        TransferPlan plan = new(
            Presets.Messaging(Presets.Default, CongestionAlgorithm.Cubic), Presets.Link(20, 20, 1, 100_000))
        {
            Bytes = 300_000,
        };

        TransferSample first = TransferRun.Run(plan, seed: 7);

        Assert.That(TransferRun.Run(plan, seed: 7), Is.EqualTo(first));
        Assert.That(TransferRun.Run(plan, seed: 8), Is.Not.EqualTo(first));
    }

    private static TransportReport Committed() => TransportReport.Parse(Read("transport.json"));

    private static string Read(string name)
        => File.ReadAllText(Repository.PathOf($"docs/measurements/{name}"));
}
