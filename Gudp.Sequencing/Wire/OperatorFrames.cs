// What operators ask for (0A, 0B, 0F, 10) and the answer to all of it (8D). Clause and those after it.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Config;

namespace Gudp.Sequencing.Wire;

/// <summary>Clause: what is done with an operator's barrier.</summary>
internal enum BarrierAction : byte
{
    Clear = 0,
    Set = 1,
    Step = 2,
}

/// <summary>Holds, steps or frees the run.</summary>
internal readonly record struct BarrierFrame(ulong Request, string Operator, BarrierAction Action)
{
    /// <summary>Of <see cref="BarrierAction.Set"/>.</summary>
    internal Tag Tag { get; init; }

    /// <summary>Of <see cref="BarrierAction.Step"/>.</summary>
    internal long Steps { get; init; }

    internal void Write(FrameWriter writer)
    {
        writer.BeginFrame(FrameType.Barrier, 0, 0);
        writer.WriteNumber(Request);
        writer.WriteText(Operator);
        writer.WriteNumber((ulong)Action);

        if (Action == BarrierAction.Set)
        {
            writer.WriteTag(Tag);
        }
        else if (Action == BarrierAction.Step)
        {
            writer.WriteNumber((ulong)Steps);
        }

        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out BarrierFrame barrier)
    {
        FrameReader reader = new(body);
        ulong request = reader.ReadNumber();
        string name = reader.ReadText(SequencingRules.MaxNameBytes);
        BarrierAction action = (BarrierAction)reader.ReadNumber((ulong)BarrierAction.Step);
        barrier = new BarrierFrame(request, name, action)
        {
            Tag = action == BarrierAction.Set ? reader.ReadTag() : Tag.Zero,
            Steps = action == BarrierAction.Step ? (long)reader.ReadNumber() : 0,
        };
        return reader.IsComplete;
    }
}

/// <summary>Ends the run, at a tag or as soon as possible.</summary>
internal readonly record struct StopFrame(ulong Request, string Operator, Tag? At)
{
    internal void Write(FrameWriter writer)
    {
        writer.BeginFrame(FrameType.Stop, 0, 0);
        writer.WriteNumber(Request);
        writer.WriteText(Operator);
        writer.WriteNumber(At is null ? 0UL : 1UL);

        if (At is Tag at)
        {
            writer.WriteTag(at);
        }

        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out StopFrame stop)
    {
        FrameReader reader = new(body);
        ulong request = reader.ReadNumber();
        string name = reader.ReadText(SequencingRules.MaxNameBytes);
        bool isTagged = reader.ReadNumber(1) == 1;
        stop = new StopFrame(request, name, isTagged ? reader.ReadTag() : null);
        return reader.IsComplete;
    }
}

/// <summary>Lets a run start that waits for it.</summary>
internal readonly record struct StartFrame(ulong Request, string Operator)
{
    internal void Write(FrameWriter writer)
    {
        writer.BeginFrame(FrameType.Start, 0, 0);
        writer.WriteNumber(Request);
        writer.WriteText(Operator);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out StartFrame start)
    {
        FrameReader reader = new(body);
        start = new StartFrame(reader.ReadNumber(), reader.ReadText(SequencingRules.MaxNameBytes));
        return reader.IsComplete;
    }
}

/// <summary>Asks how the run stands.</summary>
/// <param name="Request">Comes back in the answer.</param>
/// <param name="First">Ordinal of the first member to tell of.</param>
internal readonly record struct StatusQueryFrame(ulong Request, int First)
{
    internal void Write(FrameWriter writer)
    {
        writer.BeginFrame(FrameType.StatusQuery, 0, 0);
        writer.WriteNumber(Request);
        writer.WriteNumber((ulong)First);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out StatusQueryFrame query)
    {
        FrameReader reader = new(body);
        query = new StatusQueryFrame(reader.ReadNumber(), reader.ReadInt32());
        return reader.IsComplete;
    }
}

/// <summary>How the run stands: what is common, and a part of its members.</summary>
internal static class StatusFrame
{
    // Bits in front of the tags.
    private const ulong HasStop = 1;
    private const ulong HasBarrier = 2;
    private const ulong Influenced = 4;

    // Of one list; far above what any version counts.
    private const ulong MaxCounters = 1_024;

    // Of a member's request.
    private const ulong To = 1;
    private const ulong Next = 2;

    internal static void WriteHead(FrameWriter writer, ulong request, RunStatus status)
    {
        writer.WriteNumber(request);
        writer.WriteNumber((ulong)status.Stage);
        writer.WriteNumber((status.Stop is null ? 0 : HasStop) | (status.Barrier is null ? 0 : HasBarrier)
            | (status.IsInfluenced ? Influenced : 0));
        writer.WriteTag(status.Floor);
        writer.WriteTag(status.Stop ?? Tag.Zero);
        writer.WriteTag(status.Barrier ?? Tag.Zero);
        writer.WriteNumber((ulong)status.PendingSteps);
        writer.WriteNumber((ulong)status.Published);
        writer.WriteNumber((ulong)status.Grants);
        writer.WriteNumber((ulong)status.LateGrants);
        writer.WriteNumber(HealthFrame.Milliseconds(status.MaxLag));
        writer.WriteNumber((ulong)status.ExternalFacts);
        writer.WriteUInt64(status.ConfigHash);
        writer.WriteUInt64(status.RunDigest);
        WriteCounters(writer, status.Counters.Counts);
    }

