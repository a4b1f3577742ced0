using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging;

/// <content>What the application wishes of a peer, whether it is connected or not (M6-M8).</content>
public sealed partial class Peer
{
    private bool _isPinned;
    private bool _isBlocked;
    private bool _isActive;

    /// <summary>Whether it is connected now. Any thread.</summary>
    public bool IsActive => Volatile.Read(ref Home._isActive);

    /// <summary>Whether it is wished to be connected; <see cref="Pin"/>. Any thread.</summary>
    public bool IsPinned => Volatile.Read(ref Home._isPinned);

    /// <summary>Whether its messages are dropped; <see cref="Block"/>. Any thread.</summary>
    public bool IsBlocked => Volatile.Read(ref Home._isBlocked);

    /// <summary>
    /// Wishes the peer to be connected (M6): it is dialled if it is not connected now, and again whenever a connection
    /// ends, after <see cref="MessagingConfig.ReconnectDelay"/> and then ever longer up to
    /// <see cref="MessagingConfig.MaxReconnectDelay"/>.
    /// </summary>
    /// <remarks>
    /// Until <see cref="Unpin"/>, <see cref="Close()"/> or <see cref="Dispose"/>. Meanwhile the peer is not final, but for
    /// the time between the end of a connection and the next attempt, when a send is refused as NotOpen, and not as
    /// Closed: <see cref="WaitToSend"/>, <see cref="SendAsync"/> and readers wait through it (D-13.5). What is sent while
    /// the peer is away waits as before the first handshake, however many attempts fail, and goes when a connection opens
    /// (D-12.10), unless its <see cref="SendOptions.ReceiveTimeout"/> passes first; on <see cref="Unpin"/> it ends as
    /// Cancelled with the attempt. A peer that cannot be dialled, because it listens nowhere, is waited for by trying.
    /// Nobody dials if the daemon's command queue was full or the daemon has stopped: the peer is closed, and may be
    /// pinned again.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// It was forgotten, and <see cref="MessagingConfig.MaxKnownPeers"/> others are known.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The endpoint was disposed.</exception>
    public void Pin() => _table?.Pin(this);

    /// <summary>
    /// Takes the wish back (M7). The connection stays as it is; when it ends, it is not dialled again, and the peer is
    /// forgotten once its messages were read.
    /// </summary>
    public void Unpin() => _table?.Unpin(this);

    /// <summary>
    /// Drops the messages of this peer (M8), those that wait and those that arrive, also on its next connections: counted,
    /// their credit given back, and refused to a sender that asked. The connection stays, and sending to it goes on.
    /// </summary>
    /// <remarks>A blocked peer is known until it is unblocked, connected or not.</remarks>
    /// <exception cref="InvalidOperationException">As <see cref="Pin"/>.</exception>
    public void Block() => _table?.SetBlocked(this, true);

    /// <summary>Takes its messages again, from those that arrive now on.</summary>
    public void Unblock() => _table?.SetBlocked(this, false);

    /// <summary>Connections that ended soon, or never opened, one after the other. Under the table's gate.</summary>
    internal int FailedAttempts { get; set; }

    /// <summary>When the present connection opened. Under the table's gate.</summary>
    internal Instant OpenedAt { get; set; }

    /// <summary>The connection that is active as the application was told; 0 for none. Under the table's gate.</summary>
    internal int ReportedIncarnation { get; set; }

    /// <summary>Its process at that time.</summary>
    internal ulong ReportedInstance { get; set; }

    /// <summary>Its place among the peers with a change to be told. Under the table's gate.</summary>
    internal LinkedListNode<Peer>? Change { get; set; }

    internal void SetPinned(bool pinned) => Volatile.Write(ref _isPinned, pinned);

    internal void SetActive(bool active) => Volatile.Write(ref _isActive, active);

    internal void SetBlocked(bool blocked)
    {
        Volatile.Write(ref _isBlocked, blocked);
        Session.SetBlocked(blocked);

        if (FormerSession is { } former)
        {
            former.SetBlocked(blocked);
            DropIfDrained(former);
        }
    }
}
