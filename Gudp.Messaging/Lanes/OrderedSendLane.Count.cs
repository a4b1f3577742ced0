using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <content>
/// How many messages came to which end. Offsets do not tell, so the leader reads the headers whose room it frees.
/// </content>
internal sealed partial class OrderedSendLane
{
    // Messages before this place are counted; the one that starts there ends at the next, if its header was read.
    private long _counted;
    private long _countedEnd;

    // Of the oldest batch, when the place is inside of it.
    private int _countedOfBatch;

    // The first large message, and the bytes of those before it, that the place has not come to.
    private long _countedLarge;
    private long _countedLargeBytes;

    /// <summary>Any thread, under the lock of the receipts. A message was given up.</summary>
    internal void CountGivenUp(TransferState end) => CountTransfers(end);

    /// <summary>Any thread, under the lock of the receipts. A take came to its end.</summary>
    internal void CountTake(TakeState end) => CountTakes(end);

    /// <summary>
    /// Leader, under the lock of the receipts, before the room up to there is freed: how many messages end there or
    /// before, were not counted yet, and were not given up.
    /// </summary>
    internal long CountMessages(long to, EndedRanges<TransferState> givenUp)
    {
        long count = 0;

        if (_counted >= to)
        {
            return count;
        }

        try
        {
            // Once for all of them: a fence for each is a good part of what a small message costs.
            LaneRing ring = EnterRing();

            while (_counted < to)
            {
                BatchRun batch = default;
                BatchRuns? batches = Volatile.Read(ref _batchRuns);
                bool isThere = batches is not null && batches.TryPeek(out batch);
                bool isInside = isThere && batch.Place.From <= _counted;

                if (isInside && batch.Place.To <= to)
                {
                    // Nobody knows the ids of its messages, so none of them was given up.
                    count += batch.Messages - _countedOfBatch;
                    _countedOfBatch = 0;
                    _counted = batch.Place.To;
                    _countedEnd = _counted;
                    batches!.Remove();
                    continue;
                }

                long end = isThere && !isInside ? Math.Min(to, batch.Place.From) : to;
                int singly = CountSingly(ring, end, givenUp);
                count += singly;
                _countedOfBatch += isInside ? singly : 0;

                if (_counted < end)
                {
                    break;
                }
            }
        }
        finally
        {
            LeaveRing();
        }

        return count;
    }

    private int CountSingly(LaneRing ring, long to, EndedRanges<TransferState> givenUp)
    {
        int count = 0;

        while (_counted < to)
        {
            if (_countedEnd == _counted)
            {
                count += givenUp.IsEmpty ? CountPlain(ring, to) : 0;

                if (_counted >= to)
                {
                    break;
                }

                ReadCountedHeader(ring);
            }

            if (_countedEnd > to)
            {
                break;
            }

            count += !givenUp.IsEmpty && givenUp.TryFind(_countedEnd, out _) ? 0 : 1;
            _counted = _countedEnd;
        }

        return count;
    }

    // The messages that stand in the ring in one piece, with headers of one or two bytes, and end there or before:
    // nearly all, at a fraction of the general way's cost. It stops at the first other one.
    private int CountPlain(LaneRing ring, long to)
    {
        if (_countedLarge < Volatile.Read(ref _nextLarge))
        {
            return 0;
        }

        int bytes = (int)Math.Min(to - _counted, ring.Bytes);
        ReadOnlySpan<byte> stream = ring.Contiguous(_counted - _countedLargeBytes, bytes);
        int count = 0;
        int at = 0;

        while (at < stream.Length - 1)
        {
            // The lowest bit of the value is no part of the length.
            int header = BinaryPrimitives.ReadUInt16BigEndian(stream[at..]);
            int end = at + (header < 0x4000 ? 1 + (header >> 9) : 2 + ((header & 0x3FFF) >> 1));

            if (header >= 0x8000 || end > stream.Length)
            {
                break;
            }

            at = end;
            count++;
        }

        _counted += at;
        _countedEnd = _counted;
        return count;
    }

    private void ReadCountedHeader(LaneRing ring)
    {
        long position = _counted - _countedLargeBytes;
        int headerBytes = VarInt.TryRead(ring.Contiguous(position, VarInt.MaxBytes), out ulong header);

        if (headerBytes == 0)
        {
            headerBytes = ReadHeaderOverEnd(ring, position, out header);
        }

        int length = (int)(header >> 1);
        _countedEnd = _counted + headerBytes + length;

        if (_countedLarge < Volatile.Read(ref _nextLarge)
            && LargeAt(_countedLarge).BodyStart == _counted + headerBytes)
        {
            _countedLarge++;
            _countedLargeBytes += length;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReadHeaderOverEnd(LaneRing ring, long position, out ulong header)
    {
        Span<byte> bytes = stackalloc byte[VarInt.MaxBytes];
        ring.Read(position, bytes);
        int headerBytes = VarInt.TryRead(bytes, out header);
        Invariant.Require(headerBytes > 0, "A message starts with its header.");
        return headerBytes;
    }

    // Under the lane lock, once. What is not decided now will not be: what was sent is unknown, the rest did not go.
    private void CountEnds()
    {
        CountTransfers(TransferState.Unknown, Receipts.End(_sent, this));
        CountTransfers(TransferState.Cancelled, Tally.OpenTransfers);
    }
}
