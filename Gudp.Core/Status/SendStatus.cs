namespace Gudp.Core;

/// <summary>What became of a send. Everything but <see cref="Accepted"/> took nothing and may be tried again.</summary>
public enum SendStatus
{
    /// <summary>Taken over; the caller's memory may be reused.</summary>
    Accepted,

    /// <summary>The lane's own limit is reached.</summary>
    LaneFull,

    /// <summary>The connection's limit is reached: <c>Connections.Queues.SendPackets</c> or <c>SendBytes</c>.</summary>
    PeerFull,

    /// <summary>The daemon's limit is reached: <c>MemoryBudgetBytes</c> or its queue of commands.</summary>
    DaemonFull,

    /// <summary>The peer allows no more until its application takes something.</summary>
    NoCredit,

    /// <summary>It will never fit: larger than a packet or message may be.</summary>
    TooLarge,

    /// <summary>The handshake is not done yet.</summary>
    NotOpen,

    /// <summary>
    /// So many updates wait that one more might find no room: take them. At most <c>Connections.Queues.SendPackets</c>
    /// of Core's own packets, 4096 of a lane of messages.
    /// </summary>
    UpdatesFull,

    /// <summary>The connection has ended; its status and close reason say why. Final.</summary>
    Closed,
}
