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
using System.Numerics;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging;

/// <remarks>
/// The leader only: what <see cref="IPacketPayload"/> asks for. Any thread: the members that <see cref="Peer"/> calls;
/// they meet the leader only in lanes, queues and the wait point.
/// </remarks>
internal sealed partial class MessageSession : IPacketPayload
{
    internal const int ControlLane = 0;
    internal const int DatagramLane = 2;

    /// <summary>The payload protocol and its version, wire.md parameter 14.</summary>
    internal const int Protocol = 1;
    internal const int ProtocolVersion = 1;

    // The largest window anybody runs: 8192 packets of 1200 bytes are 10 MB in flight.
    private const int MostPiecesInFlight = 8192;

    // Memory that another peer gives back is not signalled to this one: a sink is asked to look again after a while.
    private static readonly TimeSpan MemoryRecheck = TimeSpan.FromMilliseconds(20);

    private readonly ISessionHost _host;
    private readonly MessagingConfig _config;
    private readonly MessageMemory _memory;
    private readonly IMessageSink? _sink;
    private readonly PeerTerms _peerTerms = new();
    private readonly SendLane?[] _sendLanes;
    private readonly ReceiveLane?[] _receiveLanes;
    private readonly DatagramQueue _datagramsOut;
    private readonly DatagramQueue _datagramsIn;
    private readonly Lock _datagramGate = new();
    private ulong _sendLanesInUse;
    private ulong _receiveLanesInUse;
    private long _nextDatagramId;
    private int _wantsDatagramRoom;
    private int _wantsMemory;
    private int _wantsOpen;
    private bool _ended;

    // Set during a turn, published at its end.
    private bool _hasArrived;
    private bool _hasProgressed;
    private bool _hasOpened;
    private bool _toldFinal;
    private Instant _memoryRecheckAt = Instant.Never;

    internal MessageSession(
        ISessionHost host, MessagingConfig config, MessageMemory endpointMemory, IMessageSink? sink)
    {
        _host = host;
        _config = config;
        _memory = new MessageMemory(config.PeerMemoryBytes, endpointMemory);
        _sink = sink;
        _sendLanes = new SendLane?[config.Lanes];
        _receiveLanes = new ReceiveLane?[config.Lanes];
        _datagramsOut = new DatagramQueue(_memory, config.DatagramQueueBytes);
        _datagramsIn = new DatagramQueue(_memory, config.DatagramQueueBytes);
        _grantedConnectionLimit = config.ConnectionCreditBytes;
        Peer = new Peer(this);
    }

    /// <summary>The user's handle of this session.</summary>
    internal Peer Peer { get; }

    internal MessageMemory Memory => _memory;

    internal WaitPoint Changes { get; } = new();

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
    public Instant NextDeadline => _memoryRecheckAt;

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
    public void HandleTimeout(Instant now)
    {
        _memoryRecheckAt = Instant.Never;

        if (_sink is not { } sink)
        {
            return;
        }

        if (LacksMemoryToRead)
        {
            HandToSink(sink, now);
        }

        if (Interlocked.Exchange(ref _wantsMemory, 0) != 0)
        {
            sink.HandlePeer(Peer, PeerChange.Writable, now);
        }
    }

    /// <inheritdoc/>
    public void HandleTurnEnd(Instant now)
    {
        if (_sink is not null && _memoryRecheckAt == Instant.Never
            && (Volatile.Read(ref _wantsMemory) != 0 || LacksMemoryToRead))
        {
            _memoryRecheckAt = now + MemoryRecheck;
        }

        bool becameFinal = !_toldFinal && _host.IsFinal;
        bool changed = _hasArrived | _hasProgressed | _hasOpened | becameFinal;

        if (!changed)
        {
            return;
        }

        bool writable = _hasProgressed && TakeWritable();

        if (_sink is not null)
        {
            writable |= HandReceipts(_sink, now);
        }

        _hasArrived = false;
        _hasProgressed = false;
        _toldFinal |= becameFinal;
        Changes.Signal();

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

        for (ulong left = Volatile.Read(ref _sendLanesInUse); left != 0; left &= left - 1)
        {
            SendLaneAt(left)?.End();
        }

        for (ulong left = Volatile.Read(ref _receiveLanesInUse); left != 0; left &= left - 1)
        {
            ReceiveLaneAt(left)?.End();
        }

        lock (_datagramGate)
        {
            _datagramsOut.ReturnMemory();
        }

        ReturnDatagramsIfDrained();
        Changes.Signal();

        if (_sink is { } sink)
        {
            _ = HandReceipts(sink, now);
            sink.HandlePeer(Peer, PeerChange.Closed, now);
        }
    }

