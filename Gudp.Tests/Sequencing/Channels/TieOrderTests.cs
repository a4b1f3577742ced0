using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Channels;

[TestFixture]
public sealed class TieOrderTests
{
    [Test]
    public void The_fixed_order_is_that_of_the_keys_themselves() => Assert.That(TieOrder.Of(null), Is.Null);

    [Test]
    public void A_seeded_order_is_total_and_looks_at_the_arrival_first([Range(1, 20)] int seed)
    {
        DeliveryKey[] keys = DrawKeys(new Random(seed), 60);
        IComparer<DeliveryKey> order = TieOrder.Of((ulong)seed)!;

        DeliveryKey[] once = [.. keys.Order(order)];
        DeliveryKey[] again = [.. keys.Reverse().Order(order)];

        Assert.That(again, Is.EqualTo(once));
        Assert.That(once.Select(key => key.Arrival), Is.Ordered);
        Assert.That(keys.All(left => keys.All(right =>
            Math.Sign(order.Compare(left, right)) == -Math.Sign(order.Compare(right, left)))));
        Assert.That(keys.All(left => keys.All(right => order.Compare(left, right) == 0 == (left == right))));
    }

    [Test]
    public void A_seeded_order_keeps_each_publishers_own([Range(1, 20)] int seed)
    {
        DeliveryKey[] keys = DrawKeys(new Random(seed), 60);

        DeliveryKey[] shuffled = [.. keys.Order(TieOrder.Of((ulong)seed)!)];

        foreach (IGrouping<int, DeliveryKey> own in shuffled.GroupBy(key => key.Publisher))
        {
            Assert.That(own, Is.EqualTo(keys.Where(key => key.Publisher == own.Key).Order()));
        }
    }

    [Test]
    public void Seeds_reshuffle_publishers_and_every_order_of_three_occurs()
    {
        DeliveryKey[] keys = [.. Enumerable.Range(0, 3).Select(publisher => new DeliveryKey(5, 0, publisher, 1, 0))];

        HashSet<string> orders = [.. Enumerable.Range(1, 100).Select(seed =>
            string.Concat(keys.Order(TieOrder.Of((ulong)seed)!).Select(key => key.Publisher)))];

        Assert.That(orders, Has.Count.EqualTo(6));
    }

    [Test]
    public void One_seed_does_not_prefer_the_same_publisher_at_every_arrival()
    {
        IComparer<DeliveryKey> order = TieOrder.Of(1)!;

        int firstWins = Enumerable.Range(0, 1000).Count(time =>
            order.Compare(new DeliveryKey(time, 0, 0, 1, 0), new DeliveryKey(time, 0, 1, 1, 0)) < 0);

        Assert.That(firstWins, Is.InRange(430, 570));
    }

    [Test]
    public void Ties_are_the_publishers_beyond_the_first_at_one_arrival_whatever_the_order([Range(1, 20)] int seed)
    {
        DeliveryKey[] keys = DrawKeys(new Random(seed), 60);
        int expected = keys.GroupBy(key => key.Arrival)
            .Sum(group => group.Select(key => key.Publisher).Distinct().Count() - 1);

        Assert.That(CountTies(keys.Order()), Is.EqualTo(expected));
        Assert.That(CountTies(keys.Order(TieOrder.Of((ulong)seed)!)), Is.EqualTo(expected));
        Assert.That(expected, Is.Positive);
    }

    [Test]
    public void Equal_arrivals_at_different_receivers_are_no_tie()
    {
        TieCounter counter = new();

        counter.BeginBatch();
        bool first = counter.Add(new DeliveryKey(5, 0, 0, 1, 0));
        counter.BeginBatch();
        bool second = counter.Add(new DeliveryKey(5, 0, 99, 1, 0));
        bool third = counter.Add(new DeliveryKey(5, 0, 3, 1, 0));

        Assert.That((first, second, third), Is.EqualTo((false, false, true)));
        Assert.That(counter.Count, Is.EqualTo(1));
    }

    [Test]
    public void A_publisher_that_comes_twice_and_a_duplicate_are_no_tie()
    {
        DeliveryKey[] keys = [new(5, 0, 2, 1, 0), new(5, 0, 2, 1, 1), new(5, 1, 2, 2, 0), new(6, 0, 1, 1, 0)];

        Assert.That(CountTies(keys), Is.Zero);
    }

    [Test]
    public void An_inbox_cuts_waking_and_quiet_messages_in_the_order_of_the_run([Range(1, 10)] int seed)
    {
        Random random = new(seed);
        IComparer<DeliveryKey>? order = TieOrder.Of(seed % 2 == 0 ? null : (ulong)seed);
        DeliveryKey[] keys = DrawKeys(random, 60);
        ArrivalQueue inbox = new(order);

        foreach (DeliveryKey key in keys)
        {
            inbox.Add(in key, new Letter(0, "x"u8), 0, wakes: random.Next(2) == 0);
        }

        List<DeliveryKey> cut = [];

        while (inbox.TryTake(Tag.Infinity, out DeliveryKey key, out Letter letter, out _))
        {
            cut.Add(key);
            letter.Release();
        }

        Assert.That(cut, Is.EqualTo(keys.Order(order)));
        Assert.That(inbox.Bytes, Is.Zero);
    }

    private static long CountTies(IEnumerable<DeliveryKey> batch)
    {
        TieCounter counter = new();
        counter.BeginBatch();

        foreach (DeliveryKey key in batch)
        {
            counter.Add(in key);
        }

        return counter.Count;
    }

    private static DeliveryKey[] DrawKeys(Random random, int count)
    {
        HashSet<DeliveryKey> keys = [];

        for (int i = 0; i < count; i++)
        {
            keys.Add(new DeliveryKey(
                random.Next(10, 15), random.Next(4), random.Next(5), random.Next(1, 9), (byte)random.Next(2)));
        }

        return [.. keys];
    }
}
