using Gudp.Core;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class AckFrameTests
{
    private const long Last = PacketNumber.MaxValue;

    [Test]
    public void One_range()
    {
        string bytes = Written([new(7, 10)], TimeSpan.FromMicroseconds(25));

        Assert.That(bytes, Is.EqualTo("02" + "0A" + "03" + "00" + "03"));
        Assert.That(
            FrameTests.Describe(Convert.FromHexString(bytes)), Is.EqualTo("Ack 10 after 0.024 ms 7-10; payload 0"));
    }

    // 10-7 received, 6 missing, 5-5 received, 4-2 missing, 1-0 received: a gap is one less than what is missing.
    [Test]
    public void Several_ranges()
    {
        string bytes = Written([new(7, 10), new(5, 5), new(0, 1)], TimeSpan.Zero);

        Assert.That(bytes, Is.EqualTo("02" + "0A" + "00" + "02" + "03" + "0000" + "0201"));
        Assert.That(
            FrameTests.Describe(Convert.FromHexString(bytes)),
            Is.EqualTo("Ack 10 after 0 ms 7-10 5-5 0-1; payload 0"));
    }

    [TestCase(0L, 0L)]
    [TestCase(0L, Last)]
    [TestCase(Last, Last)]
    [TestCase(Last - 1, Last)]
    public void Ranges_at_the_edges(long smallest, long largest)
    {
        string bytes = Written([new(smallest, largest)], TimeSpan.Zero);

        Assert.That(
            FrameTests.Describe(Convert.FromHexString(bytes)),
            Is.EqualTo($"Ack {largest} after 0 ms {smallest}-{largest}; payload 0"));
    }

    // H37, H38
    [TestCase("02" + "05" + "00" + "00" + "06", TestName = "First range below zero")]
    [TestCase("02" + "05" + "00" + "01" + "00" + "0400", TestName = "Gap below zero")]
    [TestCase("02" + "05" + "00" + "01" + "00" + "0301", TestName = "Second range below zero")]
    [TestCase("02" + "00" + "00" + "01" + "00" + "0000", TestName = "A range below packet zero")]
    [TestCase("02" + "05" + "00" + "00" + "FFFFFFFFFFFFFFFF", TestName = "Huge range")]
    [TestCase("02" + "FFFFFFFFFFFFFFFF" + "00" + "01" + "00" + "FFFFFFFFFFFFFFFF" + "00", TestName = "Huge gap")]
    [TestCase("02" + "3F" + "00" + "02" + "00" + "0000", TestName = "Fewer ranges than announced")]
    [TestCase("02" + "3F" + "00" + "FFFFFFFFFFFFFFFF" + "00", TestName = "Count past the packet")]
    public void Hostile_ranges_are_malformed(string bytes)
        => Assert.That(FrameTests.Describe(Convert.FromHexString(bytes)), Is.EqualTo("malformed 2 at 0"));

    [TestCase(64, false)]
    [TestCase(65, true)]
    [TestCase(200, true)]
    public void More_than_64_further_ranges_are_malformed(int count, bool isMalformed)
    {
        byte[] packet = new byte[600];
        packet[0] = FrameType.Ack;
        VarInt.WriteTwoBytes(packet.AsSpan(1), 1000);
        VarInt.WriteTwoBytes(packet.AsSpan(4), count);
        int length = 1 + 2 + 1 + 2 + 1 + (2 * count);

        FrameReader reader = new(packet.AsSpan(0, length));
        bool isRead = reader.TryNext(out Frame frame);

        Assert.That(reader.IsMalformed, Is.EqualTo(isMalformed));
        Assert.That(isRead, Is.EqualTo(!isMalformed));
        Assert.That(frame.AckRanges.Remaining, Is.EqualTo(isMalformed ? 0 : count + 1));
    }

    // H37: 200 ranges, each as long as 32 bits allow.
    [Test]
    public void Many_huge_ranges_are_malformed()
    {
        byte[] packet = new byte[4_000];
        int length = 1 + VarInt.Write(packet.AsSpan(1), (ulong)Last) + 1;
        packet[0] = FrameType.Ack;
        VarInt.WriteTwoBytes(packet.AsSpan(length), 200);
        length += 2;

        for (int i = 0; i < 401; i++)
        {
            length += VarInt.Write(packet.AsSpan(length), uint.MaxValue - 1);
        }

        Assert.That(FrameTests.Describe(packet.AsSpan(0, length)), Is.EqualTo("malformed 2 at 0"));
    }

    [Test]
    public void Of_too_many_ranges_the_newest_are_written()
    {
        AckRange[] ranges = [.. Enumerable.Range(0, 100).Select(i => new AckRange(1000 - (2 * i), 1000 - (2 * i)))];

        string described = FrameTests.Describe(Convert.FromHexString(Written(ranges, TimeSpan.Zero)));

        Assert.That(described, Does.EndWith(" 876-876 874-874; payload 0"));
        Assert.That(described.Split('-'), Has.Length.EqualTo(WireFormat.MaxAckRanges + 1));
    }

    [Test]
    public void Into_little_room_go_as_many_ranges_as_fit()
    {
        AckRange[] ranges = [new(900, 1000), new(400, 800), new(0, 3)];
        byte[] room = new byte[64];
        int whole = FrameWriter.WriteAck(room, ranges, TimeSpan.Zero);

        int cut = FrameWriter.WriteAck(room.AsSpan(0, whole - 1), ranges, TimeSpan.Zero);

        Assert.That(
            FrameTests.Describe(room.AsSpan(0, cut)), Is.EqualTo("Ack 1000 after 0 ms 900-1000 400-800; payload 0"));
    }

    [Test]
    public void Drawn_ranges_come_back_as_they_were()
    {
        Prng draws = new(35);
        byte[] room = new byte[2_000];

        for (int round = 0; round < 5_000; round++)
        {
            List<AckRange> ranges = DrawnRanges(draws);

            int written = FrameWriter.WriteAck(room, ranges.ToArray(), TimeSpan.FromMicroseconds(8 * round));
            FrameReader reader = new(room.AsSpan(0, written));
            Assert.That(reader.TryNext(out Frame frame), Is.True);

            List<AckRange> back = [];
            AckRangeReader read = frame.AckRanges;

            while (read.TryNext(out AckRange range))
            {
                back.Add(range);
            }

            Assert.That(back, Is.EqualTo(ranges));
            Assert.That(frame.AckDelay, Is.EqualTo(TimeSpan.FromMicroseconds(8 * round)));
            Assert.That(reader.TryNext(out _), Is.False);
            Assert.That((reader.IsMalformed, reader.Offset), Is.EqualTo((false, written)));
        }
    }

    private static List<AckRange> DrawnRanges(Prng draws)
    {
        int most = (int)draws.NextBetween(1, WireFormat.MaxAckRanges);
        long reach = 1L << (int)draws.NextBetween(1, 50);
        long largest = draws.NextBelow(1L << (int)draws.NextBetween(1, 62));
        List<AckRange> ranges = [];

        while (ranges.Count < most && largest >= 0)
        {
            long smallest = Math.Max(0, largest - draws.NextBelow(reach));
            ranges.Add(new AckRange(smallest, largest));
            largest = smallest - 2 - draws.NextBelow(reach);
        }

        return ranges;
    }

    private static string Written(AckRange[] ranges, TimeSpan delay)
    {
        byte[] room = new byte[2_000];
        return Convert.ToHexString(room.AsSpan(0, FrameWriter.WriteAck(room, ranges, delay)));
    }
}

