using System;
using System.Diagnostics;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging;

// The durable name of another process. Its sessions come and go, one per connection; at most two are kept: the present
// one, and the one before it while something of it was not fetched yet.
//
// Always true:
//   - there is a present session;
//   - a session becomes the former before its successor becomes the present one, so that nobody misses it;
//   - a peer with a home is another name of that one, for ever, and has nothing of its own.

/// <summary>
/// Another process as sender and receiver of messages: the same object from connection to connection (M34).
/// </summary>
/// <remarks>
/// A peer that connects again, at another address or after a restart with the id it had, is the same peer as long as the
/// endpoint knows it: while it is connected, pinned or blocked, or has messages here that were not read. What was received
/// on the connection before is handed out first; a message sent on one connection is never sent again on the next.
/// Any thread may call any member, except where a member says otherwise. Nothing here blocks but the members with a
/// time-out; in manual mode another thread must call <see cref="Daemon.ProcessIO"/> while they wait. What is sent
/// before the handshake is done waits; see <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>.
/// </remarks>
public sealed partial class Peer : IDisposable
{
    private readonly PeerTable? _table;
    private readonly WaitPoint _changes;
    private Peer? _home;
    private MessageSession _present;
    private MessageSession? _former;
    private object? _tag;

    /// <param name="session">The first.</param>
    /// <param name="table">Where it may be known; null for a session that stands alone.</param>
    internal Peer(MessageSession session, PeerTable? table)
    {
        _present = session;
        _changes = new WaitPoint(session.Host.Watch);
        _table = table;
    }

    /// <summary>
    /// Who it is, wherever it is; <c>default</c> before the handshake of a peer that was dialled has told.
    /// </summary>
    /// <remarks>
    /// A peer dialled at an address may prove to be one that is known already: both objects are then names for the same
    /// peer, and events name the one that was known before. Compare ids to tell.
    /// </remarks>
    public PeerId Id => Home.Identity?.Id ?? default;

    /// <summary>Its process: another number after a restart; 0 while <see cref="Id"/> is not known.</summary>
    public ulong Instance => Home.Identity?.Instance ?? 0;

    /// <summary>
    /// The number of its present session, as in <see cref="MessageId.Incarnation"/>: grows with each connection
    /// that opened; attempts of a pinned peer that fail have one number (D-12.10).
    /// </summary>
    public int Incarnation => Session.Incarnation;

    /// <summary>The present connection, for its counters and its path; after its end the last one.</summary>
    public Connection Connection => Session.Connection;

    /// <summary>The peer's address and port.</summary>
    public PeerAddress RemoteAddress => Connection.RemoteAddress;

    /// <summary>How the present connection stands: one atomic read.</summary>
    public ConnectionStatus Status => Connection.Status;

    /// <summary>Why it ended; null while it has not.</summary>
    public CloseReason? CloseReason => Connection.CloseReason;

    /// <summary>For the application's own use.</summary>
    public object? Tag
    {
        get => Home._tag;
        set => Home._tag = value;
    }

    internal MessageSession Session => Volatile.Read(ref Home._present);

    /// <summary>
    /// Where users wait, whichever of its sessions they wait for: so that no successor and no predecessor is missed.
    /// </summary>
    internal WaitPoint Changes => Home._changes;

    /// <summary>This object, or the one it is another name of.</summary>
    internal Peer Home
    {
        get
        {
            Peer peer = this;

            while (Volatile.Read(ref peer._home) is { } home)
            {
                peer = home;
            }

            return peer;
        }
    }

    /// <summary>Waits until the handshake is done.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False if the time passed or the connection ended first.</returns>
    public bool WaitUntilOpen(TimeSpan timeout)
    {
        Wait wait = new(timeout);

        while (true)
        {
            long seen = wait.Look(this);
            MessageSession session = Session;
            bool isOver = IsOver(session);

            if (isOver || session.IsOpen)
            {
                return !isOver;
            }

            if (!wait.TryWait(seen))
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Waits until everything accepted so far has its end: received by the peer, or given up; unreliable messages:
    /// acknowledged or lost.
    /// </summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False if the time passed, or the connection ended, first.</returns>
    public bool Flush(TimeSpan timeout)
    {
        Wait wait = new(timeout);
        MessageSession session = Session;

        while (true)
        {
            long seen = wait.Look(this);

            if (session.IsFlushed())
            {
                return true;
            }

            if (session.HasEnded || !wait.TryWait(seen))
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Ends the connection, and the wish to have one (<see cref="Unpin"/>): final here at once. What was accepted still
    /// goes out, as far as the peer's credit and <see cref="ConnectionConfig.LingerTimeout"/> allow, then the peer is
    /// told; <see cref="Flush"/> first to be sure.
    /// </summary>
    public void Close() => Close(Gudp.Core.CloseReason.ByApplication);

    /// <summary>Ends the connection with a reason for the peer.</summary>
    /// <param name="reason">Code and detail.</param>
    public void Close(CloseReason reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        GiveUp().Present.Close(reason);
    }

    /// <summary>
    /// Ends the connection and gives up what was not read. Messages still held stay valid until disposed.
    /// </summary>
    public void Dispose()
    {
        (MessageSession present, MessageSession? former) = GiveUp();
        present.Close(Gudp.Core.CloseReason.ByApplication);
        present.Discard();

        if (former is not null)
        {
            former.Discard();
            Home.DropIfDrained(former);
        }

        Home.LeaveIfOver(present);
    }

    // What comes after these two is another's: it is accepted anew.
    private (MessageSession Present, MessageSession? Former) GiveUp() => _table?.GiveUp(this) ?? (Session, null);

    /// <summary>One wait with one deadline, however often it looks again.</summary>
    private struct Wait(TimeSpan timeout)
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private WaitPoint? _changes;

        /// <summary>Where to wait, before looking at anything. Who becomes another's name signals it.</summary>
        internal long Look(Peer peer)
        {
            _changes = peer.Changes;
            return _changes.Version;
        }

        internal readonly bool TryWait(long seen) => _changes!.WaitPast(seen, Left);

        /// <summary>As above, but comes back after a step even if nothing changed.</summary>
        internal readonly bool TryWait(long seen, TimeSpan step)
        {
            TimeSpan left = Left;
            bool changed = _changes!.WaitPast(seen, left < step ? left : step);
            return changed || left > step;
        }

        private readonly TimeSpan Left
            => timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout - Stopwatch.GetElapsedTime(_start);
    }
}
