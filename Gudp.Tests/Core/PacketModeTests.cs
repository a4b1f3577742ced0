using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Core's own packet modes between two daemons in virtual time: full inboxes, losses, the end.</summary>
[TestFixture]
public sealed class PacketModeTests
{
    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(10);
    private static readonly LinkModel Link = new() { Delay = OneWay };
    private static readonly PacketOptions Told = new() { Delivery = PacketDelivery.Reliable, NotifyReceived = true };

    private readonly byte[] _buffer = new byte[2_000];

    // P-8.1, P-8.3
    [Test]
    public void Reliable_packets_arrive_once_each_though_a_third_is_lost()
    {
        using SimWorld world = new(1);
        Pair pair = Open(world);
        world.Network.DefaultLink = Link with { LossPpm = 333_000, DuplicatePpm = 200_000 };
        HashSet<int> received = [];

        for (int i = 0; i < 200; i++)
        {
            pair.Client.TrySend(BitConverter.GetBytes(i), PacketDelivery.Reliable);
            world.Run(TimeSpan.FromMilliseconds(5));
        }

        world.RunUntil(() => ReadInto(pair.Server, received) && received.Count == 200, TimeSpan.FromSeconds(30));
        world.Run(TimeSpan.FromSeconds(2));

        Assert.That(pair.Server.TryReceive(_buffer, out _), Is.EqualTo(ReceiveStatus.Empty));
        Assert.That(pair.Client.ReadCounters().Retransmits, Is.Positive);
    }

    // T11 in Core's modes: six seconds asleep.
    [Test]
    public void T11_A_sender_goes_on_at_once_when_the_reader_has_made_room()
    {
        using SimWorld world = new(1);
        Pair pair = Open(world, new QueueConfig { ReceivePackets = 4 });
        HashSet<int> received = [];

        for (int i = 0; i < 100; i++)
        {
            pair.Client.TrySend(BitConverter.GetBytes(i).Concat(new byte[600]).ToArray(), PacketDelivery.Reliable);
        }

        world.Run(TimeSpan.FromSeconds(6));
        Assert.That(pair.Right.Daemon.ReadCounters().Dropped(DropReason.Refused), Is.Positive);
        ReadInto(pair.Server, received);
        int before = received.Count;
        Instant madeRoom = world.Now;
        world.RunUntil(() => ReadInto(pair.Server, received) && received.Count > before, TimeSpan.FromSeconds(1));
        TimeSpan waited = world.Now - madeRoom;
        world.RunUntil(() => ReadInto(pair.Server, received) && received.Count == 100, TimeSpan.FromSeconds(10));
        TestContext.Out.WriteLine($"{waited.TotalMilliseconds} ms, {(world.Now - madeRoom).TotalMilliseconds} for all.");

        Assert.That(before, Is.EqualTo(4));
        Assert.That(waited, Is.LessThanOrEqualTo(4 * OneWay), "There, and the probe back: no time-out is waited for.");
        Assert.That(pair.Client.Status.IsFinal || pair.Server.Status.IsFinal, Is.False);
    }

    [Test]
    public void Unreliable_packets_to_a_reader_that_sleeps_are_dropped_there_and_no_loss_to_the_sender()
    {
        using SimWorld world = new(1);
        Pair pair = Open(world, new QueueConfig { ReceivePackets = 4 });

        for (int i = 0; i < 50; i++)
        {
            pair.Client.TrySend(BitConverter.GetBytes(i), PacketDelivery.Notify);
            world.Run(TimeSpan.FromMilliseconds(5));
        }

        world.Run(TimeSpan.FromSeconds(1));
        PacketUpdate[] updates = new PacketUpdate[100];
        int told = pair.Client.TakeUpdates(updates);

        Assert.That(pair.Server.ReadCounters().UserPacketsUnread, Is.EqualTo(46));
        Assert.That(pair.Client.ReadCounters().PacketsLost, Is.Zero);
        Assert.That(updates[..told].Select(update => update.Outcome), Is.All.EqualTo(PacketOutcome.Received));
        Assert.That(told, Is.EqualTo(50));
    }

    // P-8.10
    [Test]
    public void A_close_first_delivers_what_is_reliable()
    {
        using SimWorld world = new(2);
        Pair pair = Open(world);
        world.Network.DefaultLink = Link with { LossPpm = 300_000 };
        HashSet<int> received = [];

        for (int i = 0; i < 50; i++)
        {
            pair.Client.TrySend(BitConverter.GetBytes(i), Told, out _);
        }

        pair.Client.Close();
        world.Run(TimeSpan.FromSeconds(20));
        ReadInto(pair.Server, received);
        PacketUpdate[] updates = new PacketUpdate[100];
        int told = pair.Client.TakeUpdates(updates);

        Assert.That(received, Has.Count.EqualTo(50));
        Assert.That(updates[..told].Select(update => update.Outcome), Is.All.EqualTo(PacketOutcome.Received));
        Assert.That(told, Is.EqualTo(50));
        Assert.That(pair.Server.Status.Reasons, Is.EqualTo(FinalReasons.ClosedByPeer));
    }

