// The ranges of an ordered stream that were given up and that the peer must hear of, or has not passed over yet.
//
// A range is said to the peer as a LaneSkip (D-10.4). If the credit does not reach to its end, in parts: each starts
// where the one before ended and goes out only when that one was acknowledged, so that the peer never sees a part that
// starts inside a message it knows nothing of. The first part covers everything of the range that was transmitted.
//
// Always true:
//   - entries stand in order, do not overlap, and start and end between messages;
//   - from <= acked <= skipped <= to;
//   - there are at most as many entries as the peer keeps (D-10.5): one is dropped when its bytes are settled and, if a
//     skip went out for it, the peer's reader is known to be past it.

using System;
using System.Threading;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <remarks>Any thread may add; all else belongs to the leader. One lock, taken only while there is an entry.</remarks>
internal sealed class GivenUpRanges
{
    // D-10.5: what a receiver keeps at least, and one more per so many bytes of its credit.
    internal const int LeastSkips = 128;
    internal const int CreditBytesPerSkip = 512;

    private const int FirstEntries = 8;

    private readonly Lock _gate = new();
    private Entry[] _entries = [];
    private int _count;
    private int _unsaid;

    // What was added since the last call of TakeNew, and what lies between.
    private OffsetRange _new;

    internal bool IsEmpty => Volatile.Read(ref _count) == 0;

    /// <summary>So many skips a receiver with this credit keeps.</summary>
    internal static int MostSkips(long creditBytes) => (int)Math.Max(LeastSkips, creditBytes / CreditBytesPerSkip);

    /// <summary>Any thread. Gives a range up.</summary>
    /// <param name="range">Whole messages that were not given up before.</param>
    /// <param name="tail">Everything before is settled.</param>
    /// <param name="most">What the receiver keeps.</param>
    /// <returns>
    /// False: the receiver may be full. Half of its places are for ranges that close the first gap: else those above it
    /// could hold all places and the reader never come to them.
    /// </returns>
    internal bool TryAdd(OffsetRange range, long tail, int most)
    {
        lock (_gate)
        {
            int index = FirstEndingAfter(range.From);

            // Not with the one above: the leader may just be saying it.
            if (index > 0 && _entries[index - 1].To == range.From && _entries[index - 1].IsUnsaid)
            {
                _entries[index - 1].To = range.To;
                NoteNew(range);
                return true;
            }

            if (_count >= (range.From <= tail ? most : most / 2))
            {
                return false;
            }

            Insert(index, Entry.Of(range));
            _unsaid++;
            NoteNew(range);
            return true;
        }
    }

    /// <summary>Leader. What was added since the last call, and what lies between; empty if nothing was.</summary>
    internal OffsetRange TakeNew()
    {
        if (IsEmpty)
        {
            return default;
        }

        lock (_gate)
        {
            OffsetRange added = _new;
            _new = default;
            return added;
        }
    }

    /// <summary>The part of a range up to the first place that was given up, or after it.</summary>
    /// <returns>False: all of it was given up.</returns>
    internal bool TryFirstKept(ref OffsetRange range)
    {
        if (IsEmpty)
        {
            return true;
        }

        lock (_gate)
        {
            int index = FirstEndingAfter(range.From);

            for (; index < _count && _entries[index].From <= range.From; index++)
            {
                range = range with { From = Math.Max(range.From, _entries[index].To) };
            }

            if (index < _count)
            {
                range = range with { To = Math.Min(range.To, _entries[index].From) };
            }

            return range.Length > 0;
        }
    }

