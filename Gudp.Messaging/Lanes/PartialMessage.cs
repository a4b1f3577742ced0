using System;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// A message of which some fragments have arrived. Leader only; used again for later messages.
/// </summary>
/// <remarks>
/// Always true: the block holds every byte received; it grows with what was received, so that a message costs what is
/// there of it and not what it says it will be.
/// </remarks>
internal sealed class PartialMessage
{
    /// <summary>More holes than this, in all messages of a lane, are not worth their memory.</summary>
    internal const int MostRanges = 4096;

    // Who had more of them is not used again: it keeps the memory of the most.
    private const int MostRangesToKeep = 256;

    // Fragments may run ahead of what is here by that much, and by a multiple of what is here.
    private const int AheadBytes = 1024 * 1024;
    private const int AheadFactor = 4;
    private const int FirstBlockBytes = 4 * 1024;

    private readonly RangeSet _have = new(MostRanges);
    private int _mostRanges;

    internal long Id { get; private set; }

    internal int Total { get; private set; }

    internal bool AsksTaken { get; private set; }

    internal byte[] Block { get; private set; } = [];

    internal int HeldBytes { get; private set; }

    internal Instant StartedAt { get; private set; }

    internal bool IsWhole => HeldBytes == Total;

    /// <summary>Bytes a block needs for a piece that ends at <paramref name="end"/>; 0 if it is too far ahead.</summary>
    internal static int BlockFor(int end, int total, int held, int block)
    {
        if (end > AheadBytes + ((long)held * AheadFactor))
        {
            return 0;
        }

        // Twice as much each time: every byte is moved about once.
        long grown = Math.Max(Math.Max((long)block * 2, FirstBlockBytes), end);
        return end <= block ? block : (int)Math.Min(grown, total);
    }

    internal void Begin(long id, int total, bool asksTaken, byte[] block, Instant now)
    {
        Id = id;
        Total = total;
        AsksTaken = asksTaken;
        Block = block;
        HeldBytes = 0;
        StartedAt = now;
        _have.Clear();
    }

    /// <summary>Moves over into a larger block.</summary>
    /// <returns>The one before, to be returned.</returns>
    internal byte[] MoveTo(byte[] larger)
    {
        byte[] before = Block;
        before.AsSpan().CopyTo(larger);
        Block = larger;
        return before;
    }

    /// <summary>Pieces that stand alone.</summary>
    internal int Ranges => _have.Count;

    /// <summary>Whether the object is worth keeping for another message.</summary>
    internal bool IsSmall => _mostRanges <= MostRangesToKeep;

    /// <summary>Whether the piece touches nothing that is here, so that it needs room to be remembered.</summary>
    internal bool StandsAlone(long start, int length) => _have.StandsAlone(start, start + length);

    /// <summary>Whether a byte that is here differs from what comes again (D-9.4).</summary>
    internal bool Contradicts(long start, ReadOnlySpan<byte> content)
    {
        long end = start + content.Length;
        long at = start;

        while (at < end)
        {
            bool hasMissing = _have.TryFirstMissing(at, end, out OffsetRange missing);
            long known = hasMissing ? missing.From : end;
            int length = (int)(known - at);

            // What is missing may lie beyond the block.
            if (length > 0 && !content.Slice((int)(at - start), length).SequenceEqual(Block.AsSpan((int)at, length)))
            {
                return true;
            }

            at = hasMissing ? missing.To : end;
        }

        return false;
    }

    /// <summary>Keeps what is not here yet; the block has room for it.</summary>
    /// <returns>False if there is no room to remember another range; what did not fit is as if not received.</returns>
    internal bool TryAdd(long start, ReadOnlySpan<byte> content)
    {
        long end = start + content.Length;

        while (_have.TryFirstMissing(start, end, out OffsetRange missing))
        {
            int length = (int)missing.Length;
            content.Slice((int)(missing.From - start), length).CopyTo(Block.AsSpan((int)missing.From));

            if (!_have.TryAdd(missing.From, missing.To))
            {
                return false;
            }

            HeldBytes += length;
            _mostRanges = Math.Max(_mostRanges, _have.Count);
        }

        return true;
    }

    /// <summary>The block goes to whoever asks; the object is empty.</summary>
    internal byte[] TakeBlock()
    {
        byte[] block = Block;
        Block = [];
        return block;
    }
}
