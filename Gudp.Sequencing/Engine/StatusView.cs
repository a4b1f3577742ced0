// How the run stands, for people (clause ). Reads, and changes nothing.

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class StatusView(RunState run, Outbox outbox, Barriers barriers, Pacer pacer)
{
    // A part of the answer; the asker asks for the rest.
    private const int PartBytes = 32 * 1024;

    /// <summary>Writes one answer; the members from <paramref name="first"/> on, as many as fit.</summary>
    internal void Write(ulong request, int first, ulong session, Instant now)
    {
        FrameWriter writer = outbox.Writer;
        FrameWriter members = new();
        int count = 0;

        for (int ordinal = first; ordinal < run.Members.Count && members.Length < PartBytes; ordinal++, count++)
        {
            MemberStatus member = Of(run.Members[ordinal], now);
            StatusFrame.WriteMember(members, in member);
        }

        writer.BeginFrame(FrameType.Status, Outbox.Epoch, session);
        StatusFrame.WriteHead(writer, request, Head([]));
        writer.WriteNumber((ulong)run.Members.Count);
        writer.WriteNumber((ulong)first);
        writer.WriteNumber((ulong)count);
        writer.WriteBytes(members.Written);
        writer.EndFrame();
    }

    /// <summary>All of it.</summary>
    internal RunStatus Read(Instant now)
    {
        List<MemberStatus> members = [];

        foreach (Member member in run.Members.All)
        {
            members.Add(Of(member, now));
        }

        return Head(members);
    }

    private RunStatus Head(List<MemberStatus> members)
    {
        long grants = 0;

        foreach (Member member in run.Members.All)
        {
            grants += member.Waits.Grants;
        }

        return new RunStatus(members)
        {
            Stage = (RunStage)run.Phase,
            Floor = run.Phase == RunPhase.Gathering ? Tag.Zero : Tag.Earlier(run.Bounds.Floor, Tag.Infinity),
            Stop = run.Limits.Stop == Tag.Top ? null : run.Limits.Stop,
            Barrier = run.Limits.Barrier == Tag.Top ? null : run.Limits.Barrier,
            PendingSteps = barriers.PendingSteps,
            Published = run.Published,
            Grants = grants,
            LateGrants = pacer.LateGrants,
            MaxLag = pacer.MaxLag,
            ExternalFacts = run.ExternalFactCount,
            IsInfluenced = run.IsInfluenced,
            ConfigHash = run.Layout.ConfigHash,
            RunDigest = run.RunDigest,
            Counters = run.Tally.Read(run),
        };
    }

    private MemberStatus Of(Member member, Instant now)
    {
        ref readonly MemberState state = ref run.Members.StateOf(member);
        WaitRecord waits = member.Waits;
        ReportedState activity = run.Members.Report(member.Ordinal);
        Instant since = activity == ReportedState.Waiting ? member.WaitingSince : member.RunningSince;

        return new MemberStatus
        {
            Name = member.Name,
            Activity = (MemberActivity)activity,
            Now = state.Now,
            Target = state.IsWaiting ? state.Request.Target : null,
            IsNext = state.Request.Mode == AdvanceMode.Next,
            Since = now > since ? now - since : TimeSpan.Zero,
            InboxMessages = member.Inbox.Count,
            InboxBytes = member.Inbox.Bytes,
            Grants = waits.Grants,
            LateGrants = waits.LateGrants,
            Lag = waits.Lag,
            MaxLag = waits.MaxLag,
            UserTime = waits.UserTime,
            ServerTime = waits.ServerTime,
            Root = waits.Root.Kind,
            RootMember = waits.Root.Kind == WaitKind.None ? "" : run.Members[waits.Root.Member].Name,
        };
    }
}
