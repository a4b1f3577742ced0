// Grants whatever can be granted (lock-time 3.3), and cuts the batches.
//
// Every bound moves because a commit was applied or a member left; a grant moves none, because a member that is
// granted had already been counted as having come that far. One pass over all members after a change is therefore
// complete; debug builds run it twice and look.
//
// Always true:
//   - a grant is below the member's bound, and never before its last one;
//   - the bound E of a member never falls.

using System;
using System.Diagnostics;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Grants(RunState run, Outbox outbox, Waits waits)
{
    private Tag[] _lastEarliest = [];

    /// <summary>Passes of the rule over all members.</summary>
    internal long Evaluations { get; private set; }

    internal void Evaluate(Instant now)
    {
        if (run.Phase != RunPhase.Running || !run.HasChanged)
        {
            return;
        }

        run.HasChanged = false;
        ComputeBounds();

        foreach (Member member in run.Members.All)
        {
            ref MemberState state = ref run.Members.StateOf(member);

            if (member.Life != MemberLife.Live || !state.IsWaiting)
            {
                continue;
            }

            Tag bound = run.Bounds.Bound[member.Ordinal];

            if (AdvanceRule.IsGrantable(in state, bound, run.Limits, out Tag grant))
            {
                Invariant.Require(bound > grant, "A grant is below the bound.");
                Advance(member, ref state, grant, now);
            }
        }

        waits.Note();
        AssertInvariants();
    }

    /// <summary>The first sequence point of a member of a run that starts.</summary>
    internal void WriteStart(Member member)
    {
        WriteGrant(member, Tag.Zero, 0, GrantFlags.None);
        outbox.SendKept(member);
    }

    private void ComputeBounds()
    {
        AdvanceRule.Bounds(run.Members.States, run.Members.Reach, run.Limits.Stop, run.Bounds);
        Evaluations++;

        if (_lastEarliest.Length < run.Members.Count)
        {
            Array.Resize(ref _lastEarliest, Math.Max(run.Members.Count, 2 * _lastEarliest.Length));
        }

        for (int ordinal = 0; ordinal < run.Members.Count; ordinal++)
        {
            Invariant.Require(run.Bounds.Earliest[ordinal] >= _lastEarliest[ordinal], "The bound E never falls.");
            _lastEarliest[ordinal] = run.Bounds.Earliest[ordinal];
        }
    }

    private void Advance(Member member, ref MemberState state, Tag grant, Instant now)
    {
        Invariant.Require(grant >= state.Now, "Grants never go back.");

        int count = WriteBatch(member, state.Now, grant);
        bool isFinal = grant == Tag.Infinity || grant == run.Limits.Stop;
        member.Digest.AddGrant(grant, count, isFinal);
        waits.WriteReleased(member, grant, now);

        state.Now = grant;
        state.Request = default;
        state.Head = member.Inbox.Head;
        member.RunningSince = now;

        WriteGrant(member, grant, count, isFinal ? GrantFlags.Final : GrantFlags.None);
        outbox.SendKept(member);
    }

    private int WriteBatch(Member member, Tag lastGrant, Tag grant)
    {
        int count = 0;
        bool isOpen = false;

        while (member.Inbox.TryTake(grant, out DeliveryKey key, out Letter letter, out int interest))
        {
            if (!isOpen)
            {
                outbox.Writer.BeginFrame(FrameType.Deliver, Outbox.Epoch, member.Session);
                isOpen = true;
            }

            new DeliveryRecord(key, interest, letter.Payload).Write(outbox.Writer, lastGrant);
            member.Digest.AddDelivery(in key, run.Channels[letter.Channel].Key, letter.Payload);
            letter.Release();
            count++;

            if (outbox.Writer.Length >= RunLayout.DeliverBytes)
            {
                outbox.Writer.EndFrame();
                outbox.SendKept(member);
                isOpen = false;
            }
        }

        if (isOpen)
        {
            outbox.Writer.EndFrame();
        }

        return count;
    }

    private void WriteGrant(Member member, Tag tag, int count, GrantFlags flags)
    {
        member.GrantsSent++;
        new GrantFrame(member.Step, member.Step, tag, count, tag, flags, member.Digest.Value)
            .Write(outbox.Writer, Outbox.Epoch, member.Session);
    }

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        if (run.Phase != RunPhase.Running)
        {
            return;
        }

        AdvanceRule.Bounds(run.Members.States, run.Members.Reach, run.Limits.Stop, run.Bounds);

        foreach (Member member in run.Members.All)
        {
            MemberState state = run.Members.StateOf(member);
            int ordinal = member.Ordinal;
            Invariant.Require(run.Bounds.Earliest[ordinal] == _lastEarliest[ordinal], "A grant moves no bound.");
            Invariant.Require(member.Inbox.Head > state.Now, "The inbox starts after the last grant.");
            Invariant.Require(member.Inbox.Head == state.Head, "The rule sees the inbox as it is.");
            Invariant.Require(
                member.Life != MemberLife.Live || !state.IsWaiting
                || !AdvanceRule.IsGrantable(in state, run.Bounds.Bound[ordinal], run.Limits, out _),
                "One pass grants all that can be granted.");
        }
    }
}
