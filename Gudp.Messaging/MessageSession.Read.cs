using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>Messages on their way to the application.</content>
internal sealed partial class MessageSession
{
    private readonly ReaderSlot _datagramReader = new();
    private readonly Stack<HeldMessage> _freeHeld = new();
    private bool _discarded;
    private bool _holdLacksMemory;
    private int _nextLaneToRead;

    /// <summary>Any thread. A message is here, but there was no memory to hand it out: worth a look after a while.</summary>
    internal bool LacksMemoryToRead
    {
        get
        {
            bool lacks = Volatile.Read(ref _holdLacksMemory);

            for (ulong left = Volatile.Read(ref _receiveLanesInUse); left != 0 && !lacks; left &= left - 1)
            {
                lacks = ReceiveLaneAt(left) is { LacksMemory: true };
            }

            return lacks;
        }
    }

    /// <summary>Any thread, after the end. Something whole that was received waits to be read.</summary>
    internal bool HasUnread
    {
        get
        {
            bool unread = !_datagramsIn.IsEmpty && !Volatile.Read(ref _discarded);

            for (ulong left = Volatile.Read(ref _receiveLanesInUse); left != 0 && !unread; left &= left - 1)
            {
                unread = ReceiveLaneAt(left) is { IsDrained: false };
            }

            return unread;
        }
    }

    /// <summary>Any thread, after the end. Everything received was read, and every update asked for was fetched.</summary>
    internal bool IsDrained
    {
        get
        {
            bool drained = !HasUnread;

            for (int number = _sendLanesInUse.Next(0);
                number >= 0 && drained;
                number = _sendLanesInUse.Next(number + 1))
            {
                drained = Volatile.Read(ref _sendLanes[number]) is null or { HasUpdates: false };
            }

            return drained;
        }
    }

    /// <summary>What every message starts with.</summary>
    internal static SendReceipt FirstReceipt(MessageId id)
        => new(id, TransferState.Queued, id.AsksTaken ? TakeState.Pending : TakeState.NotAsked);

    /// <summary>Any thread. Copies the next message out of its lane.</summary>
    internal bool TryReceive(out ReceivedMessage message)
    {
        if (TryReceiveFrom(ControlLane, out message))
        {
            return true;
        }

        int lanes = _receiveLanes.Length;
        int first = Volatile.Read(ref _nextLaneToRead);

        for (int i = 0; i < lanes; i++)
        {
            int number = (first + i) % lanes;

            if (number == DatagramLane ? TryReceiveDatagram(out message) : TryReceiveFrom(number, out message))
            {
                // A race between readers only changes whose turn it is.
                Volatile.Write(ref _nextLaneToRead, (number + 1) % lanes);
                return true;
            }
        }

        message = default;
        return false;
    }

    /// <summary>Any thread; one at a time per lane. Hands messages out in place.</summary>
    internal int Poll<THandler>(ref THandler handler, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        int count = PollLane(ref handler, ControlLane, budget);
        int lanes = _receiveLanes.Length;
        int first = Volatile.Read(ref _nextLaneToRead);

        for (int i = 0; i < lanes && count < budget; i++)
        {
            int number = (first + i) % lanes;
            count += number == DatagramLane
                ? PollDatagrams(ref handler, budget - count)
                : PollLane(ref handler, number, budget - count);

            if (count == budget)
            {
                Volatile.Write(ref _nextLaneToRead, (number + 1) % lanes);
            }
        }

        return count;
    }

    /// <summary>Any thread. The application is done with a message it held.</summary>
    internal void Settle(HeldMessage held, bool refused)
    {
        if (held.Asking is { } lane)
        {
            lane.Ledger.Settle(held.Entry, refused);
            _host.Wake();
        }

        _memory.Return(held.Block);

        // A reader may wait for just this memory, or for room in the ledger.
        if (LacksMemoryToRead || held.Asking is { HasUnread: true })
        {
            OfferToReaders();
        }

        held.Block = [];
        held.Asking = null;

        lock (_freeHeld)
        {
            _freeHeld.Push(held);
        }

        Changes.Signal();
    }

    private bool TryReceiveFrom(int number, out ReceivedMessage message)
    {
        message = default;

        if (Volatile.Read(ref _receiveLanes[number]) is not { } lane || !lane.TryEnter(polling: false))
        {
            return false;
        }

        bool received = false;

        if (lane.TryPeek(out MessageView view) && TryHold(view.Content, number, out HeldMessage? held))
        {
            if (view.AsksTaken)
            {
                held!.Asking = lane;
                held.Entry = lane.Ledger.Hold(view.End);
            }

            lane.Release(view);
            message = new ReceivedMessage(held!);
            received = true;
        }

        LeaveLane(lane, asked: false);
        return received;
    }

