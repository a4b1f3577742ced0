using System.Text;
using System.Text.Json;
using Gudp.Sequencing;
using Gudp.Tools.Output;
using Gudp.Tools.Picture;

namespace Gudp.Tools.Commands;

/// <summary>Entries of logs and records as lines, for people and for scripts.</summary>
internal static class LogText
{
    /// <summary>One thing that was read from a server's log.</summary>
    /// <returns>False if that was all: the end, or beyond the last tag wanted.</returns>
    internal static bool Print(LogRead read, LogWishes wishes, Printer printer)
    {
        switch (read.Kind)
        {
            case LogReadKind.Message when read.Message is { } message:
                if (wishes.To is Tag to && message.Arrival > to)
                {
                    return false;
                }

                if (wishes.Channel is null || message.Channel == wishes.Channel)
                {
                    printer.Line(wishes.Json ? JsonOf(message) : LineOf(message));
                }

                return true;
            case LogReadKind.Trimmed:
                printer.Line(wishes.Json
                    ? $"{{\"gap\":true,\"first\":{read.Number}}}"
                    : $"gap: what was asked for is not all kept; nothing is missing from number {read.Number} on");
                return true;
            case LogReadKind.End:
                printer.Line(wishes.Json
                    ? $"{{\"end\":true,\"last\":{read.Number},\"runDigest\":\"{read.RunDigest:x16}\"}}"
                    : $"end of the run after {Units.Count(read.Number)} messages, run digest {read.RunDigest:x16}");
                return false;
            default:
                return true;
        }
    }

    /// <summary>The grants of a record in a range, each with its batch.</summary>
    internal static void Print(RunRecord record, TagRange range, LogWishes wishes, Printer printer)
    {
        string[] names = new string[record.Members.Count == 0 ? 0 : record.Members[^1].Ordinal + 1];

        foreach (RecordedMember member in record.Members)
        {
            names[member.Ordinal] = member.Name;
        }

        foreach (RecordedBatch batch in record.ReadGrants())
        {
            if (range.Has(batch.Grant.Tag))
            {
                Print(batch, names, wishes, printer);
            }
        }
    }

    private static void Print(RecordedBatch batch, string[] names, LogWishes wishes, Printer printer)
    {
        IEnumerable<RecordedMessage> messages = batch.Messages
            .Where(message => wishes.Channel is null || message.Channel == wishes.Channel);

        if (wishes.Json)
        {
            printer.Line(JsonOf(batch.Grant, messages, names));
            return;
        }

        RecordedGrant grant = batch.Grant;
        string waited = grant.WaitedBecause == WaitKind.None ? "" : $", waited {grant.WaitedMilliseconds} ms"
            + (grant.WaitedFor is int root ? $" for {NameOf(names, root)} ({grant.WaitedBecause})" : $" ({grant.WaitedBecause})");
        printer.Line($"{grant.Tag} {NameOf(names, grant.Member)} grant {grant.Index}"
            + $"{(grant.IsFinal ? ", final" : "")}, {grant.WallMilliseconds} ms{waited}");

        foreach (RecordedMessage message in messages)
        {
            printer.Line($"  {message.Key.Arrival} {message.Channel} from {NameOf(names, message.Key.Publisher)} "
                + $"#{message.Key.SubSequence}, {message.Length} bytes");
        }
    }

    private static string NameOf(string[] names, int ordinal)
        => ordinal < names.Length && names[ordinal] is string name ? name : $"member {ordinal}";

    private static string LineOf(LoggedMessage message)
        => $"{message.Number} {message.Arrival} {message.Channel} from {message.Sender} #{message.SubSequence}, "
            + $"{message.Payload.Length} bytes";

    private static string JsonOf(LoggedMessage message) => Write(json =>
    {
        json.WriteNumber("number", message.Number);
        json.WriteString("arrival", $"{message.Arrival}");
        json.WriteString("sent", $"{message.SendTag}");
        json.WriteString("channel", message.Channel);
        json.WriteString("sender", message.Sender);
        json.WriteNumber("subSequence", message.SubSequence);
        json.WriteBase64String("payload", message.Payload.Span);
    });

    private static string JsonOf(RecordedGrant grant, IEnumerable<RecordedMessage> messages, string[] names)
        => Write(json =>
        {
            json.WriteString("member", NameOf(names, grant.Member));
            json.WriteNumber("grant", grant.Index);
            json.WriteString("tag", $"{grant.Tag}");
            json.WriteString("digest", $"{grant.Digest:x16}");
            json.WriteNumber("wall", grant.WallMilliseconds);
            json.WriteNumber("waited", grant.WaitedMilliseconds);
            json.WriteString("because", $"{grant.WaitedBecause}");
            json.WriteString("waitedFor", grant.WaitedFor is int root ? NameOf(names, root) : null);
            json.WriteStartArray("messages");

            foreach (RecordedMessage message in messages)
            {
                json.WriteStartObject();
                json.WriteString("arrival", $"{message.Key.Arrival}");
                json.WriteString("sent", $"{message.Key.SendTag}");
                json.WriteString("channel", message.Channel);
                json.WriteString("sender", NameOf(names, message.Key.Publisher));
                json.WriteNumber("subSequence", message.Key.SubSequence);
                json.WriteNumber("bytes", message.Length);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using MemoryStream text = new();

        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }
}
