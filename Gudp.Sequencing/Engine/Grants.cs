// Grants whatever can be granted (lock-time 3.3), and cuts the batches.
//
// Every bound moves because a commit was applied or a member left; a grant moves none, because a member that is
// granted had already been counted as having come that far. One pass over all members after a change is therefore
// complete; debug builds run it twice and look.
//
// Always true:
//   - a grant is below the member's bound, and never before its last one;
//   - the bound E of a member never falls, except when a sender comes late;
//   - the grant G that a waiting receiver may expect never rises: messages, bounds and stops only bring it nearer.

using System;
using System.Diagnostics;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>What a grant makes besides itself.</summary>
internal readonly record struct Cutting(Batches Batches, SystemNews News, Newcomers Newcomers);

internal sealed class Grants(RunState run, Outbox outbox, Waits waits, Barriers barriers, Cutting cutting)
{
    private readonly FlowControl _flow = new(run);
    private readonly Pacer _pacer = new(run.Layout.Pacing);
    private Tag[] _lastEarliest = [];
    private Tag[] _lastExpected = [];

    /// <summary>Passes of the rule over all members.</summary>
    internal long Evaluations { get; private set; }

    /// <summary>When a grant is due that waits for the wall.</summary>
    internal Instant NextDeadline => _pacer.NextDeadline;

    internal Pacer Pacer => _pacer;

    /// <summary>Looks again at what waited for the wall. Follow with <see cref="Evaluate"/>.</summary>
    internal void HandleTimeout(Instant now)
    {
        if (now >= _pacer.NextDeadline)
        {
            _pacer.Begin();
            run.HasChanged = true;
        }
    }

    internal void Evaluate(Instant now)
    {
        if (run.Phase != RunPhase.Running || !run.HasChanged)
        {
            return;
        }

        run.HasChanged = false;
        ComputeBounds();

        while (cutting.Newcomers.TryDecide())
        {
            ComputeBounds();
        }

        NoteBounds();

        // Only now: a newcomer may hold the floor.
        run.Log.Seal(run.Floor);
        _flow.Begin();
        _pacer.Begin();

        // A grant moves no bound, but it empties a receiver for whose sake others were withheld; and who was withheld
        // becomes free to feed, not to be held: each further pass is for the sake of flow control or of a step.
        while ((GrantAll(now) > 0 && _flow.HasWithheld) || barriers.TryStep())
        {
            _pacer.Begin();
        }

        waits.Note(now);
        AssertInvariants();
    }

    /// <summary>The first sequence point of a member of a run that starts.</summary>
    internal void WriteStart(Member member)
    {
        Record(member, Tag.Zero, GrantFlags.None, WaitRoot.None, TimeSpan.Zero);
        WriteGrant(member, Tag.Zero, 0, GrantFlags.None);
        outbox.SendKept(member);
    }

    private void Record(Member member, Tag tag, GrantFlags flags, in WaitRoot root, TimeSpan waited)
        => run.Recorder?.AddGrant(member, new RecordedGrant(member.Ordinal, 0, tag, 0)
        {
            Flags = (byte)flags,
            WaitedBecause = root.Kind,
            WaitedFor = root.Member == BoundTable.Nobody ? null : root.Member,
            WaitedMilliseconds = (long)waited.TotalMilliseconds,
        });

    private int GrantAll(Instant now)
    {
        int granted = 0;

        foreach (Member member in run.Members.All)
        {
            ref MemberState state = ref run.Members.StateOf(member);

            if (member.Life != MemberLife.Live || !state.IsWaiting || member.IsTooLate(run.Limits.Stop))
            {
                continue;
            }

            Tag bound = run.Bounds.Bound[member.Ordinal];

            if (AdvanceRule.IsGrantable(in state, bound, run.Limits, out Tag grant) && !IsHeld(member, grant, now))
            {
                Invariant.Require(bound > grant, "A grant is below the bound.");
                Advance(member, ref state, grant, now);
                granted++;
            }
        }

        return granted;
    }

    /// <summary>What may delay a grant that the rule allows: the wall, full receivers, a past that is still open.</summary>
    private bool IsHeld(Member member, Tag grant, Instant now)
    {
        bool isPaced = _pacer.Holds(member, grant, IsFinal(grant), now);
        member.HeldFor = isPaced ? BoundTable.Nobody : _flow.ReceiverAhead(member, grant);

        // Kept once set: a grant that had to wait for the wall was not late.
        member.IsPaced |= isPaced;
        member.PastHeldBy = member.GrantsSent == 0 ? OpenPast.HeldBy(run, member, grant) : BoundTable.Nobody;
        return isPaced || member.HeldFor != BoundTable.Nobody || member.PastHeldBy != BoundTable.Nobody;
    }

