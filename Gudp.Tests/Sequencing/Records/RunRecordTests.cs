using System.Buffers.Binary;
using Gudp.Sequencing;
using Gudp.Sequencing.Records;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>What is written is read, and what is broken is named (docs/protocol/record.md).</summary>
[TestFixture]
public sealed class RunRecordTests
{
    private const int HeadBytes = 16;

    [Test]
    public void What_was_recorded_is_read()
    {
        RecordedRun run = RecordedRun.Of(members: 3, grants: 5, messages: 2);
        run.Facts.Add(new RecordedFact("m1", "lost", 7, 12));

        using RunRecord record = run.Open();

        Assert.That(record.Head.ConfigHash, Is.EqualTo(RecordedRun.ConfigHash));
        Assert.That(record.Head.OtherHash, Is.EqualTo(5));
        Assert.That(record.Head.Configuration, Is.EqualTo(run.Head.Configuration));
        Assert.That(record.Head.Version, Is.EqualTo("gudp 0.1.0"));
        Assert.That(record.Head.RunId, Is.EqualTo((UInt128)7));
        Assert.That(record.Head.RecordedBy, Is.Null);
        Assert.That(record.Facts, Is.EqualTo(run.Facts));
        Assert.That(record.Members.Select(member => member.Name), Is.EqualTo(new[] { "m0", "m1", "m2" }));
        Assert.That(record.Members[1].EndGrant, Is.EqualTo(6));
        Assert.That(record.Members[1].Deliveries, Is.EqualTo(10));
        Assert.That(record.Members[1].LastTag, Is.EqualTo((Tag)50));
        Assert.That(record.Members[1].LastState, Is.EqualTo(4));
        Assert.That(record.Members[1].LastCommit, Is.EqualTo(1005));
        Assert.That(record.Grants, Is.EqualTo(18));
        Assert.That(record.IsComplete, Is.True);
        Assert.That(record.RunDigest, Is.EqualTo(99));
        Assert.That(record.CutAt, Is.Null);
    }

    //
    [Test]
    public void A_batch_is_read_where_it_lies()
    {
        RecordedRun run = RecordedRun.Of(members: 2, grants: 4, messages: 3);

        using RunRecord record = run.Open();
        RecordedBatch batch = record.Read(member: 1, grant: 3);

        ScriptedGrant expected = run.Members[1].Grants[3];
        Assert.That(batch.Grant.Tag, Is.EqualTo(expected.Tag));
        Assert.That(batch.Grant.CommitDigest, Is.EqualTo(1003));
        Assert.That(batch.Grant.StateChecksum, Is.Null);
        Assert.That(batch.Grant.WallMilliseconds, Is.EqualTo(3));
        Assert.That(batch.Grant.Digest, Is.EqualTo(record.DigestOf(1, 3)));
        Assert.That(batch.Messages.Select(one => one.Key), Is.EqualTo(expected.Messages.Select(one => one.Key)));
        Assert.That(batch.Messages.Select(one => one.Channel), Is.EqualTo(new[] { "state", "control", "state" }));
        Assert.That(batch.Messages[2].Payload.ToArray(), Is.EqualTo(expected.Messages[2].Payload));
    }

    // The values of the check vector of lock-time 18, so that the records of these tests have true digests.
    [Test]
    public void The_digests_of_the_scripted_runs_are_those_of_the_rule()
    {
        RecordedRun run = new() { Head = new RunRecordHead() };
        run.Members.Add(("r",
        [
            new ScriptedGrant(Tag.Zero, []),
            new ScriptedGrant(20, []),
        ]));

        using RunRecord record = run.Open();

        Assert.That(record.DigestOf(0, 0), Is.EqualTo(0xda0756e430cb7111));
    }

    //
    [Test]
    public void Batches_larger_than_a_block_are_read()
    {
        RecordedRun run = RecordedRun.Of(members: 1, grants: 3, messages: 2);
        byte[] large = new byte[5 * RecordFormat.BlockBytes];
        Array.Fill(large, (byte)3);
        List<ScriptedMessage> batch = run.Members[0].Grants[2].Messages;
        batch[0] = batch[0] with { Payload = large };
        batch[1] = batch[1] with { Payload = large };

        using RunRecord record = run.Open();

        Assert.That(record.Read(0, 2).Messages.Select(message => message.Length), Is.All.EqualTo(large.Length));
        Assert.That(record.Read(0, 2).Messages[1].Payload.ToArray(), Is.EqualTo(large));
        Assert.That(record.Read(0, 3).Messages, Has.Count.EqualTo(2));
    }

