using System;

namespace Gudp.Messaging.Lanes;

/// <summary>A block of memory read and written at positions that never wrap; the block is a window over them.</summary>
/// <param name="block">At least <paramref name="bytes"/> bytes.</param>
/// <param name="bytes">What it holds, a power of two.</param>
internal sealed class LaneRing(byte[] block, int bytes)
{
    /// <summary>Every ring starts with so much: the credit every end has for a lane at first (D-1.2).</summary>
    internal const int FirstBytes = 64 * 1024;

    internal byte[] Block { get; } = block;

    internal int Bytes { get; } = bytes;

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

    /// <summary>The same bytes at the same positions in a larger ring.</summary>
    internal void CopyTo(LaneRing larger, long from, long to)
    {
        while (from < to)
        {
            ReadOnlySpan<byte> piece = Contiguous(from, (int)(to - from));
            larger.Write(from, piece);
            from += piece.Length;
        }
    }

    /// <summary>The bytes from a position on, up to the block's end where the window starts anew.</summary>
    internal Span<byte> Contiguous(long position, int count)
    {
        int index = (int)(position & (Bytes - 1));
        return Block.AsSpan(index, Math.Min(count, Bytes - index));
    }
}