    private bool IsFinal(Tag grant) => grant == Tag.Infinity || grant == run.Limits.Stop;

    private void ComputeBounds()
    {
        AdvanceRule.Bounds(run.Members.States, run.Members.Reach, run.Limits.Stop, run.Bounds);
        Evaluations++;
    }

    // Not before all admissions are decided that can be: who comes, or waits for a name, stands where its sponsor stood
    // the evaluation before, and nobody is granted anything in between.
    private void NoteBounds()
    {
        if (_lastEarliest.Length < run.Members.Count)
        {
            Array.Resize(ref _lastEarliest, Math.Max(run.Members.Count, 2 * _lastEarliest.Length));
        }

        // A late sender is above all that was granted, not above all that was bounded.
        if (run.HasLateSender)
        {
            Array.Clear(_lastEarliest);
            run.HasLateSender = false;
        }

        for (int ordinal = 0; ordinal < run.Members.Count; ordinal++)
        {
            Invariant.Require(run.Bounds.Earliest[ordinal] >= _lastEarliest[ordinal], "The bound E never falls.");
            _lastEarliest[ordinal] = run.Bounds.Earliest[ordinal];
        }
    }

    private void Advance(Member member, ref MemberState state, Tag grant, Instant now)
    {
        bool isFirst = member.GrantsSent == 0;
        Invariant.Require(grant >= state.Now || isFirst, "Grants never go back.");

        int count = isFirst ? cutting.Batches.WriteFirst(member, grant) : cutting.Batches.Write(member, state.Now, grant);
        bool isFinal = IsFinal(grant);

        // Clause: the first grant at the start of the run makes no record.
        if (!isFirst || grant > Tag.Zero)
        {
            member.Digest.AddGrant(grant, count, isFinal);
        }

        WaitRoot root = member.Waits.Root;
        TimeSpan waited = now - member.WaitingSince;
        waits.OnGranted(member, now);
        GrantFlags flags = isFinal ? GrantFlags.Final : GrantFlags.None;
        flags |= _pacer.OnGranted(member, grant, isFinal, now) ? GrantFlags.Late : GrantFlags.None;

        Record(member, grant, flags, root, waited);

        member.DeafUntil = state.Receives ? member.DeafUntil : grant;
        state.Now = grant;
        state.Request = default;
        state.Head = member.Inbox.Head;
        member.RunningSince = now;
        member.IsPaced = false;

        WriteRoles(member, in state);
        WriteGrant(member, grant, count, flags);
        outbox.SendKept(member);

        if (isFirst && grant > Tag.Zero)
        {
            cutting.News.TellJoined(member);
        }
    }

    // With the grant, so that it is kept and comes again as that does (clause ).
    private void WriteRoles(Member member, in MemberState state)
    {
        if (!member.IsToldRoles)
        {
            member.IsToldRoles = true;
            ulong roles = (state.Sends ? RoleBits.Sends : 0) | (state.Receives ? RoleBits.Receives : 0);
            new RoleTakenFrame(roles, state.Promise).Write(outbox.Writer, Outbox.Epoch, member.Session);
        }
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
        int known = _lastExpected.Length;
        Array.Resize(ref _lastExpected, Math.Max(known, run.Members.Count));
        _lastExpected.AsSpan(known).Fill(Tag.Top);

        foreach (Member member in run.Members.All)
        {
            MemberState state = run.Members.StateOf(member);
            int ordinal = member.Ordinal;
            Invariant.Require(run.Bounds.Earliest[ordinal] == _lastEarliest[ordinal], "A grant moves no bound.");
            Invariant.Require(member.Inbox.Head > state.Now, "The inbox starts after the last grant.");
            Invariant.Require(member.Inbox.Head == state.Head, "The rule sees the inbox as it is.");
            Invariant.Require(
                member.Life != MemberLife.Live || !state.IsWaiting
                || member.IsTooLate(run.Limits.Stop) || member.IsPaced || member.HeldFor != BoundTable.Nobody
                || member.PastHeldBy != BoundTable.Nobody
                || !AdvanceRule.IsGrantable(in state, run.Bounds.Bound[ordinal], run.Limits, out _),
                "One pass grants all that can be granted.");

            // Whoever is lost or no receiver has nothing to expect: an operator may take its role away meanwhile.
            bool expects = member.Life == MemberLife.Live && state.IsWaiting && state.Receives;
            Tag expected = expects ? AdvanceRule.GrantOf(in state, run.Limits.Stop) : Tag.Top;
            Invariant.Require(!expects || expected <= _lastExpected[ordinal], "The grant of who waits never rises.");
            _lastExpected[ordinal] = expected;
        }
    }
}
