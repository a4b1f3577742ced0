using Gudp.Core;
using Gudp.Core.Loop;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class DeadlineHeapTests
{
    private readonly DeadlineHeap<Item> _heap = new(new ItemSlot());

    [SetUp]
    public void Empty()
    {
        while (_heap.TryTakeDue(new Instant(long.MaxValue - 1), out _))
        {
        }
    }

    [Test]
    public void An_empty_heap_has_nothing_due_ever()
    {
        Assert.That(_heap.Next.IsNever, Is.True);
        Assert.That(_heap.TryTakeDue(new Instant(1), out _), Is.False);
    }

    [TestCase(1, 2, 3)]
    [TestCase(3, 2, 1)]
    [TestCase(2, 3, 1)]
    public void The_soonest_comes_first_whatever_the_order_of_setting(int first, int second, int third)
    {
        foreach (int at in new[] { first, second, third })
        {
            _heap.Set(new Item($"{at}"), new Instant(at));
        }

        Assert.That(TakeAll(until: 10), Is.EqualTo(new[] { "1", "2", "3" }));
    }

    [Test]
    public void A_deadline_equal_to_now_is_due()
    {
        _heap.Set(new Item("a"), new Instant(5));

        Assert.That(TakeAll(until: 5), Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void A_deadline_just_after_now_is_not_due()
    {
        _heap.Set(new Item("a"), new Instant(6));

        Assert.That(TakeAll(until: 5), Is.Empty);
    }

    [Test]
    public void Setting_twice_counts_once_at_the_last_moment_given()
    {
        var item = new Item("a");
        _heap.Set(item, new Instant(9));
        _heap.Set(new Item("b"), new Instant(5));

        _heap.Set(item, new Instant(3));

        Assert.That(_heap.Next, Is.EqualTo(new Instant(3)));
        Assert.That(TakeAll(until: 10), Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public void A_removed_item_does_not_come_and_may_be_removed_again()
    {
        var item = new Item("a");
        _heap.Set(item, new Instant(1));
        _heap.Set(new Item("b"), new Instant(2));

        _heap.Remove(item);
        _heap.Remove(item);

        Assert.That(TakeAll(until: 10), Is.EqualTo(new[] { "b" }));
    }

    [Test]
    public void Never_removes()
    {
        var item = new Item("a");
        _heap.Set(item, new Instant(1));

        _heap.Set(item, Instant.Never);

        Assert.That(_heap.Count, Is.Zero);
    }

    [Test]
    public void A_taken_item_may_be_set_again()
    {
        var item = new Item("a");
        _heap.Set(item, new Instant(1));
        TakeAll(until: 1);

        _heap.Set(item, new Instant(2));

        Assert.That(_heap.Next, Is.EqualTo(new Instant(2)));
    }

    // Goal: whatever is set, moved and removed, items come in the order of a sorted list. Debug builds recount.
    [Test]
    public void It_agrees_with_a_sorted_list([Range(1, 20)] int seed)
    {
        var draws = new Prng((ulong)seed);
        Item[] items = [.. Enumerable.Range(0, 100).Select(i => new Item($"{i}"))];
        var model = new Dictionary<string, long>();

        for (int step = 0; step < 500; step++)
        {
            Item item = items[(int)(draws.NextUInt64() % 100)];
            long at = (long)(draws.NextUInt64() % 1_000);

            if (at % 5 == 0)
            {
                _heap.Remove(item);
                model.Remove(item.Name);
            }
            else
            {
                _heap.Set(item, new Instant(at));
                model[item.Name] = at;
            }

            Assert.That(_heap.Next.Ticks, Is.EqualTo(model.Count == 0 ? long.MaxValue : model.Values.Min()));
        }

        long[] taken = [.. TakeAll(until: 1_000).Select(name => model[name])];
        Assert.That(taken, Is.EqualTo(model.Values.Order()));
    }

    private List<string> TakeAll(long until)
    {
        var names = new List<string>();

        while (_heap.TryTakeDue(new Instant(until), out Item? item))
        {
            names.Add(item.Name);
        }

        return names;
    }

    private sealed class Item(string name)
    {
        internal string Name { get; } = name;

        internal int Index { get; set; } = DeadlineHeap<Item>.Absent;
    }

    private sealed class ItemSlot : IHeapSlot<Item>
    {
        public int IndexOf(Item item) => item.Index;

        public void SetIndex(Item item, int index) => item.Index = index;
    }
}
