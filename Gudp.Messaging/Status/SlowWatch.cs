// When a consumer counts as slow (D-13.3), without a time stamp on any message: marks are put where the lanes stand, and
// a limit later the watch looks whether what waited then still waits. Two marks, one for each application that may be
// slow.
//
// Always true:
//   - the watch runs only while something waits, so an idle session has no deadline of it;
//   - a stage is found at most once between two marks, and stages only grow between them.

using System;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Status;

/// <summary>One of the two things watched. Leader only.</summary>
internal sealed class SlowWatch
{
    private readonly TimeSpan _limit;
    private readonly int _lanes;
    private long[] _marks = [];         // made with the first
    private Instant _since = Instant.Never;

    /// <param name="limit">How long is too long; zero never looks.</param>
    /// <param name="lanes">Lanes in this direction.</param>
    internal SlowWatch(TimeSpan limit, int lanes)
    {
        _limit = limit;
        _lanes = lanes;
    }

    /// <summary>When to look; never while nothing waits.</summary>
    internal Instant NextLook { get; private set; } = Instant.Never;

    /// <summary>The stage found since the marks were put: 0, 1, 3, 6 or 10.</summary>
    internal int Stage { get; private set; }

    internal bool IsRunning => NextLook != Instant.Never;

    internal bool IsOff => _limit <= TimeSpan.Zero;

    /// <summary>Since when the marks stand.</summary>
    internal TimeSpan WaitedAt(Instant now) => now - _since;

    /// <summary>What waits on a lane now ends before this position.</summary>
    internal void Mark(int lane, long position)
    {
        if (_marks.Length == 0)
        {
            _marks = new long[_lanes];
        }

        _marks[lane] = position;
    }

    /// <summary>Whether something that waited when the marks were put still waits.</summary>
    internal bool IsPast(int lane, long position) => position >= (_marks.Length == 0 ? 0 : _marks[lane]);

    /// <summary>The marks were put anew, because something waits.</summary>
    internal void Restart(Instant now)
    {
        Invariant.Require(!IsOff, "A watch without a limit never runs.");
        _since = now;
        Stage = 0;
        NextLook = now + _limit;
    }

    internal void Stop()
    {
        NextLook = Instant.Never;
        Stage = 0;
    }

    /// <summary>What waited then still waits: the marks stay.</summary>
    /// <returns>True if that is a new stage.</returns>
    internal bool Escalate(Instant now)
    {
        long times = (now - _since).Ticks / _limit.Ticks;
        int stage = times >= 10 ? 10 : times >= 6 ? 6 : times >= 3 ? 3 : times >= 1 ? 1 : 0;
        bool isNew = stage > Stage;
        Invariant.Require(stage >= Stage, "Stages only grow while the marks stay.");
        Stage = stage;
        NextLook = now + _limit;
        return isNew;
    }
}
