using System.Globalization;
using System.Xml;
using Gudp.Sequencing;
using Gudp.Tools.Charts;
using Gudp.Tools.Output;

namespace Gudp.Tools.Demo;

/// <summary>
/// The wall time of each step as a bar, in the colour of the member that was waited for longest. More steps than there
/// are columns share one, which shows the slowest of them.
/// </summary>
internal sealed record StepChart(string Title, StepTimes Times, IReadOnlyList<string> Members) : IChart
{
    /// <summary>Bars beside each other; more are a field.</summary>
    internal const int MostColumns = 319;

    // Fewer would get marks between them.
    private const int LeastSteps = 8;

    private const string Nobody = "nobody";
    private const string NobodyStyle = "mark";
    private const int FieldSign = -2;
    private const int LongestName = 24;

    // From so many times the usual step on, the usual one would be a line at the bottom.
    private const int LogarithmicFrom = 25;

    /// <inheritdoc/>
    public void WriteTo(XmlWriter xml)
    {
        IReadOnlyList<StepTime> steps = Times.Steps;
        ChartFrame frame = new(Legend());
        long[] sorted = [.. steps.Select(step => step.Milliseconds).Order()];
        ChartAxis y = new("wall time of a step", "ms")
        {
            IsLogarithmic = sorted.Length > 0 && sorted[^1] > LogarithmicFrom * Math.Max(1, sorted[sorted.Length / 2]),
        };
        AxisScale yScale = new(
            y.IsLogarithmic ? y : y with { Least = 0 }, sorted.Select(one => (double)one), frame.Bottom, frame.Top);
        ChartAxis x = new("step") { Least = 0, Most = Math.Max(LeastSteps, steps.Count) };
        AxisScale xScale = new(x, [0, x.Most.Value], ChartFrame.Left, ChartFrame.Right);
        SvgCanvas canvas = new(xml, Title, ChartFrame.Width, frame.Height);
        frame.DrawHead(canvas, Title);
        frame.DrawX(canvas, x, xScale);
        frame.DrawY(canvas, y, yScale);
        int perColumn = Math.Max(1, (steps.Count + MostColumns - 1) / MostColumns);

        for (int i = 0; i < steps.Count; i += perColumn)
        {
            Draw(canvas, i, Math.Min(perColumn, steps.Count - i), (xScale, yScale));
        }

        frame.DrawAxes(canvas);
        canvas.Close();
    }

    private void Draw(SvgCanvas canvas, int first, int count, (AxisScale X, AxisScale Y) scales)
    {
        StepTime slowest = Times.Steps[first];

        for (int i = first + 1; i < first + count; i++)
        {
            slowest = Times.Steps[i].Milliseconds > slowest.Milliseconds ? Times.Steps[i] : slowest;
        }

        double left = scales.X.Map(first);
        double width = scales.X.Map(first + count) - left;
        double gap = width > 4 ? 1 : 0;
        double bottom = scales.Y.Map(scales.Y.Least);

        // A step within one tick of the clock is seen, too.
        double top = Math.Min(scales.Y.Map(slowest.Milliseconds), bottom - 1);
        string steps = count == 1 ? "" : $"steps {Times.Steps[first].Tag} to {Times.Steps[first + count - 1].Tag}, slowest: ";
        canvas.Rectangle(
            new ChartPoint(left, top), width - gap, bottom - top, StyleOf(RootOf(slowest)), steps + TipOf(slowest));
    }

    private string TipOf(StepTime step)
    {
        string time = string.Create(CultureInfo.InvariantCulture, $"step {step.Tag}: {step.Milliseconds} ms");

        return step.Waiting == 0
            ? $"{time}; nobody waited"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{time}; {step.Waiting} of {step.Grants} waited, {NameOf(step.Longest.Member)} longest: "
                + $"{step.Longest.WaitedMilliseconds} ms for {RootName(step)} ({step.Longest.WaitedBecause})");
    }

    internal string RootName(StepTime step) => RootOf(step) is { } root ? NameOf(root) : "the server";

    private static int? RootOf(StepTime step) => step.Waiting > 0 ? step.Longest.WaitedFor : null;

    private static string StyleOf(int? member)
        => member is { } root ? $"f{root % ChartStyle.Colours}" : NobodyStyle;

    private string NameOf(int member) => member < Members.Count ? Members[member] : $"member {member}";

    private List<(string Name, string Style, int Shape)> Legend()
    {
        int?[] roots = [.. Times.Steps.Select(RootOf).Distinct().OrderBy(root => root ?? int.MaxValue)];
        return
        [
            .. roots.Select(root => (
                root is { } member ? PageText.Shorten(NameOf(member), LongestName) : Nobody, StyleOf(root), FieldSign)),
        ];
    }
}
