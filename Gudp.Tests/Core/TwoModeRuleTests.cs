using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// P-5.9. Times are in units of one sample every 10 ms, so that a change can be seen to the sample.
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TwoModeRuleTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly TwoModeRule _rule = new(startsBad: false);
    private Instant _now = new(1);

    [Test]
    public void The_average_takes_a_tenth_of_each_sample()
    {
        Run(100, TimeSpan.FromSeconds(1));

        Run(300, Step);

        Assert.That(_rule.AverageRoundTrip, Is.EqualTo(TimeSpan.FromMilliseconds(120)));
    }

    [Test]
    public void It_is_bad_with_the_first_sample_that_takes_the_average_above_250_ms()
    {
        Run(100, TimeSpan.FromSeconds(20));

        // 300 - 200 x 0.9^n is above 250 for n = 14 and not before.
        Run(300, 13 * Step);
        bool before = _rule.IsBad;
        Run(300, Step);

        Assert.That(before, Is.False);
        Assert.That(_rule.IsBad, Is.True);
    }

    [Test]
    public void It_is_good_again_when_the_round_trip_was_fine_for_the_penalty_and_not_before()
    {
        Run(100, TimeSpan.FromSeconds(20));
        Run(300, TimeSpan.FromSeconds(1));
        TimeSpan penalty = _rule.Penalty;

        // The average needs some samples to sink; the penalty counts from there.
        Run(100, 5 * Step);
        Assert.That(_rule.AverageRoundTrip, Is.LessThanOrEqualTo(TwoModeRule.LongestGoodRoundTrip));
        Run(100, penalty - (10 * Step));
        bool before = _rule.IsBad;
        Run(100, 10 * Step);

        Assert.That(before, Is.True);
        Assert.That(_rule.IsBad, Is.False);
    }

    [Test]
    public void One_long_round_trip_in_bad_begins_the_penalty_anew_only_if_the_average_rises_above_the_limit()
    {
        Run(300, TimeSpan.FromSeconds(1));
        Run(100, TimeSpan.FromSeconds(2));

        Run(4_000, Step);
        Run(100, TimeSpan.FromSeconds(7));
        bool early = _rule.IsBad;
        Run(100, TimeSpan.FromSeconds(2));

        Assert.That(early, Is.True);
        Assert.That(_rule.IsBad, Is.False);
    }

    [Test]
    public void A_good_time_below_ten_seconds_doubles_the_penalty_to_a_minute_at_most()
    {
        List<double> penalties = [];

        for (int i = 0; i < 6; i++)
        {
            Run(300, TimeSpan.FromSeconds(1));
            penalties.Add(_rule.Penalty.TotalSeconds);
            Run(100, _rule.Penalty + TimeSpan.FromSeconds(1));
            Assert.That(_rule.IsBad, Is.False);
        }

        Assert.That(penalties, Is.EqualTo(new double[] { 8, 16, 32, 60, 60, 60 }));
    }

    [Test]
    public void Every_ten_seconds_of_good_halve_the_penalty_to_a_second_at_least()
    {
        List<double> penalties = [];
        Run(100, Step);

        for (int i = 0; i < 4; i++)
        {
            Run(100, TimeSpan.FromSeconds(10));
            penalties.Add(_rule.Penalty.TotalSeconds);
        }

        Assert.That(penalties, Is.EqualTo(new double[] { 2, 1, 1, 1 }));
    }

    [Test]
    public void A_good_time_of_ten_seconds_or_more_does_not_double_the_penalty()
    {
        Run(100, TimeSpan.FromSeconds(11));

        Run(300, TimeSpan.FromSeconds(1));

        Assert.That(_rule.Penalty, Is.EqualTo(TimeSpan.FromSeconds(2)));
    }

    [Test]
    public void Time_without_samples_counts_too()
    {
        Run(300, TimeSpan.FromSeconds(1));
        Run(100, TimeSpan.FromSeconds(1));

        _now += TimeSpan.FromSeconds(40);
        _rule.Advance(_now);

        // 8 s of penalty, then more than 20 s of good.
        Assert.That(_rule.IsBad, Is.False);
        Assert.That(_rule.Penalty, Is.EqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public void As_a_controller_it_begins_in_bad_and_as_a_level_in_good()
    {
        Assert.That(new TwoModeRule(startsBad: true).IsBad, Is.True);
        Assert.That(new TwoModeRule(startsBad: false).IsBad, Is.False);
    }

    private void Run(double milliseconds, TimeSpan span)
    {
        for (Instant end = _now + span; _now < end;)
        {
            _now += Step;
            _rule.OnRoundTrip(TimeSpan.FromMilliseconds(milliseconds), _now);
        }
    }
}
