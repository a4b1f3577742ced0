using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What every congestion controller must do; one subclass per controller.</summary>
public abstract class CongestionContractTests
{
    private protected const int PacketBytes = 1200;

    private protected static readonly TimeSpan OneRoundTrip = TimeSpan.FromMilliseconds(100);

    [Test]
    public void A_fresh_controller_is_not_busy()
        => Assert.That(Create(PacketBytes, 10).IsBusy, Is.False);

    // P-5.2
    [Test]
    public void A_window_that_was_not_filled_does_not_grow()
    {
        CongestionFlow flow = Flow(packets: 10);

        // The first round may settle what the round trip is.
        flow.RunRounds(1, applicationLimited: true);
        int before = flow.Window;

        flow.RunRounds(5, applicationLimited: true);

        Assert.That(flow.Window, Is.EqualTo(before));
    }

    [Test]
    public void It_is_busy_until_a_packet_sent_after_the_reduction_is_acked()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentBefore = flow.Now;
        flow.LoseOne();

        bool after = flow.Controller.IsBusy;
        flow.Acknowledge(PacketBytes, sentBefore, applicationLimited: false);
        bool still = flow.Controller.IsBusy;
        flow.RunRounds(1);

        Assert.That(after, Is.True);
        Assert.That(still, Is.True);
        Assert.That(flow.Controller.IsBusy, Is.False);
    }

    // Goal: nothing that can happen to a flow takes the window out of its limits, and the same events give the same
    // windows again.
    [Test]
    public void Whatever_happens_the_window_keeps_its_limits_and_repeats([Range(1, 20)] int seed)
    {
        List<int> first = RandomWalk(seed);
        List<int> second = RandomWalk(seed);

        Assert.That(first, Has.All.InRange(2 * PacketBytes, CongestionWindow.MaxBytes));
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void A_wrong_loss_without_any_reduction_changes_nothing()
    {
        CongestionFlow flow = Flow(packets: 100);
        int before = flow.Window;

        flow.Controller.OnSpuriousLoss(flow.Now, flow.Now);

        Assert.That(flow.Window, Is.EqualTo(before));
    }

    [Test]
    public void Persistent_congestion_leaves_two_packets_or_more_and_is_recovered_from()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.RunRounds(10);
        int before = flow.Window;

        flow.LoseOne(persistent: true);
        int after = flow.Window;
        flow.RunRounds(30);

        Assert.That(after, Is.InRange(2 * PacketBytes, before));
        Assert.That(flow.Window, Is.GreaterThanOrEqualTo(before / 4));
    }

    [Test]
    public void After_a_minute_of_silence_the_flow_goes_on()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.RunRounds(10);
        int before = flow.Window;

        flow.Advance(TimeSpan.FromMinutes(1));
        flow.RunRounds(10);

        Assert.That(flow.Window, Is.GreaterThanOrEqualTo(before / 2));
    }

    [Test]
    public void The_window_holds_two_packets_of_any_size()
    {
        CongestionFlow flow = Flow(packets: 2);

        flow.Controller.OnPacketSizeChanged(9000);
        int larger = flow.Window;
        flow.Controller.OnPacketSizeChanged(PacketBytes);

        Assert.That(larger, Is.GreaterThanOrEqualTo(18_000));
        Assert.That(flow.Window, Is.GreaterThanOrEqualTo(2 * PacketBytes));
    }

    // Goal: neither the shortest nor the longest round trip, nor the largest window, leaves the range of the integers.
    [TestCase(1, 65_507, 1_000)]
    [TestCase(36_000_000_000, 65_507, 1_000)]
    [TestCase(36_000_000_000, 1_200, 2)]
    [TestCase(1, 1_200, 2)]
    public void Extremes_keep_window_and_rate_in_their_ranges(long roundTripTicks, int packetBytes, int initialPackets)
    {
        ICongestionController controller = Create(packetBytes, initialPackets);
        CongestionFlow flow = new(controller, new TimeSpan(roundTripTicks), packetBytes);

        for (int i = 0; i < 12; i++)
        {
            flow.RunRounds(1);
            flow.Acknowledge(1 << 30, flow.Now, applicationLimited: false);
            flow.LoseOne(persistent: i % 4 == 3);
            Assert.That(flow.Window, Is.InRange(2 * packetBytes, CongestionWindow.MaxBytes));
            Assert.That(controller.PacingBytesPerSecond, Is.InRange(0, Pacer.MaxBytesPerSecond));
        }
    }

    [Test, Category("Release")]
    public void A_warm_flow_allocates_nothing()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.RunRounds(6);
        flow.LoseOne();
        flow.RunRounds(6);

        long before = GC.GetAllocatedBytesForCurrentThread();
        flow.RunRounds(2);
        flow.LoseOne();
        flow.RunRounds(2);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
    }

    private protected abstract ICongestionController Create(int packetBytes, int initialPackets);

    private protected CongestionFlow Flow(int packets) => new(Create(PacketBytes, packets), OneRoundTrip);

    private List<int> RandomWalk(int seed)
    {
        Prng draws = new((ulong)seed);
        CongestionFlow flow = Flow(packets: 10);
        List<int> windows = [];

        for (int step = 0; step < 5_000; step++)
        {
            flow.Advance(TimeSpan.FromMilliseconds(draws.NextBelow(50)));
            Instant drawn = new(flow.Now.Ticks - draws.NextBelow(2_000_000));
            Instant sentAt = Instant.Later(CongestionFlow.Start, drawn);

            switch (draws.NextBelow(100))
            {
                case 0:
                    flow.Lose(sentAt, persistent: draws.NextBelow(10) == 0);
                    break;
                case 1:
                    flow.Controller.OnSpuriousLoss(sentAt, flow.Now);
                    break;
                case 2:
                    flow.Controller.OnPacketSizeChanged(PacketBytes);
                    break;
                default:
                    flow.Acknowledge(PacketBytes * 8, sentAt, applicationLimited: draws.NextBelow(10) == 0);
                    break;
            }

            windows.Add(flow.Window);
        }

        return windows;
    }
}
