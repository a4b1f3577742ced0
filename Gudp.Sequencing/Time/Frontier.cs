using System;

namespace Gudp.Sequencing.Time;

/// <summary>
/// Members by the smallest E found for them so far, the least first; among equals the lowest ordinal, so that what a
/// pass reports depends on nothing but the states. A binary heap that keeps its room.
/// </summary>
internal sealed class Frontier
{
    private (Tag Earliest, int Member)[] _heap = new (Tag, int)[16];
    private int _count;

    internal void Clear() => _count = 0;

    internal void Add(Tag earliest, int member)
    {
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, 2 * _count);
        }

        int place = _count++;

        while (place > 0 && IsBefore((earliest, member), _heap[(place - 1) / 2]))
        {
            _heap[place] = _heap[(place - 1) / 2];
            place = (place - 1) / 2;
        }

        _heap[place] = (earliest, member);
    }

    internal bool TryTake(out Tag earliest, out int member)
    {
        if (_count == 0)
        {
            (earliest, member) = (Tag.Top, BoundTable.Nobody);
            return false;
        }

        (earliest, member) = _heap[0];
        (Tag Earliest, int Member) last = _heap[--_count];
        int place = 0;

        for (int child = 1; child < _count; child = (2 * place) + 1)
        {
            if (child + 1 < _count && IsBefore(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (!IsBefore(_heap[child], last))
            {
                break;
            }

            _heap[place] = _heap[child];
            place = child;
        }

        _heap[place] = last;
        return true;
    }

    private static bool IsBefore((Tag Earliest, int Member) left, (Tag Earliest, int Member) right)
        => left.Earliest < right.Earliest || (left.Earliest == right.Earliest && left.Member < right.Member);
}
