using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Channels;

[TestFixture]
public sealed class PublicationPlanTests
{
    private const ulong Seed = 42;
    private const int Messages = 20_000;

    private static readonly ulong Channel = Digest.ChannelKey("o");
    private static readonly ulong Publisher = Digest.ChannelKey("p");
    private static readonly ulong[] Receivers = [.. "abcdef".Select(name => Digest.ChannelKey($"{name}"))];

    private static ChannelModel Worst => new(
        Channel, LatencyModel.Uniform(3, 50), new ChannelChances(50_000, 100_000, 20_000, 30_000), true);

    [Test]
    public void A_channel_without_faults_delivers_once_at_the_nominal_arrival()
    {
        ChannelModel channel = new(Channel, LatencyModel.Constant(Delay.Of(4, 2)), default, true);

        PublicationPlan plan = channel.Plan(Seed, Publisher, 1, 10);

        Assert.That(channel.IsPlain);
        Assert.That(plan.IsLost, Is.False);
        Assert.That(plan.Nominal, Is.EqualTo(new Tag(14, 2)));
        Assert.That(plan.For(Receivers[0]), Is.EqualTo(new ReceiverPlan(true, new Tag(14, 2), false, default)));
    }

    [Test]
    public void Loss_at_the_sender_is_for_everybody_and_as_frequent_as_said()
    {
        ChannelModel channel = new(Channel, LatencyModel.None, new ChannelChances(100_000, 0, 0, 0), false);
        int lost = 0;

        for (int i = 1; i <= Messages; i++)
        {
            PublicationPlan plan = channel.Plan(Seed, Publisher, i, 10);
            lost += plan.IsLost ? 1 : 0;
            Assert.That(Receivers.Select(receiver => plan.For(receiver).Arrives), Is.All.EqualTo(!plan.IsLost));
        }

        Assert.That(lost, Is.InRange(Messages * 0.09, Messages * 0.11));
    }

    [Test]
    public void Loss_at_receivers_strikes_each_on_its_own_and_as_often_as_said()
    {
        ChannelModel channel = new(Channel, LatencyModel.None, new ChannelChances(0, 100_000, 0, 0), false);
        int first = 0;
        int both = 0;

        for (int i = 1; i <= Messages; i++)
        {
            PublicationPlan plan = channel.Plan(Seed, Publisher, i, 10);
            bool isLost = !plan.For(Receivers[0]).Arrives;
            first += isLost ? 1 : 0;
            both += isLost && !plan.For(Receivers[1]).Arrives ? 1 : 0;
        }

        Assert.That(first, Is.InRange(Messages * 0.09, Messages * 0.11));
        Assert.That(both, Is.InRange(Messages * 0.007, Messages * 0.013));
    }

    [Test]
    public void A_duplicate_draws_its_own_latency_as_copy_1([Values] bool scatters)
    {
        //
        ChannelModel channel = new(
            Channel, LatencyModel.Uniform(0, 999), new ChannelChances(0, 0, ChannelDraws.Million, 0), scatters);
        MessageIdentity message = new(Publisher, 7, Channel);
        ulong keyed = scatters ? Receivers[2] : ChannelDraws.AllReceivers;
        ulong draw = ChannelDraws.Draw(Seed, in message, keyed, 1, DrawPurpose.Latency);

        ReceiverPlan plan = channel.Plan(Seed, Publisher, 7, 10).For(Receivers[2]);

        Assert.That((plan.Arrives, plan.IsDoubled), Is.EqualTo((true, true)));
        Assert.That(plan.DoubleArrival, Is.EqualTo(new Tag(10, 0) + Delay.Ticks((long)ChannelDraws.Below(draw, 1000))));
        Assert.That(plan.DoubleArrival, Is.Not.EqualTo(plan.Arrival));
    }

    [Test]
    public void Duplicates_are_made_once_for_all_or_for_each_receiver()
    {
        ChannelModel atSender = new(Channel, LatencyModel.None, new ChannelChances(0, 0, 100_000, 0), false);
        ChannelModel atReceiver = new(Channel, LatencyModel.None, new ChannelChances(0, 0, 0, 100_000), false);

        int[] shared = CountDoubles(atSender);
        int[] own = CountDoubles(atReceiver);

        Assert.That(shared[0], Is.InRange(Messages * 0.09, Messages * 0.11));
        Assert.That(shared, Is.EqualTo(new[] { shared[0], shared[0] }));
        Assert.That(own[0], Is.InRange(Messages * 0.09, Messages * 0.11));
        Assert.That(own[1], Is.InRange(Messages * 0.007, Messages * 0.013));
    }

    [Test]
    public void Each_copy_is_lost_on_its_own()
    {
        ChannelModel channel = new(
            Channel, LatencyModel.None, new ChannelChances(0, 500_000, ChannelDraws.Million, 0), false);
        HashSet<(bool, bool)> seen = [];

        for (int i = 1; i <= 100; i++)
        {
            ReceiverPlan plan = channel.Plan(Seed, Publisher, i, 10).For(Receivers[0]);
            seen.Add((plan.Arrives, plan.IsDoubled));
        }

        Assert.That(seen, Has.Count.EqualTo(4));
    }

