// Judges a whole commit before any of it is applied (lock-time 5.2, 5.3): one wrong element refuses all, and nothing
// has changed.
//
// Always true: the run is only read; what the commit does to the member is tried on a copy of its state.

using System;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal ref struct CommitTrial(RunState run, Member member, ulong step)
{
    private MemberState _state = run.Members.StateOf(member);
    private ElementKind _kind;
    private int _place;
    private int _elements;
    private long _inboxBytes;

    /// <param name="elements">The commit's body after its step; of a member that runs.</param>
    internal Refusal Judge(ReadOnlySpan<byte> elements)
    {
        CommitReader reader = new(elements, _state.Now);

        while (reader.TryNext(out CommitElement element))
        {
            _elements++;
            _place = element.Kind == _kind ? _place + 1 : 1;
            _kind = element.Kind;
            SequencingError error = JudgeElement(in element);

            if (error != SequencingError.None)
            {
                return new Refusal(error, Explain(error, in element));
            }

            CommitCheck.ApplyToTrial(in element, ref _state);
        }

        if (reader.IsMalformed)
        {
            return new Refusal(
                SequencingError.BadFrame,
                $"Element {_elements + 1} of step {step} is malformed, unknown or not in its place after {_kind}.");
        }

        return _inboxBytes > 0 ? JudgeRoom() : Refusal.None;
    }

    private SequencingError JudgeElement(in CommitElement element)
    {
        bool isFinished = _state.Now.IsInfinite || _state.Now >= run.Limits.Stop;

        if (isFinished && element.Kind is not (ElementKind.Resign or ElementKind.Digest or ElementKind.StateChecksum))
        {
            return SequencingError.Stopped;
        }

        if (member.IsObserver && IsForMembers(element.Kind))
        {
            return SequencingError.NotDeclared;
        }

        return element.Kind switch
        {
            ElementKind.Publication => JudgePublication(in element),
            ElementKind.Promise when !_state.Sends => SequencingError.NotASender,
            ElementKind.Lookahead => JudgeLookahead(in element),
            ElementKind.Interest => JudgeInterest(in element, InterestBits.Subscribe),
            ElementKind.Stop => JudgeStop(in element),
            ElementKind.Snapshot when element.Payload.Length > run.Layout.MaxPayloadBytes => SequencingError.TooLarge,
            ElementKind.Digest when element.Digest != member.Digest.Value => SequencingError.DigestMismatch,
            _ => SequencingError.None,
        };
    }

    // What others would notice, or what would be kept for them: an observer has no part in the run (clause ).
    private static bool IsForMembers(ElementKind kind)
        => kind is ElementKind.Role or ElementKind.Stop or ElementKind.Snapshot;

    private SequencingError JudgePublication(in CommitElement element)
    {
        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        SequencingError error = JudgeInterest(in element, InterestBits.Publish);

        if (error != SequencingError.None)
        {
            return error;
        }

        if (element.Payload.Length > run.Layout.MaxPayloadBytes)
        {
            return SequencingError.TooLarge;
        }

        error = CommitCheck.CheckTag(element.Tag, _state.EarliestPublication, run.Layout.MaxRounds);

        if (error != SequencingError.None)
        {
            return error;
        }

        // A sponsor says there whom it admits, and nothing else (clause ).
        if (member.Layout.Interests[element.Interest].Channel == run.Members.Reach.System
            && (!AdmissionOrder.TryRead(element.Payload, out AdmissionOrder order) || order.Join != element.Tag
                || run.Admissions.Count >= SequencingRules.MaxMembers))
        {
            return SequencingError.BadFrame;
        }

        // The promise and the look-ahead hold before the channel's latency, the limits before and after it.
        ChannelModel channel = run.Channels[member.Layout.Interests[element.Interest].Channel].Model;
        _inboxBytes += channel.Copies * ArrivalQueue.BytesOf(element.Payload.Length);

        return (element.Tag + channel.Latency.Maximum).Time > CommitCheck.MaxPublicationTime
            ? SequencingError.Overflow
            : CommitCheck.CheckTag(element.Tag + channel.Latency.Minimum, Tag.Zero, run.Layout.MaxRounds);
    }

    private readonly SequencingError JudgeLookahead(in CommitElement element)
    {
        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        if (element.Lookahead < Delay.OneRound)
        {
            return SequencingError.LookaheadViolation;
        }

        return element.Lookahead.Round > run.Layout.MaxRounds ? SequencingError.RoundLimit : SequencingError.None;
    }

    private readonly SequencingError JudgeInterest(in CommitElement element, InterestBits use)
    {
        Interest[] interests = member.Layout.Interests;

        if (element.Interest >= interests.Length)
        {
            return SequencingError.UnknownChannel;
        }

        return (interests[element.Interest].Bits & use) != 0 ? SequencingError.None : SequencingError.NotDeclared;
    }

    // Whoever may stop holds everybody below max(F, N + L): no grant has come that far (lock-time 12).
    private readonly SequencingError JudgeStop(in CommitElement element)
    {
        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        return member.Layout.MayStop
            ? CommitCheck.CheckTag(element.Tag, _state.EarliestPublication, run.Layout.MaxRounds)
            : SequencingError.NotDeclared;
    }

    // All of the commit is counted for each receiver its member can reach: exact enough for a limit on memory.
    private readonly Refusal JudgeRoom()
    {
        if (run.Unsettled?.Bytes + _inboxBytes > run.Layout.MaxInboxBytes)
        {
            return new Refusal(
                SequencingError.InboxLimit,
                $"The publications of step {step} take {_inboxBytes} bytes; {run.Unsettled?.Bytes} of "
                + $"{run.Layout.MaxInboxBytes} (MaxInboxBytes) are kept for whom a sponsor may admit.");
        }

        foreach (int channel in run.Members.Reach.PublishedBy(member.Ordinal))
        {
            foreach (Hearer hearer in run.Members.Reach.HearersOf(channel))
            {
                Member receiver = run.Members[hearer.Member];

                if (receiver.Inbox.Bytes + _inboxBytes > run.Layout.MaxInboxBytes)
                {
                    return new Refusal(
                        SequencingError.InboxLimit,
                        $"The publications of step {step} take {_inboxBytes} bytes; \"{receiver.Name}\" at "
                        + $"{run.Members.StateOf(receiver).Now} has {receiver.Inbox.Bytes} of "
                        + $"{run.Layout.MaxInboxBytes} (MaxInboxBytes) waiting.");
                }
            }
        }

        // A channel that nobody hears fills no inbox, but what is not final yet is kept all the same.
        return run.Log.PendingBytes + _inboxBytes <= run.Layout.MaxInboxBytes
            ? Refusal.None
            : new Refusal(
                SequencingError.InboxLimit,
                $"The publications of step {step} take {_inboxBytes} bytes; {run.Log.PendingBytes} of "
                + $"{run.Layout.MaxInboxBytes} (MaxInboxBytes) are not final: the run's floor is {run.Floor}.");
    }

    /// <summary>What was given and what is allowed.</summary>
    private readonly string Explain(SequencingError error, in CommitElement element)
    {
        string what = element.Kind is ElementKind.Publication or ElementKind.Interest
            ? $"{element.Kind} {_place} of step {step}"
            : $"{element.Kind} of step {step}";

        return (error, element.Kind) switch
        {
            (SequencingError.Stopped, _) => $"{what} comes after the final grant at {_state.Now}; allowed are a resign, "
                + "a digest and a state checksum.",
            (SequencingError.NotASender, _) => $"{what}: \"{member.Name}\" has not the role to send at {_state.Now}.",
            (SequencingError.UnknownChannel, _) => $"{what} names channel {element.Interest}; \"{member.Name}\" "
                + $"declared {member.Layout.Interests.Length}, from 0 on.",
            (SequencingError.NotDeclared, _) when member.IsObserver && IsForMembers(element.Kind) =>
                $"{what}: \"{member.Name}\" observes, and has neither roles, a stop nor a snapshot to give.",
            (SequencingError.NotDeclared, ElementKind.Stop) => $"{what} at {element.Tag}: \"{member.Name}\" was not "
                + "declared as one that may stop the run (MayStop).",
            (SequencingError.NotDeclared, _) => $"{what} on '{NameOf(in element)}': \"{member.Name}\" declared it as "
                + $"{member.Layout.Interests[element.Interest].Bits} only.",
            (SequencingError.DigestMismatch, _) => $"{what} is {element.Digest:x16}; the server's after the grant at "
                + $"{_state.Now} is {member.Digest.Value:x16}.",
            (SequencingError.LookaheadViolation, ElementKind.Lookahead) => $"{what} is {element.Lookahead}; the least "
                + $"is {Delay.OneRound}.",
            (SequencingError.BadFrame, _) => $"{what} on '{NameOf(in element)}' is not an admission that joins at "
                + $"{element.Tag}, or {run.Admissions.Count} of {SequencingRules.MaxMembers} are open already.",
            (SequencingError.RoundLimit, ElementKind.Lookahead) => $"{what} is {element.Lookahead}; the most rounds "
                + $"are {run.Layout.MaxRounds} (MaxRounds).",
            (SequencingError.TooLarge, ElementKind.Snapshot) => $"{what} \"{element.Name}\" has {element.Payload.Length} "
                + $"bytes; the most are {run.Layout.MaxPayloadBytes} (MaxPayloadBytes).",
            (SequencingError.TooLarge, _) => $"{what} on '{NameOf(in element)}' has {element.Payload.Length} bytes; "
                + $"the most are {run.Layout.MaxPayloadBytes} (MaxPayloadBytes).",
            (SequencingError.LookaheadViolation, _) => $"{what} at {element.Tag}{On(in element)} is before the earliest "
                + $"{_state.EarliestPublication}.",
            (SequencingError.RoundLimit, _) => $"{what} at {element.Tag}{On(in element)} comes after round "
                + $"{run.Layout.MaxRounds} (MaxRounds), the last of a time; {Loop(in element)}",
            _ => $"{what} at {element.Tag}{On(in element)} is beyond the last time {CommitCheck.MaxPublicationTime}.",
        };
    }

    private readonly string On(in CommitElement element)
        => element.Kind == ElementKind.Publication ? $" on '{NameOf(in element)}'" : "";

    private readonly string NameOf(in CommitElement element) => member.Layout.Interests[element.Interest].Name;

    private readonly string Loop(in CommitElement element)
    {
        string loop = run.Rounds.Describe(run, element.Tag.Time);
        return loop.Length == 0 ? "nobody else takes part." : $"at {element.Tag.Time} go on and on: {loop}.";
    }
}
