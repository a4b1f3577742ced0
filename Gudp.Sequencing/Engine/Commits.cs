// What members say (lock-time 5.2): a commit is judged whole, and then applied whole or not at all.

using System;
using Gudp.Core;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Commits(RunState run, Outbox outbox, Departures departures)
{
    /// <summary>Steps that came a second time and were dropped.</summary>
    internal long DuplicateSteps { get; private set; }

    internal void Handle(long link, Member? member, in Frame frame, Instant now)
    {
        FrameReader reader = new(frame.Body);
        ulong step = reader.ReadNumber();

        if (member is null || reader.IsMalformed)
        {
            SequencingError unknown = member is null ? SequencingError.NotJoined : SequencingError.BadFrame;
            outbox.Refuse(link, unknown, "A commit comes from a member, after its hello.", (step, member?.Session ?? 0));
            return;
        }

        if (frame.Epoch != Outbox.Epoch || frame.Session != member.Session)
        {
            outbox.Refuse(
                link, SequencingError.StaleEpoch, "The frame is of another server or session.", (step, member.Session));
            return;
        }

        if (step <= member.Step)
        {
            DuplicateSteps++;
            return;
        }

        ReadOnlySpan<byte> elements = reader.ReadRest();
        SequencingError error = Judge(member, step, elements);

        if (error != SequencingError.None)
        {
            outbox.Refuse(link, error, $"Step {step} of \"{member.Name}\" changes nothing.", (step, member.Session));
            return;
        }

        // It can only have said this with its last grant in hand.
        member.Kept.Clear();
        member.Step = step;
        Apply(member, elements, now);
        run.HasChanged = true;
    }

    /// <summary>The table of states and elements, clause .</summary>
    private SequencingError Judge(Member member, ulong step, ReadOnlySpan<byte> elements)
    {
        ref readonly MemberState state = ref run.Members.StateOf(member);

        return (run.Phase, member.Life) switch
        {
            (RunPhase.Aborted, _) => SequencingError.Stopped,
            (RunPhase.Gathering, _) => SequencingError.NotJoined,
            (_, not MemberLife.Live) => SequencingError.NotJoined,
            _ when step != member.Step + 1 => SequencingError.WrongSequence,
            _ when state.IsWaiting => SequencingError.AlreadyRequesting,
            _ => JudgeElements(member, elements, in state),
        };
    }

    private SequencingError JudgeElements(Member member, ReadOnlySpan<byte> elements, ref readonly MemberState state)
    {
        SequencingError error = CommitCheck.Check(elements, run, member, state, out long inboxBytes);

        if (error != SequencingError.None || inboxBytes == 0)
        {
            return error;
        }

        // All of the commit is counted for each receiver its member can reach: exact enough for a limit on memory.
        foreach (int channel in run.Members.Reach.PublishedBy(member.Ordinal))
        {
            foreach (Hearer hearer in run.Members.Reach.HearersOf(channel))
            {
                if (run.Members[hearer.Member].Inbox.Bytes + inboxBytes > run.Layout.MaxInboxBytes)
                {
                    return SequencingError.InboxLimit;
                }
            }
        }

        return SequencingError.None;
    }

    private void Apply(Member member, ReadOnlySpan<byte> elements, Instant now)
    {
        ref MemberState state = ref run.Members.StateOf(member);
        CommitReader reader = new(elements, state.Now);

        while (reader.TryNext(out CommitElement element))
        {
            switch (element.Kind)
            {
                case ElementKind.Publication:
                    Publish(member, in element, state.Now);
                    break;
                case ElementKind.Resign:
                    departures.Resign(member);
                    return;
                case ElementKind.Request:
                    state.Request = element.Request;
                    member.WaitingSince = now;
                    break;
                default:
                    CommitCheck.ApplyToTrial(in element, ref state);
                    break;
            }
        }
    }

    private void Publish(Member sender, in CommitElement element, Tag sent)
    {
        int index = sender.Layout.Interests[element.Interest].Channel;
        ChannelLayout channel = run.Channels[index];
        DeliveryKey key = new(element.Tag + channel.MinimumLatency, sent, sender.Ordinal, ++sender.SubSequence, 0);
        Letter? letter = null;
        run.Published++;

        foreach (Hearer hearer in run.Members.Reach.HearersOf(index))
        {
            ref MemberState receiver = ref run.Members.States[hearer.Member];

            if (!receiver.Receives)
            {
                continue;
            }

            Invariant.Require(key.Arrival > receiver.Now, "Nothing arrives at or before a grant.");

            letter ??= new Letter(index, element.Payload);
            ArrivalQueue inbox = run.Members[hearer.Member].Inbox;
            inbox.Add(in key, letter, hearer.Interest, hearer.Wakes);
            receiver.Head = inbox.Head;
        }
    }
}
