using System.Globalization;
using System.Xml.Linq;
using Gudp.Tools.Charts;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class ChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Test]
    public void A_linear_axis_maps_its_ends_and_its_middle()
    {
        AxisScale scale = new(new ChartAxis("x") { Least = 0, Most = 10 }, [0, 10], start: 100, end: 300);

        Assert.Multiple(() =>
        {
            Assert.That(scale.Map(0), Is.EqualTo(100));
            Assert.That(scale.Map(5), Is.EqualTo(200));
            Assert.That(scale.Map(10), Is.EqualTo(300));
        });
    }

    [Test]
    public void A_logarithmic_axis_gives_each_power_of_ten_the_same_room()
    {
        AxisScale scale = new(new ChartAxis("x") { IsLogarithmic = true }, [1, 1000], start: 0, end: 300);

        Assert.Multiple(() =>
        {
            Assert.That(scale.Map(10), Is.EqualTo(100).Within(1e-9));
            Assert.That(scale.Map(100), Is.EqualTo(200).Within(1e-9));
            Assert.That(scale.Marks(), Is.EqualTo((double[])[1, 10, 100, 1000]).Within(1e-6));
        });
    }

    [TestCase(0, 100)]
    [TestCase(0.0, 0.07)]
    [TestCase(-3, 17)]
    [TestCase(1_000_000, 1_000_001)]
    [TestCase(5, 5)]
    public void The_marks_of_a_linear_axis_are_round_and_enclose_every_value(double least, double most)
    {
        AxisScale scale = new(new ChartAxis("y"), [least, most], start: 0, end: 1);

        IReadOnlyList<double> marks = scale.Marks();

        Assert.That(marks, Has.Count.InRange(2, 12));
        Assert.That(marks[0], Is.LessThanOrEqualTo(least));
        Assert.That(marks[^1], Is.GreaterThanOrEqualTo(most));
    }

    [TestCase(0, ExpectedResult = "0")]
    [TestCase(0.25, ExpectedResult = "0.25")]
    [TestCase(2000, ExpectedResult = "2000")]
    [TestCase(15_000, ExpectedResult = "15 k")]
    [TestCase(1_500_000, ExpectedResult = "1.5 M")]
    [TestCase(-3_000_000_000, ExpectedResult = "-3 G")]
    public string A_mark_is_labelled_shortly(double value) => AxisScale.LabelOf(value);

    [Test]
    public void Points_of_a_line_stand_where_the_axes_say()
    {
        ChartAxis tenths = new("share") { Least = 0, Most = 10 };
        LineChart chart = new("t", tenths, tenths, [new("a", [new(0, 0), new(10, 10)])]);

        XElement svg = SvgOf(chart);

        string path = svg.Descendants(Svg + "path").Single().Attribute("d")!.Value;
        double[] numbers = [.. path.Split('M', 'L', ' ').Where(part => part.Length > 0)
            .Select(part => double.Parse(part, CultureInfo.InvariantCulture))];
        Assert.Multiple(() =>
        {
            Assert.That(numbers[0], Is.EqualTo(ChartFrame.Left));
            Assert.That(numbers[2], Is.EqualTo(ChartFrame.Right));
            Assert.That(numbers[1], Is.GreaterThan(numbers[3]), "larger values stand higher");
        });
    }

    [Test]
    public void A_step_holds_its_value_until_the_next_point()
    {
        LineChart chart = new("t", new("x"), new("y"), [new("a", [new(0, 1), new(5, 3)]) { Style = SeriesStyle.Step }]);

        string path = SvgOf(chart).Descendants(Svg + "path").Single().Attribute("d")!.Value;
        string[] points = path.Split('M', 'L').Where(part => part.Length > 0).ToArray();

        Assert.That(points, Has.Length.EqualTo(3));
        Assert.That(points[1].Split(' ')[0], Is.EqualTo(points[2].Split(' ')[0]), "the x of the new value");
        Assert.That(points[1].Split(' ')[1], Is.EqualTo(points[0].Split(' ')[1]), "the y of the old one");
    }

    [Test]
    public void What_is_not_a_number_leaves_a_gap()
    {
        ChartPoint[] points = [new(0, 1), new(1, 2), new(2, double.NaN), new(3, 2), new(4, 1)];

        XElement svg = SvgOf(new LineChart("t", new("x"), new("y"), [new("a", points)]));

        string path = svg.Descendants(Svg + "path").Single().Attribute("d")!.Value;
        Assert.That(path.Count(letter => letter == 'M'), Is.EqualTo(2));
    }

    [Test]
    public void A_long_series_is_thinned_and_keeps_its_peak()
    {
        ChartPoint[] points = [.. Enumerable.Range(0, 200_000).Select(i => new ChartPoint(i, i == 123_456 ? 100 : 1))];
        ChartAxis fixedY = new("y") { Least = 0, Most = 100 };

        XElement svg = SvgOf(new LineChart("t", new("x"), fixedY, [new("a", points)]));

        string path = svg.Descendants(Svg + "path").Single().Attribute("d")!.Value;
        double top = new ChartFrame([("a", "", -1)]).Top;
        Assert.That(path.Count(letter => letter == 'L'), Is.LessThan(4_000));
        Assert.That(path, Does.Contain(" " + top.ToString(CultureInfo.InvariantCulture)));
    }

    [Test]
    public void Every_series_is_in_the_legend_and_names_are_escaped()
    {
        ChartSeries[] series =
        [
            new("a < b & \"c\"", [new(0, 1), new(1, 2)]),
            new("points", [new(0, 1)]) { Style = SeriesStyle.Points },
            ChartSeries.Level("floor", 1.5, 0, 1),
        ];

        XElement svg = SvgOf(new LineChart("x & y", new("x", "s"), new("y"), series));

        string[] texts = [.. svg.Descendants(Svg + "text").Select(text => text.Value)];
        Assert.That(texts, Is.SupersetOf(series.Select(one => one.Name)));
        Assert.That(texts, Does.Contain("x (s)").And.Contain("x & y"));
    }

    [Test]
    public void Bars_are_as_high_as_their_values_and_floors_are_drawn()
    {
        BarChart chart = new(
            "t",
            ["one", "two"],
            new ChartAxis("y") { Most = 100 },
            [new("a", [new Bar(50) { Least = 40, Most = 60 }, new Bar(100)])])
        {
            Levels = [75, double.NaN],
        };

        XElement svg = SvgOf(chart);

        XElement[] bars = [.. svg.Descendants(Svg + "rect").Where(bar => bar.Element(Svg + "title") is not null)];
        Assert.Multiple(() =>
        {
            Assert.That(bars, Has.Length.EqualTo(2));
            Assert.That(Coordinate(bars[1], "height"), Is.EqualTo(2 * Coordinate(bars[0], "height")).Within(0.02));
            Assert.That(CountOf(svg, "range"), Is.EqualTo(3), "a range with two ends");
            Assert.That(CountOf(svg, "reference"), Is.EqualTo(2), "one floor and its sign in the legend");
        });
    }

    [Test]
    public void An_empty_chart_is_still_a_chart([Values] bool isLogarithmic)
    {
        LineChart chart = new("none", new("x") { IsLogarithmic = isLogarithmic }, new("y"), [new("a", [])]);

        Assert.That(SvgOf(chart).Descendants(Svg + "text"), Is.Not.Empty);
    }

    [Test]
    public void A_page_is_well_formed_and_needs_nothing_from_elsewhere()
    {
        HtmlPage page = new("Results & <more>");
        PageTable table = new("name", "Mbit/s") { Caption = "c" };
        table.Add("a", PageCell.Judged("95.1", isPassed: true));
        table.Add("b", PageCell.Judged("12.0", isPassed: false));
        page.Heading("Heading");
        page.Paragraph("1 < 2 & 3");
        page.Command("dotnet run -- x");
        page.Table(table);
        page.Charts(new LineChart("chart", new("x"), new("y"), [new("a", [new(0, 1), new(1, 2)])]));

        string html = page.ToHtml();

        XDocument document = XDocument.Parse(html);
        Assert.Multiple(() =>
        {
            Assert.That(html, Does.StartWith("<!DOCTYPE html>"));
            Assert.That(html, Does.Not.Contain("<script").And.Not.Contain("src=").And.Not.Contain("href="));
            Assert.That(html, Does.Contain("prefers-color-scheme:dark"));
            Assert.That(
                document.Descendants("td").Select(cell => cell.Value), Does.Contain("95.1 ✓").And.Contain("12.0 ✗"));
            Assert.That(document.Descendants("style").Single().Value, Does.Not.Contain("<").And.Not.Contain("&"));
        });
    }

    [Test]
    public void A_table_in_Markdown_aligns_numbers_right()
    {
        PageTable table = new("name", "count");
        table.Add("a|b", "12");

        Assert.That(table.ToMarkdown(), Is.EqualTo("| name | count |\n| --- | --: |\n| a\\|b | 12 |\n"));
    }

    [Test]
    public void A_row_has_as_many_cells_as_there_are_headings()
        => Assert.That(() => new PageTable("a", "b").Add("1"), Throws.InstanceOf<ArgumentOutOfRangeException>());

    private static XElement SvgOf(IChart chart) => XDocument.Parse(ChartStyle.ToSvgFile(chart)).Root!;

    private static double Coordinate(XElement element, string name)
        => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static int CountOf(XElement svg, string style)
        => svg.Descendants().Count(element => element.Attribute("class")?.Value == style);
}
