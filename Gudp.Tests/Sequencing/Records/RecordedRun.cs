using System.Buffers.Binary;
using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>One message of a run that exists only to be recorded.</summary>
internal sealed record ScriptedMessage(MessageKey Key, int Channel, byte[] Payload);

/// <summary>One grant of it.</summary>
internal sealed record ScriptedGrant(Tag Tag, List<ScriptedMessage> Messages)
{
    internal byte Flags { get; init; }
    internal ulong? State { get; init; }
    internal ulong? Commit { get; init; }
}

/// <summary>
/// A run that never took place: batches in code, digests by the rule of lock-time 18, written as a record. Whatever a
/// test changes in it, the digests follow.
/// </summary>
internal sealed class RecordedRun
{
    internal const ulong ConfigHash = 0x1122_3344_5566_7788;

    internal static readonly string[] Channels = ["state", "control"];

    internal List<(string Name, List<ScriptedGrant> Grants)> Members { get; } = [];

    internal List<RecordedFact> Facts { get; } = [];

    internal RunRecordHead Head { get; init; } = new()
    {
        ConfigHash = ConfigHash,
        OtherHash = 5,
        Configuration = "max rounds = 10000\nties = none\n",
        Version = "gudp 0.1.0",
        RunId = 7,
    };

    /// <summary>Wall-clock milliseconds between grants.</summary>
    internal long Pace { get; init; } = 1;

    internal bool IsComplete { get; init; } = true;

    /// <summary>Members that publish to each other in turn; every payload is made of its place.</summary>
    internal static RecordedRun Of(int members, int grants, int messages, RunRecordHead? head = null)
    {
        RecordedRun run = head is null ? new RecordedRun() : new RecordedRun { Head = head };

        for (int member = 0; member < members; member++)
        {
            List<ScriptedGrant> all = [new ScriptedGrant(Tag.Zero, [])];

            for (int grant = 1; grant <= grants; grant++)
            {
                List<ScriptedMessage> batch = [];

                for (int i = 0; i < messages; i++)
                {
                    int number = ((grant - 1) * messages) + i + 1;
                    MessageKey key = new(10 * grant, 10 * (grant - 1), (member + 1) % members, number, 0);
                    batch.Add(new ScriptedMessage(key, i % Channels.Length, PayloadOf(member, grant, i)));
                }

                all.Add(new ScriptedGrant(10 * grant, batch)
                {
                    Commit = (ulong)((1000 * member) + grant),
                    State = grant % 2 == 0 ? (ulong)grant : null,
                    Flags = grant == grants ? (byte)1 : (byte)0,
                });
            }

            run.Members.Add(($"m{member}", all));
        }

        return run;
    }

    internal MemoryStream Write()
    {
        MemoryStream stream = new();
        RunRecordWriter writer = new(stream, Head);
        WriteTo(writer);
        writer.Flush();
        stream.Position = 0;
        return stream;
    }

    internal RunRecord Open() => new(Write());

    /// <summary>Grants in turn, as a server gives them.</summary>
    internal void WriteTo(RunRecordWriter writer)
    {
        ulong[] digests = new ulong[Members.Count];

        for (int i = 0; i < Channels.Length; i++)
        {
            writer.AddChannel(i, Channels[i]);
        }

        for (int i = 0; i < Members.Count; i++)
        {
            writer.AddMember(i, Members[i].Name);
            byte[] start = [.. "gudp-lt/1"u8, 0, .. Encoding.UTF8.GetBytes(Members[i].Name)];
            digests[i] = XxHash64.Hash(Head.ConfigHash, start);
        }

        foreach (RecordedFact fact in Facts)
        {
            writer.AddFact(fact);
        }

        int most = Members.Max(member => member.Grants.Count);

        for (int grant = 0; grant < most; grant++)
        {
            for (int i = 0; i < Members.Count; i++)
            {
                if (grant < Members[i].Grants.Count)
                {
                    digests[i] = Write(writer, i, grant, digests[i]);
                }
            }
        }

        if (IsComplete)
        {
            writer.Complete(runDigest: 99);
        }
    }

    private static byte[] PayloadOf(int member, int grant, int message)
    {
        byte[] payload = new byte[16 + message];
        BinaryPrimitives.WriteInt32BigEndian(payload, member);
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(4), grant);
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(8), message);
        return payload;
    }

    private ulong Write(RunRecordWriter writer, int member, int index, ulong digest)
    {
        ScriptedGrant grant = Members[member].Grants[index];

        foreach (ScriptedMessage message in grant.Messages)
        {
            writer.AddDelivery(message.Key, message.Channel, message.Payload);
            digest = XxHash64.Hash(digest, RecordOf(message));
        }

        // the start grant makes no record in the digest.
        if (index > 0)
        {
            byte[] record = new byte[18];
            record[0] = 0x47;
            WriteTag(record.AsSpan(1), grant.Tag);
            BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(13), grant.Messages.Count);
            record[17] = (byte)(grant.Flags & 1);
            digest = XxHash64.Hash(digest, record);
        }

        writer.AddGrant(new RecordedGrant(member, index, grant.Tag, digest)
        {
            Flags = grant.Flags,
            StateChecksum = grant.State,
            CommitDigest = grant.Commit,
            WallMilliseconds = Pace * index,
        });
        return digest;
    }

    private static byte[] RecordOf(ScriptedMessage message)
    {
        byte[] record = new byte[50 + message.Payload.Length];
        record[0] = 0x44;
        WriteTag(record.AsSpan(1), message.Key.Arrival);
        WriteTag(record.AsSpan(13), message.Key.SendTag);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(25), message.Key.Publisher);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(29), message.Key.SubSequence);
        record[37] = message.Key.Copy;
        ulong channel = XxHash64.Hash(0, Encoding.UTF8.GetBytes(Channels[message.Channel]));
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(38), channel);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(46), message.Payload.Length);
        message.Payload.CopyTo(record, 50);
        return record;
    }

    private static void WriteTag(Span<byte> destination, Tag tag)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, tag.Time);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], tag.Round);
    }
}