[TestFixture]
public sealed class UserPacketFrameTests
{
    [TestCase(false, 0UL, "1003616263")]
    [TestCase(true, 300UL, "11412C03616263")]
    public void A_user_packet_is_written_as_specified_and_read_back(bool isReliable, ulong id, string expected)
    {
        byte[] room = new byte[64];

        int written = isReliable
            ? UserPacketFrame.WriteReliable(room, id, "abc"u8)
            : UserPacketFrame.Write(room, "abc"u8);
        int read = UserPacketFrame.TryRead(room, out UserPacketFrame frame);

        Assert.That(Convert.ToHexString(room.AsSpan(0, written)), Is.EqualTo(expected));
        Assert.That(read, Is.EqualTo(written));
        Assert.That((frame.IsReliable, frame.Id), Is.EqualTo((isReliable, id)));
        Assert.That(frame.Bytes.SequenceEqual("abc"u8), Is.True);
        Assert.That(written, Is.EqualTo(3 + (isReliable
            ? UserPacketFrame.ReliableOverhead(id, 3)
            : UserPacketFrame.Overhead(3))));
    }

    [TestCase("")]
    [TestCase("10")]
    [TestCase("1001")]
    [TestCase("100261")]
    [TestCase("1101")]
    [TestCase("110101")]
    [TestCase("10FFFFFFFFFFFFFFFF61")]
    [TestCase("401000", TestName = "A type in a longer form")]
    [TestCase("2000", TestName = "Another type")]
    public void What_is_cut_or_something_else_is_not_read(string bytes)
    {
        int read = UserPacketFrame.TryRead(Convert.FromHexString(bytes), out UserPacketFrame frame);

        Assert.That(read, Is.Zero);
        Assert.That(frame.Bytes.IsEmpty, Is.True);
    }

    [Test]
    public void An_empty_packet_is_a_packet()
        => Assert.That(UserPacketFrame.TryRead([0x10, 0x00], out _), Is.EqualTo(2));
}

[TestFixture]
public sealed class FrameSkipTests
{
    [TestCase("404000", 3, TestName = "The first skippable type")]
    [TestCase("405F0261620000", 5, TestName = "The last skippable type")]
    [TestCase("3F00", 0, TestName = "One below")]
    [TestCase("406000", 0, TestName = "One above")]
    [TestCase("4040", 0, TestName = "Without length")]
    [TestCase("40400161", 4, TestName = "To the last byte")]
    [TestCase("40400261", 0, TestName = "Longer than the packet")]
    [TestCase("4040FFFFFFFFFFFFFFFF", 0, TestName = "Much longer than the packet")]
    public void Only_whole_frames_of_skippable_types_are_skipped(string bytes, int expected)
        => Assert.That(FrameSkip.TrySkip(Convert.FromHexString(bytes)), Is.EqualTo(expected));
}
