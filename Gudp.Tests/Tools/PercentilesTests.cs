using Gudp.Tools.Output;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class PercentilesTests
{
    [TestCase(0, ExpectedResult = 1)]
    [TestCase(1, ExpectedResult = 1)]
    [TestCase(50, ExpectedResult = 50)]
    [TestCase(50.5, ExpectedResult = 51)]
    [TestCase(99, ExpectedResult = 99)]
    [TestCase(100, ExpectedResult = 100)]
    public double A_percentile_is_the_sample_of_the_nearest_rank(double percent)
    {
        Percentiles oneToHundred = new();

        for (int milliseconds = 100; milliseconds > 0; milliseconds--)
        {
            oneToHundred.Add(TimeSpan.FromMilliseconds(milliseconds));
        }

        return oneToHundred.Of(percent).TotalMilliseconds;
    }

    [Test]
    public void One_sample_is_every_percentile([Values(0, 37, 100)] double percent)
    {
        Percentiles one = new();
        one.Add(TimeSpan.FromSeconds(1));

        Assert.That(one.Of(percent), Is.EqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public void A_sample_added_after_a_question_counts_for_the_next()
    {
        Percentiles samples = new();
        samples.Add(TimeSpan.FromSeconds(2));
        _ = samples.Of(100);

        samples.Add(TimeSpan.FromSeconds(1));

        Assert.That(samples.Of(0), Is.EqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public void Without_samples_there_is_no_percentile()
        => Assert.That(() => new Percentiles().Of(50), Throws.InvalidOperationException);

    [Test]
    public void A_percentage_outside_its_range_is_refused([Values(-1, 101)] double percent)
        => Assert.That(() => new Percentiles().Of(percent), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
