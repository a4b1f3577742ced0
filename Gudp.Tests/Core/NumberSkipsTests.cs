using Gudp.Core;
using Gudp.Core.Engine;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Which packet numbers are left out (P-2.4).</summary>
[TestFixture]
public sealed class NumberSkipsTests
{
    [Test]
    public void Numbers_are_left_out_at_least_33_apart_ever_more_rarely_and_never_stop([Range(1, 10)] int seed)
    {
        NumberSkips skips = new(new SeededSecrets(new Prng((ulong)seed)));
        List<long> skipped = [];

        for (long number = 0; number < 200_000; number++)
        {
            if (skips.IsDue(new PacketNumber(number)))
            {
                skips.OnSkipped(new PacketNumber(number));
                skipped.Add(number);
            }
        }

        long[] gaps = [.. skipped.Zip(skipped.Skip(1), static (first, second) => second - first)];
        Assert.That(skipped[0], Is.InRange(33, 288));
        Assert.That(gaps, Is.All.InRange(33, 8_224));
        Assert.That(skipped, Has.Count.InRange(30, 120));
        Assert.That(skips.Count, Is.EqualTo(skipped.Count));
    }

    [Test]
    public void Two_connections_leave_out_different_numbers()
    {
        SeededSecrets secrets = new(new Prng(1));

        long[] first = [.. Enumerable.Range(0, 20).Select(_ => FirstOf(new NumberSkips(secrets)))];

        Assert.That(first.Distinct().Count(), Is.GreaterThan(15));
    }

    [TestCase(10, 20, ExpectedResult = false)]
    [TestCase(10, 40, ExpectedResult = true)]
    [TestCase(40, 40, ExpectedResult = true)]
    [TestCase(41, 90, ExpectedResult = false)]
    public bool A_range_that_holds_a_number_left_out_is_forged(long smallest, long largest)
    {
        NumberSkips skips = new(new SeededSecrets(new Prng(1)));

        skips.OnSkipped(new PacketNumber(40));

        return skips.IsIn(new AckRange(smallest, largest));
    }

    [Test]
    public void The_last_32_are_remembered()
    {
        NumberSkips skips = new(new SeededSecrets(new Prng(1)));

        for (int i = 0; i < 40; i++)
        {
            skips.OnSkipped(new PacketNumber(100 * i));
        }

        Assert.That(skips.IsIn(new AckRange(700, 700)), Is.False);
        Assert.That(skips.IsIn(new AckRange(800, 800)), Is.True);
        Assert.That(skips.IsIn(new AckRange(3_900, 3_900)), Is.True);
    }

    private static long FirstOf(NumberSkips skips)
    {
        long number = 0;

        while (!skips.IsDue(new PacketNumber(number)))
        {
            number++;
        }

        return number;
    }
}
