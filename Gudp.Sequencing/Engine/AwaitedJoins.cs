// Who is still to be given its past: members that join at a tag of the roster or of a sponsor, and were not granted it yet
// (lock-time 8.2). What their channels keep as of that tag is held in the log for them, so that it does not matter how
// far the others are when they connect. The log's own limits hold all the same; who then misses something is told.

using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class AwaitedJoins(RunState run)
{
    private Tag[] _joins = [];
    private (int Awaited, int Members, int Channels, int Admissions, long Refused) _held;

    /// <summary>Tells the log. Before it is trimmed.</summary>
    internal void Hold()
    {
        int awaited = 0;

        foreach (Member member in run.Members.All)
        {
            awaited += IsAwaited(member) ? 1 : 0;
        }

        // Nobody is awaited again, and an admission goes only when a member comes or it is counted: the same numbers,
        // the same joins. To look at every interest after every message would be paid for by the whole run.
        (int, int, int, int, long) now = (
            awaited, run.Members.Count, run.Channels.Count, run.Admissions.Count,
            run.Tally[RunCount.AdmissionsRefused]);

        if (now == _held)
        {
            return;
        }

        bool isAny = awaited + run.Admissions.Count + _held.Awaited + _held.Admissions > 0;
        _held = now;

        if (isAny)
        {
            Find();

            for (int channel = 0; channel < run.Channels.Count; channel++)
            {
                run.Log.Hold(channel, _joins[channel]);
            }
        }
    }

    // Who is here since (0,0) has no past.
    private static bool IsAwaited(Member member)
        => member.GrantsSent == 0 && member.Join > Tag.Zero && member.Life != MemberLife.Resigned;

    private void Find()
    {
        if (_joins.Length < run.Channels.Count)
        {
            _joins = new Tag[Math.Max(run.Channels.Count, 2 * _joins.Length)];
        }

        Array.Fill(_joins, Tag.Top);

        foreach (Member member in run.Members.All)
        {
            if (IsAwaited(member))
            {
                foreach (Interest interest in member.Layout.Interests)
                {
                    Note(interest.Channel, interest.Bits, member.Join);
                }
            }
        }

        foreach (AdmissionOrder order in run.Admissions)
        {
            foreach (DeclaredInterest interest in order.Hello.Interests)
            {
                if (run.Channels.TryFind(interest.Name, out int channel))
                {
                    Note(channel, interest.Bits, order.Join);
                }
            }
        }
    }

    private void Note(int channel, InterestBits bits, Tag join)
    {
        if (bits.HasFlag(InterestBits.Subscribe))
        {
            _joins[channel] = Tag.Earlier(_joins[channel], join);
        }
    }
}
