// Which connection speaks for which member, and who may take a member's place on another one (lock-time 20).
//
// A session is one holder of a name. It has a token that the server drew, and outlives connections: who comes back with
// the token goes on where it stood, exactly once, because commits have steps and the last grant is kept until the next
// commit proves that it came. A session that was raised is over, and so is its token.
//
// Always true:
//   - a link speaks for one member at most, and a member is spoken for by one link at most;
//   - a session has one token, and no token is used twice.

using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Security.Cryptography;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Sessions(RunState run, Outbox outbox, ISecretSource secrets)
{
    private readonly Dictionary<long, Member> _memberOfLink = [];

    internal Member? MemberOf(long link) => _memberOfLink.GetValueOrDefault(link);

    /// <summary>The link is gone; whose it was, if anybody's.</summary>
    internal Member? Forget(long link) => _memberOfLink.Remove(link, out Member? member) ? member : null;

    /// <summary>A new holder of the name: everything of the one before is refused from now on.</summary>
    internal void Open(long link, Member member)
    {
        member.Session++;
        Renew(link, member);
    }

    /// <summary>The present holder of a name begins again with another token: it has said nothing yet.</summary>
    internal void Renew(long link, Member member)
    {
        Span<byte> token = stackalloc byte[HelloFrame.TokenBytes];
        secrets.Fill(token);
        member.Token = BinaryPrimitives.ReadUInt128BigEndian(token);
        Bind(link, member);
        EndSuspension(member);
    }

    /// <summary>Nobody can take the session up any more: the member was taken out.</summary>
    internal static void Raise(Member member)
    {
        member.Session++;
        member.Token = 0;
        member.Kept.Clear();
    }

    /// <summary>Somebody comes with a token.</summary>
    internal void Resume(long link, HelloFrame hello, Instant now)
    {
        Member? member = FindHolder(hello);
        (SequencingError error, string detail) = Judge(link, hello, member);

        if (error != SequencingError.None || member is null)
        {
            ulong session = error == SequencingError.StaleEpoch ? member?.Session ?? 0 : 0;
            outbox.Reject(link, error, detail, session);
            return;
        }

        Bind(link, member);
        run.Tally[RunCount.SessionsResumed]++;
        EndSuspension(member);

        // Lost before its first grant: the run may have started since.
        if (member.Life == MemberLife.Absent && run.Phase == RunPhase.Gathering)
        {
            member.Life = MemberLife.Joining;
        }
        else if (member.Life == MemberLife.Absent)
        {
            member.Life = MemberLife.Live;
            member.RunningSince = now;
            AskForFirstGrant(member, now);
        }
        else if (member.Life == MemberLife.Lost)
        {
            member.Life = MemberLife.Live;
            run.Note(new ExternalFact(ExternalFactKind.Resumed, member.Name, run.Members.StateOf(member).Now));
        }

        WriteWelcome(member, member.GrantsSent == 0 ? member.Join : run.Members.StateOf(member).Now);
        outbox.Send(member);
        SendWhatIsMissing(member, hello.Resume);
    }

    // Clause: who joins late asks for its join tag by coming; the first grant is there as soon as B > J.
    internal void AskForFirstGrant(Member member, Instant now)
    {
        run.Members.StateOf(member).Request = new AdvanceRequest(AdvanceMode.To, member.Join, default);
        member.WaitingSince = now;
        run.HasChanged = true;
    }

    /// <summary>The member is in; what follows is its first grant.</summary>
    internal void WriteWelcome(Member member, Tag start)
        => new WelcomeFrame(
            member.IsObserver ? run.Members.Count : member.Ordinal, member.Token, start, run.Bounds.Floor,
            run.Layout.ConfigHash)
        {
            AppliedStep = member.Step,
            DurableStep = member.Step,
            SettingsHash = run.Layout.SettingsHash,
        }.Write(outbox.Writer, Outbox.Epoch, member.Session);

    /// <summary>The names of members from an ordinal on, so that senders can be named (clause ).</summary>
    internal void SendNames(Member member, int from)
    {
        for (int ordinal = from; ordinal < run.Members.Count; ordinal++)
        {
            new PeerEventFrame(run.Members[ordinal].Name, PeerEventKind.Joined, run.Members[ordinal].Join)
                .Write(outbox.Writer, Outbox.Epoch, member.Session);

            if (outbox.Writer.Length >= RunLayout.DeliverBytes)
            {
                outbox.Send(member);
            }
        }

        if (outbox.Writer.Length > 0)
        {
            outbox.Send(member);
        }
    }

    // Another process may have come: one that a debugger stops as well says so right after its welcome (clause ).
    private void EndSuspension(Member member)
    {
        if (member.IsSuspended)
        {
            member.IsSuspended = false;
            run.Note(new ExternalFact(ExternalFactKind.Continued, member.Name, run.Members.StateOf(member).Now));
        }
    }

    // Names of observers are nobody's: the token tells which one comes back.
    private Member? FindHolder(HelloFrame hello) => hello.Observes
        ? run.Members.Observers.Find(one => one.Name == hello.Name && IsToken(hello.Resume.Token, one.Token))
        : run.Members.Find(hello.Name);

    private static bool IsToken(UInt128 given, UInt128 expected)
    {
        Span<byte> both = stackalloc byte[2 * HelloFrame.TokenBytes];
        BinaryPrimitives.WriteUInt128BigEndian(both, given);
        BinaryPrimitives.WriteUInt128BigEndian(both[HelloFrame.TokenBytes..], expected);
        return CryptographicOperations.FixedTimeEquals(both[..HelloFrame.TokenBytes], both[HelloFrame.TokenBytes..]);
    }

    private (SequencingError Error, string Detail) Judge(long link, HelloFrame hello, Member? member)
    {
        ResumePoint resume = hello.Resume;

        return hello switch
        {
            _ when HelloCheck.CheckRun(hello, run, out string detail) is var error and not SequencingError.None =>
                (error, detail),

            _ when member is null && hello.Observes => (
                SequencingError.StaleEpoch, $"The place of the observer \"{hello.Name}\" is gone; join anew."),

            _ when member is null => (SequencingError.NotDeclared, $"Nobody is called \"{hello.Name}\" here."),

            // S2: an old session is told so before anything it says is looked at.
            _ when resume.Epoch != Outbox.Epoch || resume.Session != member.Session || member.Token == 0 => (
                SequencingError.StaleEpoch,
                $"Session {resume.Session} of \"{hello.Name}\" is over; join anew."),

            _ when !IsToken(resume.Token, member.Token) => (
                SequencingError.NameTaken, $"The token is not that of the session of \"{hello.Name}\"."),

            _ when _memberOfLink.ContainsKey(link) => (
                SequencingError.NameTaken, "This connection has a member already."),

            _ when run.Phase == RunPhase.Aborted => (SequencingError.Stopped, "The run was aborted."),

            _ when !HasGrants(member, resume.Grants) || resume.Names > run.Members.Count => (
                SequencingError.WrongSequence,
                $"{resume.Grants} grants were received of {member.GrantsSent}; only the last one is sent again."),

            _ => (SequencingError.None, ""),
        };
    }

    private static bool HasGrants(Member member, ulong received)
        => received == member.GrantsSent || (received + 1 == member.GrantsSent && !member.Kept.IsEmpty);

    private void SendWhatIsMissing(Member member, in ResumePoint resume)
    {
        if (run.Phase != RunPhase.Gathering)
        {
            SendNames(member, resume.Names);
        }

        if (resume.Grants < member.GrantsSent)
        {
            member.Kept.SendAgain(outbox, member);
        }

        if (run.Phase == RunPhase.Ended)
        {
            new EndFrame((ulong)(run.Log.Next - 1), run.RunDigest).Write(outbox.Writer, Outbox.Epoch, member.Session);
            outbox.Send(member);
        }
    }

    private void Bind(long link, Member member)
    {
        // The transport has not noticed yet that the former link is dead; the token says so.
        if (member.Link is long former)
        {
            _memberOfLink.Remove(former);
            outbox.Close(former);
        }

        member.Link = link;
        _memberOfLink.Add(link, member);
    }
}
