// Who comes into the run (lock-time 8.1, 8.2).

using Gudp.Core;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Admission(RunState run, Outbox outbox, Sessions sessions, Grants grants)
{
    internal void HandleHello(long link, in Frame frame)
    {
        if (!HelloFrame.TryRead(in frame, out HelloFrame hello))
        {
            outbox.Reject(link, SequencingError.BadFrame, "The hello is malformed.");
            return;
        }

        if (!hello.Resume.IsNone)
        {
            sessions.Resume(link, hello);
            return;
        }

        SequencingError error = HelloCheck.Check(hello, run, out string detail);
        Member? member = error == SequencingError.None ? run.Members.Find(hello.Name) : null;

        if (member is not null && (!IsFree(member) || sessions.MemberOf(link) is not null))
        {
            error = SequencingError.NameTaken;
            detail = $"\"{hello.Name}\" is here already, or this connection has another name.";
        }

        if (error != SequencingError.None)
        {
            outbox.Reject(link, error, detail);
            return;
        }

        Admit(link, member!);
    }

    /// <summary>Starts the run once the whole roster is there.</summary>
    internal void StartIfComplete(Instant now)
    {
        if (run.Phase != RunPhase.Gathering || !run.Members.AreAll(MemberLife.Joining)
            || (run.Layout.StartsOnCommand && !run.IsStartAsked))
        {
            return;
        }

        run.Phase = RunPhase.Running;
        grants.Pacer.Start(now);

        foreach (Member member in run.Members.All)
        {
            member.Life = MemberLife.Live;
            member.RunningSince = now;
            sessions.SendNames(member, 0);
            grants.WriteStart(member);
        }
    }

    // Clause: who was lost before it said anything left nothing that another process could not begin with.
    private static bool IsFree(Member member)
        => member.Life == MemberLife.Absent || (member.Life == MemberLife.Lost && member.Step == 0);

    private void Admit(long link, Member member)
    {
        if (member.Life == MemberLife.Absent)
        {
            member.Life = MemberLife.Joining;
            sessions.Open(link, member);
            sessions.WriteWelcome(member, Tag.Zero);
            outbox.Send(member);
            return;
        }

        member.Life = MemberLife.Live;
        run.Note(new ExternalFact(ExternalFactKind.Resumed, member.Name, run.Members.StateOf(member).Now));
        sessions.Renew(link, member);
        sessions.WriteWelcome(member, Tag.Zero);
        outbox.Send(member);
        sessions.SendNames(member, 0);
        member.Kept.SendAgain(outbox, member);
    }
}
