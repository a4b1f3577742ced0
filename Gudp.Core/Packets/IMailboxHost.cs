namespace Gudp.Core.Packets;

/// <summary>What a <see cref="PacketMailbox"/> needs of its connection.</summary>
internal interface IMailboxHost
{
    /// <summary>Bytes of frames that fit the largest packet now. Any thread.</summary>
    int MaxFrameBytes { get; }

    /// <summary>For those who wait for packets or outcomes; null: they only sleep.</summary>
    ITurnWatch? Watch => null;

    /// <summary>Any thread.</summary>
    Instant Now { get; }

    /// <summary>Leader only.</summary>
    ConnectionCounterSet Counters { get; }

    /// <summary>True once users must not send any more. Any thread.</summary>
    bool IsFinal { get; }

    /// <summary>Any thread, after publishing: there may be something to tell the peer.</summary>
    void Wake();

    /// <summary>Any thread, after publishing: so many bytes of a packet wait to be sent.</summary>
    void WakeToSend(int bytes);

    /// <summary>Leader, while it hands frames in: the peer has room again, ask it at once (P-8.8).</summary>
    void AskProbe();
}
