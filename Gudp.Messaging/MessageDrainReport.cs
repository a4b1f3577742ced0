using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>What a peer's messages had not come to when it was shut down (D-13.4).</summary>
/// <param name="Id">The peer.</param>
/// <param name="Remote">Its address.</param>
/// <param name="UntransmittedMessages">Accepted, and not wholly transmitted: the peer does not have them.</param>
/// <param name="UntransmittedBytes">Bytes that never went out; on ordered lanes with headers.</param>
/// <param name="UnconfirmedMessages">Transmitted, and not known to be received: the peer may have them.</param>
/// <param name="UnconfirmedBytes">Bytes of them that are not known to be received; on ordered lanes with headers.</param>
/// <param name="UntakenMessages">
/// Received, and asked with <see cref="SendOptions.NotifyTaken"/>, and not known to be taken or refused.
/// </param>
/// <param name="Open">
/// Receipts of messages without an end about which something was asked; the first <see cref="MostOpen"/>. Empty if the
/// connection had ended by itself: with it every message got its end.
/// </param>
/// <param name="CloseReason">
/// Why the connection ended, if it did before the shutdown was done and not by it; else null. Then what is counted here is
/// what was left at that moment.
/// </param>
public sealed record PeerDrain(
    PeerId Id,
    PeerAddress Remote,
    long UntransmittedMessages,
    long UntransmittedBytes,
    long UnconfirmedMessages,
    long UnconfirmedBytes,
    long UntakenMessages,
    IReadOnlyList<SendReceipt> Open,
    CloseReason? CloseReason)
{
    /// <summary>So many receipts are listed; 256.</summary>
    public const int MostOpen = 256;

    /// <summary>One line, for logs. Cold path.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Remote}: {UntransmittedMessages} messages ({UntransmittedBytes} B) not sent, {UnconfirmedMessages} "
            + $"({UnconfirmedBytes} B) not known to be received, {UntakenMessages} not known to be taken"
            + $"{(CloseReason is null ? "" : "; the connection had ended: ")}{CloseReason}");
}

/// <summary>
/// What <see cref="Peer.Shutdown"/> or <see cref="MessageEndpoint.Shutdown"/> could not bring to its end in time.
/// </summary>
public sealed record MessageDrainReport
{
    internal MessageDrainReport(IReadOnlyList<PeerDrain> peers) => Peers = peers;

    /// <summary>One entry per peer with something left; empty if nothing is.</summary>
    public IReadOnlyList<PeerDrain> Peers { get; }

    /// <summary>Everything accepted was received or given up on purpose, everything asked taken or refused.</summary>
    public bool IsComplete => Peers.Count == 0;

    /// <summary>One line per peer with something left, for logs. Cold path.</summary>
    public override string ToString()
        => IsComplete ? "Everything was delivered." : string.Join('\n', Peers.Select(static peer => peer.ToString()));
}
