using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class ReliableOutboxTests
{
    [Test]
    public void What_went_out_in_a_packet_comes_back_once_each_in_order()
    {
        ReliableOutbox<int> outbox = new(64);
        outbox.Note(new PacketNumber(3), 30);
        outbox.Note(new PacketNumber(5), 50);
        outbox.Note(new PacketNumber(5), 51);
        outbox.Note(new PacketNumber(9), 90);

        int[] five = TakeAll(outbox, 5);
        int[] again = TakeAll(outbox, 5);
        int[] absent = TakeAll(outbox, 4);
        int[] three = TakeAll(outbox, 3);

        Assert.That(five, Is.EqualTo(new[] { 50, 51 }));
        Assert.That(again, Is.Empty);
        Assert.That(absent, Is.Empty);
        Assert.That(three, Is.EqualTo(new[] { 30 }));
        Assert.That(outbox.Free, Is.EqualTo(63), "Only packet 9 is open.");
    }

    [Test]
    public void Looking_at_an_overdue_packet_takes_nothing()
    {
        ReliableOutbox<int> outbox = new(64);
        outbox.Note(new PacketNumber(1), 10);
        outbox.Note(new PacketNumber(1), 11);
        List<int> seen = [];
        int cursor = 0;

        while (outbox.TryPeek(new PacketNumber(1), ref cursor, out int content))
        {
            seen.Add(content);
        }

        Assert.That(seen, Is.EqualTo(new[] { 10, 11 }));
        Assert.That(TakeAll(outbox, 1), Is.EqualTo(new[] { 10, 11 }));
    }

    [Test]
    public void A_full_outbox_waits_for_its_oldest_packet()
    {
        ReliableOutbox<int> outbox = new(64);

        for (int i = 0; i < 64; i++)
        {
            outbox.Note(new PacketNumber(i), i);
        }

        bool full = outbox.IsFull;
        TakeAll(outbox, 63);
        bool stillFull = outbox.IsFull;
        TakeAll(outbox, 0);

        Assert.That(full, Is.True);
        Assert.That(stillFull, Is.True, "Records stand in order; the newest leaves no room at the front.");
        Assert.That(outbox.IsFull, Is.False);
    }

    [Test]
    public void Offers_come_back_first_in_first_out()
    {
        ReliableOutbox<int> outbox = new(64);

        for (int i = 0; i < 100; i++)
        {
            outbox.Offer(i);
        }

        Assert.That(outbox.Waiting, Is.EqualTo(100));

        for (int i = 0; i < 100; i++)
        {
            Assert.That(outbox.TryNextOffer(out int content) && content == i, Is.True);
        }

        Assert.That(outbox.TryNextOffer(out _), Is.False);
    }

    [TestCase(0)]
    [TestCase(63)]
    [TestCase(100)]
    public void A_capacity_that_cannot_be_is_the_callers_mistake(int capacity)
        => Assert.Throws<ArgumentOutOfRangeException>(() => _ = new ReliableOutbox<int>(capacity));

    // Goal: the ring and the search agree with a dictionary, whatever the order of fates.
    [Test]
    public void It_agrees_with_a_plain_dictionary([Range(1, 10)] int seed)
    {
        Prng draws = new((ulong)seed);
        ReliableOutbox<int> outbox = new(256);
        Dictionary<long, List<int>> model = [];
        long next = 0;

        for (int i = 0; i < 20_000; i++)
        {
            if (draws.NextChance(500_000))
            {
                next += draws.NextBelow(3);

                for (long pieces = draws.NextBelow(4); pieces > 0 && !outbox.IsFull; pieces--)
                {
                    outbox.Note(new PacketNumber(next), i);
                    model.TryAdd(next, []);
                    model[next].Add(i);
                }
            }
            else
            {
                // The oldest more often, so that the ring moves on.
                long packet = draws.NextChance(300_000) && model.Count > 0
                    ? model.Keys.Min()
                    : Math.Max(0, next - draws.NextBelow(100));
                int[] expected = model.Remove(packet, out List<int>? pieces) ? [.. pieces] : [];
                Assert.That(TakeAll(outbox, packet), Is.EqualTo(expected));
            }
        }
    }

    private static int[] TakeAll(ReliableOutbox<int> outbox, long packet)
    {
        List<int> taken = [];

        while (outbox.TryTake(new PacketNumber(packet), out int content))
        {
            taken.Add(content);
        }

        return [.. taken];
    }
}