    // P-8.10
    [Test]
    public void A_close_waits_no_longer_than_it_lingers_and_tells_what_is_unknown()
    {
        using SimWorld world = new(1);
        Pair pair = Open(world, new QueueConfig { ReceivePackets = 1 });
        Instant start = world.Now;

        for (int i = 0; i < 5; i++)
        {
            pair.Client.TrySend(new byte[1_000], Told, out _);
        }

        pair.Client.Close();
        world.RunUntil(() => pair.Server.Status.IsFinal, TimeSpan.FromSeconds(10));
        TimeSpan lasted = world.Now - start;
        PacketUpdate[] updates = new PacketUpdate[10];
        int told = pair.Client.TakeUpdates(updates);

        Assert.That(lasted, Is.EqualTo(TimeSpan.FromSeconds(5)).Within(TimeSpan.FromMilliseconds(100)));
        Assert.That(told, Is.EqualTo(5));
        Assert.That(updates.Count(update => update.Outcome == PacketOutcome.Received && update.Ticket.Value != 0),
            Is.EqualTo(1));
        Assert.That(updates.Count(update => update.Outcome == PacketOutcome.Unknown), Is.EqualTo(4));
        Assert.That(pair.Client.WaitForUpdates(Timeout.InfiniteTimeSpan), Is.False);
    }

    // P-8.5
    [Test]
    public void A_packet_with_a_time_out_is_given_up_while_the_path_is_cut()
    {
        using SimWorld world = new(1);
        Pair pair = Open(world);
        world.Network.DefaultLink = Link with { Cut = true };
        PacketUpdate[] updates = new PacketUpdate[10];

        pair.Client.TrySend([1], Told with { Timeout = TimeSpan.FromSeconds(2) }, out PacketTicket ticket);
        world.Run(TimeSpan.FromSeconds(1.999));
        int early = pair.Client.TakeUpdates(updates);
        world.Run(TimeSpan.FromMilliseconds(2));
        int late = pair.Client.TakeUpdates(updates);

        Assert.That((early, late), Is.EqualTo((0, 1)));
        Assert.That(updates[0], Is.EqualTo(new PacketUpdate(ticket, PacketOutcome.TimedOut)));
        Assert.That(pair.Client.TryCancel(ticket), Is.False);
    }

    [Test]
    public void Packets_sent_before_the_handshake_is_done_leave_after_it()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = Link;
        Node left = world.AddNode();
        Endpoint server = world.AddNode().Open(7000);
        server.Listen();
        Connection client = left.Open(0).Connect(server.LocalAddress);

        client.TrySend([1, 2, 3, 4], Told, out _);
        Connection? accepted = null;
        world.RunUntil(() => server.TryAccept(out accepted), TimeSpan.FromSeconds(5));
        world.Run(TimeSpan.FromMilliseconds(100));

        Assert.That(accepted!.TryReceive(_buffer, out int length), Is.EqualTo(ReceiveStatus.Received));
        Assert.That(length, Is.EqualTo(4));
        Assert.That(client.TakeUpdates(new PacketUpdate[1]), Is.EqualTo(1));
    }

    [Test]
    public void A_connection_that_is_never_made_tells_every_ticket()
    {
        using SimWorld world = new(1);
        Node lonely = world.AddNode();
        Connection client = lonely.Open(0).Connect(world.AddNode().Host.Address.WithPort(7000));
        client.TrySend([1], Told, out PacketTicket ticket);

        world.Run(TimeSpan.FromSeconds(11));
        PacketUpdate[] updates = new PacketUpdate[2];
        int told = client.TakeUpdates(updates);

        Assert.That(told, Is.EqualTo(1));
        Assert.That(updates[0], Is.EqualTo(new PacketUpdate(ticket, PacketOutcome.Unknown)));
    }

    private static Pair Open(SimWorld world, QueueConfig queues = default)
    {
        world.Network.DefaultLink = Link;
        Pair pair = world.AddConnectedPair(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with { Queues = queues },
        });
        world.Run(TimeSpan.FromMilliseconds(200));
        return pair;
    }

    /// <returns>True, for conditions.</returns>
    private bool ReadInto(Connection connection, HashSet<int> received)
    {
        while (connection.TryReceive(_buffer, out _) == ReceiveStatus.Received)
        {
            Assert.That(received.Add(BitConverter.ToInt32(_buffer)), Is.True, "A packet arrived twice.");
        }

        return true;
    }
}
