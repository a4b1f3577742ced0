namespace Gudp.Tools.Charts;

/// <summary>What charts have in common: title, legend, grid, marks, axes and their names.</summary>
internal sealed class ChartFrame
{
    internal const double Width = 720;
    internal const double Left = 64;
    internal const double Right = Width - 18;

    private const double TitleHeight = 30;
    private const double LegendRowHeight = 18;
    private const double LegendSwatch = 22;
    private const double PlotHeight = 260;
    private const double BottomMargin = 46;

    // Wide enough for the fonts people have: a legend has no way to ask how long its text is.
    private const double LetterWidth = 6.8;

    private readonly IReadOnlyList<(string Name, string Style, int Shape)> _legend;
    private readonly List<(double X, int Row)> _places = [];

    /// <param name="legend">Names with the style and the shape of their sign; shape -1 is a line, -2 a field.</param>
    internal ChartFrame(IReadOnlyList<(string Name, string Style, int Shape)> legend)
    {
        _legend = legend;
        int row = 0;
        double x = Left;

        foreach ((string name, _, _) in legend)
        {
            double width = LegendSwatch + 16 + (name.Length * LetterWidth);

            if (x + width > Right && x > Left)
            {
                x = Left;
                row++;
            }

            _places.Add((x, row));
            x += width;
        }

        Top = TitleHeight + (legend.Count == 0 ? 0 : (row + 1) * LegendRowHeight) + 8;
        Bottom = Top + PlotHeight;
    }

    internal double Top { get; }

    internal double Bottom { get; }

    internal double Height => Bottom + BottomMargin;

    internal void DrawHead(SvgCanvas canvas, string title)
    {
        canvas.Text(new ChartPoint(Left, 20), title, "title");

        for (int i = 0; i < _legend.Count; i++)
        {
            (string name, string style, int shape) = _legend[i];
            double x = _places[i].X;
            double y = TitleHeight + (_places[i].Row * LegendRowHeight) + 6;
            DrawSign(canvas, new ChartPoint(x, y), style, shape);
            canvas.Text(new ChartPoint(x + LegendSwatch + 4, y + 4), name, "legend");
        }
    }

    /// <summary>Level grid lines with their labels, and the axis' name.</summary>
    internal void DrawY(SvgCanvas canvas, ChartAxis axis, AxisScale scale)
    {
        foreach (double mark in scale.Marks())
        {
            double y = scale.Map(mark);
            canvas.Line(new ChartPoint(Left, y), new ChartPoint(Right, y), "grid");
            canvas.Text(new ChartPoint(Left - 6, y + 4), AxisScale.LabelOf(mark), "mark", TextAnchor.End);
        }

        canvas.UprightText(new ChartPoint(14, (Top + Bottom) / 2), axis.Label, "name");
    }

    internal void DrawX(SvgCanvas canvas, ChartAxis axis, AxisScale scale)
    {
        foreach (double mark in scale.Marks())
        {
            double x = scale.Map(mark);
            canvas.Line(new ChartPoint(x, Top), new ChartPoint(x, Bottom), "grid");
            canvas.Text(new ChartPoint(x, Bottom + 16), AxisScale.LabelOf(mark), "mark", TextAnchor.Middle);
        }

        DrawXName(canvas, axis.Label);
    }

    internal void DrawXName(SvgCanvas canvas, string name)
        => canvas.Text(new ChartPoint((Left + Right) / 2, Bottom + 36), name, "name", TextAnchor.Middle);

    internal void DrawAxes(SvgCanvas canvas)
    {
        canvas.Line(new ChartPoint(Left, Bottom), new ChartPoint(Right, Bottom), "axis");
        canvas.Line(new ChartPoint(Left, Top), new ChartPoint(Left, Bottom), "axis");
    }

    private static void DrawSign(SvgCanvas canvas, ChartPoint at, string style, int shape)
    {
        ChartPoint middle = new(at.X + (LegendSwatch / 2), at.Y);

        if (shape >= 0)
        {
            canvas.Mark(middle, shape, style);
        }
        else if (shape == -1)
        {
            canvas.Line(at, new ChartPoint(at.X + LegendSwatch, at.Y), style);
        }
        else
        {
            canvas.Rectangle(new ChartPoint(at.X + 6, at.Y - 6), 12, 12, style);
        }
    }
}
