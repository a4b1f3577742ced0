// How often the order among publishers was decided by nothing but the rule for ties: for each receiver and each arrival,
// the publishers beyond the first. The count is the same whatever that rule is.
//
// Always true: a stamp above the current group is never found.

using System;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Channels;

internal sealed class TieCounter
{
    // The group in which a publisher was last seen.
    private long[] _stamps = new long[16];
    private long _group;
    private int _publishers;
    private Tag _arrival;

    /// <summary>Over all receivers.</summary>
    internal long Count { get; private set; }

    /// <summary>What follows is for a receiver; its messages of one arrival always come in one batch.</summary>
    internal void BeginBatch()
    {
        _group++;
        _publishers = 0;
    }

    /// <summary>Takes the messages of a batch in their order, before buffer policies.</summary>
    /// <returns>Whether it is the first of a further publisher at its arrival.</returns>
    internal bool Add(in DeliveryKey key)
    {
        if (_publishers > 0 && key.Arrival != _arrival)
        {
            BeginBatch();
        }

        if (key.Publisher >= _stamps.Length)
        {
            Array.Resize(ref _stamps, Math.Max(key.Publisher + 1, 2 * _stamps.Length));
        }

        if (_stamps[key.Publisher] == _group)
        {
            return false;
        }

        Invariant.Require(_stamps[key.Publisher] < _group, "Groups are counted up.");
        _stamps[key.Publisher] = _group;
        _arrival = key.Arrival;
        bool isTie = ++_publishers > 1;
        Count += isTie ? 1 : 0;
        return isTie;
    }
}
