using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>What users' threads ask for: sending, receipts, closing.</content>
internal sealed partial class MessageSession
{
    /// <summary>Any thread. Copies a message into its lane's queue.</summary>
    internal SendStatus TrySend(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        if (_host.IsFinal)
        {
            id = default;
            return SendStatus.Closed;
        }

        if (options.Lane == DatagramLane)
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
    internal OrderedSendLane SendLaneOf(int number)
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

        OrderedSendLane lane = SendLaneOf(id.Lane);

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

    /// <summary>
    /// Any thread. Whether everything accepted so far is at the peer; unreliable messages: transmitted.
    /// </summary>
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

    /// <summary>
    /// Any thread. Memory may have come free elsewhere on the endpoint, which nobody tells this peer.
    /// </summary>
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

        _host.OnDiscarded();

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
                id = new MessageId(0, DatagramLane, _nextDatagramId++);
            }
        }

        return Conclude(status);
    }

    private OrderedSendLane MakeSendLane(int number)
    {
        OrderedSendLane made = new(number, _config.LaneRingBytes, _config.MaxMessageBytes, _memory, _peerTerms);
        OrderedSendLane lane = Interlocked.CompareExchange(ref _sendLanes[number], made, null) ?? made;
        Interlocked.Or(ref _sendLanesInUse, 1UL << number);

        // The end may have passed between the two: then nobody else ends this lane.
        if (HasEnded)
        {
            lane.End();
        }

        return lane;
    }

    private void ThrowNoSuchLane(int number) => throw new ArgumentOutOfRangeException(
        nameof(number),
        number,
        $"Ordered lanes are 0 to {_config.Lanes - 1} without {DatagramLane}; MessagingConfig.Lanes sets how many.");
}
