using System.Xml.Linq;
using Gudp.Bench.Grants;
using Gudp.Bench.Transport;
using Gudp.Tests.House;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>What was measured stands in docs/measurements/grants.json; here it is judged, not measured.</summary>
[TestFixture]
public sealed class GrantsReportTests
{
    [Test]
    public void The_committed_verdicts_are_those_of_the_committed_figures()
    {
        GrantsReport report = Committed();

        Assert.That(report.Floors, Is.EqualTo(GrantFloors.Judge(report)));
    }

    // How many grants a second there are is judged where the speed of everything is; here it is written down.
    [Test]
    public void No_grant_takes_more_than_a_message_up_and_one_down()
    {
        IEnumerable<string> missed = GrantFloors.Judge(Committed())
            .Where(floor => floor.Id == GrantFloors.Control && !floor.Passed)
            .Select(floor => $"{floor.Work}: {floor.Value}");

        Assert.That(missed, Is.Empty);
    }

    [Test]
    public void Every_cell_there_is_was_measured()
    {
        GrantsReport report = Committed();

        Assert.That(report.Rows.Select(row => row.Cell), Is.EqualTo(GrantFloors.Cells));
        Assert.That(report.Evaluate.Select(row => row.Members).Distinct(), Is.EqualTo(GrantFloors.EvaluateMembers));
    }

    [Test]
    public void The_committed_page_and_tables_show_the_committed_figures()
    {
        GrantsReport report = Committed();

        Assert.Multiple(() =>
        {
            Assert.That(Read("grants.md"), Is.EqualTo(GrantsText.Page(report).ToMarkdown()));
            Assert.That(Read("grants.html"), Is.EqualTo(GrantsText.Page(report).ToHtml()));
            Assert.That(() => XDocument.Parse(Read("grants.html")), Throws.Nothing);
        });
    }

    [Test]
    public void What_was_not_measured_is_missed()
    {
        IReadOnlyList<FloorRow> floors = GrantFloors.Judge(new GrantsReport());

        Assert.That(floors, Is.Not.Empty);
        Assert.That(floors.Select(floor => floor.Passed), Is.All.False);
    }

    [Test]
    public void A_report_reads_back_as_it_was_written()
    {
        GrantsReport report = new() { Rows = [Row(1_000_000)], Rounds = 5 };

        GrantsReport back = GrantsReport.Parse(report.ToJson());

        Assert.That(back.Rows, Is.EqualTo(report.Rows));
        Assert.That(back.ToJson(), Is.EqualTo(report.ToJson()));
    }

    [Test]
    public void A_row_has_the_names_that_others_read()
    {
        string json = new GrantsReport { Rows = [Row(1_000_000)] }.ToJson();

        string[] names =
            ["work", "transport", "members", "processes", "grants_per_s", "cpu_us_per_grant"];

        Assert.That(names, Has.All.Matches<string>(name => json.Contains($"\"{name}\":", StringComparison.Ordinal)));
        Assert.That(json, Does.Contain("\"grants_per_s\": 1000000"));
    }

    [TestCase(1_000_000, true)]
    [TestCase(999_999, false)]
    public void The_goal_in_one_process_is_a_million_grants_a_second(double rate, bool passes)
    {
        FloorRow goal = GrantFloors.Judge(new GrantsReport { Rows = [Row(rate)] })
            .Single(floor => floor.Bound == 1_000_000);

        Assert.That(goal.Value, Is.EqualTo(rate));
        Assert.That(goal.Passed, Is.EqualTo(passes));
    }

    private static GrantRow Row(double rate)
    {
        Spread one = new(1, 1, 1);
        return new GrantRow
        {
            Work = GrantCell.Ticks,
            Transport = GrantCell.InProcess,
            Members = 16,
            Processes = 1,
            Grants = new Spread(rate, rate, rate),
            Processor = one,
            EventsPerSecond = one,
            MessagesUp = one,
            MessagesDown = one,
            AllocatedBytes = one,
        };
    }

    private static GrantsReport Committed() => GrantsReport.Parse(Read("grants.json"));

    private static string Read(string name) => File.ReadAllText(Repository.PathOf($"docs/measurements/{name}"));
}
