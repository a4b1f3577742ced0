// Who comes into the run (lock-time 8.1, 8.2).

using Gudp.Core;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>Ways in beside the roster.</summary>
internal readonly record struct Doors(Newcomers Newcomers, Observers Observers, HeldHellos Held);

internal sealed class Admission(RunState run, Outbox outbox, Sessions sessions, Grants grants, Doors doors)
{
    /// <summary>What gives the start, and everything after it.</summary>
    internal Grants Grants => grants;

    internal void HandleHello(long link, in Frame frame, Instant now)
    {
        if (!HelloFrame.TryRead(in frame, out HelloFrame hello))
        {
            outbox.Reject(link, SequencingError.BadFrame, "The hello is malformed.");
            return;
        }

        if (!hello.Resume.IsNone)
        {
            doors.Held.Forget(link);
            sessions.Resume(link, hello, now);
            return;
        }

        if (sessions.MemberOf(link) is not null || !doors.Held.TryHold(link, hello, now))
        {
            Judge(link, hello, now);
        }
    }

    /// <summary>Judges a hello that need not wait any more.</summary>
    /// <returns>False if there is none: nothing has changed.</returns>
    internal bool TryJudgeHeld(Instant now)
    {
        if (!doors.Held.TryTake(now, out long link, out HelloFrame? hello))
        {
            return false;
        }

        Judge(link, hello, now);
        return true;
    }

    private void Judge(long link, HelloFrame hello, Instant now)
    {
        SequencingError error = HelloCheck.Check(hello, run, out string detail);
        Member? member = null;

        if (hello.Observes && error == SequencingError.None)
        {
            (error, detail) = doors.Observers.Join(link, hello, now);

            if (error != SequencingError.None)
            {
                outbox.Reject(link, error, detail);
            }

            return;
        }

        if (error == SequencingError.None && hello.Join == JoinKind.Earliest)
        {
            (error, detail) = sessions.MemberOf(link) is null
                ? doors.Newcomers.JoinEarliest(hello, out member)
                : (SequencingError.NameTaken, "This connection has a member already.");
        }
        else if (error == SequencingError.None)
        {
            member = run.Members.Find(hello.Name);
        }

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

        Admit(link, member!, hello.From, now);
    }

    /// <summary>
    /// Starts the run: a closed one once everybody is there who joins at the start, an open one on command.
    /// </summary>
    internal void StartIfComplete(Instant now)
    {
        bool isDue = run.Layout.StartsOnCommand ? run.IsStartAsked : IsEverybodyHere();

        if (run.Phase != RunPhase.Gathering || !isDue)
        {
            return;
        }

        run.Phase = RunPhase.Running;
        grants.Pacer.Start(now);

        if (!IsEverybodyHere())
        {
            run.Note(new ExternalFact(ExternalFactKind.Started, "", Tag.Zero));
        }

        foreach (Member member in run.Members.All)
        {
            if (member.Life != MemberLife.Joining)
            {
                continue;
            }

            member.Life = MemberLife.Live;
            member.RunningSince = now;
            sessions.SendNames(member, 0);

            if (member.Join == Tag.Zero)
            {
                grants.WriteStart(member);
            }
            else
            {
                sessions.AskForFirstGrant(member, now);
            }
        }
    }

    // Clause: who was lost before it said anything left nothing that another process could not begin with.
    private static bool IsFree(Member member)
        => member.Life == MemberLife.Absent || (member.Life == MemberLife.Lost && member.Step == 0);

    private bool IsEverybodyHere()
    {
        foreach (Member member in run.Members.All)
        {
            if (member.Life != MemberLife.Joining && member.Join == Tag.Zero)
            {
                return false;
            }
        }

        return true;
    }

    private void Admit(long link, Member member, HistoryStart history, Instant now)
    {
        bool isNew = member.Life == MemberLife.Absent;
        member.History = history;
        member.WelcomedAt = now;

        if (isNew)
        {
            sessions.Open(link, member);
        }
        else
        {
            run.Note(new ExternalFact(ExternalFactKind.Resumed, member.Name, run.Members.StateOf(member).Now));
            sessions.Renew(link, member);
        }

        sessions.WriteWelcome(member, member.Join);
        outbox.Send(member);

        if (run.Phase == RunPhase.Gathering)
        {
            member.Life = MemberLife.Joining;
            return;
        }

        member.Life = MemberLife.Live;
        sessions.SendNames(member, 0);

        if (isNew)
        {
            member.RunningSince = now;
            sessions.AskForFirstGrant(member, now);
        }
        else
        {
            member.Kept.SendAgain(outbox, member);
        }
    }
}
