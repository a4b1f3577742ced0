using System;

namespace Gudp.Messaging.Lanes;

/// <summary>Which of the newest ids were seen: a window that moves up with the highest.</summary>
/// <remarks>One thread.</remarks>
internal sealed class RecentIds
{
    /// <summary>How far below the highest an id may be and still be told from one that was seen.</summary>
    internal const int Window = 1024;

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

    private static int Word(long id) => (int)(id % Window) / WordBits;

    private bool IsSet(long id) => (_seen[Word(id)] & (1UL << (int)(id % WordBits))) != 0;

    private void MoveTo(long id)
    {
        if (id - _top >= Window)
        {
            Array.Clear(_seen);
        }
        else
        {
            for (long passed = _top + 1; passed <= id; passed++)
            {
                _seen[Word(passed)] &= ~(1UL << (int)(passed % WordBits));
            }
        }

        _top = id;
    }
}
