using System.Globalization;
using Gudp.Sequencing;
using Gudp.Tools.Charts;
using Gudp.Tools.Output;

namespace Gudp.Tools.Picture;

/// <summary>A run record as a page: who was in it, what came from outside, and the run as sequence diagrams.</summary>
internal sealed class RunPage
{
    /// <summary>Grants in one page; a browser still scrolls through them.</summary>
    internal const int MostGrants = 4_000;

    /// <summary>Rows of one diagram: as many as are read without losing the names at its head.</summary>
    internal const int MostRows = 60;

    /// <summary>Arrows of one diagram.</summary>
    internal const int MostArrows = 1_200;

    private const int MostFacts = 100;

    private readonly RunRecord _record;
    private readonly RunWindow _window;
    private readonly Dictionary<int, int> _columnOf = [];
    private readonly List<string> _names = [];

    private RunPage(RunRecord record, RunWindow window)
    {
        _record = record;
        _window = window;

        foreach (RecordedMember member in record.Members)
        {
            _columnOf.Add(member.Ordinal, _names.Count);
            _names.Add(member.Name);
        }
    }

    internal static string Draw(RunRecord record, string title, TagRange range, string? channel)
        => new RunPage(record, RunWindow.Of(record, range, channel, MostGrants)).Draw(title);

    private string Draw(string title)
    {
        HtmlPage page = new($"Run {title}");
        page.Paragraph($"{_record.Head.Version}; config hash {_record.Head.ConfigHash:x16}; "
            + (_record.RunDigest is ulong digest ? $"complete, run digest {digest:x16}." : "left before its end.")
            + (_record.CutReason is string cut ? $" The end of the file is torn: {cut}." : ""));
        page.Table(Members());
        AddFacts(page);
        page.Heading("Sequence");
        page.Paragraph("Downwards: tags, one row for each at which something was sent or granted. Points are grants, rings those "
            + "that had to wait; an arrow goes from where a message was sent to the grant that gave it out, in the colour of its "
            + "sender. A broken line leads from the ring to a bar at the member it waited for, or at the server for a barrier or "
            + "the pace. Beside the server: wall time since the record began. Hold the pointer over a point, an arrowhead or a "
            + "name for what it is.");
        AddPictures(page);
        return page.ToHtml();
    }

    private PageTable Members()
    {
        PageTable table = new("member", "grants", "messages", "last grant", "digest");

        foreach (RecordedMember member in _record.Members)
        {
            table.Add(
                member.Name, Units.Count(member.EndGrant - member.FirstGrant), Units.Count(member.Deliveries),
                $"{member.LastTag}", member.LastDigest.ToString("x16", CultureInfo.InvariantCulture));
        }

        return table;
    }

    private void AddFacts(HtmlPage page)
    {
        if (_record.Facts.Count == 0)
        {
            return;
        }

        PageTable table = new("from outside", "whom", "tag", "wall time")
        {
            Caption = _record.Facts.Count > MostFacts
                ? $"The first {MostFacts} of {Units.Count(_record.Facts.Count)}."
                : "",
        };

        foreach (RecordedFact fact in _record.Facts.Take(MostFacts))
        {
            table.Add(fact.What, fact.Name, $"{fact.Tag}", $"{fact.WallMilliseconds} ms");
        }

        page.Table(table);
    }

    private void AddPictures(HtmlPage page)
    {
        List<PictureRow> rows = Rows();

        if (_window.Grants.Count == 0)
        {
            page.Paragraph("Nothing was granted in this range.");
        }

        for (int start = 0; start < rows.Count; start += MostRows)
        {
            SequencePicture picture = Picture(rows, start, out int leftOut);
            page.Charts(picture);

            if (leftOut > 0)
            {
                page.Paragraph($"{Units.Count(leftOut)} more messages of this part are not drawn.");
            }
        }

        if (_window.LeftOutFrom is Tag from)
        {
            page.Paragraph($"{Units.Count(_window.LeftOut)} grants from tag {from} on are left out; see them with "
                + $"--from {from.Time}.");
        }
    }

