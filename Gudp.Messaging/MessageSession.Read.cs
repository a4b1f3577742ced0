using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <content>Messages on their way to the application.</content>
internal sealed partial class MessageSession
{
    private readonly Stack<HeldMessage> _freeHeld = new();
    // Lanes with something to read, perhaps; the leader adds, readers strike off.
    private LaneSet _lanesToRead;
    private bool _discarded;
    private bool _isBlocked;
    private bool _holdLacksMemory;
    private int _nextLaneToRead;

    /// <summary>
    /// Any thread. The application does not want this peer's messages: what is here and what arrives is thrown away and
    /// counted, its credit given back, and whoever asked is told that it was refused (D-9.9).
    /// </summary>
    internal bool IsBlocked => Volatile.Read(ref _isBlocked);

    /// <summary>Any thread. What is here is thrown away at once: after the end there is no turn to do it.</summary>
    internal void SetBlocked(bool blocked)
    {
        Volatile.Write(ref _isBlocked, blocked);

        if (blocked)
        {
            DropUnread();
            SignalChange();

            // For what a reader that is inside leaves behind.
            _host.Wake();
        }
    }

    /// <summary>Any thread. A message is here, but there was no memory to hand it out: worth a look after a while.</summary>
    internal bool LacksMemoryToRead
    {
        get
        {
            bool lacks = Volatile.Read(ref _holdLacksMemory);

            for (int lane = _lanesToRead.Next(0); lane >= 0 && !lacks; lane = _lanesToRead.Next(lane + 1))
            {
                lacks = Volatile.Read(ref _receiveLanes[lane]) is { LacksMemory: true };
            }

            return lacks;
        }
    }

