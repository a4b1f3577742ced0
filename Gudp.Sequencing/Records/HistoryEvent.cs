namespace Gudp.Sequencing;

/// <summary>What a line of a history tells.</summary>
public enum HistoryEventKind
{
    /// <summary>A sequence point: the member was told that it is at a tag.</summary>
    Point,

    /// <summary>The member said that none of its later publications is below a tag.</summary>
    Promise,

    /// <summary>The member published a message.</summary>
    Publish,

    /// <summary>A message was given to the member.</summary>
    Receive,
}

/// <summary>
/// One event of a history that is to be checked, of Gudp or of any other system. Made by <see cref="Point"/>,
/// <see cref="Promise"/>, <see cref="Publish"/> and <see cref="Receive"/>.
/// </summary>
public readonly record struct HistoryEvent
{
    private HistoryEvent(HistoryEventKind kind, string member, Tag tag)
    {
        Kind = kind;
        Member = member;
        Tag = tag;
        Channel = "";
        Publisher = member;
    }

    /// <summary>What it tells.</summary>
    public HistoryEventKind Kind { get; }

    /// <summary>Whose event it is. The events of one member stand in the order in which they happened to it.</summary>
    public string Member { get; }

    /// <summary>The tag of the point or the promise, of the publication, or at which the message arrives.</summary>
    public Tag Tag { get; }

    /// <summary>The channel of the message; empty for other kinds.</summary>
    public string Channel { get; private init; }

    /// <summary>Who published the message; for other kinds the member itself.</summary>
    public string Publisher { get; private init; }

    /// <summary>The publisher's number of the message: with the publisher it names the message.</summary>
    public long SubSequence { get; private init; }

    /// <summary>
    /// Where the publisher was when it published. Null, the default: at its last point before the publication.
    /// </summary>
    public Tag? SendTag { get; init; }

    /// <summary>0, or the number of the duplicate that the channel's model made.</summary>
    public byte Copy { get; init; }

    /// <summary>A member is at a tag.</summary>
    /// <param name="member">Its name.</param>
    /// <param name="tag">Where it is.</param>
    public static HistoryEvent Point(string member, Tag tag) => new(HistoryEventKind.Point, member, tag);

    /// <summary>A member publishes nothing below a tag any more.</summary>
    /// <param name="member">Its name.</param>
    /// <param name="tag">The lowest tag it may still publish at.</param>
    public static HistoryEvent Promise(string member, Tag tag) => new(HistoryEventKind.Promise, member, tag);

    /// <summary>A member publishes.</summary>
    /// <param name="member">Its name.</param>
    /// <param name="subSequence">Its number of this message.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="at">The tag it names: the earliest the message may arrive.</param>
    public static HistoryEvent Publish(string member, long subSequence, string channel, Tag at)
        => new(HistoryEventKind.Publish, member, at) { SubSequence = subSequence, Channel = channel };

    /// <summary>A member is given a message.</summary>
    /// <param name="member">The receiver's name.</param>
    /// <param name="publisher">The publisher's name.</param>
    /// <param name="subSequence">The publisher's number of the message.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="arrival">When it arrives.</param>
    public static HistoryEvent Receive(
        string member, string publisher, long subSequence, string channel, Tag arrival)
        => new(HistoryEventKind.Receive, member, arrival)
        {
            Publisher = publisher,
            SubSequence = subSequence,
            Channel = channel,
        };
}
