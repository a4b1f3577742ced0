using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Gudp.Sequencing.Records;

/// <summary>Says in lines for people what differs; A is the left record, B the right one.</summary>
internal static class DifferenceSummary
{
    /// <summary>Of a list, more lines than this are only counted.</summary>
    private const int MostLines = 20;

    /// <summary>Bytes of a payload that are shown on each side of the one that differs.</summary>
    private const int ExcerptBytes = 8;

    internal static List<string> Of(RunDifference difference)
    {
        List<string> lines = [];
        AddVerdict(lines, difference);
        AddMembers(lines, difference);

        if (!difference.HasSameConfigHash)
        {
            lines.Add("The configurations differ in what members see, so the digests tell nothing: "
                + "batches were compared one by one.");
        }

        AddValues(lines, difference.Commits, "committed something else for");
        AddValues(lines, difference.States, "has another state checksum with");
        AddList(lines, difference.Configuration, one =>
            $"configuration: {one.Key}: A {one.Left ?? "-"}, B {one.Right ?? "-"}");
        AddList(lines, difference.Facts, one =>
            $"only in {(one.IsLeft ? "A" : "B")}: {one.Fact.Name}: {one.Fact.What} at {one.Fact.Tag}");
        lines.Add(Describe("A", difference.Left));
        lines.Add(Describe("B", difference.Right));
        return lines;
    }

    /// <summary>One line that names member, grant and record.</summary>
    internal static string TextOf(MemberDifference one)
    {
        string record = one.Record is { } place ? Invariant($"record {place} of the batch: ") : "";
        return Invariant($"member \"{one.Member}\" ({one.Ordinal}), grant {one.Grant} at {one.Tag}, ")
            + record + WhatOf(one);
    }

    private static void AddVerdict(List<string> lines, RunDifference difference)
    {
        if (difference.First is { } first)
        {
            lines.Add($"different: {TextOf(first)}");
            AddMessages(lines, difference, first);
        }
        else
        {
            string compared = difference.ComparesDeliveries ? "grant and message" : "commit and state checksum";
            lines.Add(difference.IsEqual ? $"equal in every {compared}" : "different");
        }
    }

    private static void AddMessages(List<string> lines, RunDifference difference, MemberDifference first)
    {
        if (first.LeftMessage is { } left)
        {
            lines.Add($"  A: {TextOf(left, first.PayloadOffset, difference.Left)}");
        }

        if (first.RightMessage is { } right)
        {
            lines.Add($"  B: {TextOf(right, first.PayloadOffset, difference.Right)}");
        }
    }

    private static void AddMembers(List<string> lines, RunDifference difference)
    {
        if (difference.Members.Count < 2)
        {
            return;
        }

        lines.Add(Invariant($"{difference.Members.Count} members differ; the others, which may only follow from it:"));

        for (int i = 1; i < difference.Members.Count && i <= MostLines; i++)
        {
            lines.Add($"  {TextOf(difference.Members[i])}");
        }

        AddRest(lines, difference.Members.Count - 1);
    }

    private static void AddValues(List<string> lines, IReadOnlyList<ChecksumDifference> values, string what)
        => AddList(lines, values, one => Invariant(
            $"member \"{one.Member}\" {what} its grant {one.Grant} at {one.Tag}: A {one.Left:x16}, B {one.Right:x16}")
            + (one.AfterEqualDeliveries ? "; all it had been given was equal, so the cause is in it" : ""));

    private static void AddList<T>(List<string> lines, IReadOnlyList<T> all, Func<T, string> textOf)
    {
        for (int i = 0; i < all.Count && i < MostLines; i++)
        {
            lines.Add(textOf(all[i]));
        }

        AddRest(lines, all.Count);
    }

    private static void AddRest(List<string> lines, int count)
    {
        if (count > MostLines)
        {
            lines.Add(Invariant($"  and {count - MostLines} more"));
        }
    }

    private static string Describe(string name, RunRecord record)
    {
        string end = record.IsComplete
            ? Invariant($"complete, run digest {record.RunDigest:x16}")
            : "left before the end of the run";
        string cut = record.CutAt is { } at
            ? Invariant($"; torn: {record.CutReason}, {record.CutBytes} bytes from byte {at} on were not used")
            : "";
        string influence = record.IsInfluenced ? ", influenced from outside" : "";
        string version = record.Head.Version.Length > 0 ? record.Head.Version + ", " : "";
        return Invariant($"{name}: {version}{record.Members.Count} members, {record.Grants} grants, {end}{influence}{cut}");
    }

    private static string WhatOf(MemberDifference one) => one.Kind switch
    {
        GrantDifferenceKind.MissingMember => $"only {SideOf(one)} has this member",
        GrantDifferenceKind.MissingGrant => $"only {SideOf(one)} goes this far",
        GrantDifferenceKind.Tag => $"the tag: A {one.Left?.Tag}, B {one.Right?.Tag}",
        GrantDifferenceKind.Final => $"only {(one.Left?.IsFinal == true ? "A" : "B")} ends the run with it",
        GrantDifferenceKind.MissingMessage => "B does not have this message",
        GrantDifferenceKind.ExtraMessage => "A does not have this message",
        GrantDifferenceKind.Order => "messages stand in another order",
        GrantDifferenceKind.Key => $"another message: {KeyPartOf(one)} differs",
        GrantDifferenceKind.Channel => "the channel differs",
        GrantDifferenceKind.Length => "the length of the payload differs",
        GrantDifferenceKind.Payload => one.PayloadOffset is { } offset
            ? Invariant($"the payload differs from byte {offset} on")
            : "the payload differs; the record holds only its hash",
        _ => "only the digests differ, the records of the batch do not",
    };

    private static string SideOf(MemberDifference one) => one.IsOnlyLeft || one.Left is not null ? "A" : "B";

    private static string KeyPartOf(MemberDifference one)
    {
        if (one.LeftMessage is null || one.RightMessage is null)
        {
            return "the key";
        }

        MessageKey left = one.LeftMessage.Key;
        MessageKey right = one.RightMessage.Key;
        return left.Arrival != right.Arrival ? "the arrival"
            : left.SendTag != right.SendTag ? "the send tag"
            : left.Publisher != right.Publisher ? "the publisher"
            : left.SubSequence != right.SubSequence ? "the publisher's number"
            : "the copy";
    }

    private static string TextOf(RecordedMessage message, long? offset, RunRecord record)
    {
        MessageKey key = message.Key;
        string copy = key.Copy == 0 ? "" : Invariant($", copy {key.Copy}");
        string text = Invariant($"arrival {key.Arrival}, sent at {key.SendTag} by \"{record.NameOf(key.Publisher)}\" ")
            + Invariant($"({key.Publisher}) as its number {key.SubSequence}{copy}, ")
            + Invariant($"channel \"{message.Channel}\", {message.Length} bytes");
        return message.IsWhole
            ? $"{text}: {Excerpt(message.Payload.Span, (int)(offset ?? 0), offset is not null)}"
            : text;
    }

    private static string Excerpt(ReadOnlySpan<byte> payload, int at, bool marks)
    {
        int from = Math.Max(0, at - ExcerptBytes);
        int to = Math.Min(payload.Length, at + ExcerptBytes + 1);
        StringBuilder text = new(from > 0 ? ".. " : "");

        for (int i = from; i < to; i++)
        {
            string hex = payload[i].ToString("x2", CultureInfo.InvariantCulture);
            text.Append(marks && i == at ? $"[{hex}]" : hex).Append(' ');
        }

        return text.Append(to < payload.Length ? ".." : "").ToString().TrimEnd();
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
