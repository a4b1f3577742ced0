using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Channels;

[TestFixture]
public sealed class LatencyModelTests
{
    private const int Draws = 20_000;

    [Test]
    public void A_constant_is_its_own_minimum_and_maximum_and_draws_nothing()
    {
        LatencyModel model = LatencyModel.Constant(Delay.Of(3, 2));

        Assert.That((model.Minimum, model.Maximum), Is.EqualTo((Delay.Of(3, 2), Delay.Of(3, 2))));
        Assert.That(model.IsDrawn, Is.False);
        Assert.That(LatencyModel.None.Maximum, Is.EqualTo(Delay.None));
    }

    [Test]
    public void A_uniform_model_draws_both_ends_and_each_between_about_equally()
    {
        LatencyModel model = LatencyModel.Uniform(5, 9);

        long[] counts = CountDraws(model);

        Assert.That((model.Minimum, model.Maximum), Is.EqualTo((Delay.Ticks(5), Delay.Ticks(9))));
        Assert.That(counts, Has.Length.EqualTo(5));
        Assert.That(counts, Is.All.InRange(Draws / 5 * 0.9, Draws / 5 * 1.1));
    }

    [Test]
    public void A_table_draws_its_rows_by_weight_and_nothing_else()
    {
        LatencyModel model = LatencyModel.Table((10, 1), (4, 6), (7, 3));

        long[] counts = CountDraws(model);

        Assert.That((model.Minimum, model.Maximum), Is.EqualTo((Delay.Ticks(4), Delay.Ticks(10))));
        Assert.That(counts[0], Is.InRange(Draws * 0.57, Draws * 0.63));
        Assert.That(counts[3], Is.InRange(Draws * 0.27, Draws * 0.33));
        Assert.That(counts[6], Is.InRange(Draws * 0.08, Draws * 0.12));
        Assert.That(counts[0] + counts[3] + counts[6], Is.EqualTo(Draws));
    }

    [Test]
    public void The_extremes_of_a_draw_give_the_extremes_of_each_model()
    {
        LatencyModel widest = LatencyModel.Uniform(0, LatencyModel.MaxTicks);
        LatencyModel table = LatencyModel.Table((2, int.MaxValue), (9, int.MaxValue), (5, 1));

        Assert.That((widest.ExtraOf(0), widest.ExtraOf(ulong.MaxValue)), Is.EqualTo((0L, LatencyModel.MaxTicks)));
        Assert.That((table.ExtraOf(0), table.ExtraOf(ulong.MaxValue)), Is.EqualTo((0L, 7L)));
    }

    [Test]
    public void Models_that_draw_the_same_are_equal_however_they_were_written()
    {
        LatencyModel model = LatencyModel.Table((4, 1), (7, 3));

        Assert.That(LatencyModel.Table((7, 1), (4, 1), (7, 2)), Is.EqualTo(model));
        Assert.That(LatencyModel.Table((7, 1), (4, 1), (7, 2)).GetHashCode(), Is.EqualTo(model.GetHashCode()));
        Assert.That(LatencyModel.Uniform(6, 6), Is.EqualTo(LatencyModel.Constant(Delay.Ticks(6))));
        Assert.That(LatencyModel.Table((6, 9)) == LatencyModel.Constant(Delay.Ticks(6)), Is.True);
    }

    [Test]
    public void Models_that_draw_differently_differ()
    {
        LatencyModel[] models =
        [
            LatencyModel.None, LatencyModel.Constant(Delay.Ticks(4)), LatencyModel.Constant(Delay.Of(4, 1)),
            LatencyModel.Uniform(4, 7), LatencyModel.Table((4, 1), (7, 3)), LatencyModel.Table((4, 2), (7, 3)),
            LatencyModel.Table((4, 1), (5, 1), (7, 2)),
        ];

        Assert.That(models, Is.Unique);
        Assert.That(models[3].ToString(), Is.EqualTo("uniform 4 to 7 ticks"));
        Assert.That(models[4].ToString(), Is.EqualTo("table of 2 rows, 4 to 7 ticks"));
        Assert.That(models[0] != models[1], Is.True);
        Assert.That(models[0], Is.Not.EqualTo(null));
    }

    [Test]
    public void What_is_no_latency_is_refused_at_once()
    {
        Assert.Multiple(() =>
        {
            AssertRefused(() => LatencyModel.Constant(Delay.Ticks(LatencyModel.MaxTicks + 1)));
            AssertRefused(() => LatencyModel.Uniform(-1, 4));
            AssertRefused(() => LatencyModel.Uniform(5, 4));
            AssertRefused(() => LatencyModel.Uniform(5, LatencyModel.MaxTicks + 1));
            AssertRefused(() => LatencyModel.Table());
            AssertRefused(() => LatencyModel.Table((-1, 1)));
            AssertRefused(() => LatencyModel.Table((1, 0)));
            AssertRefused(() => LatencyModel.Table((LatencyModel.MaxTicks + 1, 1)));
            AssertRefused(() => LatencyModel.Table(new (long, int)[LatencyModel.MaxRows + 1]));
        });
    }

    private static void AssertRefused(Action make) => Assert.Throws<ArgumentOutOfRangeException>(make);

    /// <returns>How often each number of ticks above the minimum was drawn.</returns>
    private static long[] CountDraws(LatencyModel model)
    {
        long[] counts = new long[model.Maximum.Time - model.Minimum.Time + 1];

        for (int i = 0; i < Draws; i++)
        {
            MessageIdentity message = new(1, i, 2);
            counts[model.ExtraOf(ChannelDraws.Draw(7, in message, 3, 0, DrawPurpose.Latency))]++;
        }

        return counts;
    }
}
