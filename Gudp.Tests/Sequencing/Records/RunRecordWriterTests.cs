using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Records;

[TestFixture]
public sealed class RunRecordWriterTests
{
    [Test]
    public void Nothing_is_allocated_per_grant_however_long_the_run()
    {
        using RunRecordWriter writer = new(Stream.Null, new RunRecordHead());
        Declare(writer);
        Record(writer, from: 0, grants: 5_000);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Record(writer, from: 5_000, grants: 20_000);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(writer.Grants, Is.EqualTo(25_000));
        Assert.That(writer.WrittenBytes, Is.GreaterThan(25_000 * 40));
    }

    [Test]
    public void A_stream_that_fails_ends_the_record_and_not_the_run()
    {
        using FullDisk disk = new(room: 100_000);
        using RunRecordWriter writer = new(disk, new RunRecordHead());
        Declare(writer);

        Record(writer, from: 0, grants: 10_000);
        writer.Complete(1);

        Assert.That(writer.Failure, Is.InstanceOf<IOException>());
        Assert.That(writer.Grants, Is.EqualTo(10_000));
        using RunRecord record = new(new MemoryStream(disk.Content.ToArray()));
        Assert.That(record.IsComplete, Is.False);
        Assert.That(record.CutReason, Is.Null.Or.EqualTo("the last block is not whole"));
        Assert.That(record.Grants, Is.InRange(500, 9_999));
    }

    [Test]
    public void What_contradicts_what_was_said_before_is_refused_and_leaves_no_trace()
    {
        MemoryStream stream = new();
        using RunRecordWriter writer = new(stream, new RunRecordHead());
        Declare(writer);
        Record(writer, from: 0, grants: 3);

        Assert.Multiple(() =>
        {
            Assert.Throws<ArgumentException>(() => writer.AddMember(0, "again"));
            Assert.Throws<ArgumentException>(() => writer.AddChannel(0, "again"));
            Assert.Throws<ArgumentException>(() => writer.AddMember(1, new string('x', 1025)));
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.AddMember(1 << 20, "far"));
            Assert.Throws<ArgumentException>(() => writer.AddDelivery(default, 1, default));
            MessageKey unborn = new(1, 0, -1, 1, 0);
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.AddDelivery(unborn, 0, default));
            Assert.Throws<ArgumentException>(() => writer.AddGrant(new RecordedGrant(0, 7, 1, 1)));
            Assert.Throws<ArgumentException>(() => writer.AddGrant(new RecordedGrant(5, 0, 1, 1)));
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.AddFact(new RecordedFact("p", "lost", 1, -1)));
        });

        writer.Complete(1);
        using RunRecord record = new(new MemoryStream(stream.ToArray()));
        Assert.That(record.Grants, Is.EqualTo(3));
        Assert.That(record.Members, Has.Count.EqualTo(1));
        Assert.That(record.IsComplete, Is.True);
    }

    [Test]
    public void An_end_with_deliveries_that_have_no_grant_is_refused()
    {
        using RunRecordWriter writer = new(Stream.Null, new RunRecordHead());
        Declare(writer);

        writer.AddDelivery(new MessageKey(1, 0, 0, 1, 0), 0, "a"u8);

        Assert.Throws<InvalidOperationException>(() => writer.Complete(1));
    }

    [Test]
    public void Nothing_is_added_behind_the_end()
    {
        using RunRecordWriter writer = new(Stream.Null, new RunRecordHead());
        Declare(writer);

        writer.Complete(1);

        Assert.Throws<InvalidOperationException>(() => Record(writer, 0, 1));
    }

    // A configuration is written in pieces, which may part a character.
    [Test]
    public void A_long_configuration_comes_back_to_the_character()
    {
        string text = string.Concat(Enumerable.Range(0, 40_000).Select(i => i % 7 == 0 ? "\u20ac" : "x"));
        MemoryStream stream = new();
        RunRecordWriter writer = new(stream, new RunRecordHead { Configuration = text });
        writer.Flush();

        using RunRecord record = new(new MemoryStream(stream.ToArray()));

        Assert.That(record.Head.Configuration, Is.EqualTo(text));
    }

    [Test]
    public void A_file_is_read_while_it_is_written()
    {
        string path = Path.Combine(Path.GetTempPath(), $"gudp-{Guid.NewGuid():N}.rec");

        try
        {
            using RunRecordWriter writer = RunRecordWriter.Create(path, new RunRecordHead { Version = "v" });
            Declare(writer);
            Record(writer, 0, 3);
            writer.Flush();

            using RunRecord record = RunRecord.Open(path);
            Record(writer, 3, 3);
            writer.Flush();

            Assert.That(record.Grants, Is.EqualTo(3));
            Assert.That(record.Read(0, 2).Grant.Tag, Is.EqualTo((Tag)2));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Declare(RunRecordWriter writer)
    {
        writer.AddMember(0, "p");
        writer.AddChannel(0, "c");
    }

    private static void Record(RunRecordWriter writer, int from, int grants)
    {
        for (int i = from; i < from + grants; i++)
        {
            writer.AddDelivery(new MessageKey(i, i - 1, 0, i, 0), 0, "0123456789"u8);
            writer.AddGrant(new RecordedGrant(0, i, i, (ulong)i) { CommitDigest = 3, WallMilliseconds = i });
        }
    }

    /// <summary>A file system that has no more room.</summary>
    private sealed class FullDisk(int room) : Stream
    {
        internal MemoryStream Content { get; } = new();

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => Content.Length;

        public override long Position
        {
            get => Content.Position;
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            int fits = Math.Min(buffer.Length, room - (int)Content.Length);
            Content.Write(buffer[..fits]);

            if (fits < buffer.Length)
            {
                throw new IOException("No space left on device");
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
