using System.Collections.Generic;

namespace Gudp.Sequencing;

/// <summary>What is asked of a history besides what always holds. The defaults are those of lock-time.</summary>
public sealed class HistoryRules
{
    /// <summary>
    /// Whether a member may be at the same tag twice, as after <c>To(N)</c>. Default no: points strictly increase.
    /// </summary>
    public bool PointsMayRepeat { get; init; }

    /// <summary>
    /// Whether the messages of a point stand behind it. Default no: they stand before it, as in the digest.
    /// </summary>
    public bool MessagesFollowPoint { get; init; }

    /// <summary>
    /// Whether messages of one arrival from different publishers may come in any order, as with seeded ties. Default
    /// no: by send tag, then by the publishers' names in the order of their UTF-8 bytes, then by number.
    /// </summary>
    public bool TiesAreFree { get; init; }

    /// <summary>
    /// Look-ahead by member: the least distance from a point to what is published at it. Default none for all: a
    /// publication is only later than the point.
    /// </summary>
    public IReadOnlyDictionary<string, Delay> Lookahead { get; init; } = new Dictionary<string, Delay>();

    /// <summary>
    /// Members that should have every message of a channel that anybody has, by channel. Asked of a member between its
    /// first and its last point; of one without points, always. Default none: nobody is asked.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<string>> Subscribers { get; init; }
        = new Dictionary<string, IReadOnlyCollection<string>>();
}

/// <summary>A rule that a history breaks.</summary>
public enum HistoryRule
{
    /// <summary>A message arrives at or before the tag it was sent at, or before the tag it was published at.</summary>
    Noncausal,

    /// <summary>A publication at or before the member's last point, or the last message it was given.</summary>
    PublishedInThePast,

    /// <summary>A publication nearer than the look-ahead, or below a promise.</summary>
    PublishedTooEarly,

    /// <summary>A point that is not after the one before it.</summary>
    PointNotAfterLast,

    /// <summary>A message that arrives at or before a point the member had left behind.</summary>
    DeliveredTooLate,

    /// <summary>A message that belongs before one the member was given earlier.</summary>
    OutOfOrder,

    /// <summary>The same message, and the same copy of it, twice for one member.</summary>
    Duplicate,

    /// <summary>Two publications of one member with the same number.</summary>
    RepeatedNumber,

    /// <summary>A message that nobody published.</summary>
    NeverPublished,

    /// <summary>A message on another channel than the one it was published to.</summary>
    OtherChannel,

    /// <summary>A message that another member was given, and this one should have been given as well.</summary>
    Missing,
}

/// <summary>One violation.</summary>
/// <param name="Rule">What is broken.</param>
/// <param name="EventIndex">
/// The event that breaks it, from 0; of a missing message the publication, or the first delivery if there is none.
/// </param>
/// <param name="Member">Whose violation it is.</param>
/// <param name="Text">Names the event, the member and the tags.</param>
public readonly record struct HistoryViolation(HistoryRule Rule, int EventIndex, string Member, string Text)
{
    /// <summary>The text.</summary>
    public override string ToString() => Text;
}
