using System;
using Gudp.Core.Config;
using Gudp.Core.Congestion;
using Gudp.Core.Wire;
using static Gudp.Core.Spans;

namespace Gudp.Core.Engine;

// One virtual connection as an object without I/O: datagrams, commands and moments go in, datagrams and the next
// deadline come out. Handling input only records; PollTransmit turns what was recorded into at most one datagram.
//
// Always true:
//   - the state changes in Enter only, along ConnectionTable;
//   - a packet number is used once, and the fate of a packet with payload is told to the payload layer once;
//   - bytes in flight are the sum over the open slots of the sent ring (recounted there);
//   - nothing but goodbyes leaves after Flushing, and nothing at all after Draining;
//   - the status word is final before the state is Closing, Draining or Ended.

/// <summary>State of one connection; owned by whoever leads the turn.</summary>
internal sealed partial class ConnectionEngine
{
    private const int GoodbyesToSend = 3;
    private const int LateAnswersAtMost = 3;

    // Until the peer says what its socket holds: the least any system grants by default.
    private const int AssumedPeerBufferBytes = 128 * 1024;

    private static readonly TimeSpan ShortestGoodbyeGap = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestGoodbyeGap = TimeSpan.FromMilliseconds(50);

    private readonly EndpointSettings _endpoint;
    private readonly SharedConfig _config;
    private readonly IConnectionOwner _owner;
    private readonly StatusWord _status;
    private readonly ConnectionCounterSet _counters;
    private readonly IPacketPayload _payload;
    private readonly ClientHandshake? _handshake;

    private readonly SentPacketRing _sent;
    private readonly ReceiveWindow _received;
    private readonly RttEstimator _rtt;
    private readonly LossDetector _loss;
    private Pacer _pacer;                           // of the present path, as the controller
    private readonly EagerBudget _eager = new();
    private readonly AckSchedule _acks;
    private readonly NumberSkips _skips;
    private readonly SettledNotice _settled = new();
    private readonly KeepAlive _alive;
    private readonly QualityWatch? _quality;        // null: no limit is configured
    private readonly TimerTable _timers = new();
    private readonly ConnectionTrace? _trace;

    private ConnectionState _state = ConnectionState.Idle;
    private ulong _peerId;
    private bool _payloadToldEnd;
    private int _goodbyesLeft;
    private int _lateAnswersLeft;
    private bool _lateAnswerOwed;

    /// <summary>Makes the engine of a connection this end opens (with a handshake) or admitted (without).</summary>
    internal ConnectionEngine(
        EndpointSettings endpoint,
        IConnectionOwner owner,
        PeerAddress remote,
        ulong localId,
        ClientHandshake? handshake)
    {
        _endpoint = endpoint;
        _owner = owner;
        _config = owner.Config;
        _status = owner.StatusWord;
        _counters = owner.Counters;
        _payload = owner.Payload;
        _handshake = handshake;
        RemoteAddress = remote;
        LocalId = localId;
        _trace = endpoint.Trace is null ? null : new ConnectionTrace(endpoint.Trace, localId);

        LossConfig loss = _config.Loss;
        _probe = new PathProbe(_config.Path.RaiseInterval);
        _validator = new PathValidator(endpoint.Identity.Secrets, WireFormat.MinAckElicitingBytes);
        _idInUse = localId;
        _sent = new SentPacketRing(
            Math.Min(InitialSentSlots, endpoint.SentSlots), endpoint.SentSlots, endpoint.FirstNumbers.Packet);
        _received = new ReceiveWindow(endpoint.FirstNumbers.Packet);
        _rtt = new RttEstimator(loss.FirstRoundTrip);
        _loss = new LossDetector(
            _sent, _rtt, RulesOf(loss));
        _controller = CongestionControllers.Make(_config.Congestion, PacketBytes);
        _pacer = MakePacer();
        _acks = new AckSchedule(loss, endpoint.ReceiveBufferBytes);
        _skips = new NumberSkips(endpoint.Identity.Secrets);
        _alive = new KeepAlive(_config.Whole);
        _quality = _config.Quality == default ? null : new QualityWatch(_config.Quality);
    }

    /// <summary>Where packets go; another one only after it was proved (P-9.7).</summary>
    internal PeerAddress RemoteAddress { get; private set; }

