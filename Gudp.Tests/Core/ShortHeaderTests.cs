using Gudp.Core;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class ShortHeaderTests
{
    private const ulong Id = 0x0102_0304_0506_0708;

    [TestCase(false, 5, 4, "40" + "0102030405060708" + "05")]
    [TestCase(true, 5, 4, "60" + "0102030405060708" + "05")]
    [TestCase(false, 0x1234, 0x1000, "41" + "0102030405060708" + "1234")]
    [TestCase(false, 0x123456, 0x100000, "42" + "0102030405060708" + "123456")]
    [TestCase(false, 0x12345678, 0, "43" + "0102030405060708" + "12345678")]
    [TestCase(false, 0, -1, "40" + "0102030405060708" + "00")]
    public void The_bytes_are_as_specified_and_read_back(bool isFromServer, long number, long acked, string expected)
    {
        byte[] packet = new byte[64];

        int written = ShortHeader.Write(packet, Id, isFromServer, new PacketNumber(number), acked);
        DropReason dropped = ShortHeader.TryParse(packet, out ShortHeader header);

        Assert.That(Convert.ToHexString(packet.AsSpan(0, written)), Is.EqualTo(expected));
        Assert.That(dropped, Is.EqualTo(DropReason.None));
        Assert.That(header.HeaderBytes, Is.EqualTo(written));
        Assert.That(header.IsFromServer, Is.EqualTo(isFromServer));
        Assert.That(header.DestinationId, Is.EqualTo(Id));
        Assert.That(header.NumberBits, Is.EqualTo((uint)number));
        Assert.That(header.NumberWidthBytes, Is.EqualTo(written - 9));
    }

    // H2: every length below the least packet of the stated number width.
    [Test]
    public void Every_length_below_header_and_trailer_is_too_short([Range(1, 4)] int width)
    {
        byte[] packet = new byte[32];
        packet[0] = (byte)(WireFormat.FixedBit | (width - 1));
        int least = 9 + width + WireFormat.TrailerBytes;

        for (int length = 0; length <= packet.Length; length++)
        {
            DropReason dropped = ShortHeader.TryParse(packet.AsSpan(0, length), out _);

            Assert.That(dropped, Is.EqualTo(length < least ? DropReason.TooShort : DropReason.None), $"{length} bytes");
        }
    }

    // H8, and every other first byte: a table of all 256.
    [Test]
    public void Every_first_byte_has_one_verdict()
    {
        byte[] packet = new byte[32];

        for (int first = 0; first <= byte.MaxValue; first++)
        {
            packet[0] = (byte)first;
            DropReason expected = (first & 0xC0) != 0x40 ? DropReason.BadFirstByte
                : (first & 0x1C) != 0 ? DropReason.ReservedBits
                : DropReason.None;

            Assert.That(ShortHeader.TryParse(packet, out _), Is.EqualTo(expected), $"first byte {first:X2}");
        }
    }

    [TestCase(0, -1, ExpectedResult = 1, TestName = "The first packet")]
    [TestCase(126, -1, ExpectedResult = 1, TestName = "Distance 127")]
    [TestCase(127, -1, ExpectedResult = 2, TestName = "Distance 128")]
    [TestCase(1_000_127, 1_000_000, ExpectedResult = 1, TestName = "Distance 127 far out")]
    [TestCase(1_000_128, 1_000_000, ExpectedResult = 2, TestName = "Distance 128 far out")]
    [TestCase(0x7FFF, 0, ExpectedResult = 2, TestName = "Distance 2^15 - 1")]
    [TestCase(0x8000, 0, ExpectedResult = 3, TestName = "Distance 2^15")]
    [TestCase(0x7F_FFFF, 0, ExpectedResult = 3, TestName = "Distance 2^23 - 1")]
    [TestCase(0x80_0000, 0, ExpectedResult = 4, TestName = "Distance 2^23")]
    [TestCase(0x7FFF_FFFF, 0, ExpectedResult = 4, TestName = "Distance 2^31 - 1")]
    [TestCase(PacketNumber.MaxValue, -1, ExpectedResult = 4, TestName = "The last packet, nothing acknowledged")]
    [TestCase(PacketNumber.MaxValue, PacketNumber.MaxValue - 1, ExpectedResult = 1, TestName = "The last packet")]
    public int The_number_takes_the_bytes_that_twice_the_distance_needs(long number, long acked)
        => ShortHeader.NumberWidth(number, acked);

    [Test]
    public void A_number_that_was_acknowledged_already_is_a_bug()
        => Assert.That(() => ShortHeader.NumberWidth(7, 7), Throws.TypeOf<InvariantException>());

    // H33, H34: whatever the receiver has got between the largest acknowledged and what was sent, it finds the number.
    [TestCase(0L, 200_000L)]
    [TestCase(0x7F00L, 600L)]
    [TestCase(0xFF_FF00L, 600L)]
    [TestCase(0xFFFF_FF00L, 600L)]
    [TestCase(PacketNumber.MaxValue - 200_000, 200_000L)]
    public void The_receiver_restores_the_number_wherever_it_stands(long acked, long most)
    {
        Prng draws = new((ulong)acked + 17);
        byte[] packet = new byte[32];

        for (int i = 0; i < 20_000; i++)
        {
            long number = acked + draws.NextBetween(1, most);
            long largestReceived = draws.NextBetween(acked, number);
            ShortHeader.Write(packet, Id, isFromServer: false, new PacketNumber(number), acked);

            ShortHeader.TryParse(packet, out ShortHeader header);
            PacketNumber restored = PacketNumber.Expand(
                header.NumberBits, header.NumberWidthBytes, new PacketNumber(largestReceived + 1));

            Assert.That(restored.Value, Is.EqualTo(number), $"acknowledged {acked}, received {largestReceived}");
        }
    }

    // A late packet: 50,000 newer ones overtook it, and it was sent when nobody had acknowledged anything.
    [Test]
    public void A_number_of_three_bytes_survives_being_overtaken_by_50000()
    {
        byte[] packet = new byte[32];
        ShortHeader.Write(packet, Id, isFromServer: false, new PacketNumber(60_000), largestAcked: -1);

        ShortHeader.TryParse(packet, out ShortHeader header);
        PacketNumber restored = PacketNumber.Expand(
            header.NumberBits, header.NumberWidthBytes, new PacketNumber(110_001));

        Assert.That(restored.Value, Is.EqualTo(60_000));
    }
}

