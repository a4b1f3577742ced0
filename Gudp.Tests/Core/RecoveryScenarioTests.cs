using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Loss recovery, acks and time-outs over whole connections in virtual time.</summary>
[TestFixture]
public sealed class RecoveryScenarioTests
{
    private static readonly LinkModel TenMegabit = new()
    {
        Delay = TimeSpan.FromMilliseconds(25),
        RateBytesPerSecond = 1_250_000,
        QueueBytes = 125_000,
    };

    private const int PeerBuffer = 128 * 1024;

    private static readonly GudpConfig SmallSockets = SimWorld.Plain with
    {
        Sockets = SimWorld.Plain.Sockets with { ReceiveBufferBytes = PeerBuffer },
    };

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    [Test]
    public void T6_After_a_black_hole_ten_megabytes_go_on_within_one_probe_time_out_of_light()
    {
        TimeSpan period = TimeSpan.FromSeconds(7);
        TimeSpan dark = TimeSpan.FromSeconds(2);
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit with { QueueBytes = 64_000, OutageEvery = period, OutageFor = dark };
        Pair pair = world.AddConnectedPair();
        PacketStream stream = new(world, pair.Client, pair.Server);
        TimeSpan latestResume = TimeSpan.Zero;
        int holes = 0;

        stream.Arrived = (last, now) =>
        {
            if (now - last > dark / 2)
            {
                holes++;
                TimeSpan resume = new(now.Ticks % period.Ticks);
                latestResume = resume > latestResume ? resume : latestResume;
            }
        };

        world.RunUntil(() => stream.ArrivedBytes >= 10_000_000, TimeSpan.FromSeconds(20));

        // The wait doubles in the dark up to LargestProbeTimeout; then one way, twice while the queue fills.
        TimeSpan probe = new LossConfig().LargestProbeTimeout + (2 * TenMegabit.Delay);
        Assert.That(holes, Is.EqualTo(1));
        Assert.That(latestResume, Is.LessThan(probe), world.ReplayLine);
    }

    // P-5.1: a quarter of the buffer for each 10 ms of the 50 ms round trip, and never more.
    [Test]
    public void What_is_in_flight_stays_within_the_peers_buffer_for_each_pause_of_its_reader()
    {
        using SimWorld world = new(2);
        world.Network.DefaultLink = TenMegabit with { RateBytesPerSecond = 0, Delay = TimeSpan.FromMilliseconds(25) };
        Pair pair = world.AddConnectedPair(SmallSockets);
        _ = new PacketStream(world, pair.Client, pair.Server);

        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(pair.Client.ReadCounters().WindowBytes, Is.EqualTo(5 * PeerBuffer / 4));
        Assert.That(pair.Client.ReadCounters().PacketsLost, Is.Zero);
    }

    // P-5.2: a window that the buffer kept from being filled has not grown beyond all use meanwhile.
    [Test]
    public void A_loss_is_felt_at_once_after_the_peers_buffer_limited_for_long()
    {
        using SimWorld world = new(3);
        LinkModel link = TenMegabit with { RateBytesPerSecond = 0, Delay = TimeSpan.FromMilliseconds(25) };
        world.Network.DefaultLink = link;
        Pair pair = world.AddConnectedPair(SmallSockets);
        _ = new PacketStream(world, pair.Client, pair.Server);
        world.Run(TimeSpan.FromSeconds(20));

        world.Network.DefaultLink = link with { LossPpm = 50_000 };
        world.Run(TimeSpan.FromMilliseconds(200));

        Assert.That(pair.Client.ReadCounters().PacketsLost, Is.Positive);
        Assert.That(pair.Client.ReadCounters().WindowBytes, Is.LessThan(5 * PeerBuffer / 4));
    }

    // P-5.1: 5 packets of 500 bytes fit two full ones; a full one kept free besides would stop every third of them.
    [Test]
    public void A_flow_of_small_packets_goes_on_at_the_least_window_without_waiting()
    {
        using SimWorld world = new(4);
        Pair pair = AtLeastWindow(world);

        int arrived = SendEvery(world, pair, TimeSpan.FromMilliseconds(10), bytes: 500, packets: 30);

        Assert.That(arrived, Is.GreaterThanOrEqualTo(27), "The last two are on their way.");
    }

