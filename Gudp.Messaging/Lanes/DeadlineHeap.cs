using System;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <summary>Deadlines of messages, the earliest first. Entries of messages that ended meanwhile are told when due.</summary>
/// <remarks>
/// One thread at a time. Grows by doubling; its owner bounds it with <see cref="Keep"/>. Always true: no entry is
/// earlier than its parent, which stands at half its place.
/// </remarks>
internal sealed class DeadlineHeap
{
    private const int FirstEntries = 16;

    private Entry[] _entries = new Entry[FirstEntries];

    internal int Count { get; private set; }

    internal Instant Next => Count == 0 ? Instant.Never : _entries[0].At;

    internal void Add(in Entry entry)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count * 2);
        }

        int place = Count++;

        while (place > 0 && entry.At < _entries[(place - 1) / 2].At)
        {
            _entries[place] = _entries[(place - 1) / 2];
            place = (place - 1) / 2;
        }

        _entries[place] = entry;
    }

    /// <summary>Takes the earliest out.</summary>
    internal Entry Take()
    {
        Invariant.Require(Count > 0, "Only what is there is taken.");
        Entry first = _entries[0];
        Entry last = _entries[--Count];
        Sink(0, last);
        return first;
    }

    /// <summary>Keeps only the entries that still matter.</summary>
    internal void Keep(Func<Entry, bool> matters)
    {
        int kept = 0;

        for (int i = 0; i < Count; i++)
        {
            if (matters(_entries[i]))
            {
                _entries[kept++] = _entries[i];
            }
        }

        Count = kept;

        for (int place = (kept / 2) - 1; place >= 0; place--)
        {
            Sink(place, _entries[place]);
        }
    }

    private void Sink(int place, in Entry entry)
    {
        Entry sinking = entry;

        while (true)
        {
            int child = (2 * place) + 1;

            if (child + 1 < Count && _entries[child + 1].At < _entries[child].At)
            {
                child++;
            }

            if (child >= Count || sinking.At <= _entries[child].At)
            {
                break;
            }

            _entries[place] = _entries[child];
            place = child;
        }

        if (Count > 0)
        {
            _entries[place] = sinking;
        }
    }

    /// <summary>One time-out of one message.</summary>
    /// <param name="At">When.</param>
    /// <param name="Id">Which message.</param>
    /// <param name="OfTake">Of its take state; else of its transfer.</param>
    internal readonly record struct Entry(Instant At, long Id, bool OfTake);
}
