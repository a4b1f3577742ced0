using System;
using System.Numerics;

namespace Gudp.Core.Engine;

/// <summary>
/// One bit for each of the newest numbers of a growing sequence; a number's slot is its remainder by the size. Which
/// numbers are still remembered is the owner's business: two numbers a whole size apart share a bit.
/// </summary>
internal sealed class SlotBits
{
    private const int WordBits = 64;
    private const int WordShift = 6;

    private readonly ulong[] _words;
    private readonly long _wordMask;

    /// <param name="size">A power of two, at least 64, so that a word never holds numbers from both ends.</param>
    internal SlotBits(int size)
    {
        Invariant.Require(BitOperations.IsPow2(size) && size >= WordBits, "Bits come in a power of two of 64 or more.");
        _words = new ulong[size / WordBits];
        _wordMask = _words.Length - 1;
    }

    internal bool Contains(long number) => (WordOf(number) & BitOf(number)) != 0;

    internal void Set(long number) => WordOf(number) |= BitOf(number);

    internal void Clear(long number) => WordOf(number) &= ~BitOf(number);

    internal void ClearAll() => Array.Clear(_words);

    /// <summary>Clears fewer numbers than there are bits, sixty-four at a step.</summary>
    internal void ClearRange(long from, long through)
    {
        while (from <= through)
        {
            int first = (int)(from & (WordBits - 1));
            int last = (int)Math.Min(WordBits - 1, first + (through - from));
            ulong mask = (ulong.MaxValue << first) & (ulong.MaxValue >> (WordBits - 1 - last));
            WordOf(from) &= ~mask;
            from += last - first + 1;
        }
    }

    /// <summary>The least number with its bit set from <paramref name="from"/> to <paramref name="through"/>.</summary>
    /// <returns>The number, or -1. Sixty-four numbers without a bit cost one step.</returns>
    internal long Next(long from, long through)
    {
        while (from <= through)
        {
            ulong rest = WordOf(from) & (ulong.MaxValue << (int)(from & (WordBits - 1)));

            if (rest != 0)
            {
                long found = from - (from & (WordBits - 1)) + BitOperations.TrailingZeroCount(rest);
                return found <= through ? found : -1;
            }

            from += WordBits - (from & (WordBits - 1));
        }

        return -1;
    }

    private static ulong BitOf(long number) => 1UL << (int)(number & (WordBits - 1));

    private ref ulong WordOf(long number) => ref _words[(number >> WordShift) & _wordMask];
}
