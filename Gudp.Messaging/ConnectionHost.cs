using System;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging;

// Between a connection of Core and the session on it. The connection may live on when the session is over, because
// another connection took its place; then this end is deaf and mute.
//
// Always true: a session hears of its end once; after it, nothing of the connection reaches it.

/// <summary>A session's host that is a connection of Core, and the layer that connection has.</summary>
/// <remarks>The leader only, but for what <see cref="ISessionHost"/> allows.</remarks>
internal sealed class ConnectionHost(PayloadHost host, MessageEndpoint endpoint) : ISessionHost, IPacketPayload
{
    private MessageSession? _session;
    private MessageSession? _last;

    public int MaxFrameBytes => host.MaxFrameBytes;

    public int WindowRoomBytes => host.WindowRoomBytes;

    public TimeSpan SmoothedRtt => host.SmoothedRtt;

    public bool IsFinal => host.Connection.Status.IsFinal;

    public bool IsLedByCaller => host.IsLedByCaller;

    public Connection Connection => host.Connection;

    public bool HasDataToSend => _session is { HasDataToSend: true };

    public bool HasUnfinished => _session is { HasUnfinished: true };

    public SendBacklog Backlog => _session?.Backlog ?? default;

    public SendBacklog BacklogAtEnd => _session?.BacklogAtEnd ?? default;

    public Instant NextDeadline => _session?.NextDeadline ?? Instant.Never;

    /// <summary>The session, also when it is over. Any thread.</summary>
    internal MessageSession? LastSession => Volatile.Read(ref _last);

    /// <summary>The peer at the other end. Any thread.</summary>
    internal Peer Peer => Volatile.Read(ref _last)!.Peer;

    public void OnReadable() => endpoint.Ready.Add(Peer.Home);

    public void OnDiscarded()
    {
        // The peer may have another session by now, with messages of its own.
        if (Peer.Home is { } peer && peer.Session == _last)
        {
            endpoint.Ready.Remove(peer);
        }
    }

    public ITurnWatch? Watch => host.Watch;

    public void Wake() => host.Wake();

    public void WakeToSend(int bytes) => host.WakeToSend(bytes);

    public void Close(CloseReason reason) => host.Connection.Close(reason);

    public void CountRetransmit(int pieces) => host.CountRetransmit(pieces);

    public void AcceptForSink() => endpoint.AcceptForSink();

    public void HandleOpened(in PayloadParameters peer, Instant now)
    {
        if (endpoint.Peers.Open(_session!, this, host, now) is { } session)
        {
            session.HandleOpened(peer, now);

            if (endpoint.TakesInByItself)
            {
                host.TakeIn();
            }

            return;
        }

        endpoint.Sessions.Remove(_session!);
        _session = null;
        host.TakeIn();
        Close(new CloseReason(CloseCode.Busy, "This end knows as many peers as it may."));
    }

    public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now)
        => _session?.WriteFrames(packet, destination, now) ?? 0;

    // What nobody reads any more is not acknowledged: its sender must not take it for received.
    public PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now)
        => _session?.HandleFrames(packet, frames, now) ?? PayloadVerdict.Refused;

    public void HandleAcked(PacketNumber packet, Instant now) => _session?.HandleAcked(packet, now);

    public void HandleAckEnd(Instant now) => _session?.HandleAckEnd(now);

    public void HandleLost(PacketNumber packet, Instant now) => _session?.HandleLost(packet, now);

    public void HandleOverdue(PacketNumber packet, Instant now) => _session?.HandleOverdue(packet, now);

    public void HandleTimeout(Instant now) => _session?.HandleTimeout(now);

    public void HandleRest(Instant now) => _session?.HandleRest(now);

    public void HandleTurnEnd(Instant now) => _session?.HandleTurnEnd(now);

    public void HandleStatus(ConnectionStatus status, CloseReason? reason, Instant now)
    {
        bool isFinal = ((status.Reasons & FinalReasons.ClosedLocally) != 0 && reason is { Code: CloseCode.None })
            || reason is { Code: CloseCode.SocketError or CloseCode.LoopFault };

        // D-12.10
        if (!isFinal && _session is { IsOpen: false } waiting && endpoint.Peers.TryDialOn(waiting, now))
        {
            Leave(waiting);
            return;
        }

        End(status, reason, isFinal ? SessionFate.Final : SessionFate.Lost, now);
    }

    /// <summary>The connection gets its session, before anything happens on it: a new one, or one that waits.</summary>
    internal void Begin(MessageSession session)
    {
        if (session.Host != this)
        {
            session.MoveTo(this);
        }

        _session = session;
        Volatile.Write(ref _last, session);
        endpoint.Sessions.Add(session);
    }

    /// <summary>The session is over now, whatever still happens on the connection.</summary>
    internal void Supersede(CloseReason reason, Instant now)
    {
        Close(reason);
        End(Connection.Status, Connection.CloseReason, SessionFate.Superseded, now);
    }

    /// <summary>
    /// This connection has not opened, and another one to the same peer has: the session goes on there.
    /// </summary>
    internal void MoveTo(ConnectionHost other, MessageSession session)
    {
        CloseReason reason = new(CloseCode.Superseded, "The peer opened a connection before this end's was open.");
        endpoint.Sessions.RemoveUnused(other._session!);
        Leave(session);
        other.Begin(session);
        Close(reason);

        // The application was faster: what it wanted closed is the session, wherever it is.
        if (Connection.CloseReason is { } earlier && earlier != reason)
        {
            other.Close(earlier);
        }

        other.Wake();
    }

    // The session goes on another connection; what this one counted stays.
    private void Leave(MessageSession session)
    {
        ConnectionCounters counters = Connection.ReadCounters();
        _session = null;
        session.Peer.CountMoved(counters);
        endpoint.Sessions.CountLeft(counters);
    }

    private void End(ConnectionStatus status, CloseReason? reason, SessionFate fate, Instant now)
    {
        if (_session is { } session)
        {
            _session = null;
            session.HandleStatus(status, reason, now);
            endpoint.Sessions.Remove(session);
            endpoint.Peers.HandleEnded(session, fate, now);
        }
    }
}
