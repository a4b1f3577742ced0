using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class VarIntTests
{
    // The examples of RFC 9000 appendix A.1, then both sides of each border.
    [TestCase(151_288_809_941_952_652UL, "C2197C5EFF14E88C")]
    [TestCase(494_878_333UL, "9D7F3E7D")]
    [TestCase(15_293UL, "7BBD")]
    [TestCase(37UL, "25")]
    [TestCase(0UL, "00")]
    [TestCase(63UL, "3F")]
    [TestCase(64UL, "4040")]
    [TestCase(16_383UL, "7FFF")]
    [TestCase(16_384UL, "80004000")]
    [TestCase(1_073_741_823UL, "BFFFFFFF")]
    [TestCase(1_073_741_824UL, "C000000040000000")]
    [TestCase(VarInt.MaxValue, "FFFFFFFFFFFFFFFF")]
    public void A_value_is_written_in_its_shortest_form_and_read_back(ulong value, string expected)
    {
        byte[] bytes = new byte[VarInt.MaxBytes];

        int written = VarInt.Write(bytes, value);
        int read = VarInt.TryRead(bytes, out ulong back);

        Assert.That(Convert.ToHexString(bytes.AsSpan(0, written)), Is.EqualTo(expected));
        Assert.That(VarInt.Size(value), Is.EqualTo(written));
        Assert.That((read, back), Is.EqualTo((written, value)));
    }

    [TestCase("4025", 37UL)]
    [TestCase("80000025", 37UL)]
    [TestCase("C000000000000025", 37UL)]
    public void A_longer_form_than_needed_is_read(string bytes, ulong expected)
    {
        int read = VarInt.TryRead(Convert.FromHexString(bytes), out ulong value);

        Assert.That((read, value), Is.EqualTo((bytes.Length / 2, expected)));
    }

    [TestCase("")]
    [TestCase("40")]
    [TestCase("800000")]
    [TestCase("C0000000000000")]
    public void A_cut_value_is_not_read(string bytes)
    {
        int read = VarInt.TryRead(Convert.FromHexString(bytes), out ulong value);

        Assert.That((read, value), Is.EqualTo((0, 0UL)));
    }

    [Test]
    public void A_value_of_more_than_62_bits_is_refused()
        => Assert.That(
            () => VarInt.Write(new byte[8], VarInt.MaxValue + 1), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Two_bytes_hold_every_length_up_to_16383([Values(0, 63, 64, 16_383)] int length)
    {
        byte[] bytes = new byte[2];

        VarInt.WriteTwoBytes(bytes, length);
        int read = VarInt.TryRead(bytes, out ulong value);

        Assert.That((read, value), Is.EqualTo((2, (ulong)length)));
    }

    [Test]
    public void Two_bytes_do_not_hold_more([Values(-1, 16_384)] int length)
        => Assert.That(() => VarInt.WriteTwoBytes(new byte[2], length), Throws.TypeOf<ArgumentOutOfRangeException>());
}
