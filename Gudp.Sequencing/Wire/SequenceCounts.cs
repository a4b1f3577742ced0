using System;
using System.Runtime.CompilerServices;

namespace Gudp.Sequencing.Wire;

/// <summary>What is counted at a server; a place in <see cref="SequenceCounts"/>. The order is that of clause .</summary>
internal enum RunCount
{
    MessagesPublished,
    MessagesDelivered,
    MessagesDropped,
    MessagesLostBySender,
    MessagesLostByReceiver,
    MessagesDuplicated,
    Ties,
    StepsRepeated,
    SessionsResumed,
    AdmissionsRefused,
    ObserversDropped,
    PeeksAnswered,
    OperatorRequests,
    LogSealed,
    LogTrimmed,
    LogMessages,
    LogBytes,
    LogMessagesSent,
    LogQuestionsTrimmed,
    FramesIgnored,
    LinksGivenUp,
    MessagesIgnored,

    /// <summary>One per <see cref="SequencingError"/> that goes over the wire, from here on.</summary>
    FirstRefused,
}

/// <summary>What is counted at the end of a member, an operator or a reader; a place in <see cref="SequenceCounts"/>.</summary>
internal enum ClientCount
{
    FramesIgnored,
    LogMessagesRepeated,
    LogHolesAsked,

    /// <summary>One per <see cref="SequencingError"/> from here on.</summary>
    FirstRefused,
}

/// <summary>One number per <see cref="RunCount"/> or <see cref="ClientCount"/>, without an array of its own.</summary>
[InlineArray(Places)]
internal struct SequenceCounts : IEquatable<SequenceCounts>
{
    internal const int Places = 48;

    /// <summary>Numbers of errors on the wire are below; what never goes there has this place.</summary>
    internal const int LocalError = (int)SequencingError.NotAllowed + 1;

    private long _first;

    /// <summary>The place of an error behind the first one of its kind.</summary>
    internal static int PlaceOf(SequencingError error)
        => (uint)error < LocalError ? (int)error : LocalError;

    public readonly bool Equals(SequenceCounts other)
    {
        ReadOnlySpan<long> mine = this;
        ReadOnlySpan<long> theirs = other;
        return mine.SequenceEqual(theirs);
    }

    public override readonly bool Equals(object? obj) => obj is SequenceCounts other && Equals(other);

    public override readonly int GetHashCode()
    {
        HashCode hash = default;

        foreach (long count in this)
        {
            hash.Add(count);
        }

        return hash.ToHashCode();
    }
}
