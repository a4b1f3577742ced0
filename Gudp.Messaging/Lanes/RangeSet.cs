using System;
using System.Diagnostics;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// Which offsets of a stream are done: everything below <see cref="Prefix"/>, and a bounded number of ranges above it.
/// </summary>
/// <remarks>
/// One thread. Allocates while it grows to its limit, then no more. Always true: the ranges are in order, not empty,
/// neither touch each other nor the prefix, and are at most <c>mostRanges</c>.
/// </remarks>
internal sealed class RangeSet
{
    private const int FirstRanges = 8;

    private readonly int _mostRanges;
    private OffsetRange[] _ranges = new OffsetRange[FirstRanges];
    private int _count;

    /// <param name="mostRanges">So many ranges stand above the prefix at most.</param>
    /// <param name="prefix">Where the prefix starts; -1 keeps even what starts at 0 a range of its own.</param>
    internal RangeSet(int mostRanges, long prefix = 0)
    {
        _mostRanges = mostRanges;
        Prefix = prefix;
    }

    /// <summary>Everything below is done.</summary>
    internal long Prefix { get; private set; }

    /// <summary>How many ranges stand above the prefix.</summary>
    internal int Count => _count;

    /// <summary>How many more ranges may come to stand alone above the prefix.</summary>
    internal int Free => _mostRanges - _count;

    /// <summary>True if adding the range needs a new entry: it neither overlaps nor touches what is done.</summary>
    internal bool StandsAlone(long from, long to)
    {
        if (from <= Prefix)
        {
            return false;
        }

        int index = FirstReaching(from);
        return index == _count || _ranges[index].From > to;
    }

    /// <summary>Marks a range as done; what was done before stays so.</summary>
    /// <returns>False if there is no room for another range; then nothing changed.</returns>
    internal bool TryAdd(long from, long to)
    {
        if (to <= Prefix || from >= to)
        {
            return true;
        }

        if (from <= Prefix)
        {
            Prefix = to;
            Absorb();
            return true;
        }

        int first = FirstReaching(from);

        if (first == _count || _ranges[first].From > to)
        {
            return TryInsert(first, new OffsetRange(from, to));
        }

        Merge(first, from, to);
        AssertInvariants();
        return true;
    }

    /// <summary>The first part of [from, to) that is not done.</summary>
    /// <returns>False if all of it is.</returns>
    internal bool TryFirstMissing(long from, long to, out OffsetRange missing)
    {
        from = Math.Max(from, Prefix);

        if (from < to)
        {
            // The one range that may cover the start is the first that ends after it.
            int index = FirstReaching(from);

            if (index < _count && _ranges[index].From <= from)
            {
                from = _ranges[index].To;
                index++;
            }

            if (from < to)
            {
                long end = index < _count ? Math.Min(to, _ranges[index].From) : to;
                missing = new OffsetRange(from, end);
                return true;
            }
        }

        missing = default;
        return false;
    }

    /// <summary>True if the offset is done.</summary>
    internal bool Contains(long offset)
    {
        if (offset < Prefix)
        {
            return true;
        }

        int index = FirstReaching(offset + 1);
        return index < _count && _ranges[index].From <= offset;
    }

    /// <summary>Nothing is done any more.</summary>
    internal void Clear()
    {
        _count = 0;
        Prefix = 0;
    }

    /// <summary>Takes the highest range out.</summary>
    /// <returns>False if there is none above the prefix.</returns>
    internal bool TryTakeHighest(out OffsetRange range)
    {
        range = default;

        if (_count == 0)
        {
            return false;
        }

        range = _ranges[--_count];
        return true;
    }

    /// <summary>Forgets what stands below the offset and above the prefix.</summary>
    internal void RemoveBelow(long offset)
    {
        int gone = FirstReaching(offset);
        Remove(0, gone);

        if (_count > 0 && _ranges[0].From < offset)
        {
            _ranges[0] = _ranges[0] with { From = offset };

            if (_ranges[0].Length == 0)
            {
                Remove(0, 1);
            }
        }
    }

    // The first range whose end is at or after the offset: the first one that touches anything starting there.
    private int FirstReaching(long offset)
    {
        int low = 0;
        int high = _count;

        while (low < high)
        {
            int middle = (low + high) / 2;

            if (_ranges[middle].To < offset)
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

    private void Merge(int first, long from, long to)
    {
        from = Math.Min(from, _ranges[first].From);
        int last = first;

        while (last + 1 < _count && _ranges[last + 1].From <= to)
        {
            last++;
        }

        _ranges[first] = new OffsetRange(from, Math.Max(to, _ranges[last].To));
        Remove(first + 1, last - first);
    }

    private void Absorb()
    {
        int absorbed = 0;

        while (absorbed < _count && _ranges[absorbed].From <= Prefix)
        {
            Prefix = Math.Max(Prefix, _ranges[absorbed].To);
            absorbed++;
        }

        Remove(0, absorbed);
        AssertInvariants();
    }

    private bool TryInsert(int index, OffsetRange range)
    {
        if (_count == _mostRanges)
        {
            return false;
        }

        if (_count == _ranges.Length)
        {
            Array.Resize(ref _ranges, Math.Min(_mostRanges, _count * 2));
        }

        Array.Copy(_ranges, index, _ranges, index + 1, _count - index);
        _ranges[index] = range;
        _count++;
        AssertInvariants();
        return true;
    }

    private void Remove(int index, int count)
    {
        if (count > 0)
        {
            Array.Copy(_ranges, index + count, _ranges, index, _count - index - count);
            _count -= count;
        }

        Invariant.Require(_count >= 0, "A set has no fewer than no ranges.");
    }

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        long end = Prefix;

        for (int i = 0; i < _count; i++)
        {
            Debug.Assert(_ranges[i].From > end, "Ranges are in order and do not touch.");
            Debug.Assert(_ranges[i].To > _ranges[i].From, "A range is not empty.");
            end = _ranges[i].To;
        }

        Debug.Assert(_count <= _mostRanges, "There are more ranges than allowed.");
    }
}

/// <summary>Offsets from <paramref name="From"/> up to and without <paramref name="To"/>.</summary>
internal readonly record struct OffsetRange(long From, long To)
{
    internal long Length => To - From;
}
