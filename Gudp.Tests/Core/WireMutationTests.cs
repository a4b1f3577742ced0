using Gudp.Core;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// Goal: the parsers are total. Whatever bytes come, they end, throw nothing and look at nothing beyond their span.
// Method: seeded mutations of good packets and noise, parsed twice with different bytes around them: if the outcome
// does not depend on the surroundings, nothing outside was read. (Spans make reading outside throw; that would show.)
[TestFixture]
public sealed class WireMutationTests
{
    private const int Margin = 64;
    private const int MutationsPerSeed = 20_000;

    [Test]
    public void Mutated_packets_are_parsed_without_surprise([Range(1, 10)] int seed)
    {
        Prng draws = new((ulong)seed);
        List<byte[]> good = GoodPackets();
        byte[] room = new byte[Margin + 1500 + Margin];
        HandshakeParameters parameters = new();

        for (int i = 0; i < MutationsPerSeed; i++)
        {
            byte[] source = good[(int)draws.NextBelow(good.Count)];
            byte[] datagram = Mutate(source, draws);
            ulong inZeros = OutcomeIn(room, 0x00, datagram, parameters);
            ulong inOnes = OutcomeIn(room, 0xFF, datagram, parameters);

            Assert.That(inZeros, Is.EqualTo(inOnes), $"mutation {i}: {Convert.ToHexString(datagram)}");
        }
    }

    // H3
    [Test]
    public void The_largest_datagram_of_noise_is_parsed_without_surprise()
    {
        Prng draws = new(3);
        byte[] datagram = new byte[WireFormat.MaxDatagramBytes];
        HandshakeParameters parameters = new();

        for (int i = 0; i < 20; i++)
        {
            Fill(datagram, draws);
            datagram[0] = (byte)(i % 2 == 0 ? 0x41 : 0xC1);

            Assert.That(PacketTrailer.IsLongIntact(datagram), Is.False);
            Assert.That(() => Outcome(datagram, parameters), Throws.Nothing);
        }
    }

    // H44: as many frames as a packet can hold.
    [Test]
    public void A_packet_full_of_empty_frames_is_walked_once()
    {
        byte[] packet = new byte[1400];
        packet.AsSpan().Fill(FrameType.Ping);
        FrameReader reader = new(packet);
        int frames = 0;

        while (reader.TryNext(out _))
        {
            frames++;
        }

        Assert.That((frames, reader.IsMalformed), Is.EqualTo((1400, false)));
    }

    // Everything on the path of a packet; handshakes may allocate, packets may not.
    [Test, Category("Release")]
    public void Reading_and_writing_packets_allocates_nothing()
    {
        byte[] packet = new byte[1200];
        AckRange[] ranges = [new(900, 1000), new(400, 800)];
        PacketTrailer trailer = new(1);
        ulong sum = Exchange(packet, ranges, trailer);

        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 1_000; i++)
        {
            sum += Exchange(packet, ranges, trailer);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(sum, Is.Not.Zero);
    }

    private static ulong Exchange(byte[] packet, AckRange[] ranges, PacketTrailer trailer)
    {
        int length = ShortHeader.Write(packet, 5, isFromServer: true, new PacketNumber(1000), 900);
        length += FrameWriter.WriteAck(packet.AsSpan(length), ranges, TimeSpan.Zero);
        length += UserPacketFrame.Write(packet.AsSpan(length), "content"u8);
        Span<byte> whole = packet.AsSpan(0, length + WireFormat.TrailerBytes);
        trailer.SealShort(whole);
        Require(trailer.IsShortIntact(whole), "A sealed packet is intact.");
        return WalkShort(whole);
    }

    private static ulong OutcomeIn(byte[] room, byte surroundings, byte[] datagram, HandshakeParameters parameters)
    {
        room.AsSpan().Fill(surroundings);
        datagram.CopyTo(room.AsSpan(Margin));
        return Outcome(room.AsSpan(Margin, datagram.Length), parameters);
    }

    /// <summary>A fingerprint of all that the parsers make of a datagram.</summary>
    private static ulong Outcome(ReadOnlySpan<byte> datagram, HandshakeParameters parameters)
    {
        ulong outcome = Mix(WalkShort(datagram), WalkLong(datagram, parameters));
        outcome = Mix(outcome, WalkFrames(datagram));
        outcome = Mix(outcome, (ulong)ResetPacket.TokenOf(datagram).Length);
        return datagram.Length < WireFormat.TrailerBytes
            ? outcome
            : Mix(outcome, PacketTrailer.IsLongIntact(datagram) ? 1UL : 0);
    }

    private static ulong WalkShort(ReadOnlySpan<byte> datagram)
    {
        DropReason dropped = ShortHeader.TryParse(datagram, out ShortHeader header);

        if (dropped != DropReason.None)
        {
            return (ulong)dropped;
        }

        PacketNumber number = PacketNumber.Expand(
            header.NumberBits, header.NumberWidthBytes, new PacketNumber(PacketNumber.MaxValue));
        ulong frames = WalkFrames(datagram[header.HeaderBytes..^WireFormat.TrailerBytes]);
        return Mix(Mix(header.DestinationId, (ulong)number.Value), frames);
    }

