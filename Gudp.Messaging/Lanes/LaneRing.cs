using System;

namespace Gudp.Messaging.Lanes;

/// <summary>A block of memory read and written at positions that never wrap; the block is a window over them.</summary>
/// <param name="block">At least <paramref name="capacity"/> bytes.</param>
/// <param name="capacity">A power of two.</param>
internal sealed class LaneRing(byte[] block, int capacity)
{
    internal byte[] Block { get; } = block;

    internal void Write(long position, ReadOnlySpan<byte> source)
    {
        Span<byte> first = Contiguous(position, source.Length);

        if (first.Length == source.Length)
        {
            source.CopyTo(first);
            return;
        }

        source[..first.Length].CopyTo(first);
        source[first.Length..].CopyTo(Block);
    }

    internal void Read(long position, Span<byte> destination)
    {
        ReadOnlySpan<byte> first = Contiguous(position, destination.Length);
        first.CopyTo(destination);
        Block.AsSpan(0, destination.Length - first.Length).CopyTo(destination[first.Length..]);
    }

    /// <summary>The bytes from a position on, up to the block's end where the window starts anew.</summary>
    internal Span<byte> Contiguous(long position, int bytes)
    {
        int index = (int)(position & (capacity - 1));
        return Block.AsSpan(index, Math.Min(bytes, capacity - index));
    }
}
