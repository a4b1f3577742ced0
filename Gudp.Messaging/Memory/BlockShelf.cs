using System;
using System.Buffers;
using System.Collections.Generic;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Gudp.Messaging.Memory;

/// <summary>
/// Blocks that were returned and wait for the next borrower. A message's block is rented on one thread and returned on
/// another; the shared array pool keeps few for that and allocates anew.
/// </summary>
/// <remarks>
/// Any thread. Sizes are powers of two. Always true: what is kept is at most the given bytes; beyond that, and above
/// the largest size kept, the shared array pool lends and takes. Of each size as many blocks have a place as there are,
/// so that putting one back allocates nothing.
/// </remarks>
internal sealed class BlockShelf
{
    /// <summary>The least size of a block.</summary>
    internal const int LeastBytes = 64;

    private const int LargestKeptBytes = 1024 * 1024;

    // How many blocks are lent at a time goes up and down, and a new high by a few comes again and again, ever more
    // seldom. So who finds none makes as many more as there are, within these bytes, but always one: after a few steps
    // none is missing.
    private const int MostAheadBytes = 256 * 1024;

    private readonly Stock[] _stocks = new Stock[ClassOf(LargestKeptBytes) + 1];
    private readonly long _mostBytes;
    private long _keptBytes;

    /// <param name="mostBytes">So much is kept at most.</param>
    internal BlockShelf(long mostBytes)
    {
        _mostBytes = mostBytes;

        for (int i = 0; i < _stocks.Length; i++)
        {
            _stocks[i] = new Stock();
        }
    }

    /// <summary>Bytes kept for later. A glance.</summary>
    internal long KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>A block of at least so many bytes, with undefined content.</summary>
    internal byte[] Take(int bytes)
    {
        int wanted = Math.Max(bytes, LeastBytes);

        if (wanted > LargestKeptBytes)
        {
            return ArrayPool<byte>.Shared.Rent(wanted);
        }

        Stock stock = _stocks[ClassOf(wanted)];

        lock (stock)
        {
            if (stock.Blocks.TryPop(out byte[]? block))
            {
                Interlocked.Add(ref _keptBytes, -block.Length);
                return block;
            }
        }

        return Make(stock, (int)BitOperations.RoundUpToPowerOf2((uint)wanted));
    }

    /// <summary>As many blocks of at least so many bytes each, of a size that is kept.</summary>
    internal void Take(int bytes, Span<byte[]> blocks)
    {
        int length = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, LeastBytes));
        Stock stock = _stocks[ClassOf(length)];
        int taken = 0;

        lock (stock)
        {
            while (taken < blocks.Length && stock.Blocks.TryPop(out byte[]? block))
            {
                blocks[taken++] = block;
            }

            Interlocked.Add(ref _keptBytes, -(long)taken * length);
        }

        foreach (ref byte[] missing in blocks[taken..])
        {
            missing = Take(length);
        }
    }

    /// <summary>As <see cref="Put(byte[])"/>, of blocks of one size that is kept; at least one.</summary>
    internal void Put(ReadOnlySpan<byte[]> blocks)
    {
        long bytes = (long)blocks.Length * blocks[0].Length;
        Stock stock = _stocks[ClassOf(blocks[0].Length)];

        lock (stock)
        {
            if (Interlocked.Add(ref _keptBytes, bytes) <= _mostBytes)
            {
                foreach (byte[] block in blocks)
                {
                    stock.Blocks.Push(block);
                }

                return;
            }

            Interlocked.Add(ref _keptBytes, -bytes);
        }

        // One by one: as many are kept as fit.
        foreach (byte[] block in blocks)
        {
            Put(block);
        }
    }

    /// <summary>The borrower is done with a block that <see cref="Take(int)"/> gave.</summary>
    internal void Put(byte[] block)
    {
        if (block.Length <= LargestKeptBytes && BitOperations.IsPow2(block.Length))
        {
            Stock stock = _stocks[ClassOf(block.Length)];

            lock (stock)
            {
                if (TryKeep(stock, block))
                {
                    return;
                }

                stock.Made--;
            }
        }

        ArrayPool<byte>.Shared.Return(block);
    }

    // Outside the lock, so that nobody waits for the collector. Who finds none meanwhile makes some too; each counts what
    // it makes, and what is kept has its limit.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte[] Make(Stock stock, int bytes)
    {
        int ahead;

        lock (stock)
        {
            int most = Math.Max(1, MostAheadBytes / bytes);
            ahead = (int)Math.Min(Math.Min(stock.Made, most), (_mostBytes - KeptBytes) / bytes);
            stock.Made++;
            stock.Blocks.EnsureCapacity(stock.Made + Math.Max(0, ahead));
        }

        for (; ahead > 0; ahead--)
        {
            byte[] block = ArrayPool<byte>.Shared.Rent(bytes);

            lock (stock)
            {
                stock.Made++;
            }

            Put(block);
        }

        return ArrayPool<byte>.Shared.Rent(bytes);
    }

    // Under the stock's lock.
    private bool TryKeep(Stock stock, byte[] block)
    {
        if (Interlocked.Add(ref _keptBytes, block.Length) > _mostBytes)
        {
            Interlocked.Add(ref _keptBytes, -block.Length);
            return false;
        }

        stock.Blocks.Push(block);
        return true;
    }

    /// <summary>Which of the sizes kept holds so many bytes, the least size and more.</summary>
    internal static int ClassOf(int bytes) => BitOperations.Log2((uint)(bytes - 1)) + 1 - BitOperations.Log2(LeastBytes);

    /// <summary>The blocks of one size; under its own lock.</summary>
    private sealed class Stock
    {
        internal Stack<byte[]> Blocks { get; } = new();

        /// <summary>Blocks that are lent or kept.</summary>
        internal int Made { get; set; }
    }
}
