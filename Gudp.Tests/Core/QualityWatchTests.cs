using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>When a connection is too poor to go on (P-10.1).</summary>
[TestFixture]
public sealed class QualityWatchTests
{
    private static readonly QualityConfig Loss = new() { MostLossPercent = 20, Patience = TimeSpan.FromSeconds(3) };

    private static readonly QualityConfig Slow = new()
    {
        LongestRoundTrip = TimeSpan.FromMilliseconds(300),
        Patience = TimeSpan.FromSeconds(3),
    };

    [TestCase(20, ExpectedResult = -1)]
    [TestCase(21, ExpectedResult = 3)]
    [TestCase(99, ExpectedResult = 3)]
    public int Too_much_loss_for_the_whole_patience_is_too_poor(int lossPercent)
        => SecondsUntilTooPoor(new QualityWatch(Loss), _ => lossPercent, roundTripMs: 50);

    [Test]
    public void One_good_second_gives_the_whole_patience_again()
        => Assert.That(
            SecondsUntilTooPoor(new QualityWatch(Loss), second => second == 2 ? 0 : 50, roundTripMs: 50),
            Is.EqualTo(6));

    [TestCase(300, ExpectedResult = -1)]
    [TestCase(301, ExpectedResult = 3)]
    public int A_round_trip_too_long_for_the_whole_patience_is_too_poor(int roundTripMs)
        => SecondsUntilTooPoor(new QualityWatch(Slow), _ => 0, roundTripMs);

    [Test]
    public void Without_limits_nothing_is_too_poor()
        => Assert.That(SecondsUntilTooPoor(new QualityWatch(default), _ => 99, roundTripMs: 60_000), Is.EqualTo(-1));

    [Test]
    public void Without_any_ack_nothing_is_judged()
        => Assert.That(SecondsUntilTooPoor(new QualityWatch(Loss), _ => 100, roundTripMs: 50), Is.EqualTo(-1));

    // Declared all at once by the first ack after it: a cut is no poor path, and silence has its own time-out.
    [TestCase(12)]
    [TestCase(300)]
    public void Losses_of_a_long_silence_are_not_held_against_the_path(int silentSeconds)
    {
        QualityWatch watch = new(Loss);
        Instant now = new(TimeSpan.TicksPerSecond);
        watch.IsTooPoor(TimeSpan.FromMilliseconds(50), now);

        now += TimeSpan.FromSeconds(silentSeconds);
        watch.OnAcked();

        for (int i = 0; i < 100; i++)
        {
            watch.OnLost();
        }

        Assert.That(watch.IsTooPoor(TimeSpan.FromMilliseconds(50), now), Is.False);
    }

    [Test]
    public void Wrong_declarations_count_as_received()
    {
        QualityWatch watch = new(Loss);
        Instant now = new(TimeSpan.TicksPerSecond);
        bool isTooPoor = false;

        for (int i = 0; i < 10_000; i++)
        {
            now += TimeSpan.FromMilliseconds(1);
            watch.OnLost();
            watch.OnSpuriousLoss();
            isTooPoor |= watch.IsTooPoor(TimeSpan.FromMilliseconds(50), now);
        }

        Assert.That(isTooPoor, Is.False);
    }

    [Test]
    public void The_detail_names_the_limit()
    {
        QualityWatch lossy = new(Loss);
        QualityWatch slow = new(Slow);

        SecondsUntilTooPoor(lossy, _ => 50, roundTripMs: 50);
        SecondsUntilTooPoor(slow, _ => 0, roundTripMs: 400);

        Assert.That(lossy.Detail, Is.EqualTo("50 % of packets lost; Quality.MostLossPercent is 20."));
        Assert.That(slow.Detail, Is.EqualTo("Round trip 400 ms; Quality.LongestRoundTrip is 300ms."));
    }

    /// <summary>A hundred packets a second for twenty seconds.</summary>
    /// <returns>The second at whose end it was too poor; -1 if it never was.</returns>
    private static int SecondsUntilTooPoor(QualityWatch watch, Func<int, int> lossPercent, int roundTripMs)
    {
        Instant now = new(TimeSpan.TicksPerSecond);
        TimeSpan roundTrip = TimeSpan.FromMilliseconds(roundTripMs);
        watch.IsTooPoor(roundTrip, now);

        for (int second = 0; second < 20; second++)
        {
            for (int packet = 0; packet < 100; packet++)
            {
                if (packet < lossPercent(second))
                {
                    watch.OnLost();
                }
                else
                {
                    watch.OnAcked();
                }
            }

            now += TimeSpan.FromSeconds(1);

            if (watch.IsTooPoor(roundTrip, now))
            {
                return second + 1;
            }
        }

        return -1;
    }
}
