using System;
using System.Numerics;

namespace Gudp.Messaging.Lanes;

/// <summary>Which of the newest ids were seen: a window that moves up with the highest.</summary>
/// <remarks>One thread.</remarks>
internal sealed class RecentIds
{
    /// <summary>
    /// How far below the highest an id may be and still be told from one that was seen: as many as a sender may have a
    /// question about (D-8.7), so that none of these is ever below.
    /// </summary>
    internal const int Window = MessageSendLane.MostRecords;

    private const int WordBits = 64;

    private readonly ulong[] _seen = new ulong[Window / WordBits];
    private long _top = -1;

    /// <summary>Seen, or too old to know.</summary>
    internal bool Contains(long id) => id <= _top && (id <= _top - Window || IsSet(id));

    internal void Add(long id)
    {
        if (id <= _top - Window)
        {
            return;
        }

        if (id > _top)
        {
            MoveTo(id);
        }

        _seen[Word(id)] |= 1UL << (int)(id % WordBits);
    }

    /// <summary>The first id of a range that was not seen, for a few steps per 64 that were.</summary>
    /// <returns><paramref name="to"/> if all were.</returns>
    internal long FirstUnseen(long from, long to)
    {
        long id = Math.Max(from, _top - Window + 1);

        while (id < to && id <= _top)
        {
            ulong unseen = ~_seen[Word(id)] >> (int)(id % WordBits);

            if (unseen != 0)
            {
                id += BitOperations.TrailingZeroCount(unseen);
                break;
            }

            id = EndOfWord(id);
        }

        // Bits above the highest are of ids that left the window.
        return Math.Min(to, id > _top ? Math.Max(from, _top + 1) : id);
    }

    private static int Word(long id) => (int)(id % Window) / WordBits;

    private bool IsSet(long id) => (_seen[Word(id)] & (1UL << (int)(id % WordBits))) != 0;

    // By words: a peer may jump with every message of a packet.
    private void MoveTo(long id)
    {
        if (id - _top >= Window)
        {
            Array.Clear(_seen);
        }
        else
        {
            for (long from = _top + 1; from <= id; from = EndOfWord(from))
            {
                _seen[Word(from)] &= ~MaskOf(from, Math.Min(id + 1, EndOfWord(from)));
            }
        }

        _top = id;
    }

    private static long EndOfWord(long id) => (id | (WordBits - 1)) + 1;

    // The bits of the ids from one up to and without another one, which are of one word.
    private static ulong MaskOf(long from, long to)
        => (ulong.MaxValue << (int)(from % WordBits)) & (ulong.MaxValue >> (int)(EndOfWord(from) - to));
}
