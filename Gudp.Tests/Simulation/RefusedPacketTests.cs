using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>
/// A reader that stops makes its end refuse packets (P-8.8). To the sender they look lost, but the path is clean: neither
/// its size nor its rate may be blamed for good.
/// </summary>
[TestFixture]
public sealed class RefusedPacketTests
{
    private const int LargePacketBytes = 1_390;

    private static readonly LinkModel Clean = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        RateBytesPerSecond = 12_500_000,
    };

    // P-9.3: the watch took them for a size black hole, twice a second, and sends of large packets were refused with it.
    [Test]
    public void Refused_large_packets_are_no_black_hole()
    {
        using SimWorld world = new(3);
        Pair pair = AddPair(world);

        Fill(world, pair, TimeSpan.FromSeconds(12), isReading: false);

        Assert.That(world.Nodes[1].Daemon.ReadCounters().Dropped(DropReason.Refused), Is.GreaterThan(50));
        Assert.That(pair.Client.ReadCounters().PacketSizeReductions, Is.Zero);
        Assert.That(pair.Client.MaxPacketBytes, Is.GreaterThan(LargePacketBytes));
    }

    // P-8.8
    [Test]
    public void Once_the_reader_goes_on_the_window_grows_as_that_of_a_new_connection()
    {
        using SimWorld world = new(3);
        Pair pair = AddPair(world);
        Fill(world, pair, TimeSpan.FromSeconds(2), isReading: true);
        Fill(world, pair, TimeSpan.FromSeconds(2), isReading: false);
        int before = (int)pair.Client.ReadCounters().WindowBytes;

        Fill(world, pair, TimeSpan.FromSeconds(1), isReading: true);

        Assert.That(before, Is.LessThan(10_000));
        Assert.That(pair.Client.ReadCounters().WindowBytes, Is.GreaterThan(100_000));
    }

    private static Pair AddPair(SimWorld world)
    {
        world.Network.DefaultLink = Clean;
        Pair pair = world.AddConnectedPair(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with { Queues = new QueueConfig { ReceivePackets = 64 } },
        });

        // The size of the path is found first.
        world.Run(TimeSpan.FromSeconds(2));
        return pair;
    }

    private static void Fill(SimWorld world, Pair pair, TimeSpan span, bool isReading)
    {
        byte[] packet = new byte[LargePacketBytes];
        byte[] received = new byte[2_000];
        Instant end = world.Now + span;

        while (world.Now < end)
        {
            while (pair.Client.TrySend(packet, PacketDelivery.Reliable) == SendStatus.Accepted)
            {
            }

            world.Step(world.Now + TimeSpan.FromMilliseconds(1));

            while (isReading && pair.Server.TryReceive(received, out _) == ReceiveStatus.Received)
            {
            }
        }
    }
}
