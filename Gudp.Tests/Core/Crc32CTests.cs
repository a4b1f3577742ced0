using Gudp.Core;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class Crc32CTests
{
    // Check value of the catalogue, then RFC 3720 appendix B.4.
    [TestCase("313233343536373839", 0xE306_9283u)]
    [TestCase("", 0u)]
    [TestCase("0000000000000000000000000000000000000000000000000000000000000000", 0x8A91_36AAu)]
    [TestCase("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 0x62A8_AB43u)]
    [TestCase("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", 0x46DD_794Eu)]
    public void Known_values(string bytes, uint expected)
        => Assert.That(Crc32C.Compute(Crc32C.Begin(), Convert.FromHexString(bytes)), Is.EqualTo(expected));

    [Test]
    public void Three_streams_agree_with_the_simple_way() => Compare(Crc32C.AppendThreeStreams);

    [Test]
    public void Folding_agrees_with_the_simple_way()
    {
        if (!Crc32C.CanFold)
        {
            Assert.Ignore("This processor has no 512-bit carry-less multiply.");
        }

        Compare(Crc32C.AppendFolded);
    }

    [Test]
    public void The_chosen_way_agrees_with_the_simple_way() => Compare(Crc32C.Append);

    [Test]
    public void A_state_can_be_continued_anywhere()
    {
        byte[] bytes = Drawn(new Prng(5), 1500);
        uint whole = Crc32C.Append(Crc32C.Begin(), bytes);

        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            uint state = Crc32C.Append(Crc32C.Begin(), bytes.AsSpan(0, cut));

            Assert.That(Crc32C.Append(state, bytes.AsSpan(cut)), Is.EqualTo(whole), $"cut at {cut}");
        }
    }

    private delegate uint Way(uint state, ReadOnlySpan<byte> bytes);

    /// <summary>All lengths to 2200 at drawn alignments and states, then some long ones.</summary>
    private static void Compare(Way way)
    {
        Prng draws = new(32);
        byte[] bytes = Drawn(draws, 70_000);

        for (int i = 0; i < 6_000; i++)
        {
            int length = i < 4_400 ? i / 2 : (int)draws.NextBelow(65_508);
            int start = (int)draws.NextBelow(64);
            uint state = (uint)draws.NextUInt64();
            uint expected = Crc32C.AppendSimple(state, bytes.AsSpan(start, length));

            uint actual = way(state, bytes.AsSpan(start, length));

            Assert.That(actual, Is.EqualTo(expected), $"{length} bytes from {start}, state {state:X8}");
        }
    }

    private static byte[] Drawn(Prng draws, int length)
    {
        byte[] bytes = new byte[length];

        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)draws.NextUInt64();
        }

        return bytes;
    }
}

[TestFixture]
public sealed class PacketTrailerTests
{
    private const ulong Application = 0xA0A1_A2A3_A4A5_A6A7;

    [Test]
    public void A_short_packet_is_sealed_as_specified()
    {
        PacketTrailer trailer = new(Application);
        byte[] packet = Convert.FromHexString("400102030405060708" + "00" + "01" + "00000000");
        byte[] covered = Convert.FromHexString("A0A1A2A3A4A5A6A7" + "00000001" + "400102030405060708" + "00" + "01");
        uint checksum = Crc32C.Compute(Crc32C.Begin(), covered);

        trailer.SealShort(packet);

        Assert.That(Convert.ToHexString(packet.AsSpan(11)), Is.EqualTo(checksum.ToString("X8")));
        Assert.That(trailer.IsShortIntact(packet), Is.True);
    }

    [Test]
    public void Another_applications_short_packets_look_damaged()
    {
        byte[] packet = new byte[20];
        new PacketTrailer(Application).SealShort(packet);

        Assert.That(new PacketTrailer(Application + 1).IsShortIntact(packet), Is.False);
    }

    [Test]
    public void A_long_packet_is_sealed_by_itself_alone()
    {
        byte[] packet = [.. "123456789"u8, 0, 0, 0, 0];

        PacketTrailer.SealLong(packet);

        Assert.That(Convert.ToHexString(packet.AsSpan(9)), Is.EqualTo("E3069283"));
        Assert.That(PacketTrailer.IsLongIntact(packet), Is.True);
    }

    // H12
    [Test]
    public void One_flipped_bit_anywhere_is_found([Values(14, 43, 64, 300, 1200)] int length)
    {
        PacketTrailer trailer = new(Application);
        byte[] packet = Sealed(trailer, new Prng(12), length);

        for (int bit = 0; bit < 8 * length; bit++)
        {
            packet[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(trailer.IsShortIntact(packet), Is.False, $"bit {bit}");
            packet[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.That(trailer.IsShortIntact(packet), Is.True);
    }

    // H12: CRC-32C finds every two flipped bits in packets of up to 2^31 - 1 bits and every burst of 32.
    [Test]
    public void Two_flipped_bits_and_bursts_up_to_32_bits_are_found()
    {
        Prng draws = new(13);
        PacketTrailer trailer = new(Application);
        byte[] packet = Sealed(trailer, draws, 1200);

        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. packet];
            int first = (int)draws.NextBelow((8 * packet.Length) - 32);
            ulong others = i % 2 == 0 ? 1UL << (int)draws.NextBetween(1, 31) : draws.NextUInt64() & 0xFFFF_FFFF;
            ulong burst = others | 1;

            for (int bit = 0; bit < 32; bit++)
            {
                damaged[(first + bit) / 8] ^= (byte)(((burst >> bit) & 1) << ((first + bit) % 8));
            }

            Assert.That(trailer.IsShortIntact(damaged), Is.False, $"burst {burst:X8} at {first}");
        }
    }

    private static byte[] Sealed(PacketTrailer trailer, Prng draws, int length)
    {
        byte[] packet = new byte[length];

        for (int i = 0; i < length; i++)
        {
            packet[i] = (byte)draws.NextUInt64();
        }

        trailer.SealShort(packet);
        return packet;
    }
}
