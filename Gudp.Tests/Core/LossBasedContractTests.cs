using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What every controller must do that reduces a window at a loss; one subclass per controller.</summary>
public abstract class LossBasedContractTests : CongestionContractTests
{
    [TestCase(1200, 10, 12_000, TestName = "Ten usual packets")]
    [TestCase(1472, 10, 14_720, TestName = "Ten packets of the size the cap is made for")]
    [TestCase(1473, 10, 14_720, TestName = "Packets one byte larger meet the cap")]
    [TestCase(9000, 10, 18_000, TestName = "Two packets when they exceed the cap")]
    [TestCase(1200, 32, 38_400, TestName = "Thirty-two packets on a local network")]
    public void Initial_window(int packetBytes, int packets, int expected)
        => Assert.That(Create(packetBytes, packets).WindowBytes, Is.EqualTo(expected));

    [Test]
    public void Slow_start_doubles_the_window_in_a_round_trip()
    {
        CongestionFlow flow = Flow(packets: 10);

        flow.RunRounds(3);

        Assert.That(flow.Window, Is.EqualTo(8 * 10 * PacketBytes));
    }

    [Test]
    public void A_window_that_was_not_filled_does_not_grow_after_a_loss_either()
    {
        CongestionFlow flow = Flow(packets: 100);
        flow.LoseOne();
        flow.RunRounds(1);
        int before = flow.Window;

        flow.RunRounds(100, applicationLimited: true);

        Assert.That(flow.Window, Is.EqualTo(before));
    }

    [Test]
    public void A_loss_reduces_the_window()
    {
        CongestionFlow flow = Flow(packets: 100);

        flow.LoseOne();

        Assert.That(flow.Window, Is.EqualTo(100 * PacketBytes * KeptShare).Within(1));
    }

    [Test]
    public void Losses_of_packets_sent_before_a_reduction_do_not_reduce_again()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.Advance(OneRoundTrip);

        flow.Lose(sentAt);
        int once = flow.Window;
        flow.Advance(OneRoundTrip / 2);
        flow.Lose(sentAt);
        flow.Lose(sentAt + OneRoundTrip);

        Assert.That(flow.Window, Is.EqualTo(once));
    }

    [Test]
    public void The_loss_of_a_packet_sent_one_tick_after_a_reduction_reduces_again()
    {
        CongestionFlow flow = Flow(packets: 100);
        flow.LoseOne();
        int once = flow.Window;
        Instant sentAt = flow.Now + new TimeSpan(1);
        flow.Advance(OneRoundTrip);

        flow.Lose(sentAt);

        Assert.That(flow.Window, Is.EqualTo(once * KeptShare).Within(1));
    }

    [Test]
    public void Packets_sent_before_a_reduction_do_not_grow_the_window()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.LoseOne();
        int before = flow.Window;

        for (int i = 0; i < 1_000; i++)
        {
            flow.Acknowledge(PacketBytes, sentAt, applicationLimited: false);
        }

        Assert.That(flow.Window, Is.EqualTo(before));
    }

    [Test]
    public void After_a_loss_the_window_grows_but_not_as_in_slow_start()
    {
        CongestionFlow flow = Flow(packets: 100);
        flow.LoseOne();
        int before = flow.Window;

        flow.RunRounds(5);

        Assert.That(flow.Window, Is.GreaterThan(before + PacketBytes).And.LessThan(before * 1.5));
    }

    [Test]
    public void No_number_of_losses_brings_the_window_below_two_packets()
    {
        CongestionFlow flow = Flow(packets: 10);

        for (int i = 0; i < 100; i++)
        {
            flow.LoseOne();
        }

        Assert.That(flow.Window, Is.EqualTo(2 * PacketBytes));
    }

    [Test]
    public void Persistent_congestion_brings_the_window_to_two_packets()
    {
        CongestionFlow flow = Flow(packets: 100);

        flow.LoseOne(persistent: true);

        Assert.That(flow.Window, Is.EqualTo(2 * PacketBytes));
    }

    [Test]
    public void From_persistent_congestion_slow_start_leads_back_to_the_threshold()
    {
        CongestionFlow flow = Flow(packets: 100);
        flow.LoseOne(persistent: true);

        flow.RunRounds(4);

        Assert.That(flow.Window, Is.EqualTo(2 * 16 * PacketBytes));
        Assert.That(flow.Controller.IsBusy, Is.False);
    }

    [Test]
    public void Further_losses_noticed_with_persistent_congestion_do_not_lower_the_threshold()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.LoseOne(persistent: true);
        flow.Lose(sentAt);

        flow.RunRounds(4);

        Assert.That(flow.Window, Is.EqualTo(2 * 16 * PacketBytes));
    }

    [Test]
    public void A_reduction_is_undone_once_all_its_losses_proved_wrong()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.LoseOne();
        flow.Lose(sentAt);

        bool byOne = flow.Controller.OnSpuriousLoss(sentAt, flow.Now);
        int afterOne = flow.Window;
        bool byBoth = flow.Controller.OnSpuriousLoss(sentAt, flow.Now);

        Assert.That((byOne, byBoth), Is.EqualTo((false, true)));
        Assert.That(afterOne, Is.LessThan(100 * PacketBytes));
        Assert.That(flow.Window, Is.EqualTo(100 * PacketBytes));
        Assert.That(flow.Controller.IsBusy, Is.False);
    }

    [Test]
    public void After_an_undone_reduction_slow_start_goes_on()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.LoseOne();
        flow.Controller.OnSpuriousLoss(sentAt, flow.Now);

        flow.RunRounds(1);

        Assert.That(flow.Window, Is.EqualTo(200 * PacketBytes));
    }

    [Test]
    public void A_true_loss_noticed_after_an_undone_reduction_still_reduces()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.LoseOne();
        flow.Controller.OnSpuriousLoss(sentAt, flow.Now);

        flow.Lose(sentAt);

        Assert.That(flow.Window, Is.EqualTo(100 * PacketBytes * KeptShare).Within(1));
    }

    [Test]
    public void A_wrong_loss_of_an_earlier_reduction_does_not_undo_the_last()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.LoseOne();
        flow.LoseOne();
        int before = flow.Window;

        flow.Controller.OnSpuriousLoss(sentAt, flow.Now);

        Assert.That(flow.Window, Is.EqualTo(before));
    }

    [Test]
    public void Persistent_congestion_is_not_undone()
    {
        CongestionFlow flow = Flow(packets: 100);
        Instant sentAt = flow.Now;
        flow.LoseOne(persistent: true);

        flow.Controller.OnSpuriousLoss(sentAt, flow.Now);

        Assert.That(flow.Window, Is.EqualTo(2 * PacketBytes));
    }

    [Test]
    public void Larger_packets_raise_the_least_window_and_smaller_ones_do_not_shrink_it()
    {
        CongestionFlow flow = Flow(packets: 2);

        flow.Controller.OnPacketSizeChanged(9000);
        int larger = flow.Window;
        flow.Controller.OnPacketSizeChanged(PacketBytes);

        Assert.That(larger, Is.EqualTo(18_000));
        Assert.That(flow.Window, Is.EqualTo(18_000));
    }

    private protected abstract double KeptShare { get; }
}
