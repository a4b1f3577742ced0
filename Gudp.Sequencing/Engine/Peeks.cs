// Looks into a member's inbox (lock-time 3.4): what would be delivered if everything there were granted now. No effect on
// anything, so it depends on the moment it is asked; only members declared so may ask.
//
// Always true: nothing of the run is changed, and an answer is one message of bounded size.

using System.Collections.Generic;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Peeks(RunState run, Outbox outbox)
{
    private readonly List<(DeliveryKey Key, Letter Letter, int Interest)> _seen = [];

    internal void Handle(long link, Member? member, in Frame frame)
    {
        Refusal refusal = Judge(member, in frame, out PeekFrame peek);

        if (!refusal.IsNone || member is null)
        {
            outbox.Refuse(link, refusal.Error, refusal.Detail, (0, member?.Session ?? 0));
            return;
        }

        run.Tally[RunCount.PeeksAnswered]++;
        Answer(member, peek.Request);
    }

    private Refusal Judge(Member? member, in Frame frame, out PeekFrame peek)
    {
        peek = default;

        if (member is null || member.Life != MemberLife.Live || run.Phase != RunPhase.Running)
        {
            return new Refusal(SequencingError.NotJoined, "A peek comes from a member of a run that has started.");
        }

        if (frame.Epoch != Outbox.Epoch || frame.Session != member.Session)
        {
            return new Refusal(
                SequencingError.StaleEpoch,
                $"A peek of epoch {frame.Epoch}, session {frame.Session} was given; \"{member.Name}\" is in epoch "
                + $"{Outbox.Epoch}, session {member.Session}.");
        }

        if (!PeekFrame.TryRead(frame.Body, out peek))
        {
            return new Refusal(SequencingError.BadFrame, "The peek is malformed.");
        }

        return member.Layout.MayPeek
            ? Refusal.None
            : new Refusal(
                SequencingError.NotDeclared,
                $"\"{member.Name}\" was not declared as one that may peek (MayPeek): what it sees depends on the moment.");
    }

    private void Answer(Member member, ulong request)
    {
        ref readonly MemberState state = ref run.Members.StateOf(member);
        BatchFilter filter = member.Subscriptions.Filter;

        if (state.Receives)
        {
            member.Inbox.CopyTo(_seen);
            _seen.RemoveAll(entry => filter[entry.Interest] == BufferPolicy.None);
            _seen.Sort((left, right) => member.Inbox.Compare(in left.Key, in right.Key));
        }

        int count = 0;
        int bytes = 0;

        // Like a delivery, one message more than the size of a piece at most.
        while (count < _seen.Count && bytes < RunLayout.DeliverBytes)
        {
            bytes += (int)ArrivalQueue.BytesOf(_seen[count].Letter.Length);
            count++;
        }

        outbox.Writer.BeginFrame(FrameType.Peeked, Outbox.Epoch, member.Session);
        new PeekedHead(request, (ulong)(_seen.Count - count)).Write(outbox.Writer);

        foreach ((DeliveryKey key, Letter letter, int interest) in _seen[..count])
        {
            new DeliveryRecord(key, interest, letter.Payload).Write(outbox.Writer, state.Now);
        }

        outbox.Writer.EndFrame();
        outbox.Send(member);
        _seen.Clear();
    }
}
