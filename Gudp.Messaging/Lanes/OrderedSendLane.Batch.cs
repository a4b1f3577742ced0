using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <content>
/// Batches: a sender collects messages beside the ring and hands them over together. What it collects was promised room
/// before, so that accepted is accepted; no lock is held meanwhile, and a batch that is never ended stops nobody.
/// </content>
internal sealed partial class OrderedSendLane
{
    // Under the lane lock; made for the first batch, and there as long as the lane.
    private BatchRoom? _batch;

    // Made with the first batch; the leader finds it once something of a batch is published.
    private BatchRuns? _batchRuns;

    // Room of the ring kept for what the open batch holds. Written under the lane lock.
    private int _promisedBytes;

    /// <inheritdoc/>
    internal override BatchRoom? TryOpenBatch(in SendOptions options)
    {
        // What has a record needs its place at once.
        if (ReceiptBook.NeedsNote(options))
        {
            return null;
        }

        lock (_gate)
        {
            if (_isClosed || _ended || _batch is { IsOpen: true } || TryRentBatch() is not { } batch)
            {
                return null;
            }

            batch.Open();
            return batch;
        }
    }

    /// <inheritdoc/>
    internal override SendStatus TryMakeRoom(BatchRoom batch, int length)
    {
        SendStatus allowed = CheckLength(length, _largestMessage);

        if (allowed != SendStatus.Accepted)
        {
            return allowed;
        }

        lock (_gate)
        {
            SendStatus handed = HandOver(batch);
            return handed != SendStatus.Accepted ? handed : TryPromise(batch, length + VarInt.MaxBytes);
        }
    }

    /// <inheritdoc/>
    internal override SendStatus HandOver(BatchRoom batch, bool isLast)
    {
        lock (_gate)
        {
            SendStatus status = HandOver(batch);

            if (isLast)
            {
                batch.Close();
                ReturnMemoryIfOver();
            }

            return status;
        }
    }

    // Under the lane lock.
    private BatchRoom? TryRentBatch()
    {
        // The lane can do without: it takes nothing of what lets other lanes begin and a largest message go.
        if (_batch is null && _memory.TryRentToGrow(BatchRoom.MostBytes, isSent: true, out byte[] block))
        {
            _batch = new BatchRoom(block);
            Volatile.Write(ref _batchRuns, _batchRuns ?? new BatchRuns());
        }

        return _batch;
    }

    // Under the lane lock. What was promised is free again, but for what stands in the ring now.
    private SendStatus HandOver(BatchRoom batch)
    {
        int used = batch.Used;
        int messages = batch.Messages;
        int bytes = batch.MessageBytes;
        Volatile.Write(ref _promisedBytes, 0);

        bool isOver = _isClosed || _ended;

        if (used == 0 || isOver)
        {
            batch.Promise(0);
            return isOver ? SendStatus.Closed : SendStatus.Accepted;
        }

        _ring!.Write(_reserved - _reservedLargeBytes, batch.Content);
        _batchRuns!.Add(new OffsetRange(_reserved, _reserved + used), messages);
        _reserved += used;
        Invariant.Require(InRingBytes <= _ring.Bytes, "A batch holds no more than it was promised.");
        batch.Promise(0);
        CountAccepted(messages, bytes);
        Publish();
        return SendStatus.Accepted;
    }

    // Under the lane lock. Room for at least so many bytes, and as many as one time hands over if there are.
    private SendStatus TryPromise(BatchRoom batch, int least)
    {
        if (_isClosed || _ended)
        {
            return SendStatus.Closed;
        }

        SendStatus rented = TryRentRing();

        if (rented != SendStatus.Accepted)
        {
            return rented;
        }

        int room = BatchRoom.MostBytes;

        if (FreeBytes < room || (RingFreeBytes < room && !TryGrow(room)))
        {
            if (!HasRoom(least, beside: 0))
            {
                return IsHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;
            }

            room = (int)Math.Min(room, Math.Min(FreeBytes, RingFreeBytes));
        }

        Volatile.Write(ref _promisedBytes, room);
        batch.Promise(room);
        return SendStatus.Accepted;
    }

    private void ReturnBatchIfClosed()
    {
        if (_batch is { IsOpen: false } batch)
        {
            _batch = null;
            _memory.ReturnSent(batch.Block);
        }
    }
}
