using System;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// Ends of messages that offsets do not tell: which were given up, and whose taking was not waited for any longer.
/// </summary>
/// <remarks>
/// Under its owner's lock. Neighbours with the same end are one entry. Of more than <c>most</c> entries the lowest are
/// forgotten. Always true: entries stand in order and do not overlap.
/// </remarks>
/// <typeparam name="T">The end.</typeparam>
internal sealed class EndedRanges<T>(int most)
    where T : struct, Enum
{
    private const int FirstEntries = 16;

    private Entry[] _entries = [];
    private int _count;

    /// <summary>Of messages that end here or before, more may have ended so than is still known.</summary>
    internal long Forgotten { get; private set; }

    internal bool IsEmpty => _count == 0;

    /// <summary>How many ranges end after the offset.</summary>
    internal int CountAfter(long offset) => _count - FirstEndingAt(offset + 1);

    /// <summary>All messages that end after <paramref name="from"/> and not after <paramref name="to"/>.</summary>
    internal void Add(long from, long to, T end)
    {
        int index = FirstEndingAt(to);

        // Mostly the newest of its kind, or next to one.
        bool joinsBelow = index > 0 && _entries[index - 1].To == from && Same(_entries[index - 1].End, end);
        bool joinsAbove = index < _count && _entries[index].From == to && Same(_entries[index].End, end);

        if (joinsBelow && joinsAbove)
        {
            _entries[index - 1] = _entries[index - 1] with { To = _entries[index].To };
            RemoveAt(index);
        }
        else if (joinsBelow)
        {
            _entries[index - 1] = _entries[index - 1] with { To = to };
        }
        else if (joinsAbove)
        {
            _entries[index] = _entries[index] with { From = from };
        }
        else
        {
            Insert(index, new Entry(from, to, end));
        }
    }

    internal bool TryFind(long id, out T end)
    {
        int index = FirstEndingAt(id);
        bool found = index < _count && _entries[index].From < id;
        end = found ? _entries[index].End : default;
        return found;
    }

    private static bool Same(T left, T right) => left.Equals(right);

    private int FirstEndingAt(long id)
    {
        int low = 0;
        int high = _count;

        while (low < high)
        {
            int middle = (low + high) / 2;

            if (_entries[middle].To < id)
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

    private void Insert(int index, Entry entry)
    {
        if (_count == most)
        {
            Forgotten = _entries[0].To;
            RemoveAt(0);
            index = Math.Max(0, index - 1);
        }

        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Min(most, Math.Max(FirstEntries, _count * 2)));
        }

        Array.Copy(_entries, index, _entries, index + 1, _count - index);
        _entries[index] = entry;
        _count++;
    }

    private void RemoveAt(int index)
    {
        _count--;
        Array.Copy(_entries, index + 1, _entries, index, _count - index);
    }

    private readonly record struct Entry(long From, long To, T End);
}
