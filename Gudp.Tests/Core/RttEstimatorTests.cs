using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class RttEstimatorTests
{
    private static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan AckDelay = TimeSpan.FromMilliseconds(25);

    [Test]
    public void Before_the_first_sample_the_assumed_round_trip_counts()
    {
        RttEstimator rtt = new(RttEstimator.DefaultFirstRoundTrip);

        Assert.That(rtt.HasSample, Is.False);
        Assert.That(rtt.Smoothed, Is.EqualTo(Ms(333)));
        Assert.That(rtt.Variation, Is.EqualTo(Ms(166.5)));
        Assert.That(rtt.ProbeTimeout(AckDelay, Granularity), Is.EqualTo(Ms(333 + 666 + 25)));
    }

    [Test]
    public void The_first_sample_replaces_every_assumption_and_ignores_the_peers_delay()
    {
        RttEstimator rtt = new(RttEstimator.DefaultFirstRoundTrip);

        rtt.AddSample(Ms(100), ackDelay: Ms(20));

        Assert.That(rtt.HasSample, Is.True);
        Assert.That(rtt.Latest, Is.EqualTo(Ms(100)));
        Assert.That(rtt.Smoothed, Is.EqualTo(Ms(100)));
        Assert.That(rtt.Variation, Is.EqualTo(Ms(50)));
        Assert.That(rtt.Minimum, Is.EqualTo(Ms(100)));
    }

    [Test]
    public void Later_samples_weigh_an_eighth_and_their_distance_a_quarter()
    {
        RttEstimator rtt = WithSamples(100);

        rtt.AddSample(Ms(180), TimeSpan.Zero);

        Assert.That(rtt.Smoothed, Is.EqualTo(Ms(110)));
        Assert.That(rtt.Variation, Is.EqualTo(Ms(57.5)));
        Assert.That(rtt.Latest, Is.EqualTo(Ms(180)));
        Assert.That(rtt.Minimum, Is.EqualTo(Ms(100)));
    }

    // P-3.4
    [TestCase(20, 100, TestName = "A delay that leaves just the minimum is taken out")]
    [TestCase(20.0001, 102.5, TestName = "A delay that leaves one tick less than the minimum is not believed")]
    public void Ack_delay(double ackDelay, double expected)
    {
        RttEstimator rtt = WithSamples(100);

        rtt.AddSample(Ms(120), Ms(ackDelay));

        Assert.That(rtt.Smoothed, Is.EqualTo(Ms(expected)));
        Assert.That(rtt.Latest, Is.EqualTo(Ms(120)));
    }

    [Test]
    public void The_minimum_contains_the_peers_delay()
    {
        RttEstimator rtt = WithSamples(100);

        rtt.AddSample(Ms(90), Ms(20));

        Assert.That(rtt.Minimum, Is.EqualTo(Ms(90)));
        Assert.That(rtt.Smoothed, Is.EqualTo(Ms(98.75)));
    }

    [Test]
    public void A_forgotten_minimum_is_set_by_the_next_sample()
    {
        RttEstimator rtt = WithSamples(10);

        rtt.ForgetMinimum();
        rtt.AddSample(Ms(50), TimeSpan.Zero);
        rtt.AddSample(Ms(60), TimeSpan.Zero);

        Assert.That(rtt.Minimum, Is.EqualTo(Ms(50)));
    }

    [Test]
    public void A_round_trip_without_duration_counts_as_one_tick()
    {
        RttEstimator rtt = WithSamples(0);

        Assert.That(rtt.Smoothed, Is.EqualTo(new TimeSpan(1)));
        Assert.That(rtt.Minimum, Is.EqualTo(new TimeSpan(1)));
    }

    [TestCase(80, 100, 112.5, TestName = "The latest counts when it is longer than the average")]
    [TestCase(100, 100, 112.5, TestName = "Nine eighths of the round trip")]
    [TestCase(0.1, 0.1, 1, TestName = "Never less than the timers can do")]
    public void Loss_delay(double first, double latest, double expected)
    {
        RttEstimator rtt = WithSamples(first, latest);

        Assert.That(rtt.LossDelay(Granularity), Is.EqualTo(Ms(expected)));
    }

    [Test]
    public void The_probe_time_out_allows_for_timers_when_nothing_varies()
    {
        RttEstimator rtt = WithSamples(Enumerable.Repeat(8.0, 200).ToArray());

        Assert.That(rtt.ProbeTimeout(AckDelay, Granularity), Is.EqualTo(Ms(8 + 1 + 25)));
    }

    [Test]
    public void Overdue_is_four_variations_above_the_average()
        => Assert.That(WithSamples(100).OverdueAfter(TimeSpan.Zero, Granularity), Is.EqualTo(Ms(300)));

    [Test]
    public void Overdue_is_nine_eighths_when_nothing_varies_and_the_granted_delay_on_top()
    {
        RttEstimator rtt = WithSamples(Enumerable.Repeat(80.0, 200).ToArray());

        Assert.That(rtt.OverdueAfter(TimeSpan.Zero, Granularity), Is.EqualTo(Ms(90)));
        Assert.That(rtt.OverdueAfter(Ms(5), Granularity), Is.EqualTo(Ms(95)));
    }

    [Test]
    public void Negative_measurements_are_bugs_of_ours()
    {
        RttEstimator rtt = WithSamples(10);

        Assert.That(() => rtt.AddSample(Ms(-1), TimeSpan.Zero), Throws.TypeOf<InvariantException>());
        Assert.That(() => rtt.AddSample(Ms(1), Ms(-1)), Throws.TypeOf<InvariantException>());
    }

    private static RttEstimator WithSamples(params double[] milliseconds)
    {
        RttEstimator rtt = new(RttEstimator.DefaultFirstRoundTrip);

        foreach (double sample in milliseconds)
        {
            rtt.AddSample(Ms(sample), TimeSpan.Zero);
        }

        return rtt;
    }

    private static TimeSpan Ms(double milliseconds)
        => new((long)Math.Round(milliseconds * TimeSpan.TicksPerMillisecond));
}
