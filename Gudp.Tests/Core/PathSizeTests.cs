using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>The size of datagrams on whole connections (P-9.1 to P-9.4, scenario T9), in virtual time.</summary>
[TestFixture]
public sealed class PathSizeTests
{
    private const int HeaderBytes = 28;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static readonly LinkModel Clean = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        RateBytesPerSecond = 2_500_000,
        QueueBytes = 250_000,
    };

    // P-9.2
    [TestCase(1_500, 1_452)]
    [TestCase(1_400, 1_372)]
    [TestCase(1_280, 1_252)]
    public void T9_The_search_converges_to_what_the_path_carries(int path, int found)
    {
        using SimWorld world = new(seed: 9);
        world.Network.DefaultLink = Clean with { LargestBytes = path - HeaderBytes };
        using BulkTransfer transfer = new(world, default, bytes: 2_000_000);

        transfer.Complete(Limit);

        ConnectionCounters counters = transfer.AtClient;
        Assert.That(counters.PacketBytes, Is.EqualTo(found));
        Assert.That(counters.SizeProbesLost, Is.LessThanOrEqualTo(3 * 8), "Eight sizes, three losses each.");
        Assert.That(counters.PacketSizeReductions, Is.Zero);
    }

    // P-5.7
    [Test]
    public void T9_Lost_probes_neither_cut_the_window_nor_count_as_lost_packets()
    {
        using SimWorld world = new(seed: 10);
        world.Network.DefaultLink = Clean with { LargestBytes = 1_252, QueueBytes = 2_000_000 };
        using BulkTransfer transfer = new(world, default, bytes: 4_000_000);
        long least = long.MaxValue;
        long before = 0;
        world.Watch = () =>
        {
            long window = transfer.AtClient.WindowBytes;
            least = Math.Min(least, window - before);
            before = window;
        };

        transfer.Complete(Limit);

        ConnectionCounters counters = transfer.AtClient;
        Assert.That(counters.SizeProbesLost, Is.GreaterThan(0));
        Assert.That(counters.PacketsLost, Is.Zero);
        Assert.That(least, Is.GreaterThanOrEqualTo(0), "The window never shrank.");
    }

    [Test]
    public void T9_A_path_that_shrinks_during_a_transfer_heals_within_five_seconds([Values(1, 2, 3)] int seed)
    {
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = Clean;
        using BulkTransfer transfer = new(world, default, bytes: 20_000_000);
        transfer.RunUntil(
            () => transfer.AtClient.PacketBytes == 1_452 && transfer.ReceivedBytes > 4_000_000, Limit, "a start");

        world.Network.DefaultLink = Clean with { LargestBytes = 1_280 - HeaderBytes };
        Instant shrunk = world.Now;
        transfer.Run(TimeSpan.FromSeconds(0.2));
        long before = transfer.ReceivedBytes;
        transfer.RunUntil(() => transfer.ReceivedBytes > before + 400_000, Limit, "data again");
        TimeSpan healed = world.Now - shrunk;
        transfer.RunUntil(() => transfer.AtClient.PacketBytes == 1_252, TimeSpan.FromSeconds(20), "the new size");
        bool isReduced = transfer.AtClient.PacketSizeReductions > 0;
        transfer.Complete(Limit);

        TestContext.Out.WriteLine($"healed after {healed.TotalMilliseconds:0} ms; {transfer.AtClient}");
        Assert.That(healed, Is.LessThan(TimeSpan.FromSeconds(5)));
        Assert.That(isReduced, Is.True);
    }

    [Test]
    public void T9_A_long_path_that_shrinks_heals_within_five_seconds()
    {
        using SimWorld world = new(seed: 14);
        LinkModel far = Clean with { Delay = TimeSpan.FromMilliseconds(150) };
        world.Network.DefaultLink = far;
        using BulkTransfer transfer = new(world, default, bytes: 20_000_000);
        transfer.RunUntil(
            () => transfer.AtClient.PacketBytes == 1_452 && transfer.ReceivedBytes > 4_000_000, Limit, "a start");

        world.Network.DefaultLink = far with { LargestBytes = 1_280 - HeaderBytes };
        Instant shrunk = world.Now;
        transfer.Run(TimeSpan.FromSeconds(0.4));
        long before = transfer.ReceivedBytes;
        transfer.RunUntil(() => transfer.ReceivedBytes > before + 400_000, Limit, "data again");
        TimeSpan healed = world.Now - shrunk;

        TestContext.Out.WriteLine($"healed after {healed.TotalMilliseconds:0} ms; {transfer.AtClient}");
        Assert.That(healed, Is.LessThan(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public void The_largest_datagram_is_found_where_the_path_carries_it()
    {
        using SimWorld world = new(seed: 11);
        world.Network.DefaultLink = Clean with { RateBytesPerSecond = 0, Delay = TimeSpan.FromMilliseconds(1) };
        using BulkTransfer transfer = new(
            world, new PathConfig { MaxPacketBytes = 65_507 }, bytes: 4_000_000);

        transfer.Complete(Limit);

        Assert.That(transfer.AtClient.PacketBytes, Is.EqualTo(65_507));
        Assert.That(transfer.AtServer.PacketBytes, Is.EqualTo(65_507));
        Assert.That(transfer.AtClient.SizeProbesSent, Is.EqualTo(1));
    }

    [Test]
    public void The_least_of_both_ends_wishes_bounds_the_search()
    {
        using SimWorld world = new(seed: 12);
        world.Network.DefaultLink = Clean;
        Pair pair = Connected(world, new PathConfig { MaxPacketBytes = 9_000 }, new PathConfig { MaxPacketBytes = 1_300 });

        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(pair.Client.ReadCounters().PacketBytes, Is.EqualTo(1_300));
        Assert.That(pair.Server.ReadCounters().PacketBytes, Is.EqualTo(1_300));
        Assert.That(pair.Client.MaxPacketBytes, Is.GreaterThan(1_200));
    }

    [Test]
    public void An_idle_connection_finds_its_size_too_and_then_rests()
    {
        using SimWorld world = new(seed: 13);
        world.Network.DefaultLink = Clean with { LargestBytes = 1_372 };
        Pair pair = Connected(world, default, default);

        world.Run(TimeSpan.FromSeconds(20));
        long probes = pair.Client.ReadCounters().SizeProbesSent;
        world.Run(TimeSpan.FromSeconds(100));

        Assert.That(pair.Client.ReadCounters().PacketBytes, Is.EqualTo(1_372));
        Assert.That(pair.Client.ReadCounters().SizeProbesSent, Is.EqualTo(probes));
    }

    [Test]
    public void A_larger_path_is_found_when_the_search_has_rested()
    {
        using SimWorld world = new(seed: 15);
        world.Network.DefaultLink = Clean with { LargestBytes = 1_252 };
        PathConfig path = new() { RaiseInterval = TimeSpan.FromSeconds(30) };
        Pair pair = Connected(world, path, path);
        world.Run(TimeSpan.FromSeconds(20));
        long small = pair.Client.ReadCounters().PacketBytes;

        world.Network.DefaultLink = Clean;
        world.Run(TimeSpan.FromSeconds(31));

        Assert.That(small, Is.EqualTo(1_252));
        Assert.That(pair.Client.ReadCounters().PacketBytes, Is.EqualTo(1_452));
    }

    // P-9.4, and P-5.4: what was refused counts as sent, and its content comes again.
    [Test]
    public void A_size_the_interface_refuses_is_left_at_once_and_the_transfer_goes_on()
    {
        using SimWorld world = new(seed: 16);
        world.Network.DefaultLink = Clean;
        using BulkTransfer transfer = new(world, default, bytes: 6_000_000);
        transfer.RunUntil(
            () => transfer.AtClient.PacketBytes == 1_452 && transfer.ReceivedBytes > 1_000_000, Limit, "a start");

        transfer.Left.Host.LargestDatagramBytes = 1_252;
        transfer.Run(TimeSpan.FromSeconds(0.1));
        long soon = transfer.AtClient.PacketBytes;
        transfer.Complete(Limit);

        Assert.That(soon, Is.LessThanOrEqualTo(1_252));
        Assert.That(transfer.AtClient.PacketBytes, Is.EqualTo(1_252));
        Assert.That(transfer.AtClient.PacketSizeReductions, Is.EqualTo(1));
    }

    // The first ends the size in use and begins a search; the second, built before, must not be taken for its probe.
    [Test]
    public void Two_sizes_refused_in_one_turn_do_not_end_the_search()
    {
        using SimWorld world = new(seed: 18, new SocketModel { MaxSegments = 16 });
        world.Network.DefaultLink = Clean;
        Pair pair = Connected(world, default, default);
        world.Run(TimeSpan.FromSeconds(2));
        long before = pair.Client.ReadCounters().PacketBytes;

        pair.Left.Host.LargestDatagramBytes = 1_252;
        SendStatus first = pair.Client.TrySend(new byte[1_300], PacketDelivery.Unreliable);
        SendStatus second = pair.Client.TrySend(new byte[1_400], PacketDelivery.Unreliable);
        world.Run(TimeSpan.FromSeconds(20));

        Assert.That((first, second), Is.EqualTo((SendStatus.Accepted, SendStatus.Accepted)));
        Assert.That(before, Is.EqualTo(1_452));
        Assert.That(pair.Client.ReadCounters().PacketBytes, Is.EqualTo(1_252));
    }

    // The system refuses a run as a whole: a probe that is too large for it must stand alone.
    [Test]
    public void A_probe_that_the_system_refuses_takes_no_packet_with_it()
    {
        using SimWorld world = new(seed: 20, new SocketModel { MaxSegments = 64 });
        world.Network.DefaultLink = Clean with { QueueBytes = 2_000_000 };
        using BulkTransfer transfer = new(world, default, bytes: 4_000_000);
        transfer.Left.Host.LargestDatagramBytes = 1_252;

        transfer.Complete(Limit);

        Assert.That(transfer.AtClient.PacketBytes, Is.EqualTo(1_252));
        Assert.That(transfer.AtClient.PacketsLost, Is.Zero);
        Assert.That(world.Network.Faults.Refused, Is.GreaterThan(0));
    }

    [Test]
    public void Content_too_large_for_the_shrunken_path_is_not_repeated_beyond_its_share()
    {
        using SimWorld world = new(seed: 19);
        world.Network.DefaultLink = Clean;
        Pair pair = world.AddConnectedPair(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                Path = new() { MaxPacketBytes = 9_000 },
                Loss = new() { EagerResend = true },
            },
        });
        world.Run(TimeSpan.FromSeconds(1));
        byte[] packet = new byte[8_900];

        // The first is lost on the way, the second is refused by the system: then packets are small again.
        world.Network.DefaultLink = Clean with { LargestBytes = 1_452 };
        SendStatus first = pair.Client.TrySend(packet, PacketDelivery.Reliable);
        world.Run(TimeSpan.FromMilliseconds(10));
        pair.Left.Host.LargestDatagramBytes = 1_452;
        SendStatus second = pair.Client.TrySend(packet, PacketDelivery.Reliable);
        world.Run(TimeSpan.FromSeconds(5));

        Assert.That((first, second), Is.EqualTo((SendStatus.Accepted, SendStatus.Accepted)));
        Assert.That(pair.Client.ReadCounters().PacketSizeReductions, Is.EqualTo(1));
        Assert.That(pair.Client.Status.IsOpen, Is.True);
    }

    [Test]
    public void Congestion_alone_is_not_taken_for_a_shrunken_path()
    {
        using SimWorld world = new(seed: 17);
        world.Network.DefaultLink = Clean with { QueueBytes = 30_000, LossPpm = 20_000 };
        using BulkTransfer transfer = new(world, default, bytes: 6_000_000);

        transfer.Complete(Limit);

        Assert.That(transfer.AtClient.PacketsLost, Is.GreaterThan(50));
        Assert.That(transfer.AtClient.PacketSizeReductions, Is.Zero);
        Assert.That(transfer.AtClient.PacketBytes, Is.EqualTo(1_452));
    }

    private static Pair Connected(SimWorld world, PathConfig atClient, PathConfig atServer)
    {
        Node left = world.AddNode();
        Node right = world.AddNode();
        Endpoint server = right.Open(7000, SimWorld.Plain.Connections with { Path = atServer });
        server.Listen();
        Connection client = left.Open(0, SimWorld.Plain.Connections with { Path = atClient })
            .Connect(server.LocalAddress);
        Connection? accepted = null;
        world.RunUntil(() => client.Status.IsOpen && server.TryAccept(out accepted), Limit);
        return new Pair(left, right, client, accepted!);
    }
}
