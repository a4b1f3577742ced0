// The message layer's end of one connection: decides what goes into the next packet and takes what comes in one.
//
// A packet is filled in this order: credit and confirmations, because others wait for them; content that was lost; the
// control lane; then the other lanes, each packet starting with the next one in turn.
//
// What went out is remembered piece by piece in one outbox. When a packet is acknowledged its pieces are settled; when
// it is lost, content goes out again as far as it is still missing, and facts (credits, confirmations) only if no newer
// value has been sent meanwhile, and then with their newest value.
//
// Always true:
//   - a piece is in the outbox, waits to be offered again, or is settled;
//   - bytes sent on all lanes but the control lane never exceed the connection's credit, in both directions;
//   - a packet from the peer is taken as a whole or not at all.

using System;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Config;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <remarks>
/// The leader only: what <see cref="IPacketPayload"/> asks for. Any thread: the members that <see cref="Peer"/> calls;
/// they meet the leader only in lanes, queues and the wait point.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The peer owns its sessions, not they it.")]
internal sealed partial class MessageSession : IPacketPayload
{
    internal const int ControlLane = 0;

    /// <summary>The payload protocol and its version, wire.md parameter 14.</summary>
    internal const int Protocol = 1;
    internal const int ProtocolVersion = 1;

    // The largest window anybody runs: 8192 packets of 1200 bytes are 10 MB in flight.
    private const int MostPiecesInFlight = 8192;

    private volatile ISessionHost _host;
    private readonly SessionConfig _config;
    private readonly MessageMemory _memory;
    private readonly GuardedSink? _sink;
    private readonly PeerTerms _peerTerms = new();
    private SendLane?[] _sendLanes;             // the config's, which are none, until the first is made
    private readonly SendSchedule _schedule;
    private LaneSet _sendLanesInUse;
    private int _wantsMemory;
    private int _wantsOpen;
    private bool _ended;
    private bool _isLast;
    private Peer _peer;

    // Set during a turn, published at its end.
    private bool _hasArrived;
    private bool _hasProgressed;
    private bool _hasOpened;
    private bool _toldFinal;
    private Instant _memoryRecheckAt = Instant.Never;

    internal MessageSession(
        ISessionHost host, MessagingConfig config, MessageMemory endpointMemory, IMessageSink? sink)
        : this(host, new SessionConfig(config), endpointMemory, sink)
    {
    }

    internal MessageSession(
        ISessionHost host, SessionConfig config, MessageMemory endpointMemory, IMessageSink? sink)
    {
        _host = host;
        _config = config;
        _memory = new MessageMemory(
            config.PeerMemoryBytes, endpointMemory, config.ToReceiveBytes, config.ToBeginBytes, config.FirstRingsBytes);
        _sink = sink is null ? null : new GuardedSink(sink, this);
        _sendLanes = config.NoSendLanes;
        _schedule = new SendSchedule(_sendLanes, config.Ranks, _peerTerms);
        _receiveLanes = config.NoReceiveLanes;
        _window = new ReceiveWindow(config.ConnectionCreditBytes);
        _tallies = config.NoTallies;
        _reading = new SlowWatch(config.SlowConsumerLimit, config.Lanes);
        _sending = new SlowWatch(config.SlowConsumerLimit, config.Lanes);
        _peer = new Peer(this, table: null);
    }

    /// <summary>
    /// Whose session this is. Any thread; changes once at most, when the handshake tells that the peer is known.
    /// </summary>
    internal Peer Peer
    {
        get => Volatile.Read(ref _peer);
        set => Volatile.Write(ref _peer, value);
    }

    /// <summary>
    /// Leader, before the handshake is done: another connection carries it from now on. What users have put in since is
    /// seen there, if the host is woken afterwards.
    /// </summary>
    internal void MoveTo(ISessionHost host)
    {
        Invariant.Require(!_peerTerms.IsKnown, "A session that is open stays where it is.");
        _host = host;
        HandWishTo(this);
    }

    /// <summary>What carries it now. Any thread.</summary>
    internal ISessionHost Host => _host;

    /// <summary>Its number among the sessions of the endpoint, in the ids of its messages.</summary>
    internal int Incarnation { get; init; }

    /// <summary>Where the lanes of both ends begin to count; zero but in tests.</summary>
    internal FirstPlaces FirstPlaces { get; init; }

    /// <summary>Of the endpoint, for ids of messages: one of another endpoint is none of ours.</summary>
    internal ulong EndpointSalt { get; init; }

    internal MessageMemory Memory => _memory;

    /// <summary>Where users wait for it: one place for all sessions of the peer.</summary>
    internal WaitPoint Changes => Peer.Changes;

    /// <summary>It has ended, and nobody dials its peer again. Any thread.</summary>
    internal bool IsLast => Volatile.Read(ref _isLast);

    /// <summary>Any thread, after something changed that users may wait for.</summary>
    internal void SignalChange()
    {
        // The peer may be told to be another one's name meanwhile: who does so signals after it, and sees the change.
        Interlocked.MemoryBarrier();
        Changes.Signal();
    }

    /// <summary>Nobody dials the peer again.</summary>
    internal void MarkLast()
    {
        Volatile.Write(ref _isLast, true);
        SignalChange();
    }

