// Who leaves the run, of its own will or not (lock-time 8.3, 8.4).

using Gudp.Core;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Departures(RunState run, Outbox outbox, SystemNews news)
{
    /// <summary>The member's connection is gone.</summary>
    internal void Lose(Member member, Instant now)
    {
        member.Link = null;

        // Its place is kept for it, see Observers.
        if (member.IsObserver)
        {
            return;
        }

        if (member.Life == MemberLife.Joining)
        {
            member.Life = MemberLife.Absent;
            return;
        }

        if (member.Life != MemberLife.Live || run.Phase != RunPhase.Running)
        {
            return;
        }

        ref readonly MemberState state = ref run.Members.StateOf(member);
        CrashPolicy policy = member.IsSuspended ? CrashPolicy.Stall : member.Layout.CrashPolicy;
        member.Life = MemberLife.Lost;
        member.Waits.End(now);
        member.RunningSince = state.IsWaiting ? member.RunningSince : now;
        run.Note(new ExternalFact(ExternalFactKind.Lost, member.Name, state.Now));

        if (policy == CrashPolicy.Resign)
        {
            Remove(member);
        }
        else if (policy == CrashPolicy.Abort)
        {
            run.Note(new ExternalFact(ExternalFactKind.Aborted, member.Name, state.Now));
            Abort(member);
        }
    }

    /// <summary>The member is taken out; its last complete commit counts, and its session is over.</summary>
    internal void Remove(Member member)
    {
        bool isTooLate = member.IsTooLate(run.Limits.Stop);
        run.Note(new ExternalFact(
            isTooLate ? ExternalFactKind.LeftOut : ExternalFactKind.Removed, member.Name,
            run.Members.StateOf(member).Now));

        if (isTooLate && member.Link is long link)
        {
            outbox.Refuse(
                link, SequencingError.Stopped,
                $"The run stops at {run.Limits.Stop}, before \"{member.Name}\" joins at {member.Join}.",
                (0, member.Session));
        }

        news.TellLeaving(member, SystemEventKind.Lost);
        Sessions.Raise(member);
        Leave(member);
    }

    /// <summary>The member has said its last; what it published stays valid.</summary>
    internal void Resign(Member member)
    {
        if (member.IsObserver)
        {
            Observers.Leave(run, member);
            return;
        }

        news.TellLeaving(member, SystemEventKind.Resigned);
        Leave(member);
    }

    private void Leave(Member member)
    {
        ref MemberState state = ref run.Members.StateOf(member);
        state.IsOut = true;
        state.Sends = false;
        state.Receives = false;
        state.Request = default;
        state.Head = Tag.Top;
        member.Life = MemberLife.Resigned;
        member.Inbox.Clear();
        member.Kept.Clear();

        EndIfOver();
    }

    /// <summary>
    /// Ends the run when everybody has left it, and nobody was admitted who is still to come: whether that was decided
    /// before or after the last one left is a matter of the moment.
    /// </summary>
    internal void EndIfOver()
    {
        if (run.Phase == RunPhase.Running && run.Admissions.Count == 0 && run.Members.AreAll(MemberLife.Resigned))
        {
            End();
        }
    }

    private void End()
    {
        run.Phase = RunPhase.Ended;
        run.RunDigest = RunDigest.Of(run.Members.All, run.Layout.Members.Length, run.Limits.Stop);
        run.Log.Seal(Tag.Top);
        run.Recorder?.Complete();

        foreach (Member member in run.Members.All)
        {
            new EndFrame((ulong)(run.Log.Next - 1), run.RunDigest).Write(outbox.Writer, Outbox.Epoch, member.Session);
            outbox.Send(member);
        }
    }

    private void Abort(Member lost)
    {
        run.AbortReport = AbortReport.Of(run, lost);
        run.Phase = RunPhase.Aborted;

        foreach (Member member in run.Members.All)
        {
            TellAborted(member, lost);
        }

        foreach (Member observer in run.Members.Observers)
        {
            TellAborted(observer, lost);
        }
    }

    private void TellAborted(Member member, Member lost)
    {
        Tag at = run.Members.StateOf(member).Now;
        new RefusalFrame(
            SequencingError.Stopped, $"\"{lost.Name}\" was lost; your last grant is {at}.", member.Step)
            .Write(outbox.Writer, FrameType.Error, Outbox.Epoch, member.Session);
        outbox.Send(member);
    }
}
