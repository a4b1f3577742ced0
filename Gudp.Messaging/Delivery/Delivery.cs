namespace Gudp.Messaging;

/// <summary>What is promised about a message.</summary>
public enum Delivery
{
    /// <summary>
    /// Arrives exactly once, in the order of its lane, or the connection ends. Up to the largest message.
    /// </summary>
    OrderedReliable,

    /// <summary>
    /// Arrives at most once, in any order, or not at all. At most <see cref="Peer.MaxUnreliableBytes"/>; the receiver
    /// drops and counts it if nobody reads.
    /// </summary>
    Unreliable,
}
