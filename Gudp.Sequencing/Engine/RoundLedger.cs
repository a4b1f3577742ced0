using System;
using System.Text;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// Who publishes again and again within one time, and where: what to name when its rounds run out (lock-time 11). Kept
/// for the last time at which each member did so.
/// </summary>
internal sealed class RoundLedger
{
    // More names than anybody reads; each may have 255 bytes, and a refusal has room for 1,024.
    private const int MostNamed = 8;

    // Once is no loop.
    private const int LeastTimes = 2;

    private Entry[] _entries = [];

    /// <summary>Takes one publication that arrives at the time it was sent at.</summary>
    internal void Note(int ordinal, int channel, Tag sent)
    {
        if (ordinal >= _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(ordinal + 1, 2 * _entries.Length));
        }

        Entry last = _entries[ordinal];
        bool goesOn = last.Times > 0 && last.Sent.Time == sent.Time;
        int times = goesOn ? last.Times + (last.Sent == sent ? 0 : 1) : 1;
        _entries[ordinal] = new Entry(sent, channel, times);
    }

    /// <summary>The members that published in several rounds of a time, by ordinal, and where they did last.</summary>
    internal string Describe(RunState run, long time)
    {
        StringBuilder loop = new();
        int named = 0;

        for (int ordinal = 0; ordinal < _entries.Length; ordinal++)
        {
            Entry entry = _entries[ordinal];

            if (entry.Times < LeastTimes || entry.Sent.Time != time)
            {
                continue;
            }

            if (++named > MostNamed)
            {
                loop.Append(", and others");
                break;
            }

            loop.Append(named > 1 ? ", " : "");
            loop.Append($"\"{run.Members[ordinal].Name}\" on '{run.Channels[entry.Channel].Name}' {entry.Times} times");
        }

        return loop.ToString();
    }

    private readonly record struct Entry(Tag Sent, int Channel, int Times);
}
