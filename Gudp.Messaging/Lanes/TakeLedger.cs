using System;
using System.Threading;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// What the application has done with the messages of one lane whose senders want to know: how far all are taken, and
/// which were refused.
/// </summary>
/// <remarks>
/// Any thread, under one lock that is held for a few steps. Always true: entries stand in the order of their messages;
/// the taken offset never passes a message still held, nor a refused one before the peer has acknowledged that;
/// entries are at most <see cref="MostEntries"/>.
/// </remarks>
internal sealed class TakeLedger
{
    /// <summary>So many asked messages may be held by the application or wait above one that is.</summary>
    internal const int MostEntries = 1024;

    private const int FirstEntries = 32;

    private readonly Lock _gate = new();
    private Entry[] _entries = [];
    private long _oldest;
    private long _next;
    private long _taken;
    private long _unsentRefusals;
    private long _refusalFrames;

    private enum Fate : byte
    {
        Held,
        Taken,
        Refused,
        RefusalAcked,
    }

    /// <summary>Everything before was taken, or refused and the peer knows it.</summary>
    internal long Taken => Volatile.Read(ref _taken);

    /// <summary>Whether the peer has refusals to learn.</summary>
    internal bool HasUnsentRefusals => Volatile.Read(ref _unsentRefusals) > 0;

    /// <summary>
    /// Whether another asked message may be handed out. Only the lane's reader adds, so the answer holds for it.
    /// </summary>
    internal bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return _next - _oldest < MostEntries;
            }
        }
    }

    /// <summary>The message ending here was handed out and is held.</summary>
    /// <returns>Its number, for <see cref="Settle"/>.</returns>
    internal long Hold(long end)
    {
        lock (_gate)
        {
            return Add(end, Fate.Held);
        }
    }

    /// <summary>The message ending here was handed out and is done with.</summary>
    internal void Take(long end)
    {
        lock (_gate)
        {
            if (_oldest == _next)
            {
                Volatile.Write(ref _taken, end);
                return;
            }

            Add(end, Fate.Taken);
        }
    }

    /// <summary>A held message was taken or refused.</summary>
    internal void Settle(long number, bool refused)
    {
        lock (_gate)
        {
            ref Entry entry = ref At(number);
            Invariant.Require(
                number >= _oldest && number < _next && entry.Fate == Fate.Held, "A held message is settled once.");

            entry = entry with { Fate = refused ? Fate.Refused : Fate.Taken };
            _unsentRefusals += refused ? 1 : 0;
            Advance();
        }
    }

    /// <summary>Leader. The refused messages the peer must hear of, highest first, merged where they touch.</summary>
    /// <param name="ids">Filled with ranges of ids.</param>
    /// <param name="frame">Names the frame they go into, for <see cref="HandleRefusalsFate"/>.</param>
    internal int TakeUnsentRefusals(Span<OffsetRange> ids, out long frame)
    {
        lock (_gate)
        {
            int count = 0;
            frame = ++_refusalFrames;

            for (long number = _next - 1; number >= _oldest; number--)
            {
                ref Entry entry = ref At(number);

                if (entry.Fate != Fate.Refused || entry.Frame != 0)
                {
                    continue;
                }

                // Messages without content are one offset apart, and the frame cannot say so of two ranges.
                bool touches = count > 0 && ids[count - 1].From == entry.End + 1;

                if (!touches && count == ids.Length)
                {
                    break;
                }

                if (touches)
                {
                    ids[count - 1] = ids[count - 1] with { From = entry.End };
                }
                else
                {
                    ids[count++] = new OffsetRange(entry.End, entry.End + 1);
                }

                entry = entry with { Frame = frame };
                _unsentRefusals--;
            }

            return count;
        }
    }

    /// <summary>Leader. A frame with refusals was acknowledged, or must be sent again.</summary>
    internal void HandleRefusalsFate(long frame, bool acked)
    {
        lock (_gate)
        {
            for (long number = _oldest; number < _next; number++)
            {
                ref Entry entry = ref At(number);

                if (entry.Fate != Fate.Refused || entry.Frame != frame)
                {
                    continue;
                }

                entry = acked ? entry with { Fate = Fate.RefusalAcked } : entry with { Frame = 0 };
                _unsentRefusals += acked ? 0 : 1;
            }

            Advance();
        }
    }

    private long Add(long end, Fate fate)
    {
        Invariant.Require(
            _next - _oldest < MostEntries, "Room in the ledger is checked before a message is handed out.");

        if (_next - _oldest == _entries.Length)
        {
            Grow();
        }

        At(_next) = new Entry(end, fate, Frame: 0);
        return _next++;
    }

    private void Advance()
    {
        long taken = _taken;

        while (_oldest < _next && At(_oldest).Fate is Fate.Taken or Fate.RefusalAcked)
        {
            taken = At(_oldest).End;
            _oldest++;
        }

        Volatile.Write(ref _taken, taken);
    }

    private void Grow()
    {
        Entry[] larger = new Entry[Math.Max(FirstEntries, _entries.Length * 2)];

        for (long number = _oldest; number < _next; number++)
        {
            larger[number & (larger.Length - 1)] = At(number);
        }

        _entries = larger;
    }

    private ref Entry At(long number) => ref _entries[number & (_entries.Length - 1)];

    private readonly record struct Entry(long End, Fate Fate, long Frame);
}
