using System.Globalization;
using System.Xml;
using Gudp.Sequencing;
using Gudp.Tools.Charts;

namespace Gudp.Tools.Picture;

/// <summary>A row of the picture: one tag.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Wall">Milliseconds of the last grant there since the record began; null if there was none.</param>
internal readonly record struct PictureRow(Tag Tag, long? Wall);

/// <summary>A grant: a mark where it was given, and behind it how long and for whom the member waited.</summary>
internal readonly record struct PictureGrant(int Row, int Member, string Tip)
{
    /// <summary>It did not come at once.</summary>
    internal bool HasWaited { get; init; }

    /// <summary>The member that kept it; null if none did.</summary>
    internal int? WaitedFor { get; init; }
}

/// <summary>A message, from where it was sent to where it was given out; rows above the picture are below 0.</summary>
internal readonly record struct PictureArrow(int FromRow, int FromMember, int ToRow, int ToMember, string Tip);

/// <summary>
/// A stretch of a run as a sequence diagram: the server and the members as lifelines, tags downwards, messages as arrows
/// in the colour of their sender, grants as points, and those that had to wait as rings with a broken line to a bar at whom
/// they waited for.
/// </summary>
internal sealed record SequencePicture(
    string Title, IReadOnlyList<string> Members, IReadOnlyList<PictureRow> Rows, IReadOnlyList<PictureGrant> Grants,
    IReadOnlyList<PictureArrow> Arrows) : IChart
{
    private const double Left = 100;
    private const double NarrowColumn = 110;
    private const double RowHeight = 17;
    private const double FieldWidth = 1_080;
    private const double WidestColumn = 150;
    private const double HeadLength = 7;
    private const double HeadHalf = 3;
    private const double Aside = 5;
    private const double BarHalf = 4;

    private double ColumnWidth => Math.Min(WidestColumn, FieldWidth / (Members.Count + 1));

    // The last name reaches as far over its column as the others.
    private double Width => Left + (ColumnWidth * (Members.Count + 1)) + (IsNarrow ? ColumnWidth / 2 : 0) + 20;

    // Names beside each other in narrow columns stand in two lines in turn, each with room to both sides.
    private bool IsNarrow => ColumnWidth < NarrowColumn;

    private double Top => IsNarrow ? 64 : 46;

    private double Height => Top + (RowHeight * Rows.Count) + 14;

    /// <inheritdoc/>
    public void WriteTo(XmlWriter xml)
    {
        SvgCanvas canvas = new(xml, Title, Width, Height);
        DrawLifelines(canvas);
        DrawRows(canvas);

        foreach (PictureGrant grant in Grants)
        {
            DrawWait(canvas, grant);
        }

        foreach (PictureArrow arrow in Arrows)
        {
            DrawArrow(canvas, arrow);
        }

        foreach (PictureGrant grant in Grants)
        {
            DrawGrant(canvas, grant);
        }

        canvas.Close();
    }

    private static string Stroke(int member) => $"line s{member % ChartStyle.Colours}";

    private static string Fill(int member) => $"f{member % ChartStyle.Colours}";

    private static string Shorten(string name, double room)
    {
        const double LetterWidth = 9.2;
        return PageText.Shorten(name, Math.Max(5, (int)(room / LetterWidth)));
    }

    // The server stands left of all members.
    private double X(int member) => Left + (ColumnWidth * (member + 1.5));

    private double Y(int row) => Top + (RowHeight * (Math.Max(row, -0.6) + 0.7));

    private void DrawLifelines(SvgCanvas canvas)
    {
        for (int member = -1; member < Members.Count; member++)
        {
            string name = member < 0 ? "server" : Members[member];
            double room = (IsNarrow ? 2 : 1) * ColumnWidth;
            double y = Top - 20 - (IsNarrow && member % 2 == 0 ? 18 : 0);
            canvas.Text(
                new ChartPoint(X(member), y), (Shorten(PageText.Of(name), room - 4), name), member < 0 ? "mark" : "title",
                TextAnchor.Middle);
            canvas.Line(
                new ChartPoint(X(member), Top - 10), new ChartPoint(X(member), Height - 8),
                member < 0 ? "axis" : Stroke(member));
        }
    }

    private void DrawRows(SvgCanvas canvas)
    {
        for (int row = 0; row < Rows.Count; row++)
        {
            ChartPoint left = new(Left - 4, Y(row));
            canvas.Line(left, new ChartPoint(Width - 16, Y(row)), "grid");
            canvas.Text(new ChartPoint(left.X - 4, left.Y + 4), $"{Rows[row].Tag}", "mark", TextAnchor.End);

            if (Rows[row].Wall is long wall)
            {
                // Above its row's line, which would strike it through.
                canvas.Text(
                    new ChartPoint(X(-1) + 4, left.Y - 3),
                    string.Create(CultureInfo.InvariantCulture, $"{wall} ms"), "mark");
            }
        }
    }

    private void DrawWait(SvgCanvas canvas, in PictureGrant grant)
    {
        if (!grant.HasWaited)
        {
            return;
        }

        // To the one it waited for, or to the server: a barrier, or the pace. A little below the row, so that several
        // that waited for the same one are told apart by their slopes.
        ChartPoint root = new(X(grant.WaitedFor ?? -1), Y(grant.Row) + Aside);
        canvas.Line(root, new ChartPoint(X(grant.Member), Y(grant.Row)), "reference");
        canvas.Line(root with { Y = root.Y - BarHalf }, root with { Y = root.Y + BarHalf }, "range");
    }

    private void DrawGrant(SvgCanvas canvas, in PictureGrant grant)
    {
        ChartPoint at = new(X(grant.Member), Y(grant.Row));

        if (grant.HasWaited)
        {
            canvas.Ring(at, $"ring s{grant.Member % ChartStyle.Colours}", grant.Tip);
        }
        else
        {
            canvas.Mark(at, 0, Fill(grant.Member), grant.Tip);
        }
    }

    private void DrawArrow(SvgCanvas canvas, in PictureArrow arrow)
    {
        ChartPoint from = new(X(arrow.FromMember), Y(arrow.FromRow));
        ChartPoint to = new(X(arrow.ToMember), Y(arrow.ToRow));
        double dx = to.X - from.X;
        double dy = to.Y - from.Y;
        double length = Math.Sqrt((dx * dx) + (dy * dy));

        if (arrow.FromMember == arrow.ToMember || length < HeadLength)
        {
            DrawLoop(canvas, arrow, from, to);
            return;
        }

        (dx, dy) = (dx / length, dy / length);
        ChartPoint neck = new(to.X - (dx * HeadLength), to.Y - (dy * HeadLength));
        canvas.Line(from, neck, Stroke(arrow.FromMember));
        DrawHead(canvas, arrow, neck, to);
    }

    // A member's message to itself.
    private void DrawLoop(SvgCanvas canvas, in PictureArrow arrow, ChartPoint from, ChartPoint to)
    {
        double aside = Math.Min(22, ColumnWidth / 4);
        ChartPoint neck = new(to.X + HeadLength, to.Y);
        canvas.Path(
            [from, new ChartPoint(from.X + aside, from.Y), new ChartPoint(to.X + aside, to.Y), neck],
            Stroke(arrow.FromMember));
        DrawHead(canvas, arrow, neck, to);
    }

    private static void DrawHead(SvgCanvas canvas, in PictureArrow arrow, ChartPoint neck, ChartPoint to)
    {
        double dx = (to.X - neck.X) / HeadLength * HeadHalf;
        double dy = (to.Y - neck.Y) / HeadLength * HeadHalf;
        canvas.Shape(
            [new ChartPoint(neck.X - dy, neck.Y + dx), to, new ChartPoint(neck.X + dy, neck.Y - dx)],
            Fill(arrow.FromMember), arrow.Tip);
    }
}
