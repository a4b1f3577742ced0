// Who waits for whom on the wire: the question (09) and every answer to it, asked for or not (86). Clauses and
//

using System;
using System.Collections.Generic;
using System.Text.Unicode;
using Gudp.Sequencing.Config;

namespace Gudp.Sequencing.Wire;

/// <summary>Clause: what a Health frame is for.</summary>
internal enum HealthPurpose : byte
{
    /// <summary>Just before a grant that did not come at once: whom it waited for. A layout of its own.</summary>
    Released = 0,

    /// <summary>A wait has passed a stage of the limit; the number is the stage.</summary>
    Overdue = 1,

    /// <summary>The last answer to a question; the number is the question's.</summary>
    Answer = 2,

    /// <summary>An answer, and more come.</summary>
    PartOfAnswer = 3,
}

/// <summary>Asks who blocks a member, or with an empty name everybody that waits.</summary>
internal readonly record struct WhoBlocksFrame(ulong Request, string Name)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.WhoBlocks, epoch, session);
        writer.WriteNumber(Request);
        writer.WriteText(Name);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out WhoBlocksFrame question)
    {
        FrameReader reader = new(body);
        question = new WhoBlocksFrame(reader.ReadNumber(), reader.ReadText(SequencingRules.MaxNameBytes));
        return reader.IsComplete;
    }
}

/// <summary>Chains of waits, each from a member to its root.</summary>
internal static class HealthFrame
{
    // Bits of a link's request, as in clause as far as they go.
    private const ulong To = 1;
    private const ulong Next = 2;

    /// <summary>Begins a frame of any purpose but the first; chains follow.</summary>
    internal static void Begin(
        FrameWriter writer, ulong epoch, ulong session, (HealthPurpose Purpose, ulong Number, int Chains) head)
    {
        writer.BeginFrame(FrameType.Health, epoch, session);
        writer.WriteNumber((ulong)head.Purpose);
        writer.WriteNumber(head.Number);
        writer.WriteNumber((ulong)head.Chains);
    }

    internal static void WriteChain(FrameWriter writer, ReadOnlySpan<WaitLink> links, int leftOut)
    {
        writer.WriteNumber((ulong)leftOut);
        writer.WriteNumber((ulong)links.Length);

        foreach (WaitLink link in links)
        {
            writer.WriteText(link.Member);
            writer.WriteNumber((ulong)link.Kind);
            writer.WriteNumber((ulong)link.Activity);
            writer.WriteTag(link.Now);
            writer.WriteNumber(link.Target is null ? 0 : link.IsNext ? Next : To);
            writer.WriteTag(link.Target ?? Tag.Zero);
            writer.WriteTag(link.Needs);
            writer.WriteTag(link.Has);
            writer.WriteTag(link.WokenAt);
            writer.WriteDelay(link.Lookahead);
            writer.WriteNumber(Milliseconds(link.Since));
            writer.WriteNumber(Milliseconds(link.LastHeard));
        }
    }

    internal static bool TryRead(
        ReadOnlySpan<byte> body, out HealthPurpose purpose, out ulong number, List<WaitReport> reports)
    {
        FrameReader reader = new(body);
        purpose = (HealthPurpose)reader.ReadNumber((ulong)HealthPurpose.PartOfAnswer);
        number = reader.ReadNumber();
        ulong chains = reader.ReadNumber();

        if (purpose == HealthPurpose.Released)
        {
            return false;
        }

        for (ulong i = 0; i < chains && !reader.IsMalformed; i++)
        {
            ReadChain(ref reader, purpose == HealthPurpose.Overdue ? (int)Math.Min(number, 10) : 0, reports);
        }

        return reader.IsComplete;
    }

    /// <summary>The frame before a grant: short, since many grants have one.</summary>
    /// <param name="writer">Gets the whole frame.</param>
    /// <param name="epoch">Of the server.</param>
    /// <param name="session">Of the member.</param>
    /// <param name="root">At whose door the wait ended, why, and how long it was.</param>
    internal static void WriteReleased(
        FrameWriter writer, ulong epoch, ulong session, (string Name, WaitKind Kind, TimeSpan Waited) root)
    {
        writer.BeginFrame(FrameType.Health, epoch, session);
        writer.WriteNumber((ulong)HealthPurpose.Released);
        writer.WriteText(root.Name);
        writer.WriteNumber((ulong)root.Kind);
        writer.WriteNumber(Milliseconds(root.Waited));
        writer.EndFrame();
    }

    /// <summary>Reads it without making a string.</summary>
    /// <param name="body">Of the frame.</param>
    /// <param name="root">The name, UTF-8; a part of the body.</param>
    /// <param name="kind">Why the wait ended there.</param>
    /// <param name="waited">How long it was.</param>
    internal static bool TryReadReleased(
        ReadOnlySpan<byte> body, out ReadOnlySpan<byte> root, out WaitKind kind, out TimeSpan waited)
    {
        FrameReader reader = new(body);
        bool isReleased = reader.ReadNumber() == (ulong)HealthPurpose.Released;
        root = reader.ReadBlock();
        kind = (WaitKind)reader.ReadNumber((ulong)WaitKind.FlowControl);
        waited = ReadMilliseconds(ref reader);
        return isReleased && reader.IsComplete && root.Length <= SequencingRules.MaxNameBytes && Utf8.IsValid(root);
    }

    internal static ulong Milliseconds(TimeSpan span) => (ulong)Math.Max(0, span.TotalMilliseconds);

    /// <summary>A claimed span; nothing that the arithmetic of spans could not hold.</summary>
    internal static TimeSpan ReadMilliseconds(ref FrameReader reader)
        => TimeSpan.FromMilliseconds((long)Math.Min(reader.ReadNumber(), 1UL << 40));

    private static void ReadChain(ref FrameReader reader, int stage, List<WaitReport> reports)
    {
        int leftOut = reader.ReadInt32();
        ulong count = reader.ReadNumber(WaitReport.MaxLinks);
        List<WaitLink> links = [];

        for (ulong i = 0; i < count && !reader.IsMalformed; i++)
        {
            links.Add(ReadLink(ref reader));
        }

        // A chain has a member that waits, and so a link.
        if (links.Count == 0)
        {
            reader.Fail();
            return;
        }

        reports.Add(new WaitReport(links, leftOut) { Stage = stage });
    }

    private static WaitLink ReadLink(ref FrameReader reader)
    {
        string member = reader.ReadText();
        WaitKind kind = (WaitKind)reader.ReadNumber((ulong)WaitKind.FlowControl);
        MemberActivity activity = (MemberActivity)reader.ReadNumber((ulong)MemberActivity.Resigned);
        Tag now = reader.ReadTag();
        ulong request = reader.ReadNumber(Next);
        Tag target = reader.ReadTag();

        return new WaitLink
        {
            Member = member,
            Kind = kind,
            Activity = activity,
            Now = now,
            Target = request == 0 ? null : target,
            IsNext = request == Next,
            Needs = reader.ReadTag(),
            Has = reader.ReadTag(),
            WokenAt = reader.ReadTag(),
            Lookahead = reader.ReadDelay(),
            Since = ReadMilliseconds(ref reader),
            LastHeard = ReadMilliseconds(ref reader),
        };
    }
}