    /// <summary>Any thread. Copies a message into its lane's queue.</summary>
    internal SendStatus TrySend(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        if (_host.IsFinal)
        {
            id = default;
            return SendStatus.Closed;
        }

        if (options.Delivery == Delivery.Unreliable)
        {
            return TrySendDatagram(message, out id);
        }

        SendStatus status = SendLaneOf(options.Lane).TrySend(message, WishOf(options), out id);
        return Conclude(status);
    }

    /// <summary>Any thread. After a send or a commit: the leader is woken, or the refusal remembered.</summary>
    internal SendStatus Conclude(SendStatus status)
    {
        if (status == SendStatus.Accepted)
        {
            _host.Wake();
        }
        else if (status is SendStatus.PeerFull or SendStatus.DaemonFull)
        {
            Volatile.Write(ref _wantsMemory, 1);

            // The end of the next turn starts the clock for a sink; other users look again by themselves.
            if (_sink is not null)
            {
                _host.Wake();
            }
        }
        else if (status == SendStatus.NotOpen)
        {
            Volatile.Write(ref _wantsOpen, 1);
        }

        return status;
    }

    /// <summary>Any thread. The lane to send on, made on its first use.</summary>
    internal SendLane SendLaneOf(int number)
    {
        if ((uint)number >= (uint)_sendLanes.Length || number == DatagramLane)
        {
            ThrowNoSuchLane(number);
        }

        return Volatile.Read(ref _sendLanes[number]) ?? MakeSendLane(number);
    }

    internal static ReceiptWish WishOf(in SendOptions options)
        => (options.NotifyReceived ? ReceiptWish.Received : ReceiptWish.None)
            | (options.NotifyTaken ? ReceiptWish.Taken : ReceiptWish.None);

    /// <summary>Any thread.</summary>
    internal SendReceipt StateOf(MessageId id)
    {
        bool ended = HasEnded;

        if (id.Lane == DatagramLane)
        {
            TransferState transfer = id.Value < Volatile.Read(ref _datagramsSent) ? TransferState.Sent
                : ended ? TransferState.Cancelled
                : TransferState.Queued;
            return new SendReceipt(id, transfer, TakeState.NotAsked);
        }

        SendLane lane = SendLaneOf(id.Lane);

        // In this order: whoever reads that it was taken then also reads that it was received.
        TakeState take = lane.Receipts.TakeOf(id, ended);
        return new SendReceipt(id, lane.TransferOf(id.Value, ended), take);
    }

    /// <summary>Any thread.</summary>
    internal int TakeUpdates(Span<ReceiptUpdate> updates)
    {
        bool roomCameFree = false;
        int count = TakeUpdates(updates, ref roomCameFree);

        if (roomCameFree)
        {
            Changes.Signal();
        }

        return count;
    }

    private int TakeUpdates(Span<ReceiptUpdate> updates, ref bool roomCameFree)
    {
        // Read first: what was settled before the end is then seen as settled.
        bool ended = HasEnded;
        int count = 0;

        for (ulong left = Volatile.Read(ref _sendLanesInUse); left != 0 && count < updates.Length; left &= left - 1)
        {
            if (SendLaneAt(left) is { } lane)
            {
                count += lane.Receipts.Take(updates[count..], lane, ended, ref roomCameFree);
            }
        }

        return count;
    }

    /// <summary>Any thread. Whether everything accepted so far is at the peer; unreliable messages: transmitted.</summary>
    internal bool IsFlushed()
    {
        for (ulong left = Volatile.Read(ref _sendLanesInUse); left != 0; left &= left - 1)
        {
            if (SendLaneAt(left) is { IsSettled: false })
            {
                return false;
            }
        }

        return _datagramsOut.IsEmpty;
    }

    /// <summary>Any thread. Whether a refused sender still waits for its signal.</summary>
    internal bool IsSendRefused()
    {
        bool waits = Volatile.Read(ref _wantsDatagramRoom) != 0
            || Volatile.Read(ref _wantsMemory) != 0
            || (Volatile.Read(ref _wantsOpen) != 0 && !IsOpen);

        for (ulong left = Volatile.Read(ref _sendLanesInUse); left != 0 && !waits; left &= left - 1)
        {
            waits = SendLaneAt(left) is { IsRoomWanted: true };
        }

        return waits;
    }

