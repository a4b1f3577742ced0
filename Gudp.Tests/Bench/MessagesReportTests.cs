using System.Xml.Linq;
using Gudp.Bench.Messages;
using Gudp.Bench.Transport;
using Gudp.Messaging;
using Gudp.Tests.House;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>What was measured stands in docs/measurements/messages.json; here it is judged, not measured.</summary>
[TestFixture]
public sealed class MessagesReportTests
{
    private const double WireTolerance = 0.1;

    [Test]
    public void The_committed_verdicts_are_those_of_the_committed_figures()
    {
        MessagesReport report = Committed();

        Assert.That(report.Floors, Is.EqualTo(MessageFloors.Judge(report)));
    }

    [Test]
    public void Every_floor_holds()
    {
        IReadOnlyList<FloorRow> floors = MessageFloors.Judge(Committed());

        IEnumerable<string> missed = floors.Where(floor => !floor.Passed)
            .Select(floor => $"{floor.Id}: {floor.Work}: {floor.Value}");

        Assert.That(floors, Is.Not.Empty);
        Assert.That(missed, Is.Empty);
    }

    [Test]
    public void Every_cell_there_is_was_measured()
        => Assert.That(Committed().Streams.Select(row => row.Cell), Is.EquivalentTo(StreamCells.All));

    [Test]
    public void Every_figure_is_the_median_of_five_rounds_or_more()
        => Assert.That(Committed().Rounds, Is.GreaterThanOrEqualTo(5));

    [Test]
    public void What_was_not_measured_is_missed()
    {
        IReadOnlyList<FloorRow> floors = MessageFloors.Judge(new MessagesReport());

        Assert.That(floors, Is.Not.Empty);
        Assert.That(floors.Select(floor => floor.Passed), Is.All.False);
    }

    // Full packets and nothing lost would be equal; a stream of small messages does not fill every packet.
    [Test]
    public void What_was_counted_on_the_wire_is_what_the_format_says()
    {
        IEnumerable<string> far = Committed().Streams
            .Where(row => row.Receipts == AskedReceipts.Off && row.Mode != LaneMode.SequencedReliable)
            .Where(row => Math.Abs(1 - (row.WireBytes / row.FormatBytes)) > WireTolerance)
            .Select(row => $"{row.Cell}: {row.WireBytes} bytes for {row.FormatBytes}");

        Assert.That(far, Is.Empty);
    }

    [Test]
    public void A_report_reads_back_as_it_was_written()
    {
        MessagesReport report = Committed();

        string json = MessagesReport.Parse(report.ToJson()).ToJson();

        Assert.That(json, Is.EqualTo(report.ToJson()));
    }

    [Test]
    public void The_committed_page_and_tables_show_the_committed_figures()
    {
        MessagesReport report = Committed();

        Assert.Multiple(() =>
        {
            Assert.That(Read("messages.md"), Is.EqualTo(MessagesText.Page(report).ToMarkdown()));
            Assert.That(Read("messages.html"), Is.EqualTo(MessagesText.Page(report).ToHtml()));
            Assert.That(() => XDocument.Parse(Read("messages.html")), Throws.Nothing);
        });
    }

    private static MessagesReport Committed() => MessagesReport.Parse(Read("messages.json"));

    private static string Read(string name)
        => File.ReadAllText(Repository.PathOf($"docs/measurements/{name}"));
}
