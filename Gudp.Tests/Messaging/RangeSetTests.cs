using Gudp.Core;
using Gudp.Messaging.Lanes;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class RangeSetTests
{
    [Test]
    public void Ranges_that_touch_become_one_and_join_the_prefix()
    {
        RangeSet set = new(8);

        set.TryAdd(10, 20);
        set.TryAdd(30, 40);
        set.TryAdd(20, 30);
        int countAbove = set.Count;
        set.TryAdd(0, 10);

        Assert.That(countAbove, Is.EqualTo(1));
        Assert.That(set.Prefix, Is.EqualTo(40));
        Assert.That(set.Count, Is.Zero);
    }

    [Test]
    public void A_full_set_takes_what_touches_and_refuses_what_stands_alone()
    {
        RangeSet set = new(8);

        for (int i = 0; i < 8; i++)
        {
            Assert.That(set.TryAdd(10 + (10 * i), 11 + (10 * i)), Is.True);
        }

        bool alone = set.TryAdd(1_000, 1_001);
        bool touching = set.TryAdd(11, 15);
        bool prefix = set.TryAdd(0, 5);

        Assert.That(set.StandsAlone(1_000, 1_001), Is.True);
        Assert.That(alone, Is.False);
        Assert.That(touching, Is.True);
        Assert.That(prefix, Is.True);
        Assert.That(set.Count, Is.EqualTo(8));
    }

    // Goal: the set agrees with a row of flags.
    [Test]
    public void It_agrees_with_a_row_of_flags([Range(1, 20)] int seed)
    {
        Prng draws = new((ulong)seed);
        RangeSet set = new(64);
        bool[] flags = new bool[400];

        for (int i = 0; i < 200; i++)
        {
            int from = (int)draws.NextBelow(380);
            int to = from + (int)draws.NextBelow(20);
            bool needsRoom = set.StandsAlone(from, to) && from < to;
            int before = set.Count;
            set.TryAdd(from, to);
            Array.Fill(flags, true, from, to - from);

            Assert.That(set.Count, needsRoom ? Is.EqualTo(before + 1) : Is.LessThanOrEqualTo(before));
            AssertAgrees(set, flags, draws);
        }
    }

    private static void AssertAgrees(RangeSet set, bool[] flags, Prng draws)
    {
        int prefix = Array.IndexOf(flags, false);
        int from = (int)draws.NextBelow(flags.Length);
        int to = from + (int)draws.NextBelow(flags.Length - from);
        int start = Array.IndexOf(flags, false, from, to - from);
        bool found = set.TryFirstMissing(from, to, out OffsetRange missing);

        Assert.That(set.Prefix, Is.EqualTo(prefix));
        Assert.That(found, Is.EqualTo(start >= 0));
        Assert.That(set.Contains(from), Is.EqualTo(flags[from]));

        if (found)
        {
            int end = Array.IndexOf(flags, true, start, to - start);
            Assert.That(missing, Is.EqualTo(new OffsetRange(start, end < 0 ? to : end)));
        }
    }
}
