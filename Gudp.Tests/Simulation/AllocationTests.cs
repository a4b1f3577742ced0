using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>The whole stack runs on one thread in the simulator, so what that thread allocates is exact.</summary>
[TestFixture, Category("Release")]
public sealed class AllocationTests
{
    private const int Burst = 64;
    private const int WarmUp = 20_000;
    private const int Measured = 5_000;

    [Test]
    public void Sending_and_receiving_packets_allocates_nothing_once_warm()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();

        // Queues grow to the longest there ever was. Where the pacer keeps a packet waiting is not the test's choice, so
        // the longest is made here.
        Send(pair.Client, Burst);
        Send(pair.Server, Burst);
        Exchange(world, pair, WarmUp);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(world, pair, Measured);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero, "Something on the path of a packet allocates; profile this test to find it.");
    }

    [Test]
    public void Sending_in_all_modes_over_a_link_that_loses_allocates_nothing_once_warm()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(2), LossPpm = 20_000 };

        // Rings grow to what a second and a half brings, which at the end that acknowledges is chance: made here.
        Send(pair.Client, Burst);
        Send(pair.Server, Burst);
        Exchange(world, pair, Burst);
        ExchangeAllModes(world, pair, WarmUp);

        long before = GC.GetAllocatedBytesForCurrentThread();
        ExchangeAllModes(world, pair, Measured);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero, "Something on the path of a packet allocates; profile this test to find it.");
        Assert.That(pair.Client.ReadCounters().Retransmits, Is.Positive);
    }

    private static void ExchangeAllModes(SimWorld world, Pair pair, int packets)
    {
        Span<byte> packet = stackalloc byte[300];
        Span<byte> received = stackalloc byte[1_500];
        Span<PacketUpdate> updates = stackalloc PacketUpdate[16];
        PacketOptions notify = new() { Delivery = PacketDelivery.Notify };
        PacketOptions reliable = new()
        {
            Delivery = PacketDelivery.Reliable,
            NotifyReceived = true,
            Timeout = TimeSpan.FromSeconds(30),
        };

        for (int i = 0; i < packets; i++)
        {
            pair.Client.TrySend(packet, notify, out _);
            pair.Client.TrySend(packet, reliable, out _);
            pair.Client.TryClaim(packet.Length, reliable, out PacketClaim claim);
            packet.CopyTo(claim.Span);
            claim.Commit();
            world.Step(world.Now + TimeSpan.FromMilliseconds(1));

            while (pair.Server.TryReceive(received, out _) == ReceiveStatus.Received)
            {
            }

            while (pair.Client.TakeUpdates(updates) > 0)
            {
            }
        }
    }

    private static void Send(Connection connection, int packets)
    {
        for (int i = 0; i < packets; i++)
        {
            connection.TrySend(new byte[900]);
        }
    }

    private static void Exchange(SimWorld world, Pair pair, int packets)
    {
        Span<byte> packet = stackalloc byte[900];
        Span<byte> received = stackalloc byte[1_500];

        for (int i = 0; i < packets; i++)
        {
            pair.Client.TrySend(packet);
            world.Step(world.Now + TimeSpan.FromMilliseconds(1));

            while (pair.Server.TryReceive(received, out _) == ReceiveStatus.Received)
            {
                pair.Server.TrySend(received[..10]);
            }

            while (pair.Client.TryReceive(received, out _) == ReceiveStatus.Received)
            {
            }
        }
    }
}