    [Test]
    public void Without_scatter_all_receivers_have_one_arrival_and_with_it_their_own()
    {
        LatencyModel latency = LatencyModel.Uniform(1, 1_000_000);

        Assert.That(Arrivals(new ChannelModel(Channel, latency, default, false)), Has.Count.EqualTo(1));
        Assert.That(Arrivals(new ChannelModel(Channel, latency, default, true)), Has.Count.EqualTo(Receivers.Length));
    }

    [Test]
    public void No_arrival_is_below_the_minimum_or_above_the_maximum()
    {
        ChannelModel channel = new(
            Channel, LatencyModel.Table((2, 1), (3, 5), (40, 1)), new ChannelChances(0, 0, 500_000, 0), true);
        Tag from = new(10, 7);

        for (int i = 1; i <= 1000; i++)
        {
            ReceiverPlan plan = channel.Plan(Seed, Publisher, i, from).For(Receivers[i % Receivers.Length]);

            Assert.That(plan.Arrival, Is.InRange(from + Delay.Ticks(2), from + Delay.Ticks(40)));
            Assert.That(plan.DoubleArrival, Is.InRange(from + Delay.Ticks(2), from + Delay.Ticks(40)));
        }
    }

    [Test]
    public void A_latency_of_nothing_keeps_the_round_of_the_publication()
    {
        ChannelModel channel = new(Channel, LatencyModel.Table((0, 1), (5, 1)), default, false);
        HashSet<Tag> arrivals = [];

        for (int i = 1; i <= 50; i++)
        {
            arrivals.Add(channel.Plan(Seed, Publisher, i, new Tag(10, 7)).For(Receivers[0]).Arrival);
        }

        Assert.That(arrivals, Is.EquivalentTo(new[] { new Tag(10, 7), new Tag(15, 0) }));
    }

    [Test]
    public void Neither_the_order_of_questions_nor_other_receivers_change_an_answer()
    {
        Dictionary<(int, ulong), ReceiverPlan> forward = [];
        Dictionary<(int, ulong), ReceiverPlan> alone = [];

        for (int i = 1; i <= 500; i++)
        {
            foreach (ulong receiver in Receivers)
            {
                forward[(i, receiver)] = Worst.Plan(Seed, Publisher, i, i).For(receiver);
            }
        }

        ChannelModel channel = Worst;

        for (int i = 500; i >= 1; i--)
        {
            alone[(i, Receivers[3])] = channel.Plan(Seed, Publisher, i, i).For(Receivers[3]);
        }

        Assert.That(alone.All(asked => forward[asked.Key] == asked.Value));
        Assert.That(forward.Values.Distinct().Count(), Is.GreaterThan(1_000));
    }

    [Test]
    public void A_message_of_the_log_has_the_fate_it_had_when_it_was_published()
    {
        ChannelModel channel = Worst;

        for (int i = 1; i <= 500; i++)
        {
            PublicationPlan published = channel.Plan(Seed, Publisher, i, new Tag(i, 3));
            PublicationPlan read = channel.PlanNominal(Seed, Publisher, i, published.Nominal);

            Assert.That(read.IsLost, Is.EqualTo(published.IsLost));
            Assert.That(read.For(Receivers[0]), Is.EqualTo(published.For(Receivers[0])));
        }
    }

    [Test]
    public void Another_seed_is_another_network()
    {
        bool[] first = [.. Enumerable.Range(1, 500).Select(i => Worst.Plan(1, Publisher, i, i).IsLost)];
        bool[] second = [.. Enumerable.Range(1, 500).Select(i => Worst.Plan(2, Publisher, i, i).IsLost)];

        Assert.That(first, Is.Not.EqualTo(second));
    }

    [Test]
    [Category("Release")]
    public void Planning_a_publication_allocates_nothing()
    {
        ChannelModel channel = Worst;
        long sum = PlanSome(channel, 1_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        sum += PlanSome(channel, 10_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
        Assert.That(sum, Is.Positive);
    }

    private static long PlanSome(ChannelModel channel, int count)
    {
        long sum = 0;

        for (int i = 1; i <= count; i++)
        {
            PublicationPlan plan = channel.Plan(Seed, Publisher, i, i);

            foreach (ulong receiver in Receivers)
            {
                sum += plan.For(receiver).Arrival.Time;
            }
        }

        return sum;
    }

    /// <returns>Of the first receiver, and of the first two together.</returns>
    private static int[] CountDoubles(ChannelModel channel)
    {
        int first = 0;
        int both = 0;

        for (int i = 1; i <= Messages; i++)
        {
            PublicationPlan plan = channel.Plan(Seed, Publisher, i, 10);
            bool isDoubled = plan.For(Receivers[0]).IsDoubled;
            first += isDoubled ? 1 : 0;
            both += isDoubled && plan.For(Receivers[1]).IsDoubled ? 1 : 0;
        }

        return [first, both];
    }

    private static HashSet<Tag> Arrivals(ChannelModel channel)
    {
        PublicationPlan plan = channel.Plan(Seed, Publisher, 1, 10);
        return [.. Receivers.Select(receiver => plan.For(receiver).Arrival)];
    }
}
