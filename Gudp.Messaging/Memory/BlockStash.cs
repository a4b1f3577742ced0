using System;
using Gudp.Core;

namespace Gudp.Messaging.Memory;

/// <summary>
/// Small blocks of one side of a lane, between the memory and messages: several are lent or returned at once, because
/// each call costs a lock and the counts of two budgets, which both ends of the lane's work share.
/// </summary>
/// <remarks>
/// One thread at a time. Always true: what is here is lent and not returned; of each size at most
/// <see cref="MostPerSize"/>. Whoever owns it clears it when the work pauses, so that nothing stays here meanwhile.
/// </remarks>
/// <param name="memory">The peer's.</param>
/// <param name="isSent">What is charged: sending, or receiving.</param>
internal sealed class BlockStash(MessageMemory memory, bool isSent)
{
    /// <summary>A larger block is lent and returned by itself.</summary>
    internal const int LargestBytes = 512;

    /// <summary>So many blocks of each size are here at most.</summary>
    internal const int MostPerSize = 16;

    private readonly OneSize[] _sizes = new OneSize[BlockShelf.ClassOf(LargestBytes) + 1];

    /// <summary>Blocks that are here now.</summary>
    internal int Count
    {
        get
        {
            int count = 0;

            foreach (OneSize size in _sizes)
            {
                count += size.Count;
            }

            return count;
        }
    }

    /// <summary>A block of at least so many bytes, from here or from the memory.</summary>
    /// <param name="bytes">At least.</param>
    /// <param name="spare">So many more will be wanted soon, perhaps.</param>
    /// <param name="block">The caller's.</param>
    /// <returns>As <see cref="MessageMemory.TryRentToSend"/>.</returns>
    internal SendStatus TryTake(int bytes, int spare, out byte[] block)
    {
        if (bytes > LargestBytes)
        {
            return memory.TryRent(bytes, isSent, out block);
        }

        ref OneSize size = ref SizeOf(bytes);

        if (size.Count == 0)
        {
            int wanted = Math.Min(spare + 1, MostPerSize);

            if (wanted <= 1 || !memory.TryRentSpare(bytes, isSent, size.Places.AsSpan(0, wanted)))
            {
                return memory.TryRent(bytes, isSent, out block);
            }

            size.Count = wanted;
        }

        block = size.Places[--size.Count];
        return SendStatus.Accepted;
    }

    /// <summary>A block of the memory that is not needed any more.</summary>
    internal void Put(byte[] block)
    {
        if (block.Length > LargestBytes)
        {
            memory.Return(block, isSent);
            return;
        }

        ref OneSize size = ref SizeOf(block.Length);

        if (size.Count == MostPerSize)
        {
            size.Count /= 2;
            memory.Return(size.Places.AsSpan(size.Count), isSent);
        }

        size.Places[size.Count++] = block;
    }

    /// <summary>Returns all that is here.</summary>
    internal void Clear()
    {
        foreach (ref OneSize size in _sizes.AsSpan())
        {
            if (size.Count > 0)
            {
                memory.Return(size.Places.AsSpan(0, size.Count), isSent);
                size.Count = 0;
            }
        }
    }

    private ref OneSize SizeOf(int bytes)
    {
        ref OneSize size = ref _sizes[BlockShelf.ClassOf(Math.Max(bytes, BlockShelf.LeastBytes))];
        size.Places ??= new byte[MostPerSize][];
        return ref size;
    }

    /// <summary>What stands beyond the count has no meaning.</summary>
    private struct OneSize
    {
        internal byte[][] Places;
        internal int Count;
    }
}
