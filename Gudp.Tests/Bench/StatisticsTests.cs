using Gudp.Bench.Transport;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

[TestFixture]
public sealed class StatisticsTests
{
    private static readonly double[] OneToHundred = [.. Enumerable.Range(1, 100).Reverse().Select(i => (double)i)];

    [TestCase(0, ExpectedResult = 1)]
    [TestCase(50, ExpectedResult = 50)]
    [TestCase(99, ExpectedResult = 99)]
    [TestCase(99.5, ExpectedResult = 100)]
    [TestCase(100, ExpectedResult = 100)]
    public double A_percentile_is_the_sample_of_the_nearest_rank(double percent)
        => Statistics.Percentile(OneToHundred, percent);

    [Test]
    public void The_samples_keep_their_order()
    {
        double[] samples = [3, 1, 2];

        _ = Statistics.Percentile(samples, 50);
        _ = Statistics.Median(samples);

        Assert.That(samples, Is.EqualTo((double[])[3, 1, 2]));
    }

    [TestCase(new double[] { 5 }, ExpectedResult = 5)]
    [TestCase(new double[] { 9, 1, 4 }, ExpectedResult = 4)]
    [TestCase(new double[] { 9, 1, 4, 6 }, ExpectedResult = 5)]
    [TestCase(new double[] { }, ExpectedResult = double.NaN)]
    public double The_median_is_the_middle(double[] samples) => Statistics.Median(samples);

    [TestCase(new double[] { 7, 7, 7 }, 1)]
    [TestCase(new double[] { 12, 0, 0, 0 }, 0.25)]
    [TestCase(new double[] { 1, 2 }, 0.9)]
    public void Jains_index_tells_how_evenly_something_is_shared(double[] shares, double expected)
        => Assert.That(Statistics.JainIndex(shares), Is.EqualTo(expected).Within(1e-12));

    [Test]
    public void A_spread_has_the_median_between_the_least_and_the_largest()
        => Assert.That(Spread.Of([3, 9, 4]), Is.EqualTo(new Spread(4, 3, 9)));

    [Test]
    public void A_spread_with_a_run_that_gave_nothing_says_so()
        => Assert.That(Spread.Of([3, double.NaN]), Is.EqualTo(new Spread(-1, -1, -1)));
}
