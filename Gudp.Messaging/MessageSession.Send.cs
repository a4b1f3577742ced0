using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging;

/// <content>What users' threads ask for: sending, receipts, closing.</content>
internal sealed partial class MessageSession
{
    internal int LargestMessageBytes => _config.MaxMessageBytes;

    /// <summary>Any thread. Copies a message into its lane's queue.</summary>
    internal SendStatus TrySend(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        if (RefusesAll)
        {
            id = default;
            return Conclude(SendStatus.Closed);
        }

        SendLane lane = SendLaneOf(options.Lane);
        SendStatus status = lane.TrySend(message, options, out id);
        id = id with { Incarnation = Incarnation };
        return Conclude(status, lane, message.Length);
    }

    /// <summary>Any thread. Puts a payload into its lane of which others may send the same bytes.</summary>
    internal SendStatus TrySend(SharedBlock message, in SendOptions options, out MessageId id)
    {
        if (RefusesAll)
        {
            id = default;
            return Conclude(SendStatus.Closed);
        }

        SendLane lane = SendLaneOf(options.Lane);
        SendStatus status = lane.TrySend(message, options, out id);
        id = id with { Incarnation = Incarnation };
        return Conclude(status, lane, message.Length);
    }

    /// <summary>Any thread. Copies messages into their lane's queue, taking it once and waking the leader once.</summary>
    /// <returns>How many were accepted.</returns>
    internal int TrySendAll(
        ReadOnlySpan<ReadOnlyMemory<byte>> messages, in SendOptions options, Span<SendResult> results)
    {
        if (RefusesAll)
        {
            results[..messages.Length].Fill(new SendResult(Conclude(SendStatus.Closed), default));
            return 0;
        }

        SendLane lane = SendLaneOf(options.Lane);
        int accepted = lane.TrySendAll(messages, options, results);
        int bytes = 0;

        for (int i = 0; i < messages.Length; i++)
        {
            ref SendResult result = ref results[i];

            if (result.Status == SendStatus.Accepted)
            {
                bytes += messages[i].Length;
                result = result with { Receipt = Named(result.Receipt) };
            }
            else
            {
                result = result with { Status = Conclude(result.Status, lane) };
            }
        }

        if (accepted > 0)
        {
            _ = Conclude(SendStatus.Accepted, lane, bytes);
        }

        return accepted;
    }

    /// <summary>Any thread. After a send or a commit: the leader is woken, or the refusal counted and remembered.</summary>
    /// <param name="status">What the lane, or the memory before it, said.</param>
    /// <param name="lane">Null: the send did not get as far as a lane.</param>
    /// <param name="bytes">Of what was accepted.</param>
    internal SendStatus Conclude(SendStatus status, SendLane? lane = null, int bytes = 0)
    {
        if (status == SendStatus.Accepted)
        {
            _host.WakeToSend(bytes);
            return status;
        }

        status = status == SendStatus.Closed ? RefuseFinal() : status;
        (lane?.Tally ?? RefusedBeforeLanes).CountRefusal(status);

        // D-13.2
        if (status is SendStatus.LaneFull or SendStatus.NoCredit && lane?.Options.WhenFull == FullPolicy.Disconnect)
        {
            Close(new CloseReason(CloseCode.SlowConsumer, $"Lane {lane.Number} is full, and its rule is to disconnect."));
            return RefuseFinal();
        }

        if (status is SendStatus.PeerFull or SendStatus.DaemonFull)
        {
            Volatile.Write(ref _wantsMemory, 1);

            // The end of the next turn starts the clock for a sink; other users look again by themselves.
            if (_sink is not null)
            {
                _host.Wake();
            }
        }
        else if (status == SendStatus.NotOpen && !IsFinal)
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

    /// <summary>Any thread. Whether a refused sender still waits for its signal, or for the next session.</summary>
    internal bool IsSendRefused()
    {
        if (IsFinal)
        {
            return IsAwaited;
        }

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
        ISessionHost host;

        // Once more if it moved to another connection meanwhile: the one it left is closed for another reason.
        do
        {
            host = _host;
            host.Close(reason);
        }
        while (host != _host);

        SignalChange();
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
        made.BeginAt(FirstPlaces);
        SendLane?[] lanes = Interlocked.CompareExchange(
            ref _sendLanes, new SendLane?[_config.Lanes], _config.NoSendLanes);
        lanes = lanes == _config.NoSendLanes ? Volatile.Read(ref _sendLanes) : lanes;

        // Before the lane: whoever finds the lane and marks it ready has told the schedule where it is.
        _schedule.UseLanes(lanes);
        SendLane lane = Interlocked.CompareExchange(ref lanes[number], made, null) ?? made;
        _sendLanesInUse.AddAtomic(number);

        if (Volatile.Read(ref _isShuttingDown))
        {
            lane.StopAccepting();
        }

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
            return new OrderedSendLane(number, options, ring, _memory, _peerTerms, _schedule)
            {
                Tally = TallyOf(number),
                Salt = SaltOf(number),
            };
        }

        bool isReliable = options.Mode <= LaneMode.SequencedReliable;
        SendLimits limits = isReliable
            ? new SendLimits(_config.LaneRingBytes, _config.MaxMessageBytes)
            : new SendLimits(_config.DatagramQueueBytes, _config.MaxUnreliableBytes);
        SendLedgers ledgers = new(_memory, _peerTerms, TallyOf(number));
        return new MessageSendLane(number, options, limits, ledgers, _schedule) { Tally = ledgers.Tally };
    }

    // Only numbers of the set of lanes in use.
    private SendLane SendLaneAt(int number) => Volatile.Read(ref _sendLanes[number])!;

    private void ThrowNoSuchLane(int number) => throw new ArgumentOutOfRangeException(
        nameof(number),
        number,
        $"Lanes are 0 to {_config.Lanes - 1}; MessagingConfig.Lanes sets how many.");
}
