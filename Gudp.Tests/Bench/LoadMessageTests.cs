using Gudp.Bench.Load;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

[TestFixture]
public sealed class LoadMessageTests
{
    private const int Bytes = 64;

    private static readonly LoadMessage Written = new(LoadKind.Request, 40_000, 123_456_789_012, 42);

    [TestCase(LoadMessage.LeastBytes)]
    [TestCase(Bytes)]
    public void It_reads_back_as_it_was_written(int bytes)
    {
        byte[] message = new byte[bytes];
        Written.Write(message);

        bool isWhole = LoadMessage.TryRead(message, out LoadMessage read);

        Assert.That((isWhole, read), Is.EqualTo((true, Written)));
    }

    // Each byte of the number, and of the complement at the end.
    [Test]
    public void A_changed_byte_of_the_number_is_seen(
        [Values(8, 9, 10, 11, 12, 13, 14, 15, 56, 57, 58, 59, 60, 61, 62, 63)] int place)
    {
        byte[] message = new byte[Bytes];
        Written.Write(message);

        message[place] ^= 1;

        Assert.That(LoadMessage.TryRead(message, out _), Is.False);
    }

    [TestCase(0)]
    [TestCase(LoadMessage.LeastBytes - 1)]
    [TestCase(Bytes - 1)]
    public void A_message_without_its_end_is_seen(int bytes)
    {
        byte[] message = new byte[Bytes];
        Written.Write(message);

        Assert.That(LoadMessage.TryRead(message.AsSpan(0, bytes), out _), Is.False);
    }
}
