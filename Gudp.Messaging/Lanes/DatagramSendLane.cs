using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <summary>Unreliable messages of at most a packet, each sent once.</summary>
internal sealed class DatagramSendLane : SendLane
{
    private readonly Lock _gate = new();
    private readonly DatagramQueue _queue;
    private readonly Func<int> _longest;
    private long _nextId;
    private long _sent;
    private int _wantsRoom;
    private bool _ended;

    internal DatagramSendLane(
        int number, in LaneOptions options, DatagramQueue queue, Func<int> longest, PeerTerms peer,
        SendSchedule schedule)
        : base(number, options, peer, schedule)
    {
        _queue = queue;
        _longest = longest;
    }

    /// <summary>Messages that no longer fitted a packet when their turn came.</summary>
    internal long Oversized { get; private set; }

    internal override bool IsSettled => _queue.IsEmpty;

    internal override bool IsRoomWanted => Volatile.Read(ref _wantsRoom) != 0;

    internal override long WaitingBytes => _queue.WaitingBytes;

    internal override int FilledPermille => _queue.FilledPermille;

    internal override long CreditedBytes => 0;

    internal override SendStatus TrySend(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        id = default;

        if (message.Length > _longest())
        {
            return SendStatus.TooLarge;
        }

        lock (_gate)
        {
            // Under the lock: after the end the queue's memory is gone, and must not be rented anew.
            SendStatus status = _ended ? SendStatus.Closed : _queue.TryAdd(message);

            if (status == SendStatus.LaneFull)
            {
                Volatile.Write(ref _wantsRoom, 1);
                Interlocked.MemoryBarrier();
                status = _queue.TryAdd(message);
            }

            if (status == SendStatus.Accepted)
            {
                id = new MessageId(0, Number, _nextId++);
                MarkReady();
            }

            return status;
        }
    }

    internal override SendStatus TryClaim(int length, in SendOptions options, out LaneClaim claim)
        => throw new ArgumentException("Only ordered messages are claimed; send an unreliable one.", nameof(options));

    internal override SendStatus Commit(in LaneClaim claim, out MessageId id)
    {
        id = default;
        return SendStatus.Closed;
    }

    internal override void Abandon(in LaneClaim claim)
    {
    }

    internal override SendReceipt StateOf(MessageId id, bool ended)
    {
        TransferState transfer = id.Value < Volatile.Read(ref _sent) ? TransferState.Sent
            : ended ? TransferState.Cancelled
            : TransferState.Queued;
        return new SendReceipt(id, transfer, TakeState.NotAsked);
    }

    internal override bool HasUpdates => false;

    internal override int TakeUpdates(Span<ReceiptUpdate> updates, bool ended, ref bool roomCameFree) => 0;

    internal override void End()
    {
        lock (_gate)
        {
            _ended = true;
            _queue.ReturnMemory();
        }
    }

    internal override bool TakeWritable()
    {
        if (Volatile.Read(ref _wantsRoom) == 0 || !_queue.IsEmpty)
        {
            return false;
        }

        Volatile.Write(ref _wantsRoom, 0);
        return true;
    }

    internal override LaneTurn Probe(long connectionRoom) => _queue.IsEmpty ? LaneTurn.Idle : LaneTurn.HasMore;

    internal override LaneTurn WriteNew(ref PacketDraft draft, long share)
    {
        long end = draft.Writer.Used + share;

        while (_queue.TryPeek(out ReadOnlySpan<byte> message))
        {
            if (draft.Writer.Used >= end)
            {
                return LaneTurn.HasMore;
            }

            bool fits = LaneFrameWriter.MessageOverhead(Number, _sent, draft.NeedsOpen(this)) + message.Length
                <= draft.Writer.Free;

            if (!draft.CanNote || (!fits && message.Length <= _longest()))
            {
                return LaneTurn.NoFit;
            }

            if (fits)
            {
                bool withOpen = draft.Open(this);
                draft.Writer.Message(Number, _sent, asksTaken: false, message);
                draft.Note(new SentPiece(PieceKind.Open, (byte)Number, withOpen, 0, 0));
            }

            // Else the path became narrower while it waited.
            Oversized += fits ? 0 : 1;
            draft.HasProgressed = true;
            _queue.Release();
            Volatile.Write(ref _sent, _sent + 1);
        }

        return LaneTurn.Idle;
    }

    internal override bool Settle(in SentPiece piece)
    {
        IsOpenAtPeer |= piece.WithOpen;
        return false;
    }

    internal override bool OfferAgain(in SentPiece piece, bool isLost, ReliableOutbox<SentPiece> outbox) => false;

    internal override bool TryWriteAgain(ref PacketDraft draft, ref SentPiece offer, out bool isDone)
    {
        isDone = true;
        return true;
    }

    internal override void RaiseCredit(long limit)
    {
    }

    internal override bool Admits(FrameType type, long value) => false;

    internal override bool HandleTaken(long offset) => false;

    internal override void HandleTaken(IdRangeReader ids)
    {
    }

    internal override void HandleRefused(IdRangeReader ids)
    {
    }
}