    /// <summary>Any thread, after the end. Something whole that was received waits to be read.</summary>
    internal bool HasUnread
    {
        get
        {
            bool unread = false;

            for (int lane = _receiveLanesInUse.Next(0); lane >= 0 && !unread; lane = _receiveLanesInUse.Next(lane + 1))
            {
                unread = Volatile.Read(ref _receiveLanes[lane]) is { IsDrained: false };
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

    /// <summary>Any thread. Takes the next message out of its lane.</summary>
    internal bool TryReceive(out ReceivedMessage message)
    {
        message = default;

        if (IsBlocked)
        {
            DropUnread();
            return false;
        }

        if (_lanesToRead.Contains(ControlLane) && TryReceiveFrom(ControlLane, out message))
        {
            return true;
        }

        int first = Volatile.Read(ref _nextLaneToRead);

        return TryReceiveBetween(first, _receiveLanes.Length, out message)
            || TryReceiveBetween(0, first, out message);
    }

    /// <summary>Any thread; one at a time per lane. Hands messages out in place.</summary>
    internal int Poll<THandler>(ref THandler handler, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        if (IsBlocked)
        {
            DropUnread();
            return 0;
        }

        int count = _lanesToRead.Contains(ControlLane) ? PollLane(ref handler, ControlLane, budget) : 0;
        int first = Volatile.Read(ref _nextLaneToRead);
        count += PollBetween(ref handler, first, _receiveLanes.Length, budget - count);
        return count + PollBetween(ref handler, 0, first, budget - count);
    }

    /// <summary>Any thread. The application is done with a message it held.</summary>
    internal void Settle(HeldMessage held, bool refused)
    {
        if (held.Asking is { } lane)
        {
            lane.Settle(held.Entry, refused);
            MarkFacts(lane);
        }

        if (refused)
        {
            TallyOf(held.LaneNumber).CountShared(MessageCount.MessagesRefused);
        }

        _memory.ReturnReceived(held.Block);
        Interlocked.Decrement(ref _heldOut);

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

        SignalChange();
    }

    private bool TryReceiveBetween(int from, int end, out ReceivedMessage message)
    {
        for (int lane = _lanesToRead.Next(from); lane >= 0 && lane < end; lane = _lanesToRead.Next(lane + 1))
        {
            if (TryReceiveFrom(lane, out message))
            {
                // A race between readers only changes whose turn it is.
                Volatile.Write(ref _nextLaneToRead, (lane + 1) % _receiveLanes.Length);
                return true;
            }
        }

        message = default;
        return false;
    }

    private bool TryReceiveFrom(int number, out ReceivedMessage message)
    {
        message = default;
        ReceiveLane lane = Volatile.Read(ref _receiveLanes[number])!;

        if (!lane.TryEnter(polling: false))
        {
            return false;
        }

        bool received = false;

        if (lane.TryPeek(out MessageView view) && TryHold(lane, view, out HeldMessage? held))
        {
            if (view.AsksTaken)
            {
                held!.Asking = lane;
                held.Entry = lane.Hold(view);
            }

            TallyOf(number).CountReceived(messages: 1, view.Content.Length);
            lane.Release(view);
            message = new ReceivedMessage(held!);
            received = true;
        }

        LeaveLane(lane, asked: false);

        if (!received)
        {
            StrikeOffIfRead(lane);
        }

        return received;
    }

    private int PollBetween<THandler>(ref THandler handler, int from, int end, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        int count = 0;

        for (int lane = _lanesToRead.Next(from);
            lane >= 0 && lane < end && count < budget;
            lane = _lanesToRead.Next(lane + 1))
        {
            count += PollLane(ref handler, lane, budget - count);

            if (count == budget)
            {
                Volatile.Write(ref _nextLaneToRead, (lane + 1) % _receiveLanes.Length);
            }
        }

        return count;
    }

    private int PollLane<THandler>(ref THandler handler, int number, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        ReceiveLane lane = Volatile.Read(ref _receiveLanes[number])!;

        if (!lane.TryEnter(polling: true))
        {
            return 0;
        }

        ReadRun run = default;
        bool asked = false;

        try
        {
            while (HandOutPlain(ref handler, lane, budget, ref run) < budget && lane.TryPeek(out MessageView message))
            {
                handler.HandleMessage(Peer, number, message.Content);
                asked |= message.AsksTaken;
                TakeInPlace(lane, message);
                run.Count(message.Content.Length);
            }
        }
        finally
        {
            // Once for all of them: a shared write for each is a good part of what a small message costs.
            TallyOf(number).CountReceived(run.Messages, run.Bytes);
            LeaveLane(lane, asked);

            // A reader that came meanwhile was turned away: it must hear of what is left, or came since.
            if (lane.HasUnread)
            {
                SignalReadable();
            }
        }

        if (run.Messages < budget)
        {
            StrikeOffIfRead(lane);
        }

        return run.Messages;
    }

    // The messages at the front that are only bytes: nothing is to be put together, paid back or told of them. Returns
    // how many there were in the whole call.
    private int HandOutPlain<THandler>(ref THandler handler, ReceiveLane lane, int budget, ref ReadRun run)
        where THandler : IMessageHandler, allows ref struct
    {
        if (lane is OrderedReceiveLane ordered)
        {
            ordered.HandOutPlain(ref handler, Peer, budget, ref run);
        }

        return run.Messages;
    }

    // Nothing was left to read. What arrived meanwhile is seen here, or its lane added after it was struck off.
    private void StrikeOffIfRead(ReceiveLane lane)
    {
        if (lane.HasUnread)
        {
            return;
        }

        _lanesToRead.RemoveAtomic(lane.Number);

        if (lane.HasUnread)
        {
            _lanesToRead.AddAtomic(lane.Number);
        }
    }

    // D-9.9
    private void DropUnread()
    {
        for (int number = _lanesToRead.Next(0); number >= 0; number = _lanesToRead.Next(number + 1))
        {
            ReceiveLane lane = Volatile.Read(ref _receiveLanes[number])!;

            if (!lane.TryEnter(polling: false))
            {
                continue;
            }

            bool asked = false;

            while (lane.TryPeek(out MessageView message))
            {
                if (message.AsksTaken)
                {
                    lane.Settle(lane.Hold(message), refused: true);
                    asked = true;
                }

                lane.Release(message);
                TallyOf(number).CountDrop(MessageDrop.Blocked);
            }

            LeaveLane(lane, asked);
            StrikeOffIfRead(lane);
        }
    }

    /// <summary>Any thread. Readers who were turned away, or found nothing, should look again.</summary>
    internal void SignalReadable()
    {
        SignalChange();
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
    private void HandToSink(GuardedSink sink, Instant now)
    {
        if (sink.HasFailed)
        {
            return;
        }

        try
        {
            SinkHandler handler = new(sink, now);
            _ = Poll(ref handler, int.MaxValue);
        }
        catch (Exception fault) when (fault is not InvariantException)
        {
            sink.Fail(fault);
        }
    }

    private static void TakeInPlace(ReceiveLane lane, in MessageView message)
    {
        lane.Release(message);

        if (message.AsksTaken)
        {
            lane.MarkTaken(message);
        }
    }

    private void LeaveLane(ReceiveLane lane, bool asked)
    {
        CloseCode violation = lane.Violation;

        if (lane.Leave() || asked)
        {
            MarkFacts(lane);
        }
        else if (IsConnectionCreditDue)
        {
            // Owed sooner than a lane's when many lanes are read a little.
            _host.Wake();
        }

        if (violation != CloseCode.None)
        {
            CloseFor(lane);
        }
    }

    private bool TryHold(ReceiveLane lane, in MessageView message, out HeldMessage? held)
    {
        held = null;

        if (!lane.TryDetach(out byte[] block) && !TryCopy(message.Content, out block))
        {
            return false;
        }

        lock (_freeHeld)
        {
            _ = _freeHeld.TryPop(out held);
        }

        held ??= new HeldMessage { Session = this };
        Interlocked.Increment(ref _heldOut);
        held.Block = block;
        held.Length = message.Content.Length;
        held.LaneNumber = lane.Number;
        held.Mode = lane.Mode;
        return true;
    }

    // Without memory the message stays where it is until others are disposed.
    private bool TryCopy(ReadOnlySpan<byte> content, out byte[] block)
    {
        bool lacksMemory = _memory.TryRentToReceive(content.Length, out block) != SendStatus.Accepted;
        Volatile.Write(ref _holdLacksMemory, lacksMemory);

        if (lacksMemory)
        {
            return false;
        }

        content.CopyTo(block);
        return true;
    }

    private readonly struct SinkHandler(GuardedSink sink, Instant now) : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => sink.HandleMessage(from, lane, message, now);
    }
}
