using Gudp.Bench.Transport;
using Gudp.Core;
using Gudp.Core.Simulation;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

[TestFixture]
public sealed class ReferenceTcpTests
{
    private const int QueueBytes = 50_000;      // bandwidth times round trip of the links below

    [Test]
    public void A_reference_flow_alone_fills_its_link([Values("Reno", "Cubic")] string rule)
    {
        double megabits = MegabitsOf(Enum.Parse<ReferenceRule>(rule), lossPercent: 0);

        Assert.That(megabits, Is.InRange(8.5, 10));
    }

    // Mathis et al. 1997: bytes x 1.22 / (round trip x root of the loss) = 1.8 Mbit/s at 4 %, less with time-outs.
    [Test]
    public void A_Reno_flow_slows_down_with_loss_as_the_square_root_law_says()
    {
        double megabits = MegabitsOf(ReferenceRule.Reno, lossPercent: 4);

        Assert.That(megabits, Is.InRange(0.9, 2.7));
    }

    [Test]
    public void Two_Reno_flows_share_alike()
    {
        using BenchWorld world = new(seed: 3);
        (SimulatedHost left, SimulatedHost right) = AddHosts(world, lossPercent: 0);
        ReferenceTcpReceiver first = Add(world, (left, right), ReferenceRule.Reno, port: 1);
        ReferenceTcpReceiver second = Add(world, (left, right), ReferenceRule.Reno, port: 2);

        world.RunTo(world.Now + TimeSpan.FromSeconds(30));

        Assert.That((double)first.ReceivedBytes / second.ReceivedBytes, Is.InRange(0.5, 2.0));
    }

    [Test]
    public void The_window_grows_by_a_packet_per_ack_until_the_first_loss_and_is_then_halved_for_Reno()
    {
        ReferenceWindow window = new(ReferenceRule.Reno);

        for (int i = 0; i < 30; i++)
        {
            window.OnAcked(TimeSpan.FromMilliseconds(40), default);
        }

        double before = window.Packets;
        window.OnLoss();

        Assert.That(before, Is.EqualTo(40));
        Assert.That(window.Packets, Is.EqualTo(20));
    }

    [Test]
    public void A_CUBIC_window_is_back_at_its_top_after_the_time_the_RFC_gives()
    {
        ReferenceWindow window = new(ReferenceRule.Cubic);
        TimeSpan roundTrip = TimeSpan.FromMilliseconds(100);

        for (int i = 0; i < 190; i++)
        {
            window.OnAcked(roundTrip, default);
        }

        window.OnLoss();
        double climbSeconds = Math.Cbrt(200 * 0.3 / 0.4);
        Instant now = default;

        while (now.Ticks < climbSeconds * TimeSpan.TicksPerSecond)
        {
            now += roundTrip / window.Packets;
            window.OnAcked(roundTrip, now);
        }

        Assert.That(window.Packets, Is.EqualTo(200).Within(6));
    }

    private static double MegabitsOf(ReferenceRule rule, double lossPercent)
    {
        const int Seconds = 20;
        using BenchWorld world = new(seed: 1);
        ReferenceTcpReceiver receiver = Add(world, AddHosts(world, lossPercent), rule, port: 1);

        world.RunTo(world.Now + TimeSpan.FromSeconds(Seconds));

        return receiver.ReceivedBytes * 8 / 1e6 / Seconds;
    }

    private static (SimulatedHost Left, SimulatedHost Right) AddHosts(BenchWorld world, double lossPercent)
    {
        SimulatedHost left = world.Network.AddHost();
        SimulatedHost right = world.Network.AddHost();
        world.Network.SetLinks(left, right, Presets.Link(10, 40, lossPercent, QueueBytes));
        return (left, right);
    }

    private static ReferenceTcpReceiver Add(
        BenchWorld world, (SimulatedHost Left, SimulatedHost Right) hosts, ReferenceRule rule, int port)
    {
        ReferenceTcpReceiver receiver = new(hosts.Right, port);
        world.Add(receiver);
        world.Add(new ReferenceTcpSender(hosts.Left, receiver.Address, rule, world.Now));
        return receiver;
    }
}
