// Holds grants back until the wall has come to their time (lock-time 13). It only ever delays: the tag of a grant and
// its batch are fixed before it is asked.
//
// Always true:
//   - a grant at time t is not released before start + t * tick / pace, but for final ones and members not paced;
//   - the start only moves later, and only with the slip policy.

using System;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal sealed class Pacer(PacingPlan plan)
{
    private Instant _start = Instant.Never;

    /// <summary>When the first of the grants that wait for the wall is due.</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

    /// <summary>Late grants of all members.</summary>
    internal long LateGrants { get; private set; }

    internal TimeSpan MaxLag { get; private set; }

    /// <summary>The run starts: time 0 is now.</summary>
    internal void Start(Instant now) => _start = now;

    /// <summary>Before an evaluation.</summary>
    internal void Begin() => NextDeadline = Instant.Never;

    /// <summary>Whether the grant must wait for the wall.</summary>
    internal bool Holds(Member member, Tag grant, bool isFinal, Instant now)
    {
        if (!Counts(member, isFinal) || now >= DueAt(grant))
        {
            return false;
        }

        NextDeadline = Instant.Earlier(NextDeadline, DueAt(grant));
        return true;
    }

    /// <summary>The grant is given: measures how late, and with the slip policy moves the plan.</summary>
    /// <returns>Whether its moment had passed before it could be given.</returns>
    internal bool OnGranted(Member member, Tag grant, bool isFinal, Instant now)
    {
        if (!Counts(member, isFinal))
        {
            return false;
        }

        TimeSpan lag = now - DueAt(grant);

        // One that waited for the wall was ready in time; what it lags is how late the timer rang.
        bool isLate = !member.IsPaced && lag > TimeSpan.Zero;
        member.Waits.CountLag(lag, isLate);
        MaxLag = lag > MaxLag ? lag : MaxLag;
        LateGrants += isLate ? 1 : 0;

        if (isLate && plan.WhenLate == LatePolicy.Slip)
        {
            _start += lag;
        }

        return isLate;
    }

    /// <summary>The earliest moment of a grant; never, if that is beyond the clock.</summary>
    internal Instant DueAt(Tag grant)
    {
        double span = grant.Time * (plan.TickLength.Ticks / plan.Pace);
        long left = long.MaxValue - 1 - _start.Ticks;
        return _start.IsNever || span >= left ? Instant.Never : _start + TimeSpan.FromTicks((long)Math.Ceiling(span));
    }

    private bool Counts(Member member, bool isFinal) => plan.IsSet && member.Layout.IsPaced && !isFinal;
}