    [Test]
    public void A_payload_above_the_limit_is_kept_as_its_hash()
    {
        RunRecordHead head = new() { ConfigHash = RecordedRun.ConfigHash, KeepPayloadBytes = 16 };
        using RunRecord whole = RecordedRun.Of(1, 2, 2).Open();

        using RunRecord record = RecordedRun.Of(1, 2, 2, head).Open();

        RecordedMessage longer = record.Read(0, 2).Messages[1];
        Assert.That(record.Head.KeepPayloadBytes, Is.EqualTo(16));
        Assert.That(record.Read(0, 2).Messages[0].IsWhole, Is.True);
        Assert.That(longer.IsWhole, Is.False);
        Assert.That(longer.Length, Is.EqualTo(17));
        Assert.That(longer.PayloadHash, Is.EqualTo(whole.Read(0, 2).Messages[1].PayloadHash));
    }

    //
    [Test]
    public void A_record_without_its_end_is_read_and_not_complete()
    {
        RecordedRun run = new() { IsComplete = false };
        run.Members.AddRange(RecordedRun.Of(2, 3, 1).Members);

        using RunRecord record = run.Open();

        Assert.That(record.IsComplete, Is.False);
        Assert.That(record.RunDigest, Is.Null);
        Assert.That(record.CutAt, Is.Null);
        Assert.That(record.Grants, Is.EqualTo(8));
    }

    // Small blocks: a flush after each grant.
    [Test]
    public void A_tail_torn_at_any_byte_is_cut_and_reported()
    {
        (byte[] bytes, List<long> grants) = WriteInSmallBlocks();
        int firstBlock = FirstBlockEnd(bytes);

        for (int length = firstBlock; length <= bytes.Length; length++)
        {
            using RunRecord record = new(new MemoryStream(bytes, 0, length));
            long expected = grants.FindIndex(end => end > length);

            Assert.That(record.Grants, Is.EqualTo(expected < 0 ? grants.Count : expected), $"{length} bytes");
            Assert.That(record.CutAt is not null, Is.EqualTo(!IsBlockEnd(bytes, length)), $"{length} bytes");
            Assert.That(record.CutAt, Is.Null.Or.LessThan(length));
            Assert.That(record.CutBytes, Is.EqualTo(length - (record.CutAt ?? length)));
            Assert.That(record.CutReason is null, Is.EqualTo(record.CutAt is null));
        }
    }

    [Test]
    public void A_file_that_ends_before_its_head_says_so_at_every_byte()
    {
        (byte[] bytes, _) = WriteInSmallBlocks();
        int firstBlock = FirstBlockEnd(bytes);

        for (int length = 0; length < firstBlock; length++)
        {
            RunRecordException refused = Refused(bytes[..length]);

            Assert.That(refused.Message, Does.StartWith("The record was cut before it said anything"), $"{length}");
        }
    }

    //
    [Test]
    public void A_hole_in_the_last_block_is_cut()
    {
        (byte[] bytes, List<long> grants) = WriteInSmallBlocks();
        bytes[^3] ^= 1;

        using RunRecord record = new(new MemoryStream(bytes));

        Assert.That(record.CutReason, Is.EqualTo("the last block does not match its checksum"));
        Assert.That(record.Grants, Is.EqualTo(grants.Count));
        Assert.That(record.IsComplete, Is.False);
    }

    //
    [Test]
    public void Zeros_that_a_crash_left_behind_are_cut()
    {
        (byte[] bytes, List<long> grants) = WriteInSmallBlocks();

        using RunRecord record = new(new MemoryStream([.. bytes, .. new byte[10_000]]));

        Assert.That(record.CutAt, Is.EqualTo(bytes.Length));
        Assert.That(record.CutBytes, Is.EqualTo(10_000));
        Assert.That(record.Grants, Is.EqualTo(grants.Count));
    }

