namespace Gudp.Messaging.Lanes;

internal enum PieceKind : byte
{
    Data,
    Skip,
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
/// <param name="From">Data, Skip, TakenIds, RefusedIds: start; the others: the value sent.</param>
/// <param name="To">Data, Skip, TakenIds, RefusedIds: up to and without.</param>
internal readonly record struct SentPiece(PieceKind Kind, byte Lane, bool WithOpen, long From, long To)
{
    /// <summary>Data: how often it went out before, as far as that matters; at most 255.</summary>
    internal byte EarlierAttempts { get; init; }

    /// <summary>Data, Skip: what it covers.</summary>
    internal OffsetRange Range => new(From, To);

    /// <summary>Whether it belongs to a sending lane; else it is a fact about a receiving one.</summary>
    internal bool IsContent => Kind <= PieceKind.Open;
}
