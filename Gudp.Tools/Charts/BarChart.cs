using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>The bars of one name, one for each category.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Bars">In the order of the categories.</param>
internal sealed record BarSeries(string Name, IReadOnlyList<Bar> Bars)
{
    /// <summary>As <see cref="ChartSeries.Colour"/>.</summary>
    internal int? Colour { get; init; }
}

/// <summary>A measured value; not a number: no bar.</summary>
/// <param name="Value">What the bar shows, such as the median.</param>
internal readonly record struct Bar(double Value)
{
    /// <summary>The least of the runs behind the value, drawn as the lower end of a thin line.</summary>
    internal double? Least { get; init; }

    /// <summary>The largest of the runs.</summary>
    internal double? Most { get; init; }
}

/// <summary>Groups of bars, one group for each category; a broken line where a category has a floor or a limit.</summary>
internal sealed record BarChart(
    string Title, IReadOnlyList<string> Categories, ChartAxis Y, IReadOnlyList<BarSeries> Series) : IChart
{
    private const double GroupShare = 0.82;
    private const double MostBarWidth = 46;
    private const int FieldSign = -2;
    private const int LineSign = -1;

    /// <summary>What the categories are; may be empty.</summary>
    internal string CategoryName { get; init; } = "";

    /// <summary>One level for each category; not a number: none there. Empty: none at all.</summary>
    internal IReadOnlyList<double> Levels { get; init; } = [];

    /// <summary>What the levels are, such as floor.</summary>
    internal string LevelName { get; init; } = "floor";

    /// <inheritdoc/>
    public void WriteTo(XmlWriter xml)
    {
        ChartFrame frame = new(Legend());
        AxisScale y = new(Y.IsLogarithmic ? Y : Y with { Least = Y.Least ?? 0 }, Values(), frame.Bottom, frame.Top);
        SvgCanvas canvas = new(xml, Title, ChartFrame.Width, frame.Height);
        frame.DrawHead(canvas, Title);
        frame.DrawY(canvas, Y, y);
        double room = (ChartFrame.Right - ChartFrame.Left) / Math.Max(1, Categories.Count);

        for (int i = 0; i < Categories.Count; i++)
        {
            double start = ChartFrame.Left + (i * room);
            DrawGroup(canvas, i, (start, room), y);
            canvas.Text(
                new ChartPoint(start + (room / 2), frame.Bottom + 16), Categories[i], "mark", TextAnchor.Middle);
        }

        frame.DrawXName(canvas, CategoryName);
        frame.DrawAxes(canvas);
        canvas.Close();
    }

    private void DrawGroup(SvgCanvas canvas, int category, (double Start, double Width) room, AxisScale y)
    {
        double width = Math.Min(MostBarWidth, GroupShare * room.Width / Math.Max(1, Series.Count));
        double x = room.Start + ((room.Width - (width * Series.Count)) / 2);

        for (int i = 0; i < Series.Count; i++)
        {
            if (category < Series[i].Bars.Count && double.IsFinite(Series[i].Bars[category].Value))
            {
                Bar bar = Series[i].Bars[category];
                string tip = $"{Series[i].Name}, {Categories[category]}: {AxisScale.LabelOf(bar.Value)} {Y.Unit}".Trim();
                double top = y.Map(bar.Value);
                canvas.Rectangle(
                    new ChartPoint(x + 1, top), width - 2, y.Map(y.Least) - top, $"f{ColourAt(i)}", tip);
                DrawRange(canvas, bar, x + (width / 2), y);
            }

            x += width;
        }

        if (category < Levels.Count && y.Shows(Levels[category]))
        {
            double level = y.Map(Levels[category]);
            canvas.Line(
                new ChartPoint(room.Start + 4, level), new ChartPoint(room.Start + room.Width - 4, level), "reference");
        }
    }

    private static void DrawRange(SvgCanvas canvas, Bar bar, double x, AxisScale y)
    {
        if (bar.Least is double least && bar.Most is double most && most > least)
        {
            canvas.Line(new ChartPoint(x, y.Map(least)), new ChartPoint(x, y.Map(most)), "range");
            canvas.Line(new ChartPoint(x - 3, y.Map(least)), new ChartPoint(x + 3, y.Map(least)), "range");
            canvas.Line(new ChartPoint(x - 3, y.Map(most)), new ChartPoint(x + 3, y.Map(most)), "range");
        }
    }

    private int ColourAt(int series) => (Series[series].Colour ?? series) % ChartStyle.Colours;

    private IEnumerable<double> Values()
        => Series.SelectMany(series => series.Bars)
            .SelectMany(bar => (double[])[bar.Value, bar.Least ?? bar.Value, bar.Most ?? bar.Value])
            .Concat(Levels);

    private List<(string Name, string Style, int Shape)> Legend()
    {
        List<(string, string, int)> legend =
            [.. Series.Select((series, i) => (series.Name, $"f{ColourAt(i)}", FieldSign))];

        if (Levels.Count > 0)
        {
            legend.Add((LevelName, "reference", LineSign));
        }

        return legend;
    }
}