    /// <summary>The id in packets that come to us.</summary>
    internal ulong LocalId { get; }

    internal IConnectionOwner Owner => _owner;

    internal ConnectionState State => _state;

    internal bool IsServer => _handshake is null;

    /// <summary>The peer's instance number: another one at the same address means that it was restarted.</summary>
    internal ulong PeerInstance { get; private set; }

    /// <summary>Place in the deadline heap; owned by the heap.</summary>
    internal int HeapIndex { get; set; } = -1;

    /// <summary>True while the loop has it in its ready list; owned by the loop.</summary>
    internal bool IsReady { get; set; }

    internal Instant NextDeadline => HasTimeForPayload
        ? Instant.Earlier(_timers.Next, _payload.NextDeadline)
        : _timers.Next;

    // What users have queued grows old while the handshake is still to come.
    private bool HasTimeForPayload
        => _state is ConnectionState.Opening or ConnectionState.Open or ConnectionState.Flushing;

    /// <summary>Starts the client's handshake.</summary>
    internal void Open(Instant now)
    {
        Invariant.Require(_handshake is not null, "Only the client's end opens.");
        Invariant.Require(_state == ConnectionState.Idle, "A connection is opened once.");
        Enter(ConnectionEvent.OpenAsked, now);
        Instant start = now + _owner.StartsAfter;
        _handshake.StartAt(start);
        _timers.Set(TimerKind.Handshake, start);
        _timers.Set(TimerKind.Idle, start + _config.HandshakeTimeout);
    }

    /// <summary>The server's end: the peer has proved its address and finished the handshake.</summary>
    internal void Admit(ulong peerId, in PeerTerms peer, Instant now)
    {
        Invariant.Require(_handshake is null, "Only the server's end admits.");
        Invariant.Require(_state == ConnectionState.Idle, "A connection is opened once.");
        Enter(ConnectionEvent.PeerAdmitted, now);
        _handshakeDone.Owe();
        TakePeerTerms(peerId, peer, now);
    }

    /// <summary>
    /// It dials, and the peer has shown that it is there but not yet that it holds the connection.
    /// </summary>
    internal bool IsDialling => _handshake is { HasHeardServer: true, IsConfirmed: false }
        && _state is ConnectionState.Opening or ConnectionState.Open;

    /// <summary>Looks at what user threads asked for: a close, or something to send.</summary>
    internal void HandleTouch(Instant now)
    {
        if (_status.Read().IsFinal && _state is ConnectionState.Idle or ConnectionState.Opening or ConnectionState.Open)
        {
            Enter(ConnectionEvent.CloseAsked, now);
        }
    }

    /// <summary>The user's close, or the daemon's: final for users at once; see <see cref="HandleTouch"/>.</summary>
    internal void Close(FinalReasons reasons, CloseReason reason, Instant now)
    {
        _status.End(reasons, reason);
        HandleTouch(now);
    }

    /// <summary>Ends at once and without a goodbye: nothing can be said, or nobody is there to hear it.</summary>
    internal void End(FinalReasons reasons, CloseReason reason, Instant now)
    {
        _status.End(reasons, reason);
        Enter(ConnectionEvent.CutOff, now);
    }

    internal void HandleTimeout(Instant now)
    {
        while (_timers.TryExpire(now, out TimerKind kind))
        {
            HandleTimer(kind, now);
        }

        if (HasTimeForPayload && _payload.NextDeadline <= now)
        {
            _payload.HandleTimeout(now);
        }
    }