    /// <summary>Leader. The peer came back as another process.</summary>
    internal void TellRestarted(Instant now) => _sink?.HandlePeer(Peer, PeerChange.Restarted, now);

    internal bool HasSink => _sink is not null;

    /// <summary>The session was told that its connection is over. Any thread.</summary>
    internal bool HasEnded => Volatile.Read(ref _ended);

    /// <summary>
    /// The connection is final for its users, though what they have queued may still be going out. Any thread.
    /// </summary>
    internal bool IsFinal => _host.IsFinal || HasEnded;

    internal Connection Connection => _host.Connection;

    /// <summary>The handshake is done. Any thread.</summary>
    internal bool IsOpen => _peerTerms.IsKnown;

    /// <summary>What this end tells the other in the handshake.</summary>
    internal static PayloadParameters ParametersOf(MessagingConfig config) => new()
    {
        Protocol = Protocol,
        Version = ProtocolVersion,
        ConnectionCreditBytes = config.ConnectionCreditBytes,
        LaneCreditBytes = config.LaneRingBytes,
        LargestMessageBytes = config.MaxMessageBytes,
        Lanes = config.Lanes,
    };

    /// <inheritdoc/>
    public void HandleOpened(in PayloadParameters peer, Instant now)
    {
        Invariant.Require(!_peerTerms.IsKnown, "A connection opens once.");

        if (peer.LaneCreditBytes < LeastLaneCredit || peer.ConnectionCreditBytes < LeastLaneCredit || peer.Lanes < 3)
        {
            _host.Close(
                new CloseReason(CloseCode.ConfigMismatch, "The peer allows fewer lanes or less credit than it must."));
            return;
        }

        _connectionLimit = peer.ConnectionCreditBytes;
        _peerTerms.Learn(peer);
        _hasOpened = true;
        _sink?.HandlePeer(Peer, PeerChange.Opened, now);
    }

    /// <inheritdoc/>
    public void HandleTurnEnd(Instant now)
    {
        AssertInvariants();
        StampDeadlines(now);
        _hasProgressed |= Volatile.Read(ref _hasCancelled) != 0 && Interlocked.Exchange(ref _hasCancelled, 0) != 0;
        WatchConsumers(now);

        if (IsBlocked)
        {
            DropUnread();
        }

        if (_sink is not null && _memoryRecheckAt == Instant.Never
            && (Volatile.Read(ref _wantsMemory) != 0 || LacksMemoryToRead))
        {
            _memoryRecheckAt = now + WaitPoint.MemoryRecheck;
        }

        bool becameFinal = !_toldFinal && _host.IsFinal;
        bool writable = TakeOwedWritable();
        bool changed = writable | _hasArrived | _hasProgressed | _hasOpened | becameFinal;

        if (!changed)
        {
            return;
        }

        writable |= _hasProgressed && TakeWritable();

        // D-13.1
        writable |= _hasOpened && Interlocked.Exchange(ref _wantsOpen, 0) != 0;

        if (_sink is not null)
        {
            writable |= HandReceipts(_sink, now);
        }

        if (_hasArrived)
        {
            OfferToReaders();
        }

        _hasArrived = false;
        _hasProgressed = false;
        _toldFinal |= becameFinal;
        SignalChange();

        if (_hasOpened)
        {
            _hasOpened = false;

            if (_sink is not null)
            {
                _host.AcceptForSink();
            }
        }

        if (writable)
        {
            _sink?.HandlePeer(Peer, PeerChange.Writable, now);
        }
    }

    /// <inheritdoc/>
    public void HandleStatus(ConnectionStatus status, CloseReason? reason, Instant now)
    {
        Invariant.Require(!_ended, "A connection ends once.");
        Volatile.Write(ref _ended, true);

        for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
        {
            SendLaneAt(number).End();
        }

        EndReceiveLanes();

        SignalChange();

        if (Volatile.Read(ref _discarded))
        {
            _host.OnDiscarded();
        }

        if (_sink is { } sink)
        {
            _ = HandReceipts(sink, now);
            sink.HandlePeer(Peer, PeerChange.Closed, now);
        }
    }

    // Both counts are kept step by step elsewhere; here they are counted anew.
    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        long sent = 0;
        long received = 0;

        for (int lane = 0; lane < _sendLanes.Length; lane++)
        {
            sent += Volatile.Read(ref _sendLanes[lane])?.CreditedBytes ?? 0;
            received += _receiveLanes[lane]?.ChargedBytes ?? 0;
        }

        Debug.Assert(sent == _connectionSent, "What was sent is the sum over the credited lanes.");
        Debug.Assert(received == _window.Received, "What was received is the sum over the credited lanes.");
        Debug.Assert(!_peerTerms.IsKnown || sent <= _connectionLimit, "Nothing is sent beyond the peer's credit.");
        Debug.Assert(received <= _window.Granted, "Nothing is taken beyond the credit granted.");
    }

    private bool TakeWritable()
    {
        Interlocked.MemoryBarrier();
        bool writable = Interlocked.Exchange(ref _wantsMemory, 0) != 0;

        for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
        {
            writable |= SendLaneAt(number).TakeWritable();
        }

        return writable;
    }
}
