using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>Series of points over two axes.</summary>
internal sealed record LineChart(string Title, ChartAxis X, ChartAxis Y, IReadOnlyList<ChartSeries> Series) : IChart
{
    // More points in one column of the drawing than this cannot be told apart.
    private const int PointsPerColumn = 4;

    // Tips beyond this many would make the file larger than what they tell.
    private const int MostTips = 200;

    private const int LineSign = -1;

    /// <inheritdoc/>
    public void WriteTo(XmlWriter xml)
    {
        ChartFrame frame = new(Legend());
        AxisScale x = new(X, Series.SelectMany(s => s.Points).Select(p => p.X), ChartFrame.Left, ChartFrame.Right);
        AxisScale y = new(Y, Series.SelectMany(s => s.Points).Select(p => p.Y), frame.Bottom, frame.Top);
        SvgCanvas canvas = new(xml, Title, ChartFrame.Width, frame.Height);
        frame.DrawHead(canvas, Title);
        frame.DrawX(canvas, X, x);
        frame.DrawY(canvas, Y, y);

        for (int i = 0; i < Series.Count; i++)
        {
            Draw(canvas, Series[i], ColourAt(i), (x, y));
        }

        frame.DrawAxes(canvas);
        canvas.Close();
    }

    private static string StyleOf(ChartSeries series, int colour)
        => series.Style == SeriesStyle.Reference ? "reference" : $"line s{colour}";

    private static bool HasPoints(ChartSeries series)
        => series.Style is SeriesStyle.Points or SeriesStyle.LineAndPoints;

    private static void Draw(SvgCanvas canvas, ChartSeries series, int colour, (AxisScale X, AxisScale Y) scales)
    {
        List<ChartPoint?> placed = [.. series.Points.Select(point => Place(point, scales))];

        if (series.Style != SeriesStyle.Points)
        {
            List<ChartPoint?> line = Thin(placed);
            canvas.Path(series.Style == SeriesStyle.Step ? Steps(line) : line, StyleOf(series, colour));
        }

        if (HasPoints(series))
        {
            DrawPoints(canvas, series, colour, placed);
        }
    }

    private static void DrawPoints(SvgCanvas canvas, ChartSeries series, int colour, List<ChartPoint?> placed)
    {
        HashSet<(int X, int Y)> taken = [];

        for (int i = 0; i < placed.Count; i++)
        {
            // Points on the same spot are one point.
            if (placed[i] is ChartPoint at && taken.Add(((int)at.X, (int)at.Y)))
            {
                ChartPoint value = series.Points[i];
                string tip = $"{series.Name}: {AxisScale.LabelOf(value.X)}, {AxisScale.LabelOf(value.Y)}";
                canvas.Mark(at, colour, $"f{colour}", placed.Count <= MostTips ? tip : null);
            }
        }
    }

    private static ChartPoint? Place(ChartPoint point, (AxisScale X, AxisScale Y) scales)
        => point.IsFinite && scales.X.Shows(point.X) && !IsWithoutPlace(point, scales.Y)
            ? new ChartPoint(scales.X.Map(point.X), scales.Y.Map(point.Y))
            : null;

    // On a logarithmic axis 0 has no place; elsewhere what is beyond the ends lies on them.
    private static bool IsWithoutPlace(ChartPoint point, AxisScale y) => point.Y <= 0 && y.Least > 0;

    private static IEnumerable<ChartPoint?> Steps(IEnumerable<ChartPoint?> points)
    {
        ChartPoint? last = null;

        foreach (ChartPoint? point in points)
        {
            if (last is ChartPoint from && point is ChartPoint to)
            {
                yield return new ChartPoint(to.X, from.Y);
            }

            yield return point;
            last = point;
        }
    }

    // Of each column of the drawing the first, least, largest and last point: the same picture, and a file that opens.
    private static List<ChartPoint?> Thin(List<ChartPoint?> points)
    {
        if (points.Count <= PointsPerColumn * (ChartFrame.Right - ChartFrame.Left))
        {
            return points;
        }

        List<ChartPoint?> kept = [];
        int start = 0;

        for (int i = 1; i <= points.Count; i++)
        {
            if (i == points.Count || ColumnOf(points[i]) != ColumnOf(points[start]))
            {
                KeepColumn(points[start..i], kept);
                start = i;
            }
        }

        return kept;
    }

    private static int ColumnOf(ChartPoint? point) => point is ChartPoint at ? (int)at.X : -1;

    private static void KeepColumn(List<ChartPoint?> column, List<ChartPoint?> kept)
    {
        if (column.Count <= PointsPerColumn || column[0] is null)
        {
            kept.AddRange(column);
            return;
        }

        int least = 0;
        int most = 0;

        for (int i = 1; i < column.Count; i++)
        {
            least = column[i]!.Value.Y < column[least]!.Value.Y ? i : least;
            most = column[i]!.Value.Y > column[most]!.Value.Y ? i : most;
        }

        int last = column.Count - 1;
        int[] chosen = [0, Math.Min(least, most), Math.Max(least, most), last];
        kept.AddRange(chosen.Distinct().Select(i => column[i]));
    }

    private int ColourAt(int series) => (Series[series].Colour ?? series) % ChartStyle.Colours;

    private List<(string Name, string Style, int Shape)> Legend()
    {
        List<(string, string, int)> legend = [];

        for (int i = 0; i < Series.Count; i++)
        {
            int colour = ColourAt(i);
            legend.Add(HasPoints(Series[i])
                ? (Series[i].Name, $"f{colour}", colour)
                : (Series[i].Name, StyleOf(Series[i], colour), LineSign));
        }

        return legend;
    }
}
