using Gudp.Core;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>The whole stack runs on one thread in the simulator, so what that thread allocates is exact.</summary>
[TestFixture, Category("Release")]
public sealed class AllocationTests
{
    private const int WarmUp = 20_000;
    private const int Measured = 5_000;

    [Test]
    public void Sending_and_receiving_packets_allocates_nothing_once_warm()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        Exchange(world, pair, WarmUp);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(world, pair, Measured);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero, "Something on the path of a packet allocates; profile this test to find it.");
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
