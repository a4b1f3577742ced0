namespace Gudp.Messaging.Lanes;

internal enum PieceKind : byte
{
    Data,
    Skip,

    /// <summary>A message of a message lane, or a part of it.</summary>
    Message,

    /// <summary>The same, sent before anything is known to be lost.</summary>
    MessageRepeat,

    /// <summary>A range of an ordered lane, sent before anything is known to be lost.</summary>
    DataRepeat,

    /// <summary>LaneSettled.</summary>
    Settled,
    Open,
    LaneCredit,
    ConnectionCredit,
    LaneTaken,
    Refusals,
    TakenIds,
    RefusedIds,
}

/// <summary>One thing that went out in a packet and must arrive, or be offered again.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Lane">Its lane, except of ConnectionCredit.</param>
/// <param name="WithOpen">Whether the lane's LaneOpen stood in the same packet.</param>
/// <param name="From">Data, Skip, TakenIds, RefusedIds: start; Message: the id; the others: the value sent.</param>
/// <param name="To">
/// Data, Skip, TakenIds, RefusedIds: up to and without; Message: see <see cref="Part"/>; LaneCredit: how far the lane had
/// received.
/// </param>
internal readonly record struct SentPiece(PieceKind Kind, byte Lane, bool WithOpen, long From, long To)
{
    // Attempt 8 bits, length 14, offset 30: the longest message has 1 GB.
    private const int LengthShift = 8;
    private const int OffsetShift = LengthShift + 14;
    private const int MostLength = (1 << 14) - 1;

    /// <summary>Data: how often it went out before, as far as that matters; at most 255.</summary>
    internal byte EarlierAttempts { get; init; }

    /// <summary>Data, Message: it was planned to go again before anything is known to be lost.</summary>
    internal bool IsRepeated { get; init; }

    /// <summary>Data, Skip: what it covers.</summary>
    internal OffsetRange Range => new(From, To);

    /// <summary>Whether it belongs to a sending lane; else it is a fact about a receiving one.</summary>
    internal bool IsContent => Kind <= PieceKind.Open;

    /// <summary>Message, MessageRepeat: which bytes of which message.</summary>
    internal MessagePart Part => new(
        From, (int)(To >> OffsetShift), (int)(To >> LengthShift) & MostLength, (byte)To);

    internal static SentPiece OfPart(PieceKind kind, byte lane, bool withOpen, in MessagePart part)
        => new(kind, lane, withOpen, part.Id, ((long)part.Offset << OffsetShift)
            | ((long)part.Length << LengthShift) | part.Attempt);
}

/// <summary>Bytes of one message that went out in one frame.</summary>
/// <param name="Id">Which message.</param>
/// <param name="Offset">Where they start in it.</param>
/// <param name="Length">How many; at most what a frame takes.</param>
/// <param name="Attempt">Which transmission of them it is, from 1; 255 stands for more.</param>
internal readonly record struct MessagePart(long Id, int Offset, int Length, byte Attempt);
