// Who waits for whom (lock-time 14): notes the root of every wait, counts time by root, tells of waits that exceed the
// limit. All of it is a measurement: nothing here is in the digest, and nothing that is granted depends on it.
//
// Always true:
//   - a member has a root noted exactly while an evaluation has left it waiting;
//   - the deadline is not later than the next stage of any wait;
//   - reports that nobody takes are bounded: the oldest go.

using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Waits(RunState run, Outbox outbox)
{
    /// <summary>Reports that wait to be taken, at most.</summary>
    internal const int MaxReports = 64;

    /// <summary>A wait is told at these times the limit.</summary>
    private static readonly int[] Stages = [1, 3, 6, 10];

    private readonly Queue<WaitReport> _reports = new();
    private readonly WaitLink[] _links = new WaitLink[WaitReport.MaxLinks];

    // Two entries for each member: what keeps its grant, and what makes it hold others.
    private WaitRoot[] _roots = [];
    private int[] _path = [];

    /// <summary>When <see cref="HandleTimeout"/> has something to tell.</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

    /// <summary>Waits that were told of, all stages.</summary>
    internal long Overdue { get; private set; }

    /// <summary>The oldest report that was not taken yet.</summary>
    internal bool TryTakeReport([NotNullWhen(true)] out WaitReport? report) => _reports.TryDequeue(out report);

    /// <summary>The name at the end of the chain of a member, as of the last evaluation.</summary>
    /// <returns>Null if <paramref name="name"/> is unknown or does not wait.</returns>
    internal string? BlockedBy(string name)
        => run.Members.Find(name) is { Waits.Root: { Kind: not WaitKind.None } root }
            ? run.Members[root.Member].Name
            : null;

    /// <summary>After everything grantable was granted: notes the root of each wait that goes on.</summary>
    internal void Note(Instant now)
    {
        Instant next = Instant.Never;
        ForgetRoots();

        foreach (Member member in run.Members.All)
        {
            if (member.Life == MemberLife.Live && run.Members.StateOf(member).IsWaiting)
            {
                WaitRoot root = RootOf(member.Ordinal);
                Note(member, in root, now);
                next = Instant.Earlier(next, member.Waits.StageDue);
            }
        }

        NextDeadline = next;
    }

    /// <summary>Tells of the waits that have passed a stage of the limit.</summary>
    internal void HandleTimeout(Instant now)
    {
        if (now < NextDeadline)
        {
            return;
        }

        Instant next = Instant.Never;

        foreach (Member member in run.Phase == RunPhase.Running ? run.Members.All : [])
        {
            if (member.Waits.StageDue <= now)
            {
                PassStages(member, now);
                Tell(member, now);
            }

            next = Instant.Earlier(next, member.Waits.StageDue);
        }

        NextDeadline = next;
    }

    /// <summary>A member that waited is granted: tells it whom it waited for.</summary>
    internal void OnGranted(Member member, Instant now)
    {
        WaitRecord waits = member.Waits;
        waits.CountGrant(member.WaitingSince - member.RunningSince, now - member.WaitingSince);

        if (waits.Root.Kind == WaitKind.None)
        {
            return;
        }

        string root = run.Members[waits.Root.Member].Name;
        HealthFrame.WriteReleased(
            outbox.Writer, Outbox.Epoch, member.Session, (root, waits.Root.Kind, Between(member.WaitingSince, now)));
        waits.End(now);
    }

    /// <summary>The whole chain of a member, as of the last evaluation.</summary>
    /// <returns>Null if it does not wait.</returns>
    internal WaitReport? Report(Member member, Instant now, int stage = 0)
    {
        int count = Fill(member, now, out int leftOut);
        return count == 0 ? null : new WaitReport(_links.AsSpan(0, count).ToArray(), leftOut) { Stage = stage };
    }

    /// <summary>Writes the chain of a member into a Health frame that was begun.</summary>
    /// <returns>False, and nothing written, if it does not wait.</returns>
    internal bool TryWriteChain(Member member, Instant now)
    {
        int count = Fill(member, now, out int leftOut);

        if (count > 0)
        {
            HealthFrame.WriteChain(outbox.Writer, _links.AsSpan(0, count), leftOut);
        }

        return count > 0;
    }

    /// <summary>Time waited by member and root, the present waits included.</summary>
    internal BlockedTime[] ReadBlocked(Instant now)
    {
        List<BlockedTime> times = [];

        foreach (Member member in run.Members.All)
        {
            WaitRecord waits = member.Waits;
            bool isCounted = waits.Root.Kind == WaitKind.None;

            foreach ((WaitRoot root, TimeSpan blocked) in waits.Blocked)
            {
                isCounted |= root == waits.Root;
                TimeSpan present = root == waits.Root ? Between(waits.RootSince, now) : TimeSpan.Zero;
                times.Add(new BlockedTime(member.Name, NameOf(root), root.Kind, blocked + present));
            }

            if (!isCounted)
            {
                times.Add(new BlockedTime(
                    member.Name, NameOf(waits.Root), waits.Root.Kind, Between(waits.RootSince, now)));
            }
        }

        return [.. times];
    }

    private string NameOf(WaitRoot root) => root.Member == BoundTable.Nobody ? "" : run.Members[root.Member].Name;

    /// <summary>Whether a member waits for others, the start included.</summary>
    internal bool IsWaiting(Member member) => member.Life switch
    {
        MemberLife.Live => run.Members.StateOf(member).IsWaiting,
        MemberLife.Joining => true,
        _ => false,
    };

    private void Note(Member member, in WaitRoot root, Instant now)
    {
        WaitRecord waits = member.Waits;
        bool isFirst = waits.Root.Kind == WaitKind.None;
        bool isNews = waits.Note(root, now);

        if (isFirst)
        {
            waits.StageDue = member.WaitingSince + (Stages[0] * run.Layout.HealthLimit);
        }

        // A loss will not end by itself: those who wait hear of it at once (H84).
        if (isNews && root.Kind == WaitKind.Lost)
        {
            Tell(member, now);
        }
    }

    private void PassStages(Member member, Instant now)
    {
        WaitRecord waits = member.Waits;

        while (waits.StageDue <= now)
        {
            waits.Stage++;
            waits.StageDue = waits.Stage < Stages.Length
                ? member.WaitingSince + (Stages[waits.Stage] * run.Layout.HealthLimit)
                : Instant.Never;
        }
    }

    private void Tell(Member member, Instant now)
    {
        int stage = member.Waits.Stage == 0 ? 0 : Stages[member.Waits.Stage - 1];

        if (Report(member, now, stage) is not { } report)
        {
            return;
        }

        Overdue++;

        if (_reports.Count == MaxReports)
        {
            _reports.Dequeue();
        }

        _reports.Enqueue(report);
        HealthFrame.Begin(outbox.Writer, Outbox.Epoch, member.Session, (HealthPurpose.Overdue, (ulong)stage, 1));
        TryWriteChain(member, now);
        outbox.Writer.EndFrame();
        outbox.Send(member);
    }

    /// <summary>The links of a chain; of a long one the first and the root.</summary>
    private int Fill(Member member, Instant now, out int leftOut)
    {
        leftOut = 0;

        if (!IsWaiting(member))
        {
            return 0;
        }

        WaitStep step = WaitChain.First(run, member.Ordinal);
        int count = 0;

        for (int steps = 0; !step.IsRoot; steps++)
        {
            Invariant.Require(steps <= 2 * run.Members.Count, "A chain of waits has no circle.");

            if (count < _links.Length - 1)
            {
                _links[count++] = LinkOf(in step, now);
            }
            else
            {
                leftOut++;
            }

            step = WaitChain.After(run, in step);
        }

        _links[count++] = LinkOf(in step, now);
        return count;
    }

    private WaitLink LinkOf(in WaitStep step, Instant now)
    {
        Member member = run.Members[step.Member];
        ref readonly MemberState state = ref run.Members.States[step.Member];
        ReportedState activity = run.Members.Report(step.Member);

        return new WaitLink
        {
            Member = member.Name,
            Kind = step.Kind,
            Activity = (MemberActivity)activity,
            Now = state.Now,
            Target = state.IsWaiting ? state.Request.Target : null,
            IsNext = state.Request.Mode == AdvanceMode.Next,
            Needs = step.Needs,
            Has = step.Has,
            WokenAt = step.WokenAt,
            Lookahead = state.Lookahead,
            Since = Between(activity == ReportedState.Waiting ? member.WaitingSince : member.RunningSince, now),
            LastHeard = Between(member.Waits.LastHeard, now),
        };
    }

    private static TimeSpan Between(Instant since, Instant now) => now > since ? now - since : TimeSpan.Zero;

    private void ForgetRoots()
    {
        int room = 2 * run.Members.Count;

        if (_roots.Length < room)
        {
            _roots = new WaitRoot[Math.Max(room, 2 * _roots.Length)];
            _path = new int[_roots.Length];
        }

        _roots.AsSpan(0, room).Clear();
    }

    /// <summary>The end of a chain. Chains meet, so that each place of them is looked at once for all.</summary>
    private WaitRoot RootOf(int waiting)
    {
        WaitStep step = WaitChain.First(run, waiting);
        int place = 2 * waiting;
        int length = 0;

        while (_roots[place].Kind == WaitKind.None && !step.IsRoot)
        {
            Invariant.Require(length < 2 * run.Members.Count, "A chain of waits has no circle.");
            _path[length++] = place;
            place = (2 * step.Next) + (step.NextHolds ? 1 : 0);
            step = WaitChain.After(run, in step);
        }

        WaitRoot root = _roots[place].Kind == WaitKind.None ? new WaitRoot(step.Kind, step.Member) : _roots[place];
        _roots[place] = root;

        while (length > 0)
        {
            _roots[_path[--length]] = root;
        }

        return root;
    }
}