    internal static void WriteMember(FrameWriter writer, in MemberStatus member)
    {
        writer.WriteText(member.Name);
        writer.WriteNumber((ulong)member.Activity);
        writer.WriteTag(member.Now);
        writer.WriteNumber(member.Target is null ? 0 : member.IsNext ? Next : To);
        writer.WriteTag(member.Target ?? Tag.Zero);
        writer.WriteNumber(HealthFrame.Milliseconds(member.Since));
        writer.WriteNumber((ulong)member.InboxMessages);
        writer.WriteNumber((ulong)member.InboxBytes);
        writer.WriteNumber((ulong)member.Grants);
        writer.WriteNumber((ulong)member.LateGrants);
        writer.WriteNumber(HealthFrame.Milliseconds(member.Lag));
        writer.WriteNumber(HealthFrame.Milliseconds(member.MaxLag));
        writer.WriteNumber(HealthFrame.Milliseconds(member.UserTime));
        writer.WriteNumber(HealthFrame.Milliseconds(member.ServerTime));
        writer.WriteNumber((ulong)member.Root);
        writer.WriteText(member.RootMember);
    }

    /// <summary>Reads one part of the answer.</summary>
    /// <param name="body">Of the frame.</param>
    /// <param name="members">Gets the members of this part, behind those of earlier ones.</param>
    /// <param name="request">Whose answer it is.</param>
    /// <param name="total">Members of the run.</param>
    /// <returns>The status with <paramref name="members"/> so far; null if it is malformed.</returns>
    internal static RunStatus? Read(
        ReadOnlySpan<byte> body, List<MemberStatus> members, out ulong request, out int total)
    {
        FrameReader reader = new(body);
        request = reader.ReadNumber();
        RunStage stage = (RunStage)reader.ReadNumber((ulong)RunStage.Aborted);
        ulong bits = reader.ReadNumber();
        Tag floor = reader.ReadTag();
        Tag stop = reader.ReadTag();
        Tag barrier = reader.ReadTag();

        RunStatus status = new(members)
        {
            Stage = stage,
            Floor = floor,
            Stop = (bits & HasStop) != 0 ? stop : null,
            Barrier = (bits & HasBarrier) != 0 ? barrier : null,
            IsInfluenced = (bits & Influenced) != 0,
            PendingSteps = (long)reader.ReadNumber(),
            Published = (long)reader.ReadNumber(),
            Grants = (long)reader.ReadNumber(),
            LateGrants = (long)reader.ReadNumber(),
            MaxLag = HealthFrame.ReadMilliseconds(ref reader),
            ExternalFacts = (long)reader.ReadNumber(),
            ConfigHash = reader.ReadUInt64(),
            RunDigest = reader.ReadUInt64(),
            Counters = ReadCounters(ref reader),
        };

        total = (int)reader.ReadNumber(SequencingRules.MaxMembers);
        ulong first = reader.ReadNumber();
        ulong count = reader.ReadNumber((ulong)total);

        // Parts come in order; another one is of an older question.
        if (first != (ulong)members.Count)
        {
            return null;
        }

        for (ulong i = 0; i < count && !reader.IsMalformed; i++)
        {
            members.Add(ReadMember(ref reader));
        }

        return reader.IsComplete && members.Count <= total ? status : null;
    }

    // Two lists, so that a counter more or an error more moves no other number (clause ).
    private static void WriteCounters(FrameWriter writer, in SequenceCounts counts)
    {
        writer.WriteNumber((ulong)RunCount.FirstRefused);

        for (int i = 0; i < (int)RunCount.FirstRefused; i++)
        {
            writer.WriteNumber((ulong)counts[i]);
        }

        writer.WriteNumber(SequenceCounts.LocalError);

        for (int i = 0; i < SequenceCounts.LocalError; i++)
        {
            writer.WriteNumber((ulong)counts[(int)RunCount.FirstRefused + i]);
        }
    }

    private static RunCounters ReadCounters(ref FrameReader reader)
    {
        SequenceCounts counts = default;
        ReadList(ref reader, counts[..(int)RunCount.FirstRefused]);
        ReadList(ref reader, counts[(int)RunCount.FirstRefused..][..SequenceCounts.LocalError]);
        return new RunCounters(in counts);
    }

    // What a later version counts besides is not looked at.
    private static void ReadList(ref FrameReader reader, scoped Span<long> into)
    {
        ulong count = reader.ReadNumber(MaxCounters);

        for (ulong i = 0; i < count && !reader.IsMalformed; i++)
        {
            ulong value = reader.ReadNumber();

            if (i < (ulong)into.Length)
            {
                into[(int)i] = (long)value;
            }
        }
    }

    private static MemberStatus ReadMember(ref FrameReader reader)
    {
        string name = reader.ReadText();
        MemberActivity activity = (MemberActivity)reader.ReadNumber((ulong)MemberActivity.Resigned);
        Tag now = reader.ReadTag();
        ulong request = reader.ReadNumber(Next);
        Tag target = reader.ReadTag();

        return new MemberStatus
        {
            Name = name,
            Activity = activity,
            Now = now,
            Target = request == 0 ? null : target,
            IsNext = request == Next,
            Since = HealthFrame.ReadMilliseconds(ref reader),
            InboxMessages = (long)reader.ReadNumber(),
            InboxBytes = (long)reader.ReadNumber(),
            Grants = (long)reader.ReadNumber(),
            LateGrants = (long)reader.ReadNumber(),
            Lag = HealthFrame.ReadMilliseconds(ref reader),
            MaxLag = HealthFrame.ReadMilliseconds(ref reader),
            UserTime = HealthFrame.ReadMilliseconds(ref reader),
            ServerTime = HealthFrame.ReadMilliseconds(ref reader),
            Root = (WaitKind)reader.ReadNumber((ulong)WaitKind.FlowControl),
            RootMember = reader.ReadText(),
        };
    }
}
