using System.Globalization;
using System.Xml;
using Gudp.Tools.Charts;

namespace Gudp.Tools.Demo;

/// <summary>A flock from above: where the birds flew as lines, and where they are as darts, each in its member's colour.</summary>
internal sealed record FlockPicture(string Title, FlockFilm Film, DemoPlan Plan, IReadOnlyList<string> Members) : IChart
{
    // More darts than this are a spot.
    private const int MostBirds = 4_000;

    // Tips beyond this many would make the file larger than what they tell.
    private const int MostTips = 1_000;

    private const int FieldSign = -2;
    private const int LongestName = 24;
    private const double Margin = 12;
    private const double Side = ChartFrame.Right - ChartFrame.Left;
    private const double DartLength = 9;
    private const double DartHalf = 3;

    /// <inheritdoc/>
    public void WriteTo(XmlWriter xml)
    {
        ChartFrame frame = new(
        [
            .. Members.Select((name, i) => (PageText.Shorten(name, LongestName), $"f{i % ChartStyle.Colours}", FieldSign)),
        ]);
        SvgCanvas canvas = new(xml, Title, ChartFrame.Width, frame.Top + Side + Margin);
        frame.DrawHead(canvas, Title);
        DrawWorld(canvas, frame);
        canvas.OpenGroup(("fill", "none"), ("stroke-width", "1"), ("stroke-opacity", "0.4"));

        foreach (IGrouping<int, FlockPath> paths in Film.Paths.GroupBy(path => path.Member))
        {
            canvas.Path(paths.SelectMany(path => Line(path, frame)), $"s{paths.Key % ChartStyle.Colours}");
        }

        canvas.CloseGroup();
        DrawBirds(canvas, frame);
        canvas.Close();
    }

    // A tenth of a pixel is as much as anybody sees, and a digit less in each of many thousand numbers.
    private static ChartPoint At(FlockPlace place, ChartFrame frame) => new(
        Math.Round(ChartFrame.Left + (place.X / FlockPlace.Side * Side), 1),
        Math.Round(frame.Top + (place.Y / FlockPlace.Side * Side), 1));

    private static void DrawWorld(SvgCanvas canvas, ChartFrame frame)
    {
        ChartPoint[] corners =
        [
            At(new FlockPlace(0, 0), frame),
            At(new FlockPlace(FlockPlace.Side, 0), frame),
            At(new FlockPlace(FlockPlace.Side, FlockPlace.Side), frame),
            At(new FlockPlace(0, FlockPlace.Side), frame),
        ];

        for (int i = 0; i < corners.Length; i++)
        {
            canvas.Line(corners[i], corners[(i + 1) % corners.Length], "grid");
        }
    }

    // A bird that leaves the world at one side comes in at the other: the line does not cross it.
    private static IEnumerable<ChartPoint?> Line(FlockPath path, ChartFrame frame)
    {
        FlockPlace? last = null;

        foreach (FlockPlace place in path.Places)
        {
            if (last is { } before && (Math.Abs(place.X - before.X) > FlockPlace.Side / 2
                || Math.Abs(place.Y - before.Y) > FlockPlace.Side / 2))
            {
                yield return null;
            }

            yield return At(place, frame);
            last = place;
        }

        yield return null;
    }

    private void DrawBirds(SvgCanvas canvas, ChartFrame frame)
    {
        int count = Math.Min(Film.Agents.Count, MostBirds);

        for (int i = 0; i < count; i++)
        {
            int agent = (int)((long)Film.Agents.Count * i / count);
            int member = FlockFilm.OwnerOf(agent, Film.Agents.Count, Plan.Members);
            DrawDart(
                canvas, At(FlockPlace.Of(Film.Agents[agent]), frame), Film.Agents[agent],
                ($"f{member % ChartStyle.Colours}", count <= MostTips ? TipOf(agent, member) : null));
        }
    }

    private string TipOf(int agent, int member)
    {
        FlockPlace place = FlockPlace.Of(Film.Agents[agent]);
        return string.Create(
            CultureInfo.InvariantCulture, $"bird {agent} of {Members[member]} at {place.X:0.0}, {place.Y:0.0}");
    }

    // Its head is where the bird is, and points where it flies.
    private static void DrawDart(
        SvgCanvas canvas, ChartPoint head, in FlockAgent agent, (string Style, string? Tip) look)
    {
        double speed = Math.Sqrt(((double)agent.VelocityX * agent.VelocityX) + ((double)agent.VelocityY * agent.VelocityY));
        double x = speed > 0 ? agent.VelocityX / speed : 1;
        double y = speed > 0 ? agent.VelocityY / speed : 0;
        ChartPoint tail = new(head.X - (x * DartLength), head.Y - (y * DartLength));
        canvas.Shape(
            [
                head,
                new ChartPoint(tail.X - (y * DartHalf), tail.Y + (x * DartHalf)),
                new ChartPoint(tail.X + (y * DartHalf), tail.Y - (x * DartHalf)),
            ],
            look.Style, look.Tip);
    }
}
