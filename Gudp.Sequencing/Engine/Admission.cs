// Who comes into the run (lock-time 8.1, 8.2).

using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Admission(RunState run, Outbox outbox, Grants grants)
{
    private readonly Dictionary<long, Member> _memberOfLink = [];

    internal Member? MemberOf(long link) => _memberOfLink.GetValueOrDefault(link);

    /// <summary>The link is gone; whose it was, if anybody's.</summary>
    internal Member? Forget(long link) => _memberOfLink.Remove(link, out Member? member) ? member : null;

    internal void HandleHello(long link, in Frame frame)
    {
        if (!HelloFrame.TryRead(frame.Body, out HelloFrame hello))
        {
            outbox.Reject(link, SequencingError.BadFrame, "The hello is malformed.");
            return;
        }

        SequencingError error = HelloCheck.Check(hello, run, out string detail);
        Member? member = error == SequencingError.None ? run.Members.Find(hello.Name) : null;

        if (member is not null && (member.Life != MemberLife.Absent || _memberOfLink.ContainsKey(link)))
        {
            error = SequencingError.NameTaken;
            detail = $"\"{hello.Name}\" is here already, or this connection has another name.";
        }

        if (error != SequencingError.None)
        {
            outbox.Reject(link, error, detail);
            return;
        }

        member!.Life = MemberLife.Joining;
        member.Link = link;
        member.Session++;
        _memberOfLink.Add(link, member);

        new WelcomeFrame(member.Ordinal, Tag.Zero, Tag.Zero, run.Layout.ConfigHash)
            .Write(outbox.Writer, Outbox.Epoch, member.Session);
        outbox.Send(link);
    }

    /// <summary>Starts the run once the whole roster is there.</summary>
    internal void StartIfComplete(Instant now)
    {
        if (run.Phase != RunPhase.Gathering || !run.Members.AreAll(MemberLife.Joining))
        {
            return;
        }

        run.Phase = RunPhase.Running;

        foreach (Member member in run.Members.All)
        {
            member.Life = MemberLife.Live;
            member.RunningSince = now;

            // The roster by ordinal, so that the member can name the senders of its messages (clause ).
            foreach (Member other in run.Members.All)
            {
                new PeerEventFrame(other.Name, PeerEventKind.Joined, Tag.Zero)
                    .Write(outbox.Writer, Outbox.Epoch, member.Session);
            }

            grants.WriteStart(member);
            outbox.Send(member);
        }
    }
}
