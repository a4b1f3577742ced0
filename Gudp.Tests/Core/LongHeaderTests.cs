using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class LongHeaderTests
{
    private const ulong DestinationId = 0x1112_1314_1516_1718;
    private const ulong SourceId = 0x2122_2324_2526_2728;
    private const string Ids = "1112131415161718" + "2122232425262728";

    [TestCase((int)LongPacketType.Hello, "C1" + "00000001" + Ids)]
    [TestCase((int)LongPacketType.Cookie, "E2" + "00000001" + Ids)]
    [TestCase((int)LongPacketType.HelloPlus, "C3" + "00000001" + Ids)]
    [TestCase((int)LongPacketType.Answer, "E4" + "00000001" + Ids)]
    [TestCase((int)LongPacketType.Finish, "C5" + "00000001" + Ids)]
    [TestCase((int)LongPacketType.VersionList, "E6" + "00000000" + Ids)]
    [TestCase((int)LongPacketType.Refuse, "E7" + "00000001" + Ids)]
    public void The_bytes_are_as_specified_and_read_back(int type, string expected)
    {
        byte[] packet = new byte[25];

        int written = LongHeader.Write(packet, (LongPacketType)type, DestinationId, SourceId);
        DropReason dropped = LongHeader.TryParse(packet, out LongHeader header);

        Assert.That(Convert.ToHexString(packet.AsSpan(0, written)), Is.EqualTo(expected));
        Assert.That(dropped, Is.EqualTo(DropReason.None));
        Assert.That((int)header.Type, Is.EqualTo(type));
        Assert.That(header.DestinationId, Is.EqualTo(DestinationId));
        Assert.That(header.SourceId, Is.EqualTo(SourceId));
        Assert.That(LongHeader.ParametersOf(packet).Length, Is.Zero);
    }

    [Test]
    public void Every_length_below_header_and_trailer_is_too_short()
    {
        byte[] packet = new byte[30];
        LongHeader.Write(packet, LongPacketType.Finish, DestinationId, SourceId);

        for (int length = 0; length <= packet.Length; length++)
        {
            DropReason dropped = LongHeader.TryParse(packet.AsSpan(0, length), out _);

            Assert.That(dropped, Is.EqualTo(length < 25 ? DropReason.TooShort : DropReason.None), $"{length} bytes");
        }
    }

    // Types 1 to 5 and 7 with the role that may send them; all else is refused.
    [Test]
    public void Every_first_byte_has_one_verdict()
    {
        int[] possible = [0xC1, 0xE2, 0xC3, 0xE4, 0xC5, 0xE7];
        byte[] packet = new byte[30];
        LongHeader.Write(packet, LongPacketType.Hello, DestinationId, SourceId);

        for (int first = 0; first <= byte.MaxValue; first++)
        {
            packet[0] = (byte)first;
            DropReason expected = (first & 0xC0) != 0xC0 ? DropReason.BadFirstByte
                : (first & 0x10) != 0 ? DropReason.ReservedBits
                : possible.Contains(first) ? DropReason.None
                : DropReason.BadFirstByte;

            Assert.That(LongHeader.TryParse(packet, out _), Is.EqualTo(expected), $"first byte {first:X2}");
        }
    }

    // H6: what is frozen can be read whatever the version does with the rest.
    [Test]
    public void Of_an_unknown_version_the_ids_are_read_and_nothing_else_is_judged(
        [Values(2u, 0x0A0A_0A0Au, uint.MaxValue)] uint version, [Values((byte)0xC1, (byte)0xFF)] byte first)
    {
        byte[] packet = new byte[21];
        LongHeader.Write(packet, LongPacketType.Hello, DestinationId, SourceId);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(1), version);
        packet[0] = first;

        DropReason dropped = LongHeader.TryParse(packet, out LongHeader header);

        Assert.That(dropped, Is.EqualTo(DropReason.UnknownVersion));
        Assert.That(header.Version, Is.EqualTo(version));
        Assert.That(header.Type, Is.EqualTo(LongPacketType.None));
        Assert.That((header.DestinationId, header.SourceId), Is.EqualTo((DestinationId, SourceId)));
    }

    [Test]
    public void A_version_list_of_version_one_is_no_version_list()
    {
        byte[] packet = new byte[25];
        LongHeader.Write(packet, LongPacketType.VersionList, DestinationId, SourceId);
        packet[4] = 1;

        Assert.That(LongHeader.TryParse(packet, out _), Is.EqualTo(DropReason.BadFirstByte));
    }
}

[TestFixture]
public sealed class ResetPacketTests
{
    [TestCase(42, ExpectedResult = 0)]
    [TestCase(43, ExpectedResult = 42)]
    [TestCase(1200, ExpectedResult = 42)]
    public int A_reset_is_shorter_than_its_trigger(int trigger) => ResetPacket.LengthFor(trigger);

    [Test]
    public void A_reset_looks_like_a_short_packet_and_ends_with_its_token([Values] bool isFromServer)
    {
        byte[] token = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
        byte[] packet = new byte[42];
        packet.AsSpan().Fill(0xEE);

        ResetPacket.Write(packet, isFromServer, token);
        DropReason dropped = ShortHeader.TryParse(packet, out ShortHeader header);

        Assert.That(dropped, Is.EqualTo(DropReason.None));
        Assert.That(header.IsFromServer, Is.EqualTo(isFromServer));
        Assert.That(ResetPacket.TokenOf(packet).ToArray(), Is.EqualTo(token));
    }

    [TestCase(25, ExpectedResult = 0)]
    [TestCase(26, ExpectedResult = 16)]
    [TestCase(42, ExpectedResult = 16)]
    [TestCase(43, ExpectedResult = 0)]
    public int Only_datagrams_of_a_resets_length_hold_a_token(int length)
        => ResetPacket.TokenOf(new byte[length]).Length;
}
