using Gudp.Core;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class FrameTests
{
    private static readonly byte[] Token = [.. Enumerable.Range(0xB0, 16).Select(i => (byte)i)];

    [Test]
    public void Frames_without_a_body_are_their_type_alone()
    {
        byte[] packet = new byte[2];

        FrameWriter.WritePing(packet);
        FrameWriter.WriteHandshakeDone(packet.AsSpan(1));

        Assert.That(Convert.ToHexString(packet), Is.EqualTo("010A"));
        Assert.That(Describe(packet), Is.EqualTo("Ping; HandshakeDone; payload 0"));
    }

    [Test]
    public void A_run_of_padding_is_one_frame()
    {
        byte[] packet = new byte[1400];
        FrameWriter.WritePadding(packet);
        packet[^1] = FrameType.Ping;

        Assert.That(Describe(packet), Is.EqualTo("Padding 1399; Ping; payload 0"));
    }

    [TestCase(0UL, "", "030000", TestName = "Close without words")]
    [TestCase(0x104UL, "bye", "03410403627965", TestName = "Close with words")]
    [TestCase(2UL, "\u00E4\u20AC", "030205C3A4E282AC", TestName = "Close with words beyond ASCII")]
    public void Close(ulong code, string reason, string expected)
    {
        byte[] packet = new byte[64];

        int written = FrameWriter.WriteClose(packet, code, reason);

        Assert.That(Convert.ToHexString(packet.AsSpan(0, written)), Is.EqualTo(expected));
        Assert.That(Describe(packet.AsSpan(0, written)), Is.EqualTo($"Close {code} '{reason}'; payload 0"));
    }

    [Test]
    public void A_long_reason_is_cut_between_characters()
    {
        byte[] packet = new byte[300];

        int written = FrameWriter.WriteClose(packet, 1, new string('\u20AC', 100));

        Assert.That(written, Is.EqualTo(1 + 1 + 2 + 255));
        Assert.That(Describe(packet.AsSpan(0, written)), Does.Contain(new string('\u20AC', 85) + "'"));
    }

    [Test]
    public void A_reason_of_256_bytes_is_malformed()
    {
        byte[] packet = new byte[300];
        packet[0] = FrameType.Close;
        VarInt.WriteTwoBytes(packet.AsSpan(2), 256);

        Assert.That(Describe(packet), Is.EqualTo("malformed 3 at 0"));
    }

    [Test]
    public void A_reason_that_is_no_text_is_shown_as_well_as_it_can_be()
        => Assert.That(Describe([0x03, 0x01, 0x02, 0xFF, 0x41]), Is.EqualTo("Close 1 '\uFFFDA'; payload 0"));

    [Test]
    public void Path_frames()
    {
        byte[] packet = new byte[18];

        FrameWriter.WritePathChallenge(packet, 0x0102_0304_0506_0708);
        FrameWriter.WritePathResponse(packet.AsSpan(9), ulong.MaxValue);

        Assert.That(Convert.ToHexString(packet), Is.EqualTo("040102030405060708" + "05FFFFFFFFFFFFFFFF"));
        Assert.That(
            Describe(packet),
            Is.EqualTo("PathChallenge 102030405060708; PathResponse FFFFFFFFFFFFFFFF; payload 0"));
    }

    [Test]
    public void Id_frames()
    {
        byte[] packet = new byte[64];

        int written = FrameWriter.WriteNewId(packet, 1, 0x0102_0304_0506_0708, Token);
        written += FrameWriter.WriteRetireId(packet.AsSpan(written), 300);

        Assert.That(
            Convert.ToHexString(packet.AsSpan(0, written)),
            Is.EqualTo("0601" + "0102030405060708" + Convert.ToHexString(Token) + "07412C"));
        Assert.That(
            Describe(packet.AsSpan(0, written)),
            Is.EqualTo($"NewId 1 102030405060708 {Convert.ToHexString(Token)}; RetireId 300; payload 0"));
    }

    [Test]
    public void Ack_frequency_and_settled()
    {
        byte[] packet = new byte[64];

        int written = FrameWriter.WriteAckFrequency(packet, 2, TimeSpan.FromMilliseconds(25), 3);
        written += FrameWriter.WriteSettled(packet.AsSpan(written), new PacketNumber(64));

        Assert.That(Convert.ToHexString(packet.AsSpan(0, written)), Is.EqualTo("0802800061A803" + "094040"));
        Assert.That(
            Describe(packet.AsSpan(0, written)), Is.EqualTo("AckFrequency 2 25 ms 3; Settled 64; payload 0"));
    }

    // The largest delays that can be written would overflow a moment; they are capped to an hour.
    [TestCase("08" + "00" + "FFFFFFFFFFFFFFFF" + "00", "AckFrequency 0 3600000 ms 0; payload 0")]
    [TestCase("02" + "05" + "FFFFFFFFFFFFFFFF" + "00" + "00", "Ack 5 after 3600000 ms 5-5; payload 0")]
    public void Nonsensical_delays_are_capped(string bytes, string expected)
        => Assert.That(Describe(Convert.FromHexString(bytes)), Is.EqualTo(expected));

    // H43: all 256 one-byte starts; what follows is enough for any frame.
    [Test]
    public void Every_type_has_one_verdict()
    {
        for (int type = 0; type <= byte.MaxValue; type++)
        {
            byte[] packet = new byte[64];
            packet[0] = (byte)type;

            FrameReader reader = new(packet);
            bool isFrame = reader.TryNext(out _);

            // From 0x40 on a type takes two bytes or more; followed by a zero, only 0x40 00 is a longer form of 0.
            bool isOverlong = type is 0x40 or 0x80 or 0xC0;
            bool isUnknown = type is > 0x0A and < 0x10;
            Assert.That(isFrame, Is.EqualTo(type <= 0x0A), $"type {type:X2} is a frame of ours");
            Assert.That(reader.IsMalformed, Is.EqualTo(isUnknown || isOverlong), $"type {type:X2} closes");
            Assert.That(reader.IsUnknownType, Is.EqualTo(isUnknown), $"type {type:X2} is unknown");
            Assert.That(reader.Payload.IsEmpty, Is.EqualTo(type < 0x10 || isOverlong), $"type {type:X2} is payload");
        }
    }

    [TestCase("01" + "0B", "Ping; malformed 11 at 1 unknown")]
    [TestCase("01" + "4001", "Ping; malformed 0 at 1", TestName = "A type in a longer form")]
    [TestCase("01" + "40", "Ping; malformed 0 at 1", TestName = "A cut type")]
    [TestCase("01" + "10" + "01" + "AA", "Ping; payload 3", TestName = "User packets are payload")]
    [TestCase("20" + "01", "payload 2", TestName = "Lane frames are payload")]
    [TestCase("4040" + "00", "payload 3", TestName = "Frames of the future are payload")]
    [TestCase("", "payload 0", TestName = "Nothing at all")]
    public void The_walk_ends_at_the_payload_or_names_what_is_wrong(string bytes, string expected)
        => Assert.That(Describe(Convert.FromHexString(bytes)), Is.EqualTo(expected));

    // H44: a frame may not end beyond its packet, even if the buffer goes on.
    [Test]
    public void Every_cut_of_a_frame_is_malformed()
    {
        byte[] packet = new byte[300];
        AckRange[] ranges = [new(900, 1000), new(10, 800), new(0, 3)];
        List<byte[]> frames =
        [
            packet[..FrameWriter.WriteAck(packet, ranges, TimeSpan.FromMilliseconds(3))],
        ];
        frames.Add(packet[..FrameWriter.WriteClose(packet, 300, "no more")]);
        frames.Add(packet[..FrameWriter.WritePathChallenge(packet, 5)]);
        frames.Add(packet[..FrameWriter.WriteNewId(packet, 70, 5, Token)]);
        frames.Add(packet[..FrameWriter.WriteRetireId(packet, 70)]);
        frames.Add(packet[..FrameWriter.WriteSettled(packet, new PacketNumber(70_000))]);
        frames.Add(packet[..FrameWriter.WriteAckFrequency(packet, 70, TimeSpan.FromSeconds(1), 70)]);

        foreach (byte[] frame in frames)
        {
            Assert.That(Describe(frame), Does.EndWith("payload 0"));

            for (int length = 1; length < frame.Length; length++)
            {
                Assert.That(Describe(frame.AsSpan(0, length)), Is.EqualTo($"malformed {frame[0]} at 0"));
            }
        }
    }

    [Test]
    public void What_does_not_fit_is_not_written()
    {
        byte[] room = new byte[300];
        AckRange[] ranges = [new(900, 1000)];

        Assert.Multiple(() =>
        {
            AssertNeedsAllItsRoom(room, to => FrameWriter.WritePing(to.Span));
            AssertNeedsAllItsRoom(room, to => FrameWriter.WriteAck(to.Span, ranges, TimeSpan.Zero));
            AssertNeedsAllItsRoom(room, to => FrameWriter.WriteClose(to.Span, 300, "no more"));
            AssertNeedsAllItsRoom(room, to => FrameWriter.WritePathChallenge(to.Span, 5));
            AssertNeedsAllItsRoom(room, to => FrameWriter.WriteNewId(to.Span, 70, 5, Token));
            AssertNeedsAllItsRoom(room, to => FrameWriter.WriteRetireId(to.Span, 70));
            AssertNeedsAllItsRoom(room, to => FrameWriter.WriteSettled(to.Span, new PacketNumber(70_000)));
            AssertNeedsAllItsRoom(room, to => FrameWriter.WriteAckFrequency(to.Span, 70, TimeSpan.FromSeconds(1), 70));
            AssertNeedsAllItsRoom(room, to => UserPacketFrame.Write(to.Span, Token));
            AssertNeedsAllItsRoom(room, to => UserPacketFrame.WriteReliable(to.Span, 70, Token));
        });
    }

    // P-2.3
    [Test]
    public void Frames_that_need_no_ack_are_the_four_marked_ones()
    {
        byte[] packet = new byte[64];
        List<string> silent = [];

        for (byte type = 0; type <= 0x0A; type++)
        {
            packet[0] = type;
            FrameReader reader = new(packet);
            reader.TryNext(out Frame frame);

            if (!frame.IsAckEliciting)
            {
                silent.Add(NameOf(type));
            }
        }

        Assert.That(silent, Is.EqualTo(new[] { "Padding", "Ack", "Close", "Settled" }));
    }

    /// <summary>The whole walk as one line, so that a case is a row.</summary>
    internal static string Describe(ReadOnlySpan<byte> packet)
    {
        FrameReader reader = new(packet);
        string line = "";

        while (reader.TryNext(out Frame frame))
        {
            line += NameOf(frame.Type) + ContentOf(frame) + "; ";
        }

        return reader.IsMalformed
            ? line + $"malformed {reader.MalformedType} at {reader.Offset}" + (reader.IsUnknownType ? " unknown" : "")
            : line + $"payload {reader.Payload.Length}";
    }

    private static string ContentOf(Frame frame) => frame.Type switch
    {
        FrameType.Padding => $" {frame.PaddingBytes}",
        FrameType.Ack => $" {frame.LargestAcked.Value} after {frame.AckDelay.TotalMilliseconds} ms" + RangesOf(frame),
        FrameType.Close => $" {frame.CloseCode} '{frame.ReadCloseReason()}'",
        FrameType.PathChallenge or FrameType.PathResponse => $" {frame.PathToken:X}",
        FrameType.NewId => $" {frame.IdSequence} {frame.ConnectionId:X} {Convert.ToHexString(frame.ResetToken)}",
        FrameType.RetireId => $" {frame.IdSequence}",
        FrameType.AckFrequency
            => $" {frame.AckEveryPackets} {frame.MaxAckDelay.TotalMilliseconds} ms {frame.ReorderingThreshold}",
        FrameType.Settled => $" {frame.SettledBelow.Value}",
        _ => "",
    };

    private static string RangesOf(Frame frame)
    {
        AckRangeReader ranges = frame.AckRanges;
        string line = "";

        while (ranges.TryNext(out AckRange range))
        {
            line += $" {range.Smallest}-{range.Largest}";
        }

        return line;
    }

    private static string NameOf(byte type) => type switch
    {
        FrameType.Padding => "Padding",
        FrameType.Ping => "Ping",
        FrameType.Ack => "Ack",
        FrameType.Close => "Close",
        FrameType.PathChallenge => "PathChallenge",
        FrameType.PathResponse => "PathResponse",
        FrameType.NewId => "NewId",
        FrameType.RetireId => "RetireId",
        FrameType.AckFrequency => "AckFrequency",
        FrameType.Settled => "Settled",
        FrameType.HandshakeDone => "HandshakeDone",
        _ => "unknown",
    };

    private static void AssertNeedsAllItsRoom(byte[] room, Func<Memory<byte>, int> write)
    {
        int needed = write(room);

        Assert.That(write(room.AsMemory(0, needed)), Is.EqualTo(needed));

        for (int length = 0; length < needed; length++)
        {
            Assert.That(write(room.AsMemory(0, length)), Is.Zero, $"{length} of {needed} bytes, type {room[0]}");
        }
    }
}
