using System;
using System.Runtime.CompilerServices;

namespace Gudp.Messaging.Status;

/// <summary>What is counted per lane and direction; a place in <see cref="MessageCounts"/>.</summary>
internal enum MessageCount
{
    MessagesSent,
    BytesSent,
    TransfersReceived,
    TransfersExpired,
    TransfersCancelled,
    TransfersUnknown,
    TakesAsked,
    TakesTaken,
    TakesRefused,
    TakesExpired,
    TakesUnknown,
    RepeatsWritten,
    RepeatsDropped,
    MessagesReceived,
    BytesReceived,
    MessagesRefused,

    /// <summary>One per <see cref="Gudp.Core.SendStatus"/> from here on.</summary>
    FirstSendRefused,

    /// <summary>One per <see cref="MessageDrop"/> from here on.</summary>
    FirstDrop = FirstSendRefused + 12,

    End = FirstDrop + 12,
}

/// <summary>One number per <see cref="MessageCount"/>, without an array of its own.</summary>
[InlineArray((int)MessageCount.End)]
internal struct MessageCounts : IEquatable<MessageCounts>
{
    private long _first;

    /// <summary>Adds those of another lane or direction.</summary>
    internal void Add(in MessageCounts other)
    {
        for (int i = 0; i < (int)MessageCount.End; i++)
        {
            this[i] += other[i];
        }
    }

    public readonly bool Equals(MessageCounts other)
    {
        ReadOnlySpan<long> mine = this;
        ReadOnlySpan<long> theirs = other;
        return mine.SequenceEqual(theirs);
    }

    public override readonly bool Equals(object? obj) => obj is MessageCounts other && Equals(other);

    public override readonly int GetHashCode()
    {
        var hash = default(HashCode);

        foreach (long count in this)
        {
            hash.Add(count);
        }

        return hash.ToHashCode();
    }
}
