using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What an ended connection still holds: nothing that nobody can ask for any more.</summary>
[TestFixture]
public sealed class EndedConnectionTests
{
    private const int Packets = 40;

    [Test]
    public void A_disposed_connection_gives_back_the_memory_of_what_was_not_read()
    {
        using SimWorld world = new(1);
        Pair pair = AddPairWithUnreadPackets(world);
        long before = pair.Right.Daemon.MemoryInUseBytes;

        pair.Server.Dispose();
        pair.Client.Dispose();
        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(before, Is.Positive);
        Assert.That(pair.Right.Daemon.MemoryInUseBytes, Is.Zero);
        Assert.That(pair.Left.Daemon.MemoryInUseBytes, Is.Zero);
        Assert.That(pair.Server.TryReceive(new byte[2_000], out _), Is.EqualTo(ReceiveStatus.Closed));
    }

    // G16
    [Test]
    public void A_closed_connection_still_hands_out_what_was_not_read()
    {
        using SimWorld world = new(1);
        Pair pair = AddPairWithUnreadPackets(world);
        pair.Server.Close();
        world.Run(TimeSpan.FromSeconds(5));
        int read = 0;

        while (pair.Server.TryReceive(new byte[2_000], out _) == ReceiveStatus.Received)
        {
            read++;
        }

        Assert.That(read, Is.EqualTo(Packets));
        Assert.That(pair.Right.Daemon.MemoryInUseBytes, Is.Zero);
    }

    [Test]
    public void An_endpoint_that_is_disposed_gives_back_the_memory_of_those_nobody_accepted()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        Node left = world.AddNode();
        Node right = world.AddNode();
        Endpoint listener = right.Open(7000);
        listener.Listen();
        Connection client = left.Open(0).Connect(listener.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, TimeSpan.FromSeconds(5));
        Send(world, client);
        long before = right.Daemon.MemoryInUseBytes;

        listener.Dispose();
        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(before, Is.Positive);
        Assert.That(right.Daemon.MemoryInUseBytes, Is.Zero);
    }

    // P-8.6: updates that nobody takes are few, but there may be many connections that left some.
    [Test]
    public void Updates_that_nobody_takes_do_not_count_after_the_end()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();

        for (int i = 0; i < Packets; i++)
        {
            pair.Client.TrySend(new byte[10], PacketDelivery.Notify);
        }

        pair.Client.Close();
        world.Run(TimeSpan.FromSeconds(5));
        PacketUpdate[] updates = new PacketUpdate[2 * Packets];

        Assert.That(pair.Left.Daemon.MemoryInUseBytes, Is.Zero);
        Assert.That(pair.Client.TakeUpdates(updates), Is.EqualTo(Packets));
        Assert.That(pair.Left.Daemon.MemoryInUseBytes, Is.Zero);
    }

    [Test]
    public void A_daemon_that_has_ended_has_no_live_connections()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();

        pair.Left.Daemon.Shutdown(TimeSpan.Zero);
        pair.Left.IsStopped = true;

        Assert.That(pair.Client.Status.IsFinal, Is.True);
        Assert.That(pair.Left.Daemon.ReadConnections(), Is.Empty);
    }

    private static Pair AddPairWithUnreadPackets(SimWorld world)
    {
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        Pair pair = world.AddConnectedPair();
        Send(world, pair.Client);
        return pair;
    }

    private static void Send(SimWorld world, Connection connection)
    {
        for (int i = 0; i < Packets; i++)
        {
            connection.TrySend(new byte[1_000], PacketDelivery.Reliable);
        }

        world.Run(TimeSpan.FromSeconds(1));
    }
}
