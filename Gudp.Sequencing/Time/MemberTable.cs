using System;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Time;

/// <summary>Life of a member of the roster, lock-time 5.1. Running and waiting are told apart by its request.</summary>
internal enum MemberLife : byte
{
    /// <summary>Nobody joined under this name yet.</summary>
    Absent,

    /// <summary>Joined; the run has not started.</summary>
    Joining,

    /// <summary>Part of the run.</summary>
    Live,

    /// <summary>Part of the run without a connection: its bounds are frozen.</summary>
    Lost,

    /// <summary>Out of the run for good.</summary>
    Resigned,
}

/// <summary>What the server keeps of one member besides the state the rule works on.</summary>
internal sealed class Member(MemberLayout layout, int ordinal, ulong configHash)
{
    internal MemberLayout Layout { get; } = layout;
    internal int Ordinal { get; } = ordinal;
    internal ArrivalQueue Inbox { get; } = new();
    internal Digest Digest { get; } = new(configHash, layout.Name);
    internal MemberLife Life { get; set; }
    internal long? Link { get; set; }

    /// <summary>Raised whenever the name is taken anew, so that frames of an earlier holder are told apart.</summary>
    internal ulong Session { get; set; }

    /// <summary>The last commit that was applied.</summary>
    internal ulong Step { get; set; }

    /// <summary>Messages it has published over the whole run.</summary>
    internal long SubSequence { get; set; }

    /// <summary>When its present request came. Statistics.</summary>
    internal Instant WaitingSince { get; set; }

    /// <summary>When it was last granted. Statistics.</summary>
    internal Instant RunningSince { get; set; }

    /// <summary>Root of its wait as of the last evaluation that left it waiting; nobody if none did.</summary>
    internal int Blocker { get; set; } = BoundTable.Nobody;

    /// <summary>What the blocker was doing then.</summary>
    internal ReportedState BlockerState { get; set; }
    internal Tag BlockerTag { get; set; }
    internal Instant BlockerSince { get; set; }
}

/// <summary>All members by ordinal: their states in one array for the rule, everything else beside it.</summary>
internal sealed class MemberTable
{
    internal MemberTable(RunLayout layout)
    {
        All = new Member[layout.Members.Length];
        States = new MemberState[layout.Members.Length];

        for (int ordinal = 0; ordinal < All.Length; ordinal++)
        {
            MemberLayout member = layout.Members[ordinal];
            All[ordinal] = new Member(member, ordinal, layout.ConfigHash);
            States[ordinal] = new MemberState
            {
                Sends = member.Sends,
                Receives = member.Receives,
                Lookahead = member.Lookahead,
                Head = Tag.Top,
            };
        }
    }

    internal Member[] All { get; }

    internal MemberState[] States { get; }

    internal bool AreAll(MemberLife life) => Array.TrueForAll(All, member => member.Life == life);

    internal ReportedState Report(int ordinal) => All[ordinal].Life switch
    {
        MemberLife.Absent => ReportedState.Absent,
        MemberLife.Joining => ReportedState.Joining,
        MemberLife.Lost => ReportedState.Lost,
        MemberLife.Resigned => ReportedState.Resigned,
        _ => States[ordinal].IsWaiting ? ReportedState.Waiting : ReportedState.Running,
    };

    /// <summary>
    /// The member at the end of the chain of who waits for whom, from <paramref name="waiting"/> on (lock-time 14).
    /// </summary>
    /// <remarks>
    /// Call after everything grantable was granted. Each link leads to a strictly smaller bound: a blocked member's
    /// bound is at most its own grant, which is below its own E. So the chain ends, at a member that runs or is lost.
    /// </remarks>
    internal int RootOf(int waiting, BoundTable bounds)
    {
        int root = bounds.HeldBy[waiting];

        for (int steps = 0; All[root].Life == MemberLife.Live && States[root].IsWaiting; steps++)
        {
            Invariant.Require(steps <= All.Length, "A chain of waits has no circle.");
            root = bounds.WokenBy[root] != BoundTable.Nobody ? bounds.WokenBy[root] : bounds.HeldBy[root];
        }

        return root;
    }
}
