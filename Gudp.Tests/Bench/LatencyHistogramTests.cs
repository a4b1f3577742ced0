using System.Diagnostics;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

[TestFixture]
public sealed class LatencyHistogramTests
{
    // A bucket is a 64th of what it holds, and a percentile its middle.
    private const double Tolerance = 1.0 / 64;

    [TestCase(50)]
    [TestCase(90)]
    [TestCase(99)]
    [TestCase(99.9)]
    [TestCase(100)]
    public void A_percentile_is_that_of_the_sorted_spans(double percent)
    {
        double[] microseconds = Spans(20_000);
        LatencyHistogram histogram = Of(microseconds);

        double found = histogram.Percentile(percent);

        double exact = Statistics.Percentile(microseconds, percent);
        Assert.That(found, Is.EqualTo(exact).Within(exact * Tolerance));
    }

    [Test]
    public void No_percentile_is_above_the_longest_span()
    {
        LatencyHistogram histogram = Of([1_000_000.0]);

        Assert.That(histogram.Percentile(50), Is.LessThanOrEqualTo(histogram.MostMicroseconds));
        Assert.That(histogram.MostMicroseconds, Is.EqualTo(1_000_000.0));
    }

    [Test]
    public void Nothing_recorded_has_no_percentile()
    {
        LatencyHistogram histogram = new();

        Assert.That(histogram.Percentile(50), Is.NaN);
        Assert.That(histogram.PercentAbove(1), Is.NaN);
    }

    [Test]
    public void What_was_cleared_is_gone()
    {
        LatencyHistogram histogram = Of([5, 10]);

        histogram.Clear();

        Assert.That(histogram.Count, Is.Zero);
        Assert.That(histogram.MostMicroseconds, Is.Zero);
        Assert.That(histogram.ToPairs(), Is.Empty);
    }

    [Test]
    public void Two_halves_are_the_whole()
    {
        double[] microseconds = Spans(1_000);

        LatencyHistogram sum = Of(microseconds[..300]).With(Of(microseconds[300..]));

        LatencyHistogram whole = Of(microseconds);
        Assert.That(sum.ToPairs(), Is.EqualTo(whole.ToPairs()));
        Assert.That((sum.Count, sum.MostMicroseconds), Is.EqualTo((whole.Count, whole.MostMicroseconds)));
    }

    [Test]
    public void Pairs_read_back_as_they_were()
    {
        LatencyHistogram histogram = Of(Spans(1_000));

        LatencyHistogram back = LatencyHistogram.FromPairs(histogram.ToPairs(), histogram.MostMicroseconds);

        Assert.That(back.ToPairs(), Is.EqualTo(histogram.ToPairs()));
        Assert.That(back.Percentile(99), Is.EqualTo(histogram.Percentile(99)));
    }

    [Test]
    public void What_ends_before_it_begins_took_no_time()
    {
        LatencyHistogram histogram = new();

        histogram.Record(10, 5);

        Assert.That((histogram.Count, histogram.Percentile(50)), Is.EqualTo((1L, 0.0)));
    }

    [Test]
    public void What_takes_longer_than_there_are_buckets_counts_as_the_longest()
    {
        LatencyHistogram histogram = new();

        histogram.Record(0, long.MaxValue);

        Assert.That(histogram.Count, Is.EqualTo(1));
        Assert.That(histogram.Percentile(50), Is.EqualTo(histogram.MostMicroseconds).Within(100 * Tolerance).Percent);
    }

    [Test]
    public void The_delayed_are_those_well_above_the_bound()
    {
        LatencyHistogram histogram = Of([1, 1, 1, 100]);

        Assert.That(histogram.PercentAbove(2), Is.EqualTo(25));
        Assert.That(histogram.PercentAbove(1_000), Is.Zero);
    }

    private static LatencyHistogram Of(IEnumerable<double> microseconds)
    {
        LatencyHistogram histogram = new();

        foreach (double span in microseconds)
        {
            histogram.Record(0, (long)(span * Stopwatch.Frequency / 1e6));
        }

        return histogram;
    }

    // From a tenth of a microsecond to a second, more of the short ones.
    private static double[] Spans(int count)
        => [.. Enumerable.Range(0, count).Select(i => 0.1 * Math.Pow(1e7, (i * 0.618034) % 1))];
}
