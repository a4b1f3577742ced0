using Gudp.Tools.Transfer;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class TransferMessageTests
{
    [TestCase("a.txt", 0)]
    [TestCase("Straße", long.MaxValue)]
    [TestCase("", 1)]
    public void A_head_is_read_as_written(string name, long length)
    {
        byte[] message = TransferMessage.Head(name, length);

        bool isRead = TransferMessage.TryReadHead(message, out string readName, out long readLength);

        Assert.That(isRead, Is.True);
        Assert.That((readName, readLength), Is.EqualTo((name, length)));
    }

    [Test]
    public void Bytes_of_a_head_stand_where_the_protocol_says()
        => Assert.That(
            TransferMessage.Head("ab", 258), Is.EqualTo(new byte[] { 1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 97, 98 }));

    [Test]
    public void An_answer_is_read_as_written([Values(0, 1, 2)] int code)
    {
        TransferOutcome outcome = (TransferOutcome)code;
        byte[] message = TransferMessage.Answer(outcome, "because");

        bool isRead = TransferMessage.TryReadAnswer(message, out TransferOutcome readOutcome, out string text);

        Assert.That(isRead, Is.True);
        Assert.That((readOutcome, text), Is.EqualTo((outcome, "because")));
    }

    [Test]
    public void A_long_reason_is_cut_to_what_a_reader_takes()
    {
        byte[] message = TransferMessage.Answer(TransferOutcome.Refused, new string('ß', 5_000));

        Assert.That(TransferMessage.TryReadAnswer(message, out _, out _), Is.True);
    }

    private static IEnumerable<TestCaseData> BadHeads()
    {
        byte[] good = TransferMessage.Head("a", 5);
        yield return new TestCaseData(Array.Empty<byte>()).SetArgDisplayNames("empty");
        yield return new TestCaseData(good[..9]).SetArgDisplayNames("cut short");
        yield return new TestCaseData(With(good, 0, 2)).SetArgDisplayNames("another kind");
        yield return new TestCaseData(With(good, 1, 2)).SetArgDisplayNames("another version");
        yield return new TestCaseData(With(good, 2, 0x80)).SetArgDisplayNames("a negative length");
        yield return new TestCaseData(With(good, 10, 0xFF)).SetArgDisplayNames("a name that is not text");
        yield return new TestCaseData((byte[])[.. good, .. new byte[TransferMessage.MaxTextBytes]])
            .SetArgDisplayNames("a name too long");
    }

    [TestCaseSource(nameof(BadHeads))]
    public void A_head_that_is_none_is_refused(byte[] message)
        => Assert.That(TransferMessage.TryReadHead(message, out _, out _), Is.False);

    [TestCase(new byte[] { })]
    [TestCase(new byte[] { 4 })]
    [TestCase(new byte[] { 3, 0 })]
    [TestCase(new byte[] { 4, 9 })]
    [TestCase(new byte[] { 4, 0, 0xC0 })]
    public void An_answer_that_is_none_is_refused(byte[] message)
        => Assert.That(TransferMessage.TryReadAnswer(message, out _, out _), Is.False);

    private static byte[] With(byte[] message, int index, byte value)
    {
        byte[] changed = [.. message];
        changed[index] = value;
        return changed;
    }
}