    /// <summary>The turn is over for this connection: publish what changed.</summary>
    internal void HandleTurnEnd(Instant now)
    {
        if (_state == ConnectionState.Flushing && IsFlushed)
        {
            Enter(ConnectionEvent.Flushed, now);
        }

        EndIfTooPoor(now);
        SendBacklog backlog = _payload.Backlog;

        if (_state is ConnectionState.Open or ConnectionState.Flushing)
        {
            ArmTimers(now);
            _twoMode.Advance(now);
            _owner.Publish(MaxFrameBytes, _rtt.HasSample ? _rtt.Smoothed : TimeSpan.Zero);
            _counters.SmoothedRtt = _rtt.HasSample ? _rtt.Smoothed : TimeSpan.Zero;
            _counters.LatestRtt = _rtt.HasSample ? _rtt.Latest : TimeSpan.Zero;
            _counters.MinRtt = _rtt.HasSample ? _rtt.Minimum : TimeSpan.Zero;
            _counters.WindowBytes = WindowBytes;
            _counters.BytesInFlight = _sent.BytesInFlight;
            _trace?.OnTurnEnd(TraceMetrics, Level, PacketBytes, now);
            _trace?.OnRemote(RemoteAddress, now);
            _payload.HandleTurnEnd(now);
            PublishForecast(backlog, now);
        }
        else if (_state == ConnectionState.Opening)
        {
            _payload.HandleTurnEnd(now);
        }

        if (_state is ConnectionState.Opening or ConnectionState.Open)
        {
            PublishLevels(backlog, now);
        }
    }

    private int MaxFrameBytes => PacketBytes - WireFormat.MaxShortHeaderBytes - WireFormat.TrailerBytes;

    private TraceMetrics TraceMetrics => new(
        _counters.LatestRtt, _counters.SmoothedRtt, _counters.MinRtt, WindowBytes, _sent.BytesInFlight)
    {
        PacingBytesPerSecond = IsPaced ? _pacer.BytesPerSecond : 0,
        PtoCount = _loss.PtoCount,
    };

    private bool IsFlushed => !_payload.HasUnfinished && _sent.BytesInFlight == 0;

    private void TakePeerTerms(ulong peerId, in PeerTerms peer, Instant now)
    {
        _peerId = peerId;
        PeerInstance = peer.Instance;
        _owner.HandleIdentified(peer.PeerId, peer.Instance);
        _alive.OnOpened(peer.IdleTimeout, now);
        _loss.MaxAckDelay = peer.MaxAckDelay;

        BeginPath(peer);
        _payload.HandleOpened(peer.Payload, now);
        NoteBusy(now);

        if (_config.Loss.AskSameAcks)
        {
            _ackFrequency.Owe();
        }

        _status.TrySetOpen();
        _timers.Clear(TimerKind.Handshake);
        _timers.Set(TimerKind.Idle, _alive.IdleDeadline);
    }

    private void HandleTimer(TimerKind kind, Instant now)
    {
        switch (kind)
        {
            case TimerKind.Idle:
                HandleSilence(now);
                break;
            case TimerKind.Loss:
                HandleLossTimer(now);
                break;
            case TimerKind.Ack:
                _acks.OnTimer();
                break;
            case TimerKind.Heartbeat:
                _pingOwed = true;
                _counters.HeartbeatsSent++;
                _alive.OnHeartbeat(now);
                break;
            case TimerKind.Eager:
                OfferOverdue(now);
                break;
            case TimerKind.Close:
                HandleCloseTimer(now);
                break;
            case TimerKind.Path:
                HandlePathTimer(now);
                break;
            case TimerKind.Rest:
                HandleRestTimer(now);
                break;
            case TimerKind.Handshake:
            case TimerKind.Pace:
            case TimerKind.Payload:
            case TimerKind.Silence:
                // To be looked at again is all they ask for: the transmit step does the rest.
                break;
            default:
                Invariant.Require(false, "Every timer has a consequence.");
                break;
        }
    }

    private void HandleSilence(Instant now)
    {
        bool opening = _state == ConnectionState.Opening;

        if (!opening && _alive.ShouldWaitOn(_payload.HasUnfinished, now, out Instant askAgain))
        {
            _timers.Set(TimerKind.Idle, askAgain);
            return;
        }

        CloseCode code = opening ? CloseCode.HandshakeTimeout : CloseCode.IdleTimeout;
        double seconds = (opening ? _config.HandshakeTimeout : _alive.Silence(now)).TotalSeconds;
        _status.End(
            FinalReasons.TimedOut,
            new CloseReason(code, $"Nothing heard from {RemoteAddress} for {seconds:0.#} s."));
        Enter(ConnectionEvent.SilenceElapsed, now);
    }