    private static ulong WalkLong(ReadOnlySpan<byte> datagram, HandshakeParameters parameters)
    {
        DropReason dropped = LongHeader.TryParse(datagram, out LongHeader header);
        ulong outcome = Mix((ulong)dropped, header.SourceId);

        if (dropped != DropReason.None)
        {
            return outcome;
        }

        bool isRead = parameters.TryRead(LongHeader.ParametersOf(datagram), out ulong badId, out int badOffset);
        outcome = Mix(Mix(outcome, badId), (ulong)badOffset);
        Span<byte> room = stackalloc byte[2_000];
        int written = parameters.Write(room);
        outcome = Mix(outcome, Crc32C.Compute(Crc32C.Begin(), room[..written]));
        return Mix(outcome, (ulong)parameters.FirstMissing(header.Type) + (isRead ? 100UL : 0));
    }

    private static ulong WalkFrames(ReadOnlySpan<byte> frames)
    {
        FrameReader reader = new(frames);
        ulong outcome = 0;
        int count = 0;

        while (reader.TryNext(out Frame frame))
        {
            outcome = Mix(outcome, frame.Type);
            outcome = Mix(outcome, (ulong)frame.LargestAcked.Value + (ulong)frame.AckDelay.Ticks);
            outcome = Mix(outcome, frame.ConnectionId + frame.ReorderingThreshold);
            outcome = Mix(outcome, (ulong)(frame.CloseReasonBytes.Length + frame.ResetToken.Length));
            outcome = Mix(outcome, SumOf(frame.AckRanges));
            count++;
        }

        Require(count <= frames.Length && reader.Offset <= frames.Length, "A walk is bounded by its packet.");
        Require(!reader.IsMalformed || reader.Payload.IsEmpty, "A malformed packet has no payload.");
        Require(
            reader.IsMalformed || reader.Offset + reader.Payload.Length == frames.Length,
            "A packet is consumed to its last byte or is malformed.");
        return Mix(Mix(outcome, reader.MalformedType + (ulong)reader.Offset), WalkPayload(reader.Payload));
    }

    private static ulong SumOf(AckRangeReader ranges)
    {
        ulong sum = 0;
        long below = long.MaxValue;

        while (ranges.TryNext(out AckRange range))
        {
            Require(range.Smallest >= 0 && range.Smallest <= range.Largest, "A range is no less than empty.");
            Require(range.Largest < below - 1, "At least one number is missing between two ranges.");
            below = range.Smallest;
            sum = Mix(sum, (ulong)range.Smallest);
        }

        return sum;
    }

    private static ulong WalkPayload(ReadOnlySpan<byte> payload)
    {
        ulong outcome = 0;

        while (!payload.IsEmpty)
        {
            int bytes = UserPacketFrame.TryRead(payload, out UserPacketFrame frame);
            outcome = Mix(outcome, frame.Id + (ulong)frame.Bytes.Length);
            bytes = bytes > 0 ? bytes : FrameSkip.TrySkip(payload);

            if (bytes == 0)
            {
                return Mix(outcome, (ulong)payload.Length);
            }

            payload = payload[bytes..];
        }

        return outcome;
    }

    private static void Require(bool holds, string rule)
    {
        if (!holds)
        {
            Assert.Fail(rule);
        }
    }

    private static ulong Mix(ulong left, ulong right) => ((left ^ right) * 0x9E37_79B9_7F4A_7C15) ^ (left >> 29);

    /// <summary>One to four of: a bit, a byte, a cut, an insertion, a doubled part, a large integer.</summary>
    private static byte[] Mutate(byte[] source, Prng draws)
    {
        List<byte> bytes = [.. source];

        for (long left = draws.NextBetween(1, 4); left > 0; left--)
        {
            int at = (int)draws.NextBelow(bytes.Count + 1);

            switch (draws.NextBelow(6))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << (int)draws.NextBelow(8));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = (byte)draws.NextUInt64();
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.Insert(at, (byte)draws.NextUInt64());
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, 16)));
                    break;
                default:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)0xFF, (int)draws.NextBelow(9)));
                    break;
            }
        }

        return [.. bytes.Take(1500)];
    }

    private static List<byte[]> GoodPackets()
    {
        byte[] room = new byte[1500];
        AckRange[] ranges = [new(900, 1000), new(400, 800), new(0, 3)];
        List<byte[]> packets = [];

        packets.Add(room[..HandshakePacket.Write(room, LongPacketType.Answer, 1, 2, HandshakeParametersTests.Full())]);
        packets.Add(room[..HandshakePacket.Write(room, LongPacketType.Finish, 1, 2, HandshakeParametersTests.Full())]);

        int length = FrameWriter.WriteAck(room, ranges, TimeSpan.FromMilliseconds(1));
        length += FrameWriter.WritePathChallenge(room.AsSpan(length), 77);
        length += FrameWriter.WriteAckFrequency(room.AsSpan(length), 2, TimeSpan.FromMilliseconds(25), 3);
        length += FrameWriter.WriteNewId(room.AsSpan(length), 1, 77, new byte[16]);
        length += FrameWriter.WriteSettled(room.AsSpan(length), new PacketNumber(700));
        length += FrameWriter.WritePing(room.AsSpan(length));
        length += UserPacketFrame.WriteReliable(room.AsSpan(length), 300, "content"u8);
        length += UserPacketFrame.Write(room.AsSpan(length), "more"u8);
        packets.Add(room[..length]);
        packets.Add(room[..FrameWriter.WriteClose(room, 300, "enough")]);

        foreach (byte[] frames in packets.Skip(2).ToArray())
        {
            int header = ShortHeader.Write(room, 5, isFromServer: true, new PacketNumber(70_000), 69_000);
            packets.Add([.. room[..header], .. frames, 0, 0, 0, 0]);
        }

        return packets;
    }

    private static void Fill(byte[] bytes, Prng draws)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)draws.NextUInt64();
        }
    }
}
