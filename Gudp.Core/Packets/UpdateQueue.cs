// Outcomes of packets on their way to the application (P-8.6).
//
// Room is reserved when a packet is accepted and used up or given back when its outcome is known, so no outcome is ever
// dropped, and nobody has to wait for the application.
//
// Always true:
//   - reserved + waiting <= limit, and the ring has room for both;
//   - nothing is added after the end, and from then on what still waits is no share of the budget: a connection that
//     was given up with updates in it must not hold it for ever.
using System;
using System.Threading;
using Gudp.Core.Buffers;

namespace Gudp.Core.Packets;

/// <summary>One adds, many take. Any thread. Allocates only while it grows.</summary>
internal sealed class UpdateQueue : IWaitPlace
{
    private const int FirstUpdates = 16;
    private const int UpdateBytes = 16;

    private readonly object _gate = new();
    private readonly int _limit;
    private readonly MemoryBudget? _budget;
    private readonly ITurnWatch? _watch;
    private int _watching;
    private PacketUpdate[] _ring = [];
    private int _head;
    private int _count;
    private int _reserved;
    private bool _hasEnded;

    /// <param name="limit">Most updates reserved and waiting together.</param>
    /// <param name="budget">What its memory is reserved from; null: only the limit counts.</param>
    /// <param name="watch">Lets a thread run the turns it waits for; null: it only sleeps.</param>
    internal UpdateQueue(int limit, MemoryBudget? budget, ITurnWatch? watch = null)
    {
        _watch = watch;
        _limit = limit;
        _budget = budget;
    }

    /// <summary>Keeps room for one update.</summary>
    /// <returns>Accepted; UpdatesFull: others wait to be taken; DaemonFull: no memory for one more.</returns>
    internal SendStatus TryReserve()
    {
        lock (_gate)
        {
            if (_reserved + _count == _limit)
            {
                return SendStatus.UpdatesFull;
            }

            if (_reserved + _count == _ring.Length && !TryGrow())
            {
                return SendStatus.DaemonFull;
            }

            _reserved++;
            return SendStatus.Accepted;
        }
    }

    /// <summary>Gives back the room of an update that there will not be.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            Invariant.Require(_reserved > 0, "Only reserved room is given back.");
            _reserved--;
        }
    }

    /// <summary>Adds an update in the room reserved for it, and wakes one who waits.</summary>
    internal void Add(PacketUpdate update)
    {
        lock (_gate)
        {
            Invariant.Require(_reserved > 0 && !_hasEnded, "Each update has its room, and none comes after the end.");
            _reserved--;
            _ring[(_head + _count) & (_ring.Length - 1)] = update;
            _count++;
            Monitor.Pulse(_gate);
        }

        NudgeWatching();
    }

    /// <summary>No more will come: wakes all who wait. More than once is fine.</summary>
    internal void End()
    {
        lock (_gate)
        {
            if (!_hasEnded)
            {
                _hasEnded = true;
                _budget?.Release(BytesBeyondFirst(_ring.Length));
            }

            Monitor.PulseAll(_gate);
        }

        NudgeWatching();
    }

    /// <summary>Takes the oldest ones.</summary>
    /// <returns>How many were written.</returns>
    internal int Take(Span<PacketUpdate> destination)
    {
        lock (_gate)
        {
            int taken = Math.Min(_count, destination.Length);

            for (int i = 0; i < taken; i++)
            {
                destination[i] = _ring[_head];
                _head = (_head + 1) & (_ring.Length - 1);
            }

            _count -= taken;

            if (_count > 0)
            {
                // One signal may have stood for several updates.
                Monitor.Pulse(_gate);
            }

            return taken;
        }
    }

    /// <summary>Waits until there is one, or the end.</summary>
    /// <returns>True if one waits to be taken.</returns>
    internal bool Wait(TimeSpan timeout)
    {
        if (_watch is null)
        {
            return Park(timeout);
        }

        WaitLimit limit = new(timeout);
        Interlocked.Increment(ref _watching);

        try
        {
            while (_watch.Wait(this, 0, limit.Left))
            {
                lock (_gate)
                {
                    if (_count > 0 || _hasEnded)
                    {
                        return _count > 0;
                    }
                }

                // Another thread was faster.
            }
        }
        finally
        {
            Interlocked.Decrement(ref _watching);
        }

        return false;
    }

    bool IWaitPlace.IsOver(long token)
    {
        lock (_gate)
        {
            return _count > 0 || _hasEnded;
        }
    }

    bool IWaitPlace.Park(long token, TimeSpan limit) => Park(limit);

    // After the change, with a full fence: who waits in the kernel counts itself before it looks.
    private void NudgeWatching()
    {
        Interlocked.MemoryBarrier();

        if (Volatile.Read(ref _watching) > 0)
        {
            _watch!.Nudge();
        }
    }

    private bool Park(TimeSpan timeout)
    {
        WaitLimit limit = new(timeout);

        lock (_gate)
        {
            while (_count == 0 && !_hasEnded)
            {
                int milliseconds = limit.NextMilliseconds;

                if (milliseconds == 0)
                {
                    break;
                }

                Monitor.Wait(_gate, milliseconds);
            }

            return _count > 0;
        }
    }

    private bool TryGrow()
    {
        int size = Math.Max(FirstUpdates, 2 * _ring.Length);

        // The first step is one of the small objects every connection has; what may become large is counted.
        if (_budget is not null && !_budget.TryReserve(BytesBeyondFirst(size) - BytesBeyondFirst(_ring.Length)))
        {
            return false;
        }

        PacketUpdate[] larger = new PacketUpdate[size];

        for (int i = 0; i < _count; i++)
        {
            larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
        }

        _ring = larger;
        _head = 0;
        return true;
    }

    private static long BytesBeyondFirst(int updates) => Math.Max(0, updates - FirstUpdates) * (long)UpdateBytes;
}