    // P-10.1
    private void EndIfTooPoor(Instant now)
    {
        if (_quality is not { } quality || _state is not (ConnectionState.Open or ConnectionState.Flushing))
        {
            return;
        }

        TimeSpan measured = _rtt.HasSample ? _rtt.Smoothed : TimeSpan.Zero;

        if (quality.IsTooPoor(measured, now))
        {
            _status.End(FinalReasons.TimedOut, new CloseReason(CloseCode.QualityTooLow, quality.Detail));
            Enter(ConnectionEvent.QualityFailed, now);
        }
    }

    /// <summary>In place of the connection's own linger: a daemon that ends says how long it waits.</summary>
    internal void LingerUntil(Instant moment)
    {
        if (_state == ConnectionState.Flushing)
        {
            _timers.Set(TimerKind.Close, moment);
        }
    }

    /// <summary>Nothing more may be waited for: goodbyes now, and all of them at once.</summary>
    internal void HurryGoodbyes(Instant now)
    {
        if (_state is ConnectionState.Flushing)
        {
            Enter(ConnectionEvent.Flushed, now);
        }

        _nextGoodbyeAt = now;
    }

    /// <summary>True if the next turn has something to do here at once.</summary>
    internal bool HasSomethingNow(Instant now)
        => NextDeadline <= now || (_state == ConnectionState.Closing && _nextGoodbyeAt <= now);

    private void HandleCloseTimer(Instant now)
    {
        switch (_state)
        {
            case ConnectionState.Flushing:
                // The linger is over: what is not delivered by now is given up.
                Enter(ConnectionEvent.Flushed, now);
                break;
            case ConnectionState.Draining:
                Enter(ConnectionEvent.DrainElapsed, now);
                break;
            default:
                break;
        }
    }

    /// <summary>Closes because the peer broke a rule; the reason travels in the goodbyes.</summary>
    private void Violate(CloseCode code, string detail, Instant now)
    {
        _status.End(FinalReasons.ProtocolViolated, new CloseReason(code, detail));
        Enter(ConnectionEvent.RuleBroken, now);
    }

    /// <summary>The only place that changes the state, and where the consequences of a change are.</summary>
    private void Enter(ConnectionEvent happened, Instant now)
    {
        bool allowed = ConnectionTable.TryNext(_state, happened, out ConnectionState next);

        if (!allowed)
        {
            // From the wire or a late timer: the table says it does not matter here.
            return;
        }

        _trace?.OnState(_state, next, now);
        _state = next;

        switch (next)
        {
            case ConnectionState.Flushing:
                _timers.Set(TimerKind.Close, now + _config.LingerTimeout);
                break;
            case ConnectionState.Closing:
                // S-5.5
                TellPayloadEnd(now);
                _timers.ClearAll();
                _goodbyesLeft = GoodbyesToSend;
                _nextGoodbyeAt = now;
                break;
            case ConnectionState.Draining:
                // S-5.6
                TellPayloadEnd(now);
                _timers.ClearAll();
                _lateAnswersLeft = happened == ConnectionEvent.PeerClosed ? 0 : LateAnswersAtMost;
                _timers.Set(TimerKind.Close, now + (3 * _loss.ProbeTimeout));
                break;
            case ConnectionState.Ended:
                TellPayloadEnd(now);
                _timers.ClearAll();
                break;
            default:
                break;
        }
    }

    private void TellPayloadEnd(Instant now)
    {
        if (!_payloadToldEnd)
        {
            _payloadToldEnd = true;
            NoteLeftover();
            _payload.HandleStatus(_status.Read(), _status.Reason, now);
        }
    }

    private void ArmTimers(Instant now)
    {
        _timers.Set(TimerKind.Loss, _loss.Deadline);
        ArmPathTimer(now);
        _timers.Set(TimerKind.Eager, MayResendEagerly ? _loss.OverdueDeadline : Instant.Never);
        _timers.Set(TimerKind.Ack, _acks.NextDeadline(now));
        _timers.Set(
            TimerKind.Heartbeat, _state == ConnectionState.Open ? _alive.HeartbeatDeadline : Instant.Never);
    }

    private static LossRules RulesOf(in LossConfig loss) => new(
        loss.PacketThreshold, loss.MaxAckDelay, loss.TimerGranularity)
    {
        LeastProbeTimeout = loss.LeastProbeTimeout,
        LargestProbeTimeout = loss.LargestProbeTimeout,
    };
}
