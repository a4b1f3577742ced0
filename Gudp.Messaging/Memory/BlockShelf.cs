using System;
using System.Buffers;
using System.Collections.Generic;
using System.Numerics;
using System.Threading;

namespace Gudp.Messaging.Memory;

/// <summary>
/// Blocks that were returned and wait for the next borrower. A message's block is rented on one thread and returned on
/// another; the shared array pool keeps few for that and allocates anew.
/// </summary>
/// <remarks>
/// Any thread. Sizes are powers of two. Always true: what is kept is at most the given bytes; beyond that, and above
/// the largest size kept, the shared array pool lends and takes.
/// </remarks>
internal sealed class BlockShelf
{
    /// <summary>The least size of a block.</summary>
    internal const int LeastBytes = 64;

    private const int LargestKeptBytes = 1024 * 1024;

    private readonly Stack<byte[]>[] _blocks;
    private readonly long _mostBytes;
    private long _keptBytes;

    /// <param name="mostBytes">So much is kept at most.</param>
    internal BlockShelf(long mostBytes)
    {
        _mostBytes = mostBytes;
        _blocks = new Stack<byte[]>[ClassOf(LargestKeptBytes) + 1];

        for (int i = 0; i < _blocks.Length; i++)
        {
            _blocks[i] = new Stack<byte[]>();
        }
    }

    /// <summary>Bytes kept for later. A glance.</summary>
    internal long KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>A block of at least so many bytes, with undefined content.</summary>
    internal byte[] Take(int bytes)
    {
        int wanted = Math.Max(bytes, LeastBytes);

        if (wanted <= LargestKeptBytes)
        {
            Stack<byte[]> blocks = _blocks[ClassOf(wanted)];

            lock (blocks)
            {
                if (blocks.TryPop(out byte[]? block))
                {
                    Interlocked.Add(ref _keptBytes, -block.Length);
                    return block;
                }
            }
        }

        return ArrayPool<byte>.Shared.Rent(wanted);
    }

    /// <summary>The borrower is done with a block that <see cref="Take"/> gave.</summary>
    internal void Put(byte[] block)
    {
        if (block.Length <= LargestKeptBytes && BitOperations.IsPow2(block.Length))
        {
            if (Interlocked.Add(ref _keptBytes, block.Length) <= _mostBytes)
            {
                Stack<byte[]> blocks = _blocks[ClassOf(block.Length)];

                lock (blocks)
                {
                    blocks.Push(block);
                }

                return;
            }

            Interlocked.Add(ref _keptBytes, -block.Length);
        }

        ArrayPool<byte>.Shared.Return(block);
    }

    private static int ClassOf(int bytes) => BitOperations.Log2((uint)(bytes - 1)) + 1 - BitOperations.Log2(LeastBytes);
}