    private List<PictureRow> Rows()
    {
        SortedDictionary<Tag, long?> rows = [];
        Tag first = _window.Grants.Count > 0 ? _window.Grants[0].Grant.Tag : Tag.Zero;

        foreach ((RecordedGrant grant, IReadOnlyList<WindowMessage> messages) in _window.Grants)
        {
            long? wall = rows.GetValueOrDefault(grant.Tag);
            rows[grant.Tag] = wall is long before ? Math.Max(before, grant.WallMilliseconds) : grant.WallMilliseconds;

            foreach (WindowMessage message in messages)
            {
                if (message.Key.SendTag >= first)
                {
                    rows.TryAdd(message.Key.SendTag, null);
                }
            }
        }

        return [.. rows.Select(row => new PictureRow(row.Key, row.Value))];
    }

    private SequencePicture Picture(List<PictureRow> rows, int start, out int leftOut)
    {
        List<PictureRow> part = rows[start..Math.Min(start + MostRows, rows.Count)];
        Dictionary<Tag, int> rowOf = part.Select((row, i) => (row.Tag, i)).ToDictionary(row => row.Tag, row => row.i);
        List<PictureGrant> grants = [];
        List<PictureArrow> arrows = [];
        leftOut = 0;

        foreach ((RecordedGrant grant, IReadOnlyList<WindowMessage> messages) in _window.Grants)
        {
            if (!rowOf.TryGetValue(grant.Tag, out int row))
            {
                continue;
            }

            grants.Add(GrantAt(grant, row));
            int room = MostArrows - arrows.Count;
            leftOut += grant.Count - Math.Min(messages.Count, room);
            arrows.AddRange(messages.Take(room).Select(message => ArrowTo(grant, row, message, rowOf)));
        }

        return new SequencePicture($"From tag {part[0].Tag} to {part[^1].Tag}", _names, part, grants, arrows);
    }

    private PictureGrant GrantAt(in RecordedGrant grant, int row)
    {
        string name = NameOf(grant.Member);
        string waited = grant.WaitedBecause == WaitKind.None
            ? "at once"
            : $"waited {grant.WaitedMilliseconds} ms for {Root(grant)} ({grant.WaitedBecause})";
        string final = grant.IsFinal ? ", final" : "";

        return new PictureGrant(
            row, _columnOf[grant.Member],
            $"{name}: grant {grant.Index} at {grant.Tag}, {grant.Count} messages, {waited}, "
            + $"{grant.WallMilliseconds} ms after the start{final}")
        {
            HasWaited = grant.WaitedBecause != WaitKind.None,
            WaitedFor = grant.WaitedFor is int root && _columnOf.TryGetValue(root, out int column) ? column : null,
        };
    }

    private string Root(in RecordedGrant grant) => grant.WaitedFor is int root ? NameOf(root) : "the server";

    private PictureArrow ArrowTo(in RecordedGrant grant, int row, WindowMessage message, Dictionary<Tag, int> rowOf)
    {
        MessageKey key = message.Key;
        string copy = key.Copy > 0 ? ", a duplicate" : "";
        return new PictureArrow(
            rowOf.TryGetValue(key.SendTag, out int from) ? from : -1,
            _columnOf.TryGetValue(key.Publisher, out int sender) ? sender : _columnOf[grant.Member],
            row,
            _columnOf[grant.Member],
            $"{message.Channel}: message {key.SubSequence} of {NameOf(key.Publisher)}, sent at {key.SendTag}, "
            + $"arrives at {key.Arrival}, {message.Length} bytes{copy}");
    }

    private string NameOf(int ordinal) => _columnOf.TryGetValue(ordinal, out int column)
        ? _names[column]
        : $"member {ordinal}";
}
