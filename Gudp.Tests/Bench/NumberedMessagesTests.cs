using Gudp.Bench.Messages;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>The check behind the measured streams: it must find what a mode does not allow, and nothing else.</summary>
[TestFixture]
public sealed class NumberedMessagesTests
{
    private const int Bytes = 32;

    [TestCase(LaneMode.OrderedReliable, new long[] { 0, 1, 2 }, 3, ExpectedResult = true)]
    [TestCase(LaneMode.OrderedReliable, new long[] { 0, 1 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.OrderedReliable, new long[] { 0, 2, 1 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.UnorderedReliable, new long[] { 2, 0, 1 }, 3, ExpectedResult = true)]
    [TestCase(LaneMode.UnorderedReliable, new long[] { 2, 0 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.UnorderedReliable, new long[] { 2, 1, 1 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.SequencedReliable, new long[] { 1, 2 }, 3, ExpectedResult = true)]
    [TestCase(LaneMode.SequencedReliable, new long[] { 0, 1 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.SequencedReliable, new long[] { 1, 0, 2 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.SequencedUnreliable, new long[] { 0, 1 }, 3, ExpectedResult = true)]
    [TestCase(LaneMode.SequencedUnreliable, new long[] { 1, 0 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.Unreliable, new long[] { 2, 0 }, 3, ExpectedResult = true)]
    [TestCase(LaneMode.Unreliable, new long[] { 2, 2 }, 3, ExpectedResult = false)]
    [TestCase(LaneMode.Unreliable, new long[] { 3 }, 3, ExpectedResult = false)]
    public bool What_a_mode_promises_is_checked(LaneMode mode, long[] arrived, int sent)
    {
        NumberedMessages numbers = new(mode, Bytes);
        byte[] message = new byte[Bytes];

        foreach (long number in arrived)
        {
            NumberedMessages.Write(message, number);
            numbers.Take(message);
        }

        return numbers.Fault is null && numbers.IsComplete(sent);
    }

    [TestCase(0)]
    [TestCase(Bytes - 1)]
    public void A_damaged_message_is_found(int place)
    {
        NumberedMessages numbers = new(LaneMode.Unreliable, Bytes);
        byte[] message = new byte[Bytes];
        NumberedMessages.Write(message, 0);

        message[place] ^= 1;
        numbers.Take(message);

        Assert.That(numbers.Fault, Does.Contain("damaged"));
        Assert.That(numbers.Arrived, Is.Zero);
    }
}
