using System;
using System.Globalization;

namespace Gudp.Sequencing;

/// <summary>
/// The place of a message in the one total order (lock-time 7.1): unique in a run, and independent of network and load.
/// </summary>
/// <param name="Arrival">When it arrives; the first thing that orders.</param>
/// <param name="SendTag">The grant its publisher had when it published.</param>
/// <param name="Publisher">The publisher's ordinal.</param>
/// <param name="SubSequence">Counts the publisher's messages over the whole run, from 1.</param>
/// <param name="Copy">0, or 1 for a duplicate that the channel's model made.</param>
public readonly record struct MessageKey(Tag Arrival, Tag SendTag, int Publisher, long SubSequence, byte Copy)
    : IComparable<MessageKey>
{
    /// <summary>Before.</summary>
    public static bool operator <(MessageKey left, MessageKey right) => left.CompareTo(right) < 0;

    /// <summary>Behind.</summary>
    public static bool operator >(MessageKey left, MessageKey right) => left.CompareTo(right) > 0;

    /// <summary>Not behind.</summary>
    public static bool operator <=(MessageKey left, MessageKey right) => left.CompareTo(right) <= 0;

    /// <summary>Not before.</summary>
    public static bool operator >=(MessageKey left, MessageKey right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public int CompareTo(MessageKey other)
    {
        int order = Arrival.CompareTo(other.Arrival);
        order = order != 0 ? order : SendTag.CompareTo(other.SendTag);
        order = order != 0 ? order : Publisher.CompareTo(other.Publisher);
        order = order != 0 ? order : SubSequence.CompareTo(other.SubSequence);
        return order != 0 ? order : Copy.CompareTo(other.Copy);
    }

    /// <summary>"arrival 7, sent at 0 by member 1 as its number 4", and "copy 1" if it is one.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"arrival {Arrival}, sent at {SendTag} by member {Publisher} as its number {SubSequence}")
        + (Copy == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", copy {Copy}"));
}
