using Gudp.Sequencing.Log;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

[TestFixture]
public sealed class LogSlotsTests
{
    private static readonly Letter Present = new(0, "x"u8);

    [Test]
    public void It_keeps_what_a_sorted_list_keeps([Range(1, 20)] int seed)
    {
        Random random = new(seed);
        LogSlots slots = new();
        List<(long Number, long Time)> kept = [];
        long number = 0;
        int removals = random.Next(30, 101);

        for (int i = 0; i < 2_000; i++)
        {
            number += random.Next(4) == 0 ? random.Next(1, 9) : 1;
            slots.Add(new LogSlot { Number = number, Key = new DeliveryKey(number / 3, 0, 0, 0, 0), Letter = Present });
            kept.Add((number, number / 3));

            if (random.Next(100) < removals && kept.Count > 0)
            {
                int which = random.Next(3) == 0 ? 0 : random.Next(kept.Count);
                slots.Remove(slots.PlaceOf(kept[which].Number));
                kept.RemoveAt(which);
            }

            if (i % 50 == 0)
            {
                slots.Tidy();
                AssertSame(slots, kept, random.NextInt64(number + 3));
            }
        }

        Assert.That(slots.Capacity, Is.LessThanOrEqualTo(4 * Math.Max(128, slots.Kept)));
    }

    [Test]
    public void A_ring_from_which_the_front_goes_never_grows()
    {
        LogSlots slots = new();
        int before = slots.Capacity;

        for (int i = 1; i <= 10_000; i++)
        {
            slots.Add(new LogSlot { Number = i, Letter = Present });

            if (i > 60)
            {
                slots.Remove(0);
            }
        }

        Assert.That((slots.Kept, slots.Capacity), Is.EqualTo((60, before)));
        Assert.That(slots[slots.PlaceOf(9_990)].Number, Is.EqualTo(9_990));
    }

    [Test]
    public void Nothing_is_found_where_there_is_nothing()
    {
        LogSlots slots = new();

        Assert.That((slots.PlaceOf(1), slots.PlaceOfArrival(5), slots.Count), Is.EqualTo((0, 0, 0)));
    }

    private static void AssertSame(LogSlots slots, List<(long Number, long Time)> kept, long asked)
    {
        List<long> found = [];

        for (int place = 0; place < slots.Count; place++)
        {
            if (slots[place].Letter is not null)
            {
                found.Add(slots[place].Number);
            }
        }

        Assert.That(found, Is.EqualTo(kept.Select(entry => entry.Number)));
        Assert.That(slots.Kept, Is.EqualTo(kept.Count));
        Assert.That(
            FirstKept(slots, slots.PlaceOf(asked)),
            Is.EqualTo(kept.FirstOrDefault(entry => entry.Number >= asked).Number));
        Assert.That(
            FirstKept(slots, slots.PlaceOfArrival(asked / 3)),
            Is.EqualTo(kept.FirstOrDefault(entry => entry.Time >= asked / 3).Number));
    }

    private static long FirstKept(LogSlots slots, int place)
    {
        while (place < slots.Count && slots[place].Letter is null)
        {
            place++;
        }

        return place < slots.Count ? slots[place].Number : 0;
    }
}
