using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;

namespace Gudp.Sequencing.Records;

/// <summary>One file that says all that differs (lock-time 19, clause R-5).</summary>
internal static class DesyncReport
{
    private const string Version = "gudp-desync/1";

    /// <summary>Records of the digest before the first difference.</summary>
    private const int RecordsBefore = 20;

    /// <summary>Of a payload; half of it before the byte that differs.</summary>
    private const int MostPayloadBytes = 256;

    internal static void Write(RunDifference difference, Stream stream)
    {
        using Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("report", Version);
        json.WriteBoolean("equal", difference.IsEqual);
        WriteLines(json, "summary", difference.Summary);
        WriteRecord(json, "left", difference.Left);
        WriteRecord(json, "right", difference.Right);

        if (difference.First is { } first)
        {
            json.WritePropertyName("first");
            WriteMember(json, first, difference);
            WriteBefore(json, first, difference);
        }

        WriteMembers(json, difference);
        WriteConfiguration(json, difference.Configuration);
        WriteValues(json, "commits", difference.Commits);
        WriteValues(json, "states", difference.States);
        WriteFacts(json, difference.Facts);
        json.WriteEndObject();
    }

    private static void WriteRecord(Utf8JsonWriter json, string name, RunRecord record)
    {
        json.WriteStartObject(name);
        json.WriteString("version", record.Head.Version);
        json.WriteString("runId", record.Head.RunId.ToString("x32", CultureInfo.InvariantCulture));
        json.WriteString("configHash", Hex(record.Head.ConfigHash));
        json.WriteString("otherHash", Hex(record.Head.OtherHash));
        WriteNumber(json, "recordedBy", record.Head.RecordedBy);
        json.WriteBoolean("complete", record.IsComplete);
        json.WriteBoolean("influenced", record.IsInfluenced);
        WriteNumber(json, "cutAt", record.CutAt);
        json.WriteString("cutReason", record.CutReason);
        json.WriteNumber("grants", record.Grants);
        json.WriteString("runDigest", record.RunDigest is { } digest ? Hex(digest) : null);
        WriteLines(json, "configuration", ConfigurationLines.Of(record.Head.Configuration));
        json.WriteStartArray("members");

        foreach (RecordedMember member in record.Members)
        {
            json.WriteStartObject();
            json.WriteNumber("ordinal", member.Ordinal);
            json.WriteString("name", member.Name);
            json.WriteNumber("grants", member.EndGrant - member.FirstGrant);
            json.WriteNumber("deliveries", member.Deliveries);
            WriteTag(json, "lastTag", member.LastTag);
            json.WriteString("digest", Hex(member.LastDigest));
            json.WriteString("state", member.LastState is { } state ? Hex(state) : null);
            json.WriteString("commits", member.LastCommit is { } commit ? Hex(commit) : null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMembers(Utf8JsonWriter json, RunDifference difference)
    {
        json.WriteStartArray("members");

        foreach (MemberDifference member in difference.Members)
        {
            WriteMember(json, member, difference);
        }

        json.WriteEndArray();
    }

    private static void WriteMember(Utf8JsonWriter json, MemberDifference member, RunDifference difference)
    {
        json.WriteStartObject();
        json.WriteString("member", member.Member);
        json.WriteNumber("ordinal", member.Ordinal);
        json.WriteNumber("grant", member.Grant);
        WriteTag(json, "tag", member.Tag);
        json.WriteString("what", JsonNamingPolicy.CamelCase.ConvertName(member.Kind.ToString()));
        WriteNumber(json, "record", member.Record);
        WriteNumber(json, "payloadOffset", member.PayloadOffset);
        json.WriteString("text", DifferenceSummary.TextOf(member));
        WriteGrant(json, "left", member.Left);
        WriteGrant(json, "right", member.Right);
        WriteMessage(json, "leftMessage", member.LeftMessage, member.PayloadOffset, difference.Left);
        WriteMessage(json, "rightMessage", member.RightMessage, member.PayloadOffset, difference.Right);
        json.WriteEndObject();
    }

    private static void WriteGrant(Utf8JsonWriter json, string name, RecordedGrant? grant)
    {
        if (grant is not { } found)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        WriteTag(json, "tag", found.Tag);
        json.WriteNumber("flags", found.Flags);
        json.WriteNumber("count", found.Count);
        json.WriteString("digest", Hex(found.Digest));
        json.WriteString("state", found.StateChecksum is { } state ? Hex(state) : null);
        json.WriteString("commits", found.CommitDigest is { } commit ? Hex(commit) : null);
        json.WriteNumber("milliseconds", found.WallMilliseconds);
        json.WriteEndObject();
    }

    private static void WriteMessage(
        Utf8JsonWriter json, string name, RecordedMessage? message, long? offset, RunRecord record)
    {
        if (message is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        WriteTag(json, "arrival", message.Key.Arrival);
        WriteTag(json, "sendTag", message.Key.SendTag);
        json.WriteString("publisher", record.NameOf(message.Key.Publisher));
        json.WriteNumber("publisherOrdinal", message.Key.Publisher);
        json.WriteNumber("subSequence", message.Key.SubSequence);
        json.WriteNumber("copy", message.Key.Copy);
        json.WriteString("channel", message.Channel);
        json.WriteNumber("length", message.Length);
        json.WriteString("payloadHash", Hex(message.PayloadHash));

        if (message.IsWhole)
        {
            int from = (int)Math.Max(0, (offset ?? 0) - (MostPayloadBytes / 2));
            int bytes = Math.Min(MostPayloadBytes, message.Payload.Length - from);
            json.WriteNumber("payloadFrom", from);
            json.WriteString("payload", Convert.ToHexStringLower(message.Payload.Span.Slice(from, bytes)));
        }

        json.WriteEndObject();
    }

    // both kinds of records of the chain, oldest first.
    private static void WriteBefore(Utf8JsonWriter json, MemberDifference first, RunDifference difference)
    {
        json.WriteStartArray("before");

        if (difference.Left.FindTrail(first.Member) is { } trail)
        {
            List<(RecordedBatch Batch, int Record)> found = FindBefore(difference.Left, trail, first);

            for (int i = found.Count - 1; i >= 0; i--)
            {
                (RecordedBatch batch, int record) = found[i];
                json.WriteStartObject();
                json.WriteNumber("grant", batch.Grant.Index);

                if (record < batch.Messages.Count)
                {
                    json.WriteNumber("record", record);
                    WriteMessage(json, "message", batch.Messages[record], null, difference.Left);
                }
                else
                {
                    WriteGrant(json, "point", batch.Grant);
                }

                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }

    /// <summary>Newest first; the record behind the last message of a batch is the grant itself.</summary>
    private static List<(RecordedBatch Batch, int Record)> FindBefore(
        RunRecord record, MemberTrail trail, MemberDifference first)
    {
        List<(RecordedBatch Batch, int Record)> found = [];

        for (long grant = Math.Min(first.Grant, trail.End - 1); grant >= trail.First; grant--)
        {
            RecordedBatch batch = record.Read(trail.Ordinal, grant);

            // Of the grant that differs only what stands before the difference; all messages if it is the grant itself.
            int last = grant < first.Grant ? batch.Messages.Count : (first.Record ?? batch.Messages.Count) - 1;

            for (int i = Math.Min(last, batch.Messages.Count); i >= 0; i--)
            {
                if (found.Count == RecordsBefore)
                {
                    return found;
                }

                found.Add((batch, i));
            }
        }

        return found;
    }

    private static void WriteConfiguration(Utf8JsonWriter json, IReadOnlyList<ConfigurationDifference> lines)
    {
        json.WriteStartArray("configuration");

        foreach (ConfigurationDifference line in lines)
        {
            json.WriteStartObject();
            json.WriteString("key", line.Key);
            json.WriteString("left", line.Left);
            json.WriteString("right", line.Right);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteValues(Utf8JsonWriter json, string name, IReadOnlyList<ChecksumDifference> values)
    {
        json.WriteStartArray(name);

        foreach (ChecksumDifference value in values)
        {
            json.WriteStartObject();
            json.WriteString("member", value.Member);
            json.WriteNumber("grant", value.Grant);
            WriteTag(json, "tag", value.Tag);
            json.WriteString("left", Hex(value.Left));
            json.WriteString("right", Hex(value.Right));
            json.WriteBoolean("afterEqualDeliveries", value.AfterEqualDeliveries);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFacts(Utf8JsonWriter json, IReadOnlyList<FactDifference> facts)
    {
        json.WriteStartArray("facts");

        foreach (FactDifference one in facts)
        {
            json.WriteStartObject();
            json.WriteString("in", one.IsLeft ? "left" : "right");
            json.WriteString("name", one.Fact.Name);
            json.WriteString("what", one.Fact.What);
            WriteTag(json, "tag", one.Fact.Tag);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteLines(Utf8JsonWriter json, string name, IReadOnlyList<string> lines)
    {
        json.WriteStartArray(name);

        foreach (string line in lines)
        {
            json.WriteStringValue(line);
        }

        json.WriteEndArray();
    }

    private static void WriteTag(Utf8JsonWriter json, string name, Tag tag)
    {
        json.WriteStartObject(name);
        json.WriteNumber("time", tag.Time);
        json.WriteNumber("round", tag.Round);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } value)
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string Hex(ulong value) => value.ToString("x16", CultureInfo.InvariantCulture);
}
