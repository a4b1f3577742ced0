// What members say (lock-time 5.2): a commit is judged whole, and then applied whole or not at all.

using System;
using Gudp.Core;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Commits(RunState run, Outbox outbox, Departures departures, Roles roles, Postings postings)
{
    internal void Handle(long link, Member? member, in Frame frame, Instant now)
    {
        FrameReader reader = new(frame.Body);
        ulong step = reader.ReadNumber();

        if (member is null || reader.IsMalformed)
        {
            (SequencingError unknown, string detail) = member is null
                ? (SequencingError.NotJoined, $"Step {step} comes from nobody; a commit comes after a hello.")
                : (SequencingError.BadFrame, $"A commit of \"{member.Name}\" has no step; {member.Step + 1} is next.");

            outbox.Refuse(link, unknown, detail, (step, member?.Session ?? 0));
            return;
        }

        if (frame.Epoch != Outbox.Epoch || frame.Session != member.Session)
        {
            outbox.Refuse(
                link, SequencingError.StaleEpoch,
                $"A frame of epoch {frame.Epoch}, session {frame.Session} was given; \"{member.Name}\" is in epoch "
                + $"{Outbox.Epoch}, session {member.Session}.",
                (step, member.Session));
            return;
        }

        if (step <= member.Step)
        {
            run.Tally[RunCount.StepsRepeated]++;
            return;
        }

        ReadOnlySpan<byte> elements = reader.ReadRest();
        Refusal refusal = Judge(member, step, elements);

        if (!refusal.IsNone)
        {
            outbox.Refuse(link, refusal.Error, refusal.Detail, (step, member.Session));
            return;
        }

        // It can only have said this with its last grant in hand.
        member.Kept.Clear();
        member.Step = step;
        Apply(member, elements, now);
        run.HasChanged = true;
    }

    /// <summary>The table of states and elements, clause .</summary>
    private Refusal Judge(Member member, ulong step, ReadOnlySpan<byte> elements)
    {
        MemberState state = run.Members.StateOf(member);

        return (run.Phase, member.Life) switch
        {
            (RunPhase.Aborted, _) => new Refusal(
                SequencingError.Stopped, $"Step {step} of \"{member.Name}\" comes after the run was aborted."),
            (RunPhase.Gathering, _) => new Refusal(
                SequencingError.NotJoined,
                $"Step {step} of \"{member.Name}\" comes before the start, which waits for all {run.Members.Count} members."),
            (_, not MemberLife.Live) => new Refusal(
                SequencingError.NotJoined,
                $"Step {step} of \"{member.Name}\" comes after it left the run at {state.Now}."),
            _ when step != member.Step + 1 => new Refusal(
                SequencingError.WrongSequence,
                $"Step {step} of \"{member.Name}\" does not follow {member.Step}; {member.Step + 1} is next."),
            _ when state.IsWaiting => new Refusal(
                SequencingError.AlreadyRequesting,
                $"Step {step} of \"{member.Name}\" comes while its {state.Request.Mode}({state.Request.Target}) of step "
                + $"{member.Step} waits at {state.Now}; nothing more is said before the grant."),
            _ => new CommitTrial(run, member, step).Judge(elements),
        };
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
                case ElementKind.Interest:
                    member.CommitDigest.AddInterest(state.Now, ChannelOf(member, element.Interest).Key, element.IsOn);
                    member.Subscriptions.Switch(element.Interest, element.IsOn);
                    break;
                case ElementKind.Request:
                    member.CommitDigest.AddRequest(state.Now, element.Request);
                    member.SortInbox(ref state);
                    state.Request = element.Request;
                    member.WaitingSince = now;
                    break;
                case ElementKind.Snapshot:
                    member.CommitDigest.AddSnapshot(state.Now, in element);
                    run.Snapshots.Add(new StoredSnapshot(
                        state.Now, member.Ordinal, element.Name!, element.Payload.ToArray()));
                    break;
                case ElementKind.Digest:
                    break;
                case ElementKind.StateChecksum:
                    member.Checksums.Add(state.Now, element.Digest);
                    break;
                default:
                    member.CommitDigest.AddOther(state.Now, in element);
                    ApplyOther(member, in element, ref state);
                    break;
            }
        }
    }

    private void ApplyOther(Member member, in CommitElement element, ref MemberState state)
    {
        switch (element.Kind)
        {
            case ElementKind.Role:
                roles.Set(member, element.Roles);
                break;
            case ElementKind.Stop:
                run.Limits = run.Limits with { Stop = Tag.Earlier(run.Limits.Stop, element.Tag) };
                break;
            case ElementKind.Resign:
                departures.Resign(member);
                break;
            default:
                CommitCheck.ApplyToTrial(in element, ref state);
                break;
        }
    }

    private ChannelLayout ChannelOf(Member member, int interest)
        => run.Channels[member.Layout.Interests[interest].Channel];

    private void Publish(Member sender, in CommitElement element, Tag sent)
    {
        int index = sender.Layout.Interests[element.Interest].Channel;
        long subSequence = ++sender.SubSequence;
        sender.CommitDigest.AddPublication(sent, run.Channels[index].Key, in element, subSequence);
        postings.Post(sender, index, new Posting(element.Tag, sent, subSequence), element.Payload);

        if (index == run.Members.Reach.System && AdmissionOrder.TryRead(element.Payload, out AdmissionOrder order))
        {
            run.Admissions.Add(order with { Place = new(element.Tag, sent, sender.Ordinal, subSequence, 0) });
        }
    }
}