[TestFixture]
public sealed class PacketNumberExpandTests
{
    [TestCase(0xA82F_30EAL, 0x9B32u, 2, 0xA82F_9B32L, TestName = "The example of RFC 9000 appendix A.3")]
    [TestCase(-1L, 0u, 1, 0L, TestName = "The very first packet")]
    [TestCase(0L, 0xFFu, 1, 0xFFL, TestName = "Below zero there are no packets")]
    [TestCase(127L, 0x00u, 1, 0x100L, TestName = "Half the range ahead")]
    [TestCase(126L, 0x00u, 1, 0x00L, TestName = "One less than half the range ahead is behind")]
    [TestCase(0xFEL, 0x01u, 1, 0x101L, TestName = "Over the edge of one byte")]
    [TestCase(0x101L, 0xFFu, 1, 0xFFL, TestName = "Back over the edge of one byte")]
    [TestCase(0xFFFF_FFFEL, 0x0000_0001u, 4, 0x1_0000_0001L, TestName = "Over the edge of four bytes")]
    [TestCase(0x1_0000_0001L, 0xFFFF_FFFFu, 4, 0xFFFF_FFFFL, TestName = "Back over the edge of four bytes")]
    [TestCase(PacketNumber.MaxValue - 1, 0xFFu, 1, PacketNumber.MaxValue, TestName = "The last number")]
    [TestCase(PacketNumber.MaxValue - 1, 0x00u, 1, PacketNumber.MaxValue - 255, TestName = "Nothing beyond the last")]
    public void The_nearest_number_is_taken(long largestReceived, uint bits, int width, long expected)
    {
        PacketNumber restored = PacketNumber.Expand(bits, width, new PacketNumber(largestReceived + 1));

        Assert.That(restored.Value, Is.EqualTo(expected));
    }
}
