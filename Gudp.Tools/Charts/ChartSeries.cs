namespace Gudp.Tools.Charts;

/// <summary>One point of a series, in the axes' units. What is not a finite number leaves a gap.</summary>
internal readonly record struct ChartPoint(double X, double Y)
{
    internal bool IsFinite => double.IsFinite(X) && double.IsFinite(Y);
}

/// <summary>How a series is drawn.</summary>
internal enum SeriesStyle
{
    /// <summary>Straight from point to point.</summary>
    Line,

    /// <summary>Level until the next point, then up or down: a value that holds until it changes.</summary>
    Step,

    /// <summary>Each point for itself.</summary>
    Points,

    /// <summary>Points joined by lines: few measured values of a curve.</summary>
    LineAndPoints,

    /// <summary>A broken line without a colour of its own: a floor, a limit, a link's rate.</summary>
    Reference,
}

/// <summary>Points under one name.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">In the order they are joined.</param>
internal sealed record ChartSeries(string Name, IReadOnlyList<ChartPoint> Points)
{
    internal SeriesStyle Style { get; init; }

    /// <summary>Of the style's colours, the one that is its own in several charts; null: by its place among the series.</summary>
    internal int? Colour { get; init; }

    /// <summary>A level line from one end of the x axis to the other.</summary>
    internal static ChartSeries Level(string name, double y, double fromX, double toX)
        => new(name, [new ChartPoint(fromX, y), new ChartPoint(toX, y)]) { Style = SeriesStyle.Reference };
}
