// Blocks of memory in a few sizes, kept for the next user instead of the garbage collector.
//
// Always true:
//   - rented minus returned is how many blocks are with users;
//   - the bytes of all blocks, rented and free, are reserved in the budget.
using System;
using System.Collections.Concurrent;
using System.Threading;

namespace Gudp.Core.Buffers;

/// <summary>Rents pinned blocks; never holds more than its budget. Any thread.</summary>
internal sealed class BufferPool
{
    private const int SmallestBytes = 4 * 1024;
    private const int Levels = 6;

    // Each level four times the one before: a rented block is at worst three quarters empty, and there are few levels.
    private const int LevelShift = 2;

    private readonly MemoryBudget _budget;
    private readonly ConcurrentQueue<PooledBuffer>[] _free = new ConcurrentQueue<PooledBuffer>[Levels];
    private long _rented;
    private long _returned;
    private long _grown;

    internal BufferPool(MemoryBudget budget)
    {
        _budget = budget;

        for (int level = 0; level < Levels; level++)
        {
            _free[level] = new ConcurrentQueue<PooledBuffer>();
        }
    }

    /// <summary>The largest block there is.</summary>
    internal static int LargestBytes => BytesOf(Levels - 1);

    /// <summary>Blocks that are with users now.</summary>
    internal long Outstanding => Volatile.Read(ref _rented) - Volatile.Read(ref _returned);

    /// <summary>How often a block had to be made because none was free: growth is counted, never silent.</summary>
    internal long Grown => Volatile.Read(ref _grown);

    /// <summary>A block of at least <paramref name="bytes"/>; the caller owns it and returns it once.</summary>
    /// <returns>False: the budget is used up.</returns>
    internal bool TryRent(int bytes, out PooledBuffer? buffer)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)LargestBytes, nameof(bytes));
        int level = LevelOf(bytes);

        if (!_free[level].TryDequeue(out buffer) && !TryGrow(level, out buffer) && !TryTakeLarger(level, out buffer))
        {
            return false;
        }

        buffer!.MarkRented(bytes);
        Interlocked.Increment(ref _rented);
        return true;
    }

    internal void TakeBack(PooledBuffer buffer)
    {
        Interlocked.Increment(ref _returned);
        _free[buffer.Level].Enqueue(buffer);
    }

    private static int BytesOf(int level) => SmallestBytes << (LevelShift * level);

    private static int LevelOf(int bytes)
    {
        int level = 0;

        while (BytesOf(level) < bytes)
        {
            level++;
        }

        return level;
    }

    private bool TryGrow(int level, out PooledBuffer? buffer)
    {
        int bytes = BytesOf(level);

        // What is free in other sizes may be given up: a budget held by blocks nobody uses helps nobody.
        while (!_budget.TryReserve(bytes))
        {
            if (!TryDropFree())
            {
                buffer = null;
                return false;
            }
        }

        Interlocked.Increment(ref _grown);
        buffer = new PooledBuffer(this, level, bytes);
        return true;
    }

    private bool TryDropFree()
    {
        for (int level = 0; level < Levels; level++)
        {
            if (_free[level].TryDequeue(out _))
            {
                _budget.Release(BytesOf(level));
                return true;
            }
        }

        return false;
    }

    private bool TryTakeLarger(int level, out PooledBuffer? buffer)
    {
        // Another thread may have returned one meanwhile, in this size or a larger one.
        for (; level < Levels; level++)
        {
            if (_free[level].TryDequeue(out buffer))
            {
                return true;
            }
        }

        buffer = null;
        return false;
    }
}