    /// <summary>Any thread. Memory may have come free elsewhere on the endpoint, which nobody tells this peer.</summary>
    internal void ForgetMemoryRefusal() => Volatile.Write(ref _wantsMemory, 0);

    /// <summary>Any thread. The longest unreliable message that fits a packet now.</summary>
    internal int MaxUnreliableBytes => Math.Min(
        _host.MaxFrameBytes - LongestMessageOverhead, LongestDatagram);

    /// <summary>Any thread.</summary>
    internal void Close(CloseReason reason)
    {
        _host.Close(reason);
        Changes.Signal();
    }

    /// <summary>Any thread. The application has given the peer up: nothing more is handed out.</summary>
    internal void Discard()
    {
        Volatile.Write(ref _discarded, true);

        for (ulong left = Volatile.Read(ref _receiveLanesInUse); left != 0; left &= left - 1)
        {
            ReceiveLaneAt(left)?.Discard();
        }

        if (HasEnded)
        {
            ReturnDatagramsIfDrained();
        }
    }

    private SendStatus TrySendDatagram(ReadOnlySpan<byte> message, out MessageId id)
    {
        id = default;

        if (message.Length > MaxUnreliableBytes)
        {
            return SendStatus.TooLarge;
        }

        SendStatus status;

        lock (_datagramGate)
        {
            // Under the lock: after the end the queue's memory is gone, and must not be rented anew.
            status = _ended ? SendStatus.Closed : _datagramsOut.TryAdd(message);

            if (status == SendStatus.LaneFull)
            {
                Volatile.Write(ref _wantsDatagramRoom, 1);
                Interlocked.MemoryBarrier();
                status = _datagramsOut.TryAdd(message);
            }

            if (status == SendStatus.Accepted)
            {
                id = new MessageId(DatagramLane, _nextDatagramId++);
            }
        }

        return Conclude(status);
    }

    private SendLane MakeSendLane(int number)
    {
        SendLane made = new(number, _config.LaneRingBytes, _config.MaxMessageBytes, _memory, _peerTerms);
        SendLane lane = Interlocked.CompareExchange(ref _sendLanes[number], made, null) ?? made;
        Interlocked.Or(ref _sendLanesInUse, 1UL << number);

        // The end may have passed between the two: then nobody else ends this lane.
        if (HasEnded)
        {
            lane.End();
        }

        return lane;
    }

    private bool TakeWritable()
    {
        Interlocked.MemoryBarrier();
        bool writable = Interlocked.Exchange(ref _wantsMemory, 0) != 0;

        if (Volatile.Read(ref _wantsDatagramRoom) != 0 && _datagramsOut.IsEmpty)
        {
            Volatile.Write(ref _wantsDatagramRoom, 0);
            writable = true;
        }

        for (ulong left = Volatile.Read(ref _sendLanesInUse); left != 0; left &= left - 1)
        {
            writable |= SendLaneAt(left)?.TakeWritable() ?? false;
        }

        return writable;
    }

    // True if a sender that was refused for too many open updates may ask again.
    private bool HandReceipts(IMessageSink sink, Instant now)
    {
        Span<ReceiptUpdate> updates = _receiptScratch;
        bool roomCameFree = false;

        for (int count = updates.Length; count == updates.Length;)
        {
            count = TakeUpdates(updates, ref roomCameFree);

            foreach (ReceiptUpdate update in updates[..count])
            {
                sink.HandleReceipt(Peer, update, now);
            }
        }

        return roomCameFree;
    }

    // The lane of the lowest bit.
    private SendLane? SendLaneAt(ulong lanes) => Volatile.Read(ref _sendLanes[BitOperations.TrailingZeroCount(lanes)]);

    private ReceiveLane? ReceiveLaneAt(ulong lanes)
        => Volatile.Read(ref _receiveLanes[BitOperations.TrailingZeroCount(lanes)]);

    private void ThrowNoSuchLane(int number) => throw new ArgumentOutOfRangeException(
        nameof(number),
        number,
        $"Ordered lanes are 0 to {_config.Lanes - 1} without {DatagramLane}; MessagingConfig.Lanes sets how many.");
}
