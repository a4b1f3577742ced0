// Members that a debugger stops (lock-time 8.4). Their pump stops with them, so the transport takes them for dead; the
// run waits for them instead of doing what their policy says.

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Suspensions(RunState run, Outbox outbox)
{
    internal void Handle(long link, Member? member, in Frame frame)
    {
        if (member is null || member.IsObserver)
        {
            outbox.Refuse(link, SequencingError.NotJoined, "Only a member can be suspended.", (0, member?.Session ?? 0));
        }
        else if (frame.Epoch != Outbox.Epoch || frame.Session != member.Session)
        {
            outbox.Refuse(
                link, SequencingError.StaleEpoch, "The frame is of another server or session.", (0, member.Session));
        }
        else if (!SuspendFrame.TryRead(frame.Body, out bool isSuspended))
        {
            outbox.Refuse(link, SequencingError.BadFrame, "The frame is malformed.", (0, member.Session));
        }
        else if (isSuspended != member.IsSuspended)
        {
            member.IsSuspended = isSuspended;
            ExternalFactKind kind = isSuspended ? ExternalFactKind.Suspended : ExternalFactKind.Continued;
            run.Note(new ExternalFact(kind, member.Name, run.Members.StateOf(member).Now));
        }
    }
}