    // P-5.2
    [Test]
    public void The_window_of_a_small_flow_grows_until_it_has_room_for_a_full_packet_and_no_further()
    {
        using SimWorld world = new(5);
        Pair pair = AtLeastWindow(world);
        TimeSpan tick = TimeSpan.FromMilliseconds(16);
        long before = pair.Client.ReadCounters().WindowBytes;

        SendEvery(world, pair, tick, bytes: 600, packets: 120);
        long after = pair.Client.ReadCounters().WindowBytes;
        SendEvery(world, pair, tick, bytes: 600, packets: 120);

        Assert.That(after, Is.InRange(before + 100, 2 * before));
        Assert.That(pair.Client.ReadCounters().WindowBytes, Is.EqualTo(after));
    }

    [Test]
    public void T6_After_a_black_hole_the_window_is_restored_within_a_second()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit with { QueueBytes = 64_000 };
        Pair pair = world.AddConnectedPair();
        PacketStream stream = new(world, pair.Client, pair.Server);
        world.Run(TimeSpan.FromSeconds(5));
        Cut(world, pair, isCut: true);
        world.Run(TimeSpan.FromMilliseconds(100));      // what was under way still arrives
        long before = pair.Client.ReadCounters().WindowBytes;
        world.Run(TimeSpan.FromSeconds(1.9));
        long dark = pair.Client.ReadCounters().WindowBytes;

        Cut(world, pair, isCut: false);
        Instant last = stream.LastArrival;
        world.RunUntil(() => stream.LastArrival > last, TimeSpan.FromSeconds(2));
        world.Run(TimeSpan.FromSeconds(1));

