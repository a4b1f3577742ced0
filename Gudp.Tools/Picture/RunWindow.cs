using Gudp.Sequencing;

namespace Gudp.Tools.Picture;

/// <summary>A stretch of a run record, by tags.</summary>
internal readonly record struct TagRange(Tag? From, Tag? To)
{
    internal bool Has(Tag tag) => (From is not Tag from || tag >= from) && (To is not Tag to || tag <= to);
}

/// <summary>A message as a picture shows it: without its payload.</summary>
internal readonly record struct WindowMessage(MessageKey Key, string Channel, long Length);

/// <summary>A grant of the window.</summary>
/// <param name="Grant">Its count is that of the messages asked for.</param>
/// <param name="Messages">The first of them, at most <see cref="RunWindow.MostMessages"/>.</param>
internal sealed record WindowGrant(RecordedGrant Grant, IReadOnlyList<WindowMessage> Messages);

/// <summary>
/// The grants of a record within a range, at most so many: those with the smallest tags. Memory is what those need,
/// however long the record.
/// </summary>
internal sealed class RunWindow
{
    /// <summary>Of one grant; nobody tells more arrows apart.</summary>
    internal const int MostMessages = 300;

    private readonly List<WindowGrant> _grants = [];

    private RunWindow()
    {
    }

    /// <summary>By tag, then as recorded.</summary>
    internal IReadOnlyList<WindowGrant> Grants => _grants;

    /// <summary>Grants of the range that are not here.</summary>
    internal long LeftOut { get; private set; }

    /// <summary>The smallest tag of a grant that was left out; null if none was.</summary>
    internal Tag? LeftOutFrom { get; private set; }

    /// <param name="record">Read from end to end.</param>
    /// <param name="range">Grants outside are not counted.</param>
    /// <param name="channel">Only messages of this one; null: of all.</param>
    /// <param name="most">Grants, 1 or more.</param>
    internal static RunWindow Of(RunRecord record, TagRange range, string? channel, int most)
    {
        RunWindow window = new();
        PriorityQueue<WindowGrant, (Tag Tag, long Place)> kept = new(LastFirst);
        long place = 0;

        foreach (RecordedBatch batch in record.ReadGrants())
        {
            if (!range.Has(batch.Grant.Tag))
            {
                continue;
            }

            kept.Enqueue(Light(batch, channel), (batch.Grant.Tag, place++));

            if (kept.Count > most)
            {
                WindowGrant last = kept.Dequeue();
                window.LeftOut++;
                window.LeftOutFrom = Tag.Earlier(window.LeftOutFrom ?? Tag.Infinity, last.Grant.Tag);
            }
        }

        while (kept.TryDequeue(out WindowGrant? batch, out _))
        {
            window._grants.Add(batch);
        }

        window._grants.Reverse();
        return window;
    }

    private static readonly Comparer<(Tag Tag, long Place)> LastFirst
        = Comparer<(Tag Tag, long Place)>.Create((left, right) => right.CompareTo(left));

    private static WindowGrant Light(RecordedBatch batch, string? channel)
    {
        List<WindowMessage> messages = [];
        int count = 0;

        foreach (RecordedMessage message in batch.Messages)
        {
            if (channel is not null && message.Channel != channel)
            {
                continue;
            }

            if (++count <= MostMessages)
            {
                messages.Add(new WindowMessage(message.Key, message.Channel, message.Length));
            }
        }

        return new WindowGrant(batch.Grant with { Count = count }, messages);
    }
}
