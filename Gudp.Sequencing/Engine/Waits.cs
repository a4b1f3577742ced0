// Who waits for whom (lock-time 14). All of it is a measurement: nothing here is in the digest, and nothing that is
// granted depends on it.

using System;
using Gudp.Core;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Waits(RunState run, Outbox outbox)
{
    /// <summary>
    /// The member at whose door the wait of another one ends, as of the last evaluation: it computes, or is lost.
    /// </summary>
    /// <returns>Null if <paramref name="name"/> is unknown or does not wait.</returns>
    internal string? BlockedBy(string name)
    {
        Member? member = run.Members.Find(name);

        if (member is null || !run.Members.StateOf(member).IsWaiting || member.Blocker == BoundTable.Nobody)
        {
            return null;
        }

        return run.Members[member.Blocker].Name;
    }

    /// <summary>After everything grantable was granted: notes the root of each wait that goes on.</summary>
    internal void Note()
    {
        foreach (Member member in run.Members.All)
        {
            if (member.Life == MemberLife.Live && run.Members.StateOf(member).IsWaiting)
            {
                Member root = run.Members[RootOf(member.Ordinal)];
                member.Blocker = root.Ordinal;
                member.BlockerState = run.Members.Report(root.Ordinal);
                member.BlockerTag = run.Members.StateOf(root).Now;
                member.BlockerSince = root.RunningSince;
            }
        }
    }

    /// <summary>Tells a member that is granted after a wait whom it waited for.</summary>
    internal void WriteReleased(Member member, Tag grant, Instant now)
    {
        if (member.Blocker == BoundTable.Nobody)
        {
            return;
        }

        ReadOnlySpan<HealthEntry> chain =
        [
            new(member.Name, ReportedState.Waiting, grant, Milliseconds(now, member.WaitingSince)),
            new(
                run.Members[member.Blocker].Name, member.BlockerState, member.BlockerTag,
                Milliseconds(now, member.BlockerSince)),
        ];

        HealthFrame.Write(outbox.Writer, Outbox.Epoch, member.Session, chain);
        member.Blocker = BoundTable.Nobody;
    }

    /// <summary>The member at the end of the chain of who waits for whom, from <paramref name="waiting"/> on.</summary>
    /// <remarks>
    /// Each link leads to a strictly smaller bound: a blocked member's bound is at most its own grant, which is below
    /// its own E. So the chain ends, at a member that runs or is lost.
    /// </remarks>
    private int RootOf(int waiting)
    {
        BoundTable bounds = run.Bounds;
        int root = bounds.HeldBy[waiting];

        for (int steps = 0;
            run.Members[root].Life == MemberLife.Live && run.Members.States[root].IsWaiting;
            steps++)
        {
            Invariant.Require(steps <= run.Members.Count, "A chain of waits has no circle.");
            root = bounds.WokenBy[root] != BoundTable.Nobody ? bounds.WokenBy[root] : bounds.HeldBy[root];
        }

        return root;
    }

    private static ulong Milliseconds(Instant now, Instant since)
        => (ulong)Math.Max(0, (now - since).TotalMilliseconds);
}