    //
    [Test]
    public void Every_damaged_byte_in_the_middle_is_an_error_that_names_its_block()
    {
        (byte[] bytes, _) = WriteInSmallBlocks();
        List<int> blocks = Blocks(bytes);

        for (int at = blocks[1]; at < blocks[^1]; at++)
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 0x10;

            Assert.That(Refused(damaged).Position, Is.EqualTo(blocks.FindLast(block => block <= at)), $"byte {at}");
        }
    }

    //
    [Test]
    public void Blocks_that_changed_places_are_damage()
    {
        (byte[] bytes, _) = WriteInSmallBlocks();
        List<int> blocks = Blocks(bytes);
        byte[] first = bytes[blocks[2]..blocks[3]];
        byte[] second = bytes[blocks[3]..blocks[4]];

        byte[] changed = [.. bytes[..blocks[2]], .. second, .. first, .. bytes[blocks[4]..]];
        byte[] doubled = [.. bytes[..blocks[3]], .. first, .. bytes[blocks[3]..]];

        Assert.That(Refused(changed).Position, Is.EqualTo(blocks[2]));
        Assert.That(Refused(doubled).Position, Is.EqualTo(blocks[3]));
    }

    //
    [Test]
    public void Another_version_and_another_file_are_told_apart()
    {
        byte[] other = RecordedRun.Of(1, 1, 1).Write().ToArray();
        other[7] = 9;

        Assert.That(Refused(other).Message, Does.Contain("version 9").And.Contain("version 1"));
        Assert.That(Refused("not a record at all"u8.ToArray()).Message, Does.Contain("gudprec"));
    }

    // Checksums are put right again, so that what stands in the blocks is looked at.
    [Test]
    public void Hostile_bytes_end_in_a_record_or_in_the_documented_exception([Range(0, 39)] int seed)
    {
        Random random = new(seed);
        (byte[] honest, _) = WriteInSmallBlocks();

        for (int round = 0; round < 50; round++)
        {
            byte[] bytes = [.. honest];

            for (int i = random.Next(1, 6); i > 0; i--)
            {
                bytes[random.Next(8, bytes.Length)] = (byte)random.Next(256);
            }

            Mend(bytes);
            LookAtAll(bytes);
        }
    }

    [Test]
    public void Random_bytes_behind_a_true_head_end_in_a_record_or_in_the_documented_exception([Range(0, 9)] int seed)
    {
        Random random = new(seed);

        for (int round = 0; round < 200; round++)
        {
            byte[] content = new byte[random.Next(1, 200)];
            random.NextBytes(content);
            content[0] = (byte)random.Next(10);
            byte[] bytes = new byte[8 + HeadBytes + content.Length];
            RecordFormat.Magic.CopyTo(bytes);
            RecordFormat.WriteBlockHead(bytes.AsSpan(8), 8, content);
            content.CopyTo(bytes, 8 + HeadBytes);

            LookAtAll(bytes);
        }
    }

    [TestCase("A grant that does not follow the member's last one")]
    [TestCase("A second head")]
    [TestCase("A delivery on a channel without a name")]
    [TestCase("A grant of a member without a name")]
    [TestCase("Something stands behind the end of the run")]
    public void What_contradicts_what_stands_before_it_is_refused(string rule)
    {
        byte[] first = RecordedRun.Of(1, 1, 1).Write().ToArray();
        List<byte> bytes = [.. rule.StartsWith("Something", StringComparison.Ordinal) ? first : WithoutEnd()];
        byte[] content = rule[..8] switch
        {
            "A grant " when rule.Contains("follow", StringComparison.Ordinal) => Grant(member: 0, index: 9),
            "A grant " => Grant(member: 4, index: 0),
            "A second" => [1, 0],
            "A delive" => [5, 24, .. new byte[21], 63, 0, 65],
            _ => [1, 0],
        };
        byte[] head = new byte[HeadBytes];
        RecordFormat.WriteBlockHead(head, bytes.Count, content);

        RunRecordException refused = Refused([.. bytes, .. head, .. content]);

        Assert.That(refused.Message, Does.StartWith(rule));
        Assert.That(refused.Position, Is.EqualTo(bytes.Count + HeadBytes));
    }

    //
    [Test]
    public void An_entry_of_a_later_version_is_skipped()
    {
        byte[] bytes = WithoutEnd();
        byte[] content = [200, 3, 1, 2, 3];
        byte[] head = new byte[HeadBytes];
        RecordFormat.WriteBlockHead(head, bytes.Length, content);

        using RunRecord record = new(new MemoryStream([.. bytes, .. head, .. content]));

        Assert.That(record.Grants, Is.EqualTo(2));
        Assert.That(record.CutAt, Is.Null);
    }

    private static byte[] WithoutEnd()
    {
        RecordedRun run = new() { IsComplete = false };
        run.Members.AddRange(RecordedRun.Of(1, 1, 1).Members);
        return run.Write().ToArray();
    }

    private static byte[] Grant(byte member, byte index)
    {
        byte[] body = new byte[23];
        body[0] = member;
        body[1] = index;
        return [6, (byte)body.Length, .. body];
    }

    private static void LookAtAll(byte[] bytes)
    {
        try
        {
            using RunRecord record = new(new MemoryStream(bytes));

            foreach (RecordedMember member in record.Members)
            {
                for (long grant = member.FirstGrant; grant < member.EndGrant; grant++)
                {
                    Assert.That(record.Read(member.Ordinal, grant).Grant.Member, Is.EqualTo(member.Ordinal));
                }
            }

            using RunRecord honest = new(new MemoryStream(WriteInSmallBlocks().Bytes));
            RunDifference.Between(honest, record).WriteReport(Stream.Null);
            RunDifference.Between(record, honest).WriteReport(Stream.Null);
        }
        catch (RunRecordException refused)
        {
            Assert.That(refused.Position, Is.InRange(0, bytes.Length));
        }
    }

    private static RunRecordException Refused(byte[] bytes)
        => Assert.Throws<RunRecordException>(() => new RunRecord(new MemoryStream(bytes)).Dispose())!;

    /// <summary>A record with a block for each grant, and where each grant's block ends.</summary>
    private static (byte[] Bytes, List<long> Ends) WriteInSmallBlocks()
    {
        MemoryStream stream = new();
        using RunRecordWriter writer = new(stream, new RunRecordHead { Version = "v", Configuration = "a = b" });
        writer.AddMember(0, "p");
        writer.AddMember(1, "r");
        writer.AddChannel(0, "c");
        writer.Flush();
        List<long> ends = [];

        for (int i = 0; i < 8; i++)
        {
            writer.AddDelivery(new MessageKey(i + 1, i, 1, i + 1, 0), 0, "abc"u8);
            writer.Flush();
            writer.AddGrant(new RecordedGrant(i % 2, i / 2, i + 1, (ulong)i) { StateChecksum = 4 });
            writer.Flush();
            ends.Add(stream.Length);
        }

        writer.Complete(3);
        return (stream.ToArray(), ends);
    }

    private static List<int> Blocks(byte[] bytes)
    {
        List<int> blocks = [];

        for (int at = 8; at + HeadBytes <= bytes.Length;)
        {
            blocks.Add(at);
            at += HeadBytes + (int)BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
        }

        return blocks;
    }

    private static int FirstBlockEnd(byte[] bytes) => Blocks(bytes)[1];

    // Also behind a delivery whose grant is missing the record is cut, although the block is whole.
    private static bool IsBlockEnd(byte[] bytes, int length)
    {
        List<int> blocks = Blocks(bytes);
        int number = length == bytes.Length ? blocks.Count : blocks.IndexOf(length);
        return number > 0 && (number % 2 == 1 || number == blocks.Count);
    }

    private static void Mend(byte[] bytes)
    {
        for (int at = 8; at + HeadBytes <= bytes.Length;)
        {
            int length = (int)BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));

            if (length <= 0 || length > bytes.Length - at - HeadBytes)
            {
                return;
            }

            RecordFormat.WriteBlockHead(bytes.AsSpan(at), at, bytes.AsSpan(at + HeadBytes, length));
            at += HeadBytes + length;
        }
    }
}
