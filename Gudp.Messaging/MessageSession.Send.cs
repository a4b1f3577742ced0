using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Wire;

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

        SendStatus status = SendLaneOf(options.Lane).TrySend(message, options, out id);
        id = id with { Incarnation = Incarnation };
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
        if ((uint)number >= (uint)_sendLanes.Length)
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
        return SendLaneOf(id.Lane).StateOf(id, ended);
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

        for (int number = _sendLanesInUse.Next(0);
            number >= 0 && count < updates.Length;
            number = _sendLanesInUse.Next(number + 1))
        {
            count += SendLaneAt(number).TakeUpdates(updates[count..], ended, ref roomCameFree);
        }

        foreach (ref ReceiptUpdate update in updates[..count])
        {
            update = new ReceiptUpdate(
                update.Receipt with { Id = update.Receipt.Id with { Incarnation = Incarnation } });
        }

        return count;
    }

    /// <summary>
    /// Any thread. Whether everything accepted so far is at the peer; unreliable messages: transmitted.
    /// </summary>
    internal bool IsFlushed()
    {
        for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
        {
            if (!SendLaneAt(number).IsSettled)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Any thread. Whether a refused sender still waits for its signal.</summary>
    internal bool IsSendRefused()
    {
        bool waits = Volatile.Read(ref _wantsMemory) != 0 || (Volatile.Read(ref _wantsOpen) != 0 && !IsOpen);

        for (int number = _sendLanesInUse.Next(0); number >= 0 && !waits; number = _sendLanesInUse.Next(number + 1))
        {
            waits = SendLaneAt(number).IsRoomWanted;
        }

        return waits;
    }

    /// <summary>
    /// Any thread. Memory may have come free elsewhere on the endpoint, which nobody tells this peer.
    /// </summary>
    internal void ForgetMemoryRefusal() => Volatile.Write(ref _wantsMemory, 0);

    /// <summary>Any thread. The longest unreliable message that this end sends and the peer takes.</summary>
    internal int MaxUnreliableBytes => _peerTerms.IsKnown
        ? (int)Math.Min(_config.MaxUnreliableBytes, _peerTerms.LargestMessageBytes)
        : _config.MaxUnreliableBytes;

    /// <summary>Any thread. The longest message that fits a packet now, in one frame.</summary>
    internal int MaxUndividedBytes => Math.Min(
        _host.MaxFrameBytes - LongestMessageOverhead, LaneFrameWriter.LongestContent);

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

        DiscardReceiveLanes();
        _host.OnDiscarded();
    }

    private SendLane MakeSendLane(int number)
    {
        SendLane made = NewSendLane(number);
        SendLane lane = Interlocked.CompareExchange(ref _sendLanes[number], made, null) ?? made;
        _sendLanesInUse.AddAtomic(number);

        // The end may have passed between the two: then nobody else ends this lane.
        if (HasEnded)
        {
            lane.End();
        }

        return lane;
    }

    private SendLane NewSendLane(int number)
    {
        LaneOptions options = _config.LanePlan[number];

        if (options.Mode == LaneMode.OrderedReliable)
        {
            SendLimits ring = new(_config.LaneRingBytes, _config.MaxMessageBytes);
            return new OrderedSendLane(number, options, ring, _memory, _peerTerms, _schedule);
        }

        bool isReliable = options.Mode <= LaneMode.SequencedReliable;
        SendLimits limits = isReliable
            ? new SendLimits(_config.LaneRingBytes, _config.MaxMessageBytes)
            : new SendLimits(_config.DatagramQueueBytes, _config.MaxUnreliableBytes);
        return new MessageSendLane(
            number, options, limits, new SendLedgers(_memory, _peerTerms, TallyOf(number)), _schedule);
    }

    // Only numbers of the set of lanes in use.
    private SendLane SendLaneAt(int number) => Volatile.Read(ref _sendLanes[number])!;

    private void ThrowNoSuchLane(int number) => throw new ArgumentOutOfRangeException(
        nameof(number),
        number,
        $"Lanes are 0 to {_config.Lanes - 1}; MessagingConfig.Lanes sets how many.");
}