    private bool TryReceiveDatagram(out ReceivedMessage message)
    {
        message = default;

        if (!_datagramReader.TryEnter(polling: false))
        {
            return false;
        }

        bool received = false;

        if (_datagramsIn.TryPeek(out ReadOnlySpan<byte> content)
            && TryHold(content, DatagramLane, out HeldMessage? held))
        {
            _datagramsIn.Release();
            message = new ReceivedMessage(held!);
            received = true;
        }

        LeaveDatagrams();
        return received;
    }

    private int PollLane<THandler>(ref THandler handler, int number, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        if (Volatile.Read(ref _receiveLanes[number]) is not { } lane || !lane.TryEnter(polling: true))
        {
            return 0;
        }

        int count = 0;
        bool asked = false;

        try
        {
            while (count < budget && lane.TryPeek(out MessageView message))
            {
                handler.HandleMessage(Peer, number, message.Content);
                asked |= message.AsksTaken;
                TakeInPlace(lane, message);
                count++;
            }
        }
        finally
        {
            LeaveLane(lane, asked);

            // A reader that came meanwhile was turned away: it must hear of what is left, or came since.
            if (lane.HasUnread)
            {
                SignalReadable();
            }
        }

        return count;
    }

    private int PollDatagrams<THandler>(ref THandler handler, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        if (!_datagramReader.TryEnter(polling: true))
        {
            return 0;
        }

        int count = 0;

        try
        {
            while (count < budget && _datagramsIn.TryPeek(out ReadOnlySpan<byte> message))
            {
                handler.HandleMessage(Peer, DatagramLane, message);
                _datagramsIn.Release();
                count++;
            }
        }
        finally
        {
            LeaveDatagrams();

            if (!_datagramsIn.IsEmpty)
            {
                SignalReadable();
            }
        }

        return count;
    }

    private void SignalReadable()
    {
        Changes.Signal();
        OfferToReaders();
    }

    // To those who read all peers of the endpoint. After the message was published.
    private void OfferToReaders()
    {
        if (_sink is null && !Volatile.Read(ref _discarded))
        {
            _host.OnReadable();
        }
    }

    // Leader only, inside HandleFrames.
    private void HandToSink(IMessageSink sink, Instant now)
    {
        SinkHandler handler = new(sink, now);
        _ = Poll(ref handler, int.MaxValue);
    }

    private static void TakeInPlace(OrderedReceiveLane lane, in MessageView message)
    {
        lane.Release(message);

        if (message.AsksTaken)
        {
            lane.Ledger.Take(message.End);
        }
    }

    private void LeaveLane(OrderedReceiveLane lane, bool asked)
    {
        CloseCode violation = lane.Violation;

        // Connection credit is owed sooner than a lane's when many lanes are read a little.
        if (lane.Leave() || asked || IsConnectionCreditDue)
        {
            _host.Wake();
        }

        if (violation != CloseCode.None)
        {
            _host.Close(new CloseReason(violation, $"Lane {lane.Number} carries what its stream may not hold."));
        }
    }

    private void LeaveDatagrams()
    {
        _datagramReader.Leave();

        if (HasEnded)
        {
            ReturnDatagramsIfDrained();
        }
    }

    private bool TryHold(ReadOnlySpan<byte> content, int lane, out HeldMessage? held)
    {
        held = null;

        // Without memory the message stays where it is until others are disposed.
        bool lacksMemory = _memory.TryRent(content.Length, out byte[] block) != SendStatus.Accepted;
        Volatile.Write(ref _holdLacksMemory, lacksMemory);

        if (lacksMemory)
        {
            return false;
        }

        lock (_freeHeld)
        {
            _ = _freeHeld.TryPop(out held);
        }

        held ??= new HeldMessage { Session = this };
        content.CopyTo(block);
        held.Block = block;
        held.Length = content.Length;
        held.LaneNumber = lane;
        return true;
    }

    // After the end: by whichever side comes last.
    private void ReturnDatagramsIfDrained()
    {
        if (!_datagramReader.TryEnter(polling: false))
        {
            return;
        }

        if (_datagramsIn.IsEmpty || Volatile.Read(ref _discarded))
        {
            _datagramsIn.ReturnMemory();
        }

        _datagramReader.Leave();
    }

    private readonly struct SinkHandler(IMessageSink sink, Instant now) : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => sink.HandleMessage(from, lane, message, now);
    }
}
