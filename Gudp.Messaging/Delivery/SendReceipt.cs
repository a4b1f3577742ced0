namespace Gudp.Messaging;

/// <summary>Names one message sent to one peer, for as long as the peer is known.</summary>
/// <param name="Incarnation">
/// Which connection it was sent on: <see cref="Peer.Incarnation"/> at that time, a number no other connection of the
/// endpoint has.
/// </param>
/// <param name="Lane">The lane it was sent on.</param>
/// <param name="Value">
/// Grows along a lane; on an ordered reliable lane the offset where the message ends (docs/protocol/delivery.md).
/// </param>
public readonly record struct MessageId(int Incarnation, int Lane, long Value)
{
    /// <summary>Whether the sender asked to be told when the message is taken; only then can that be known.</summary>
    public bool AsksTaken { get; init; }

    /// <summary>On an ordered reliable lane: how much of the stream the message takes, with its header.</summary>
    internal int StreamBytes { get; init; }

    /// <summary>
    /// On an ordered reliable lane: where the message starts, in terms that only its lane can read. Who changes another
    /// field, or takes the id elsewhere, has an id that names no place.
    /// </summary>
    internal ulong Seal { get; init; }
}

/// <summary>How far a message has come towards the peer's library. Only moves forward.</summary>
public enum TransferState
{
    /// <summary>
    /// The connection ended while the message was in flight: it may or may not have arrived. Or it is so long ago that
    /// it is not known any more whether it was given up (docs/protocol/delivery.md D-10.6).
    /// </summary>
    Unknown,

    /// <summary>Not yet, or not yet wholly, handed to the network.</summary>
    Queued,

    /// <summary>All of it was transmitted at least once.</summary>
    Sent,

    /// <summary>The peer's library has all of it; nothing of it is transmitted again (M1).</summary>
    Received,

    /// <summary>
    /// Given up: its time-out passed, its attempts were used up (on the unreliable modes: its packet was lost), or a newer
    /// message of its sequenced lane took its place. It may have arrived nevertheless.
    /// </summary>
    Expired,

    /// <summary>
    /// Given up because the sender said so: it may have arrived nevertheless, if a part of it was transmitted. Or the
    /// connection ended before all of it was transmitted: then the peer does not have it.
    /// </summary>
    Cancelled,
}

/// <summary>What the peer's application did with a message. Only moves forward.</summary>
public enum TakeState
{
    /// <summary>The sender did not ask.</summary>
    NotAsked,

    /// <summary>Asked, and not known yet.</summary>
    Pending,

    /// <summary>
    /// The peer's application disposed the message, or its handler or sink returned from it (M2). Implies received.
    /// </summary>
    Taken,

    /// <summary>
    /// The peer's application refused it; or its library threw it away unseen, because a newer message of the sequenced
    /// lane came first, the sender is blocked there, or an unreliable lane had no room. Implies received.
    /// </summary>
    Refused,

    /// <summary>Not taken before its time-out, or its transfer expired or was cancelled.</summary>
    Expired,

    /// <summary>The connection ended first, or it is too long ago.</summary>
    Unknown,
}

/// <summary>The sender's view of one message: two facts that become true one after the other.</summary>
/// <param name="Id">Which message.</param>
/// <param name="Transfer">Whether the peer's library has it.</param>
/// <param name="Take">Whether the peer's application has taken it.</param>
public readonly record struct SendReceipt(MessageId Id, TransferState Transfer, TakeState Take);

/// <summary>A change of a receipt that was asked for with <see cref="SendOptions"/> (M13).</summary>
/// <param name="Receipt">The receipt after the change.</param>
public readonly record struct ReceiptUpdate(SendReceipt Receipt);
