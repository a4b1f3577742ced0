// Items ordered by their next deadline: a binary heap in an array.
//
// Always true:
//   - an item stands in the heap once at most, and its slot says where;
//   - no item is due before its parent at (index - 1) / 2;
//   - the slot of an item outside says Absent.
using System;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Gudp.Core.Loop;

/// <summary>
/// Where an item keeps its place in a <see cref="DeadlineHeap{T}"/>, so that it is found without a search.
/// </summary>
internal interface IHeapSlot<T>
    where T : class
{
    /// <summary>The index last set; <see cref="DeadlineHeap{T}.Absent"/> before the first.</summary>
    int IndexOf(T item);

    void SetIndex(T item, int index);
}

/// <summary>One deadline per item; finds the earliest. Setting, removing and taking cost O(log n).</summary>
internal sealed class DeadlineHeap<T>
    where T : class
{
    /// <summary>The index of an item that is not in the heap; items start with it.</summary>
    internal const int Absent = -1;

    private const int FirstCapacity = 16;

    private readonly IHeapSlot<T> _slot;
    private Entry[] _entries = new Entry[FirstCapacity];

    internal DeadlineHeap(IHeapSlot<T> slot) => _slot = slot;

    internal int Count { get; private set; }

    /// <summary>The earliest deadline; never if there is none.</summary>
    internal Instant Next => Count == 0 ? Instant.Never : _entries[0].At;

    /// <summary>Sets, moves or, with <see cref="Instant.Never"/>, removes the deadline of an item.</summary>
    internal void Set(T item, Instant at)
    {
        if (at.IsNever)
        {
            Remove(item);
            return;
        }

        int index = _slot.IndexOf(item);

        if (index == Absent)
        {
            if (Count == _entries.Length)
            {
                Array.Resize(ref _entries, 2 * _entries.Length);
            }

            index = Count++;
        }

        Settle(index, new Entry(at, item));
        AssertInvariants();
    }

    /// <summary>Does nothing if the item has no deadline.</summary>
    internal void Remove(T item)
    {
        int index = _slot.IndexOf(item);

        if (index == Absent)
        {
            return;
        }

        Invariant.Require(
            ReferenceEquals(_entries[index].Item, item), "The slot of an item names its place in the heap.");
        _slot.SetIndex(item, Absent);

        Entry last = _entries[--Count];
        _entries[Count] = default;

        if (index < Count)
        {
            Settle(index, last);
        }

        AssertInvariants();
    }

    /// <summary>
    /// Takes out the item with the earliest deadline if it is due: not later than <paramref name="now"/>.
    /// </summary>
    internal bool TryTakeDue(Instant now, [NotNullWhen(true)] out T? item)
    {
        if (Count == 0 || _entries[0].At > now)
        {
            item = null;
            return false;
        }

        item = _entries[0].Item;
        Remove(item);
        return true;
    }

    /// <summary>Puts an entry at a place that is free for it and lets it rise or sink to where it belongs.</summary>
    private void Settle(int index, Entry entry)
    {
        while (index > 0 && entry.At < _entries[Parent(index)].At)
        {
            Put(index, _entries[Parent(index)]);
            index = Parent(index);
        }

        while (true)
        {
            int child = (2 * index) + 1;

            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && _entries[child + 1].At < _entries[child].At)
            {
                child++;
            }

            if (entry.At <= _entries[child].At)
            {
                break;
            }

            Put(index, _entries[child]);
            index = child;
        }

        Put(index, entry);
    }

    private void Put(int index, Entry entry)
    {
        _entries[index] = entry;
        _slot.SetIndex(entry.Item, index);
    }

    private static int Parent(int index) => (index - 1) / 2;

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        for (int index = 0; index < Count; index++)
        {
            Debug.Assert(_slot.IndexOf(_entries[index].Item) == index, "An item does not know its place.");
            Debug.Assert(
                index == 0 || _entries[Parent(index)].At <= _entries[index].At, "An item is due before its parent.");
        }
    }

    private readonly record struct Entry(Instant At, T Item);
}
