using System;

namespace Gudp.Sequencing.Time;

/// <summary>
/// Channels by a tag, the least first; among equals the lowest index, so that what a pass reports depends on nothing but
/// the states. A binary heap that keeps its room.
/// </summary>
internal sealed class Frontier
{
    private (Tag Tag, int Channel)[] _heap = new (Tag, int)[16];
    private int _count;

    internal void Clear() => _count = 0;

    internal void Add(Tag tag, int channel)
    {
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, 2 * _count);
        }

        int place = _count++;

        while (place > 0 && IsBefore((tag, channel), _heap[(place - 1) / 2]))
        {
            _heap[place] = _heap[(place - 1) / 2];
            place = (place - 1) / 2;
        }

        _heap[place] = (tag, channel);
    }

    internal bool TryTake(out Tag tag, out int channel)
    {
        if (_count == 0)
        {
            (tag, channel) = (Tag.Top, BoundTable.Nobody);
            return false;
        }

        (tag, channel) = _heap[0];
        (Tag Tag, int Channel) last = _heap[--_count];
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

    private static bool IsBefore((Tag Tag, int Channel) left, (Tag Tag, int Channel) right)
    {
        int order = left.Tag.CompareTo(right.Tag);
        return order < 0 || (order == 0 && left.Channel < right.Channel);
    }
}
