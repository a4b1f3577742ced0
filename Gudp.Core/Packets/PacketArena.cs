// The bytes of packets that were accepted and may still have to be sent (P-8.2).
//
// Segments of 4 to 64 KB, each cut into blocks of 64 bytes; a packet takes as many neighbouring blocks as it needs and
// gives them back in any order, so one that is kept for long holds nothing but its own bytes. A packet never moves:
// a claim may be written while others come and go.
//
// Always true:
//   - the bytes of all segments are reserved in the budget and stay within the limit;
//   - a block's bit is set exactly while a packet holds it, and a segment's count of used blocks is that of its bits.
using System;
using Gudp.Core.Buffers;
using Gudp.Core.Engine;

namespace Gudp.Core.Packets;

/// <summary>Where a packet lies in a <see cref="PacketArena"/>.</summary>
/// <param name="Segment">Which segment; -1 for a packet without bytes.</param>
/// <param name="Block">The first of its blocks there.</param>
internal readonly record struct PacketPlace(int Segment, int Block);

/// <summary>Places packets; see the comment on top. Not for several threads at once.</summary>
internal sealed class PacketArena
{
    /// <summary>What a packet's bytes are rounded up to.</summary>
    internal const int BlockBytes = 64;

    // The largest UDP payload fits, and the last growth of a small connection is not large.
    private const int LargestSegmentBytes = 64 * 1024;
    private const int FirstSegmentBytes = 4 * 1024;

    private static readonly PacketPlace Nowhere = new(-1, 0);

    private readonly int _limitBytes;
    private readonly MemoryBudget? _budget;
    private Segment?[] _segments = new Segment?[1];
    private int _bytes;
    private int _lastUsed;

    /// <param name="limitBytes">Most bytes of all segments, 64 KB or more.</param>
    /// <param name="budget">What they are reserved from; null: only the limit counts.</param>
    internal PacketArena(int limitBytes, MemoryBudget? budget)
    {
        Invariant.Require(limitBytes >= LargestSegmentBytes, "The largest packet must fit.");
        _limitBytes = limitBytes;
        _budget = budget;
    }

    /// <summary>Bytes of the segments it holds.</summary>
    internal int HeldBytes => _bytes;

    /// <summary>Finds room for a packet.</summary>
    /// <returns>Accepted, PeerFull (the limit stands against it) or DaemonFull (the budget does).</returns>
    internal SendStatus TryTake(int bytes, out PacketPlace place)
    {
        place = Nowhere;
        int blocks = BlocksOf(bytes);

        if (blocks == 0 || TryTakeFromAny(blocks, out place))
        {
            return SendStatus.Accepted;
        }

        SendStatus grown = TryGrow(blocks * BlockBytes, out int segment);

        if (grown == SendStatus.Accepted)
        {
            bool taken = TryTakeFrom(segment, blocks, out place);
            Invariant.Require(taken, "A new segment is made large enough.");
        }

        return grown;
    }

    /// <summary>The bytes of a packet; valid as long as it is not given back.</summary>
    internal Span<byte> SpanOf(PacketPlace place, int bytes)
        => place.Segment < 0 ? [] : _segments[place.Segment]!.Bytes.AsSpan(place.Block * BlockBytes, bytes);

    internal void Return(PacketPlace place, int bytes)
    {
        if (place.Segment >= 0)
        {
            _segments[place.Segment]!.Return(place.Block, BlocksOf(bytes));
        }
    }

    /// <summary>Gives everything back to the budget. A claim that is still written keeps its array alive.</summary>
    internal void Clear()
    {
        _budget?.Release(_bytes);
        _bytes = 0;
        _segments = new Segment?[1];
        _lastUsed = 0;
    }

    private static int BlocksOf(int bytes) => (bytes + BlockBytes - 1) / BlockBytes;

    private bool TryTakeFromAny(int blocks, out PacketPlace place)
    {
        // Where the last one found room the next one mostly does.
        if (TryTakeFrom(_lastUsed, blocks, out place))
        {
            return true;
        }

        for (int i = 0; i < _segments.Length; i++)
        {
            if (TryTakeFrom(i, blocks, out place))
            {
                _lastUsed = i;
                return true;
            }
        }

        return false;
    }

    private bool TryTakeFrom(int index, int blocks, out PacketPlace place)
    {
        int block = _segments[index]?.TryTake(blocks) ?? -1;
        place = block < 0 ? Nowhere : new PacketPlace(index, block);
        return block >= 0;
    }

    private SendStatus TryGrow(int neededBytes, out int index)
    {
        int size = Math.Clamp(_bytes, FirstSegmentBytes, LargestSegmentBytes);
        size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(size, neededBytes));
        index = -1;

        if (size > _limitBytes - _bytes)
        {
            // Near the limit what is needed now counts, not what may be needed soon.
            size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2(
                (uint)Math.Max(FirstSegmentBytes, neededBytes));
        }

        while (size > _limitBytes - _bytes)
        {
            if (!TryDropEmpty())
            {
                return SendStatus.PeerFull;
            }
        }

        if (_budget is not null && !_budget.TryReserve(size))
        {
            return SendStatus.DaemonFull;
        }

        index = Array.IndexOf(_segments, null);

        if (index < 0)
        {
            index = _segments.Length;
            Array.Resize(ref _segments, 2 * _segments.Length);
        }

        _segments[index] = new Segment(size);
        _bytes += size;
        _lastUsed = index;
        return SendStatus.Accepted;
    }

    // Small segments of the first packets must not keep a large one out for ever.
    private bool TryDropEmpty()
    {
        for (int i = 0; i < _segments.Length; i++)
        {
            if (_segments[i] is { UsedBlocks: 0 } segment)
            {
                _segments[i] = null;
                _bytes -= segment.Bytes.Length;
                _budget?.Release(segment.Bytes.Length);
                return true;
            }
        }

        return false;
    }

    private sealed class Segment(int bytes)
    {
        private readonly SlotBits _used = new(bytes / BlockBytes);
        private readonly int _blocks = bytes / BlockBytes;
        private int _cursor;
        private int _leastRefused = int.MaxValue;   // so many were not found since something was returned

        internal byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(bytes);

        internal int UsedBlocks { get; private set; }

        /// <returns>The first of so many free blocks in a row, now taken; -1 if there are none.</returns>
        internal int TryTake(int blocks)
        {
            if (blocks > _blocks - UsedBlocks || blocks >= _leastRefused)
            {
                return -1;
            }

            int found = FindRun(_cursor, _blocks, blocks);

            if (found < 0)
            {
                found = FindRun(0, Math.Min(_blocks, _cursor + blocks), blocks);
            }

            if (found < 0)
            {
                _leastRefused = blocks;
                return -1;
            }

            for (int i = found; i < found + blocks; i++)
            {
                _used.Set(i);
            }

            UsedBlocks += blocks;
            _cursor = found + blocks;
            return found;
        }

        internal void Return(int first, int blocks)
        {
            for (int i = first; i < first + blocks; i++)
            {
                Invariant.Require(_used.Contains(i), "A packet is given back once.");
                _used.Clear(i);
            }

            UsedBlocks -= blocks;
            _leastRefused = int.MaxValue;
        }

        private int FindRun(int from, int end, int blocks)
        {
            while (from + blocks <= end)
            {
                long used = _used.Next(from, from + blocks - 1);

                if (used < 0)
                {
                    return from;
                }

                from = (int)used + 1;
            }

            return -1;
        }
    }
}
