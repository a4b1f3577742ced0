using Gudp.Core;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class HandshakeParametersTests
{
    [Test]
    public void A_block_is_written_as_specified_by_growing_id()
    {
        HandshakeParameters parameters = new() { IdleTimeoutMilliseconds = 15_000 };
        parameters.ApplicationId = 0x0102_0304_0506_0708;
        parameters.SetModes([ModeSuite.Plain]);
        parameters.SetVersions([1, 0x0A0A_0A0A]);
        parameters.SetPayload(1, 3);
        parameters.Choice = new HandshakeChoice(1, ModeSuite.Plain);
        parameters.ApplicationBytes = "hi"u8;
        byte[] block = new byte[200];

        int written = parameters.Write(block);

        Assert.That(
            Convert.ToHexString(block.AsSpan(0, written)),
            Is.EqualTo(
                "0108" + "0102030405060708" + "0402" + "0100" + "0508" + "000000010A0A0A0A" + "0C02" + "7A98"
                + "1402" + "0103" + "1506" + "000000010100" + "2002" + "6869"));
    }

    [Test]
    public void Everything_comes_back()
    {
        byte[] block = Block(Full());
        HandshakeParameters back = new();

        bool isRead = back.TryRead(block, out ulong badId, out int badOffset);

        Assert.That((isRead, badId, badOffset), Is.EqualTo((true, 0UL, 0)));
        Assert.That(Block(back), Is.EqualTo(block));
        Assert.That(back.ApplicationId, Is.EqualTo(ulong.MaxValue));
        Assert.That(back.Nonce.ToArray(), Is.EqualTo(Bytes(32, 1)));
        Assert.That(back.Cookie.ToArray(), Is.EqualTo(Bytes(20, 2)));
        Assert.That((back.ModeCount, back.ModeAt(1)), Is.EqualTo((2, new ModeSuite(2, 1))));
        Assert.That((back.VersionCount, back.VersionAt(1)), Is.EqualTo((2, 0x0A0A_0A0Au)));
        Assert.That(back.InstanceNumber, Is.EqualTo(9UL));
        Assert.That(back.PeerId.ToArray(), Is.EqualTo(Bytes(16, 3)));
        Assert.That(back.ResetToken.ToArray(), Is.EqualTo(Bytes(16, 4)));
        Assert.That(back.IdleTimeoutMilliseconds, Is.EqualTo(15_000));
        Assert.That(back.MaxAckDelayMicroseconds, Is.EqualTo(25_000));
        Assert.That(back.LargestDatagramBytes, Is.EqualTo(65_507));
        Assert.That(back.ReceiveBufferBytes, Is.EqualTo(4 << 20));
        Assert.That(back.ConnectionCreditBytes, Is.EqualTo((long)VarInt.MaxValue));
        Assert.That(back.LaneCreditBytes, Is.EqualTo(65_536));
        Assert.That(back.LargestMessageBytes, Is.EqualTo(16 << 20));
        Assert.That(back.Lanes, Is.Zero);
        Assert.That((back.PayloadProtocol, back.PayloadVersion), Is.EqualTo((1L, 300L)));
        Assert.That(back.Choice, Is.EqualTo(new HandshakeChoice(1, ModeSuite.Plain)));
        Assert.That((back.RefusalCode, back.RetryAfterMilliseconds), Is.EqualTo((11L, 2_000L)));
        Assert.That(back.ApplicationBytes.Length, Is.EqualTo(100));
        Assert.That(back.AreListsAsSent(Full()), Is.True);
    }

    [Test]
    public void What_is_absent_is_null_or_empty()
    {
        HandshakeParameters parameters = new();
        parameters.TryRead(Block(Full()), out _, out _);

        bool isRead = parameters.TryRead([], out _, out _);

        Assert.That(isRead, Is.True);
        Assert.That(parameters.ApplicationId, Is.Null);
        Assert.That(parameters.Nonce.IsEmpty, Is.True);
        Assert.That(parameters.VersionCount, Is.Zero);
        Assert.That(parameters.IdleTimeoutMilliseconds, Is.Null);
        Assert.That(parameters.Choice, Is.Null);
        Assert.That(parameters.PayloadProtocol, Is.Null);
        Assert.That(parameters.AreListsAsSent(parameters), Is.False);
        Assert.That(Enum.GetValues<ParameterId>().Any(parameters.Has), Is.False);
    }

    [Test]
    public void The_longest_of_everything_fits()
    {
        HandshakeParameters parameters = new() { Nonce = Bytes(32, 1), Cookie = Bytes(20, 2), ApplicationId = 1 };
        parameters.SetModes(new ModeSuite[16]);
        parameters.SetVersions(new uint[16]);
        parameters.SetListsAsReceived(parameters);
        parameters.InstanceNumber = 1;
        parameters.PeerId = Bytes(16, 3);
        parameters.ResetToken = Bytes(16, 4);
        parameters.IdleTimeoutMilliseconds = parameters.MaxAckDelayMicroseconds = (long)VarInt.MaxValue;
        parameters.LargestDatagramBytes = parameters.ReceiveBufferBytes = (long)VarInt.MaxValue;
        parameters.ConnectionCreditBytes = parameters.LaneCreditBytes = (long)VarInt.MaxValue;
        parameters.LargestMessageBytes = parameters.Lanes = (long)VarInt.MaxValue;
        parameters.SetPayload((long)VarInt.MaxValue, (long)VarInt.MaxValue);
        parameters.SetRefusal((long)VarInt.MaxValue, (long)VarInt.MaxValue);
        parameters.Choice = new HandshakeChoice(uint.MaxValue, new ModeSuite(255, 255));
        parameters.ApplicationBytes = new byte[1024];

        HandshakeParameters back = new();

        Assert.That(back.TryRead(Block(parameters), out _, out _), Is.True);
        Assert.That(Block(back), Is.EqualTo(Block(parameters)));
    }

    // H28: a block cut at any byte is refused, unless the cut falls between two parameters.
    [Test]
    public void A_cut_block_is_refused_at_the_parameter_that_is_cut()
    {
        byte[] block = Block(Full());
        HandshakeParameters back = new();
        int whole = 0;

        for (int length = 0; length < block.Length; length++)
        {
            bool isRead = back.TryRead(block.AsSpan(0, length), out ulong badId, out int badOffset);

            if (isRead)
            {
                whole = length;
                continue;
            }

            Assert.That(badOffset, Is.EqualTo(whole), $"cut at {length}");
            Assert.That(badId, Is.EqualTo((ulong)block[whole]), $"cut at {length}");
            Assert.That(Block(back), Is.Empty, $"cut at {length}");
        }
    }

    // H28
    [TestCase("00" + "00", 0x00UL, 0, TestName = "Id zero")]
    [TestCase("0C01" + "05" + "0C01" + "05", 0x0CUL, 3, TestName = "A repeated parameter")]
    [TestCase("2200" + "2200", 0x22UL, 2, TestName = "A repeated unknown parameter")]
    [TestCase("0800" + "0800", 0x08UL, 2, TestName = "Repeated padding")]
    [TestCase("1900", 0x19UL, 0, TestName = "An unknown parameter that may not be skipped")]
    [TestCase("4040" + "00", 0x40UL, 0, TestName = "A large unknown parameter that may not be skipped")]
    [TestCase("400C" + "01" + "05", 0x0CUL, 0, TestName = "An id in a longer form")]
    [TestCase("0C02" + "4005", 0x0CUL, 0, TestName = "A number in a longer form")]
    [TestCase("0C00", 0x0CUL, 0, TestName = "A number that is missing")]
    [TestCase("0C02" + "0505", 0x0CUL, 0, TestName = "A number and something else")]
    [TestCase("0C01" + "40", 0x0CUL, 0, TestName = "A cut number in a whole parameter")]
    [TestCase("1401" + "01", 0x14UL, 0, TestName = "One number of two")]
    [TestCase("1403" + "010101", 0x14UL, 0, TestName = "Three numbers of two")]
    [TestCase("0107" + "01020304050607", 0x01UL, 0, TestName = "Bytes that are too few")]
    [TestCase("0109" + "010203040506070809", 0x01UL, 0, TestName = "Bytes that are too many")]
    [TestCase("0400", 0x04UL, 0, TestName = "An empty list")]
    [TestCase("0403" + "010001", 0x04UL, 0, TestName = "A list with half an entry")]
    [TestCase("0801" + "01", 0x08UL, 0, TestName = "Padding that is not zero")]
    [TestCase("1607" + "03010000000001", 0x16UL, 0, TestName = "Lists that are cut in the wrong place")]
    [TestCase("1607" + "3F010000000001", 0x16UL, 0, TestName = "Lists longer than their parameter")]
    [TestCase("0C" + "FFFFFFFFFFFFFFFF" + "05", 0x0CUL, 0, TestName = "A length beyond the packet")]
    [TestCase("0C01" + "05" + "40", 0x00UL, 3, TestName = "A cut id")]
    [TestCase("0640" + "40", 0x06UL, 0, TestName = "A key, which Plain does not know")]
    public void A_bad_block_is_refused_with_parameter_and_place(string bytes, ulong id, int offset)
    {
        HandshakeParameters parameters = new();

        bool isRead = parameters.TryRead(Convert.FromHexString(bytes), out ulong badId, out int badOffset);

        Assert.That((isRead, badId, badOffset), Is.EqualTo((false, id, offset)));
        Assert.That(Block(parameters), Is.Empty);
    }

    [TestCase("2202" + "FFFF", TestName = "Unknown and skippable")]
    [TestCase("4061" + "02" + "FFFF", TestName = "Large, unknown and skippable")]
    [TestCase("0C" + "4001" + "05", TestName = "A length in a longer form")]
    [TestCase("0804" + "00000000", TestName = "Padding")]
    [TestCase("1607" + "02010000000001", TestName = "Two lists of one entry")]
    public void A_good_block_is_accepted(string bytes)
        => Assert.That(new HandshakeParameters().TryRead(Convert.FromHexString(bytes), out _, out _), Is.True);

    // Each is skippable, so only their number is wrong.
    [TestCase(64, true)]
    [TestCase(65, false)]
    public void More_than_64_parameters_are_refused(int count, bool isAccepted)
    {
        byte[] block = new byte[4 * count];
        int length = 0;

        for (int i = 0; i < count; i++)
        {
            length += VarInt.Write(block.AsSpan(length), (ulong)((64 * i) + 0x3F)) + 1;
        }

        Assert.That(new HandshakeParameters().TryRead(block.AsSpan(0, length), out _, out _), Is.EqualTo(isAccepted));
    }

    [Test]
    public void Padding_fills_its_place_to_the_last_byte()
    {
        HandshakeParameters parameters = new();

        for (int length = 2; length <= 16_386; length += length < 1_300 ? 1 : 97)
        {
            byte[] block = new byte[length];
            block.AsSpan().Fill(0xEE);

            Assert.That(HandshakeParameters.WritePadding(block), Is.EqualTo(length));
            Assert.That(parameters.TryRead(block, out _, out _), Is.True, $"{length} bytes");
        }

        Assert.That(HandshakeParameters.WritePadding(new byte[16_386]), Is.EqualTo(16_386));
    }

    [Test]
    public void No_padding_has_this_length([Values(0, 1, 16_387)] int length)
        => Assert.That(HandshakeParameters.WritePadding(new byte[length]), Is.Zero);

    [Test]
    public void A_block_that_does_not_fit_is_not_written()
    {
        HandshakeParameters parameters = Full();
        byte[] room = new byte[Block(parameters).Length];

        for (int length = 0; length < room.Length; length++)
        {
            Assert.That(parameters.Write(room.AsSpan(0, length)), Is.Zero, $"{length} bytes");
        }
    }

    [Test]
    public void A_list_changed_on_the_way_is_noticed()
    {
        HandshakeParameters sent = Full();
        HandshakeParameters changed = new();
        changed.SetModes([ModeSuite.Plain]);
        changed.SetVersions([1, 0x0A0A_0A0A]);
        HandshakeParameters answer = new();

        answer.SetListsAsReceived(changed);

        Assert.That(answer.AreListsAsSent(changed), Is.True);
        Assert.That(answer.AreListsAsSent(sent), Is.False);
    }

    [Test]
    public void Setting_a_parameter_twice_is_a_bug()
    {
        HandshakeParameters parameters = new() { Lanes = 1 };

        Assert.That(() => parameters.Lanes = 2, Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void Setting_bytes_of_the_wrong_length_is_a_bug()
        => Assert.That(() => new HandshakeParameters { Nonce = new byte[31] }, Throws.TypeOf<InvariantException>());

    internal static HandshakeParameters Full()
    {
        HandshakeParameters parameters = new()
        {
            ApplicationId = ulong.MaxValue,
            Nonce = Bytes(32, 1),
            Cookie = Bytes(20, 2),
            InstanceNumber = 9,
            PeerId = Bytes(16, 3),
            ResetToken = Bytes(16, 4),
            IdleTimeoutMilliseconds = 15_000,
            MaxAckDelayMicroseconds = 25_000,
            LargestDatagramBytes = 65_507,
            ReceiveBufferBytes = 4 << 20,
            ConnectionCreditBytes = (long)VarInt.MaxValue,
            LaneCreditBytes = 65_536,
            LargestMessageBytes = 16 << 20,
            Lanes = 0,
            Choice = new HandshakeChoice(1, ModeSuite.Plain),
            ApplicationBytes = Bytes(100, 5),
        };
        parameters.SetModes([ModeSuite.Plain, new ModeSuite(2, 1)]);
        parameters.SetVersions([1, 0x0A0A_0A0A]);
        parameters.SetListsAsReceived(parameters);
        parameters.SetPayload(1, 300);
        parameters.SetRefusal(11, 2_000);
        return parameters;
    }

    private static byte[] Block(HandshakeParameters parameters)
    {
        byte[] room = new byte[2_000];
        return room[..parameters.Write(room)];
    }

    private static byte[] Bytes(int count, byte first) => [.. Enumerable.Range(first, count).Select(i => (byte)i)];
}

[TestFixture]
public sealed class HandshakePacketTests
{
    [TestCase((int)LongPacketType.Hello, 1200)]
    [TestCase((int)LongPacketType.HelloPlus, 1200)]
    [TestCase((int)LongPacketType.Finish, 21 + 18 + 4)]
    public void A_packet_is_whole_sealed_and_as_long_as_it_must_be(int type, int expectedBytes)
    {
        HandshakeParameters parameters = new() { ResetToken = new byte[16] };
        byte[] room = new byte[1200];

        int length = HandshakePacket.Write(room, (LongPacketType)type, 1, 2, parameters);
        ReadOnlySpan<byte> packet = room.AsSpan(0, length);
        DropReason dropped = LongHeader.TryParse(packet, out LongHeader header);

        Assert.That(length, Is.EqualTo(expectedBytes));
        Assert.That(dropped, Is.EqualTo(DropReason.None));
        Assert.That((int)header.Type, Is.EqualTo(type));
        Assert.That(PacketTrailer.IsLongIntact(packet), Is.True);
        Assert.That(new HandshakeParameters().TryRead(LongHeader.ParametersOf(packet), out _, out _), Is.True);
    }

    // 1175 bytes lie between header and trailer of a hello. One byte cannot be padded: such a hello is one byte longer
    // than it must be, or does not fit.
    [TestCase(1175, 1200, 1200, TestName = "Nothing is missing")]
    [TestCase(1174, 1200, 0, TestName = "One byte is missing and there is no room for two")]
    [TestCase(1174, 1201, 1201, TestName = "One byte is missing and there is room for two")]
    [TestCase(1173, 1200, 1200, TestName = "Two bytes are missing")]
    [TestCase(1109, 1200, 1200, TestName = "So many are missing that no length in its shortest form fits")]
    [TestCase(1176, 1200, 0, TestName = "Too large")]
    [TestCase(1177, 1300, 1202, TestName = "Larger than it must be")]
    public void A_hello_is_padded_exactly(int parameterBytes, int roomBytes, int expectedBytes)
    {
        // Fixed ones fill what the application bytes, which may have any length, must leave.
        HandshakeParameters parameters = new()
        {
            Nonce = new byte[32],
            Cookie = new byte[20],
            PeerId = new byte[16],
            ResetToken = new byte[16],
        };
        parameters.SetVersions(new uint[16]);
        int fixedBytes = parameters.Write(new byte[1200]);
        parameters.ApplicationBytes = new byte[parameterBytes - fixedBytes - 3];

        int length = HandshakePacket.Write(new byte[roomBytes], LongPacketType.Hello, 1, 2, parameters);

        Assert.That(length, Is.EqualTo(expectedBytes));
    }

    [Test]
    public void What_is_missing_is_named()
    {
        HandshakeParameters parameters = new() { ApplicationId = 1, Nonce = new byte[32] };
        parameters.SetModes([ModeSuite.Plain]);

        Assert.That(parameters.FirstMissing(LongPacketType.Hello), Is.EqualTo(ParameterId.Versions));
        Assert.That(parameters.FirstMissing(LongPacketType.Finish), Is.EqualTo(ParameterId.ResetToken));

        parameters = HandshakeParametersTests.Full();
        Assert.That(parameters.FirstMissing(LongPacketType.HelloPlus), Is.EqualTo(ParameterId.None));
        Assert.That(parameters.FirstMissing(LongPacketType.Answer), Is.EqualTo(ParameterId.None));
    }
}