        // Probe time-outs alone have not touched it (P-3.2); the losses they found were persistent congestion (P-3.6).
        Assert.That(dark, Is.EqualTo(before));
        Assert.That(pair.Client.ReadCounters().PersistentCongestions, Is.Positive);
        Assert.That(pair.Client.ReadCounters().WindowBytes, Is.GreaterThan(before * 7 / 10), world.ReplayLine);
    }

    [Test]
    public void T6_A_permanent_black_hole_ends_in_the_time_out_of_what_each_end_waits_for()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit;
        Pair pair = world.AddConnectedPair();
        PacketStream stream = new(world, pair.Client, pair.Server);
        world.Run(TimeSpan.FromSeconds(3));
        Instant cut = world.Now;
        Cut(world, pair, isCut: true);

        world.RunUntil(() => pair.Server.Status.IsFinal, TimeSpan.FromSeconds(60));
        TimeSpan receiver = world.Now - cut;
        world.RunUntil(() => pair.Client.Status.IsFinal, TimeSpan.FromSeconds(60));
        TimeSpan sender = world.Now - cut;

        // P-6.2 and P-6.3: the receiver has nothing to deliver, the sender a full queue. What was under way still came.
        TimeSpan underWay = TimeSpan.FromMilliseconds(200);
        Assert.That(stream.ArrivedBytes, Is.Positive);
        Assert.That(receiver, Is.InRange(Idle, Idle + underWay));
        Assert.That(sender, Is.InRange(2 * Idle, (2 * Idle) + Heartbeat));
        Assert.That(pair.Client.CloseReason!.Code, Is.EqualTo(CloseCode.IdleTimeout));
    }

    [Test]
    public void A_connection_with_undelivered_data_outlives_a_silence_longer_than_the_idle_time_out()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit;
        Pair pair = world.AddConnectedPair(WithConnections(c => c with { IdleTimeout = TimeSpan.FromSeconds(3) }));
        _ = new PacketStream(world, pair.Client, pair.Server);
        world.Run(TimeSpan.FromSeconds(1));
        pair.Right.IsStopped = true;

        world.Run(TimeSpan.FromSeconds(5));
        bool isAlive = !pair.Client.Status.IsFinal;
        world.Run(TimeSpan.FromSeconds(3));

        // M35: two idle time-outs, and no more than a heartbeat beyond.
        Assert.That(isAlive, Is.True);
        Assert.That(pair.Client.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
    }

    [Test]
    public void T16_Reordering_is_learnt_and_wrong_losses_are_undone([Values(5, 50, 250)] int roundTripMs)
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit with
        {
            Delay = TimeSpan.FromMilliseconds(roundTripMs) / 2,
            ReorderPpm = 300_000,
            ReorderBy = TimeSpan.FromMilliseconds(40),
        };
        Pair pair = world.AddConnectedPair();
        _ = new PacketStream(world, pair.Client, pair.Server);

        world.Run(TimeSpan.FromSeconds(3));
        ConnectionCounters warm = pair.Client.ReadCounters();
        world.Run(TimeSpan.FromSeconds(6));
        ConnectionCounters end = pair.Client.ReadCounters();

        long sent = end.DatagramsSent - warm.DatagramsSent;
        long wrong = end.PacketsSpuriouslyLost - warm.PacketsSpuriouslyLost;
        Assert.That(end.ReductionsUndone, Is.Positive);
        Assert.That(sent, Is.GreaterThan(4_000));
        Assert.That(wrong * 100, Is.LessThan(sent * 2), $"{wrong} of {sent}. {world.ReplayLine}");
    }

    // The third has a queue shorter than its window: it loses now and then, and is told of that at once.
    [TestCase(2, 40)]
    [TestCase(20, 40)]
    [TestCase(50, 60)]
    public void A_transfer_needs_far_fewer_acks_and_is_no_slower(int oneWayMs, int mostPercent)
    {
        LinkModel link = TenMegabit with
        {
            Delay = TimeSpan.FromMilliseconds(oneWayMs),
            RateBytesPerSecond = 2_500_000,
        };

        (long acks, long bytes) usual = Transfer(link, mostPacketsPerAck: 2);
        (long acks, long bytes) thin = Transfer(link, mostPacketsPerAck: 32);

        Assert.That(thin.acks * 100, Is.LessThan(usual.acks * mostPercent), $"{thin} against {usual}");
        Assert.That(thin.bytes * 100, Is.GreaterThan(usual.bytes * 98), $"{thin} against {usual}");
    }

    [Test]
    public void Pure_acks_keep_to_their_maximum_and_the_transfer_goes_on()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit;
        Pair pair = world.AddConnectedPair(
            WithConnections(c => c with { Loss = new LossConfig { MaxAcksPerSecond = 50 } }));
        PacketStream stream = new(world, pair.Client, pair.Server);
        long before = pair.Server.ReadCounters().PureAcksSent;

        world.Run(TimeSpan.FromSeconds(4));

        Assert.That(pair.Server.ReadCounters().PureAcksSent - before, Is.InRange(150, 201));
        Assert.That(stream.ArrivedBytes, Is.GreaterThan(4_000_000));
    }

    [Test]
    public void Numbers_are_left_out_without_any_harm_to_an_honest_peer()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit with { QueueBytes = 10_000_000 };
        Pair pair = world.AddConnectedPair();
        PacketStream stream = new(world, pair.Client, pair.Server);

        world.Run(TimeSpan.FromSeconds(4));

        ConnectionCounters client = pair.Client.ReadCounters();
        Assert.That(client.NumbersSkipped, Is.InRange(3, 20));
        Assert.That(client.PacketsLost, Is.Zero);
        Assert.That(stream.ArrivedBytes, Is.Positive);
    }

    [Test]
    public void A_path_that_loses_too_much_ends_the_connection_and_the_peer_is_told()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit;
        Pair pair = world.AddConnectedPair(WithConnections(
            c => c with { Quality = new() { MostLossPercent = 20, Patience = TimeSpan.FromSeconds(3) } }));
        world.Network.SetLink(pair.Left.Host, pair.Right.Host, TenMegabit with { LossPpm = 400_000 });

        for (int i = 0; i < 2_000 && !pair.Client.Status.IsFinal; i++)
        {
            pair.Client.TrySend("much of this is lost"u8);
            world.Run(TimeSpan.FromMilliseconds(5));
        }

        world.Run(TimeSpan.FromSeconds(1));

        Assert.That(pair.Client.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
        Assert.That(pair.Client.CloseReason!.Code, Is.EqualTo(CloseCode.QualityTooLow));
        Assert.That(pair.Client.CloseReason!.Detail, Does.Contain("Quality.MostLossPercent is 20"));
        Assert.That(pair.Server.Status.Reasons, Is.EqualTo(FinalReasons.ClosedByPeer));
        Assert.That(pair.Server.CloseReason!.Code, Is.EqualTo(CloseCode.QualityTooLow));
    }

    [Test]
    public void Heartbeats_leave_only_when_nothing_else_does()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMegabit;
        Pair pair = world.AddConnectedPair();

        for (int i = 0; i < 100; i++)
        {
            pair.Client.TrySend("tick"u8);
            world.Run(TimeSpan.FromMilliseconds(100));
        }

        long busy = pair.Client.ReadCounters().HeartbeatsSent + pair.Server.ReadCounters().HeartbeatsSent;
        world.Run(TimeSpan.FromSeconds(10));
        long idle = pair.Client.ReadCounters().HeartbeatsSent + pair.Server.ReadCounters().HeartbeatsSent;

        Assert.That(busy, Is.Zero);
        Assert.That(idle, Is.InRange(9, 22));
    }

    private static (long Acks, long Bytes) Transfer(LinkModel link, int mostPacketsPerAck)
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = link;
        Pair pair = world.AddConnectedPair(
            WithConnections(c => c with { Loss = new LossConfig { MostPacketsPerAck = mostPacketsPerAck } }));
        PacketStream stream = new(world, pair.Client, pair.Server);
        world.Run(TimeSpan.FromSeconds(3));
        return (pair.Server.ReadCounters().PureAcksSent, stream.ArrivedBytes);
    }

    private static GudpConfig WithConnections(Func<ConnectionConfig, ConnectionConfig> change)
        => SimWorld.Plain with { Connections = change(SimWorld.Plain.Connections) };

    // Chance losses have taken the window of a small flow as far as it goes; now the path is clean.
    private static Pair AtLeastWindow(SimWorld world)
    {
        LinkModel link = TenMegabit with { RateBytesPerSecond = 0 };
        world.Network.DefaultLink = link;
        Pair pair = world.AddConnectedPair();
        world.Network.DefaultLink = link with { LossPpm = 300_000 };
        SendEvery(world, pair, TimeSpan.FromMilliseconds(16), bytes: 100, packets: 200);
        world.Network.DefaultLink = link;
        world.Run(TimeSpan.FromSeconds(1));
        SendEvery(world, pair, TimeSpan.FromMilliseconds(16), bytes: 100, packets: 20);
        ConnectionCounters counters = pair.Client.ReadCounters();
        Assert.That(counters.WindowBytes, Is.EqualTo(2 * counters.PacketBytes));
        return pair;
    }

    private static int SendEvery(SimWorld world, Pair pair, TimeSpan tick, int bytes, int packets)
    {
        byte[] packet = new byte[bytes];
        int arrived = 0;

        for (int i = 0; i < packets; i++)
        {
            Assert.That(pair.Client.TrySend(packet), Is.EqualTo(SendStatus.Accepted));
            world.Run(tick);

            while (pair.Server.TryReceive(packet, out _) == ReceiveStatus.Received)
            {
                arrived++;
            }
        }

        return arrived;
    }

    private static void Cut(SimWorld world, Pair pair, bool isCut)
    {
        LinkModel link = world.Network.DefaultLink with { Cut = isCut };
        world.Network.SetLinks(pair.Left.Host, pair.Right.Host, link);
    }
}
