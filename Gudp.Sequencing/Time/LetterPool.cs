// Letters that nobody holds, by the size of their memory, for the next publications: a run in its steady state allocates
// nothing. What is too large or too much goes to the system's pool.
//
// Always true: the idle bytes are the sum over the letters here, and within the limit.

using System;
using System.Collections.Generic;
using System.Numerics;

namespace Gudp.Sequencing.Time;

/// <param name="maxIdleBytes">Most memory that waits here.</param>
internal sealed class LetterPool(long maxIdleBytes)
{
    private const int LeastBytes = 64;
    private const int Sizes = 11;
    private const int MaxBare = 1_024;

    // Entry i has letters of 64 << i bytes, 64 KiB the largest.
    private readonly Stack<Letter>[] _idle = MakeShelves();

    // Letters without memory.
    private readonly Stack<Letter> _bare = new();

    /// <summary>Memory that waits here.</summary>
    internal long IdleBytes { get; private set; }

    /// <summary>A letter with a copy of the payload, not held by anybody.</summary>
    internal Letter Take(int channel, ReadOnlySpan<byte> payload)
    {
        int size = SizeOf(payload.Length);

        if (size < Sizes && _idle[size].TryPop(out Letter? letter))
        {
            IdleBytes -= letter.Capacity;
            Invariant.Require(IdleBytes >= 0, "The pool gives out what was put into it.");
        }
        else
        {
            letter = _bare.TryPop(out letter) ? letter : new Letter(this, []);
            letter.Reserve(size < Sizes ? LeastBytes << size : payload.Length);
        }

        letter.Fill(channel, payload);
        return letter;
    }

    /// <summary>Nobody holds the letter any more.</summary>
    internal void OnReleased(Letter letter)
    {
        int size = SizeOf(letter.Capacity);

        if (size < Sizes && IdleBytes + letter.Capacity <= maxIdleBytes)
        {
            IdleBytes += letter.Capacity;
            _idle[size].Push(letter);
            return;
        }

        letter.DropBuffer();

        if (_bare.Count < MaxBare)
        {
            _bare.Push(letter);
        }
    }

    private static int SizeOf(int bytes)
        => bytes <= LeastBytes ? 0 : BitOperations.Log2((uint)(bytes - 1) / LeastBytes) + 1;

    private static Stack<Letter>[] MakeShelves()
    {
        Stack<Letter>[] shelves = new Stack<Letter>[Sizes];

        for (int i = 0; i < Sizes; i++)
        {
            shelves[i] = new Stack<Letter>();
        }

        return shelves;
    }
}
