using System;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <summary>Message ids, first in, first out. Grows by doubling and then allocates no more; its owner bounds it.</summary>
internal struct IdQueue
{
    private const int FirstIds = 64;

    private long[]? _ids;
    private int _head;

    internal int Count { get; private set; }

    internal void Enqueue(long id)
    {
        if (_ids is null || Count == _ids.Length)
        {
            Grow();
        }

        _ids![(_head + Count) & (_ids.Length - 1)] = id;
        Count++;
    }

    internal readonly long Peek()
    {
        Invariant.Require(Count > 0, "Only a queue with something in it is looked at.");
        return _ids![_head];
    }

    internal long Dequeue()
    {
        long id = Peek();
        _head = (_head + 1) & (_ids!.Length - 1);
        Count--;
        return id;
    }

    private void Grow()
    {
        long[] larger = new long[Math.Max(FirstIds, Count * 2)];

        for (int i = 0; i < Count; i++)
        {
            larger[i] = _ids![(_head + i) & (_ids.Length - 1)];
        }

        _ids = larger;
        _head = 0;
    }
}