    /// <summary>The next part of a range to be said to the peer.</summary>
    /// <param name="sent">Everything before was transmitted or skipped; only ranges that start there or before.</param>
    /// <param name="limit">How far the credits reach; not below <paramref name="sent"/>.</param>
    /// <param name="settled">A range that is at the peer need not be said.</param>
    /// <param name="skip">The part.</param>
    internal bool TryNextSkip(long sent, long limit, RangeSet settled, out OffsetRange skip)
    {
        skip = default;

        if (IsEmpty)
        {
            return false;
        }

        lock (_gate)
        {
            for (int i = 0; i < _count && _unsaid > 0 && _entries[i].From <= sent; i++)
            {
                Entry entry = _entries[i];

                if (entry.Skipped == entry.To || entry.Acked != entry.Skipped
                    || !settled.TryFirstMissing(entry.From, entry.To, out _))
                {
                    continue;
                }

                skip = new OffsetRange(entry.Skipped, Math.Min(entry.To, limit));

                if (skip.Length > 0)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>The part went out.</summary>
    internal void MarkSkipped(OffsetRange skip)
    {
        lock (_gate)
        {
            ref Entry entry = ref _entries[FirstEndingAfter(skip.From)];
            Invariant.Require(entry.Skipped == skip.From, "The parts of a skip go out one after the other.");
            entry.Skipped = skip.To;
            _unsaid -= entry.Skipped == entry.To ? 1 : 0;
        }
    }

    /// <summary>The peer knows of the part.</summary>
    internal void MarkAcked(OffsetRange skip)
    {
        lock (_gate)
        {
            int index = FirstEndingAfter(skip.From);

            if (index < _count && _entries[index].From <= skip.From)
            {
                _entries[index].Acked = Math.Max(_entries[index].Acked, skip.To);
            }
        }
    }

    /// <summary>Whether a part that went out and may be lost must go out again.</summary>
    internal bool IsNeeded(OffsetRange skip, RangeSet settled)
    {
        lock (_gate)
        {
            int index = FirstEndingAfter(skip.From);

            if (index == _count || _entries[index].From > skip.From || skip.To <= _entries[index].Acked)
            {
                return false;
            }

            // Of a range said in parts the peer needs each: its bytes that arrived do not tell where it ends.
            bool isWhole = _entries[index].From == skip.From && _entries[index].To == skip.To;
            return !isWhole || settled.TryFirstMissing(skip.From, skip.To, out _);
        }
    }

    /// <summary>Forgets what is over.</summary>
    /// <param name="settled">What is at the peer, or known to it.</param>
    /// <param name="read">The peer's reader is known to be past this offset.</param>
    /// <returns>True if there is room for another.</returns>
    internal bool Prune(RangeSet settled, long read)
    {
        if (IsEmpty)
        {
            return false;
        }

        lock (_gate)
        {
            int kept = 0;

            for (int i = 0; i < _count; i++)
            {
                Entry entry = _entries[i];
                bool isOver = (entry.IsUnsaid || entry.To <= read)
                    && !settled.TryFirstMissing(entry.From, entry.To, out _);

                if (!isOver)
                {
                    _entries[kept++] = entry;
                }
                else if (entry.Skipped < entry.To)
                {
                    _unsaid--;
                }
            }

            bool hasRoom = kept < _count;
            Volatile.Write(ref _count, kept);
            return hasRoom;
        }
    }

    private void NoteNew(OffsetRange range) => _new = _new.Length == 0
        ? range
        : new OffsetRange(Math.Min(_new.From, range.From), Math.Max(_new.To, range.To));

    // The entry that contains the offset, or the first above it.
    private int FirstEndingAfter(long offset)
    {
        int low = 0;
        int high = _count;

        while (low < high)
        {
            int middle = (low + high) / 2;

            if (_entries[middle].To <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void Insert(int index, in Entry entry)
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(FirstEntries, _count * 2));
        }

        Array.Copy(_entries, index, _entries, index + 1, _count - index);
        _entries[index] = entry;
        Volatile.Write(ref _count, _count + 1);
    }

    private struct Entry
    {
        internal long From;
        internal long To;

        // Said up to here, and known to have arrived up to here.
        internal long Skipped;
        internal long Acked;

        internal readonly bool IsUnsaid => Skipped == From;

        internal static Entry Of(OffsetRange range)
            => new() { From = range.From, To = range.To, Skipped = range.From, Acked = range.From };
    }
}
