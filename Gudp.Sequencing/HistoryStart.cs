using System;

namespace Gudp.Sequencing;

/// <summary>In which terms a late joiner says what of the past it wants.</summary>
public enum HistoryKind
{
    /// <summary>Nothing of it: only what arrives after it joined.</summary>
    Live = 0,

    /// <summary>The last so many messages of each of its channels.</summary>
    Last = 1,

    /// <summary>Everything kept that arrives at a tag or later.</summary>
    Tag = 2,

    /// <summary>Everything kept from a global sequence number on.</summary>
    Number = 3,

    /// <summary>The latest snapshot, and everything after it.</summary>
    Snapshot = 4,
}

/// <summary>
/// From where on a member that joins late, or an observer, wants the past (lock-time section 10). The default is
/// <see cref="Live"/>. It comes with the first grant, in the order of all messages, and is in the digest.
/// </summary>
public readonly record struct HistoryStart
{
    /// <summary>Only what arrives after the join.</summary>
    public static HistoryStart Live => default;

    /// <summary>The latest snapshot at or below the join, and what came after it.</summary>
    public static HistoryStart Snapshot => new() { Kind = HistoryKind.Snapshot };

    /// <summary>What the other members mean.</summary>
    public HistoryKind Kind { get; private init; }

    /// <summary>With <see cref="HistoryKind.Last"/>: messages per channel.</summary>
    public int Count { get; private init; }

    /// <summary>With <see cref="HistoryKind.Tag"/>: the first arrival.</summary>
    public Tag Tag { get; private init; }

    /// <summary>With <see cref="HistoryKind.Number"/>: the first global sequence number.</summary>
    public long Number { get; private init; }

    /// <summary>The last messages of each channel.</summary>
    /// <param name="count">How many of each; 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public static HistoryStart Last(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new HistoryStart { Kind = HistoryKind.Last, Count = count };
    }

    /// <summary>Everything kept that arrives at <paramref name="tag"/> or later.</summary>
    public static HistoryStart Since(Tag tag) => new() { Kind = HistoryKind.Tag, Tag = tag };

    /// <summary>Everything kept from a global sequence number on.</summary>
    /// <param name="number">0 to 2^62 - 1; numbers count from 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public static HistoryStart FromNumber(long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)number, Gudp.Core.VarInt.MaxValue, nameof(number));
        return new HistoryStart { Kind = HistoryKind.Number, Number = number };
    }
}
