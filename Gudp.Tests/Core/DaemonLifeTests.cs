using System.Net.Sockets;
using Gudp.Core;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Begin and end of daemons, endpoints and connections, whatever was under way.</summary>
[TestFixture]
public sealed class DaemonLifeTests
{
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(10);
    private static readonly PeerAddress Nobody = PeerAddress.FromIPv4(0x0A63_0009, 7000);

    [Test]
    public void A_full_command_queue_refuses_to_connect_and_keeps_no_send_and_no_close_out()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair(SimWorld.Plain with { MaxConnections = 4 });
        Endpoint endpoint = pair.Left.Open(0);
        Connection refused = FillCommands(endpoint, pair.Server.LocalAddress);

        SendStatus sent = pair.Client.TrySend("through"u8);
        pair.Client.Close();

        Assert.That(sent, Is.EqualTo(SendStatus.Accepted));
        Assert.That(refused.Status.Reasons, Is.EqualTo(FinalReasons.Refused));
        Assert.That(refused.WaitUntilOpen(Timeout.InfiniteTimeSpan), Is.False);
        Assert.That(refused.TryReceive([], out _), Is.EqualTo(ReceiveStatus.Closed));
    }

    [Test]
    public void An_endpoint_disposed_while_the_command_queue_is_full_gives_its_address_back()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode(SimWorld.Plain with { MaxConnections = 4 });
        Endpoint first = node.Open(5000);
        Endpoint other = node.Open(5001);
        FillCommands(other, other.LocalAddress);

        first.Dispose();
        world.Settle();

        Assert.That(() => node.Open(5000), Throws.Nothing);
    }

    [Test]
    public void An_endpoint_disposed_before_the_loop_knew_it_gives_its_address_back()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();

        node.Open(5000).Dispose();
        world.Settle();

        Assert.That(() => node.Open(5000), Throws.Nothing);
        Assert.That(node.Daemon.ProcessIO(), Is.True);
    }

    [Test]
    public void A_connection_asked_for_before_the_endpoint_was_disposed_opens()
    {
        using SimWorld world = new(1);
        Node left = world.AddNode();
        Endpoint server = world.AddNode().Open(7000);
        server.Listen();
        Endpoint endpoint = left.Open(0);

        Connection connection = endpoint.Connect(server.LocalAddress);
        endpoint.Dispose();
        world.Run(TimeSpan.FromSeconds(1));

        Assert.That(connection.Status.IsOpen, Is.True);
        Assert.That(connection.Status.IsFinal, Is.False);
    }

    [Test]
    public void A_connection_asked_of_an_endpoint_whose_socket_has_gone_ends_at_once()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        Endpoint endpoint = node.Open(5000);
        world.Settle();
        node.Host.Dispose();
        node.Daemon.ProcessIO();

        Connection connection = endpoint.Connect(Nobody);
        node.Daemon.ProcessIO();

        Assert.That(connection.Status.Reasons, Is.EqualTo(FinalReasons.SocketFailed));
    }

    [Test]
    public void A_connection_closed_before_the_loop_knew_it_says_nothing()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        Connection connection = node.Open(0).Connect(Nobody);

        connection.Close();

        Assert.That(connection.WaitUntilOpen(Timeout.InfiniteTimeSpan), Is.False);
        world.Run(TimeSpan.FromSeconds(1));
        Assert.That(node.Daemon.ReadCounters().DatagramsSent, Is.Zero);
    }

    [Test]
    public void Disposing_the_daemon_ends_what_was_asked_for_and_wakes_who_waits()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode(SimWorld.Plain with { MaxConnections = 4 });
        Endpoint endpoint = node.Open(0);
        Connection begun = endpoint.Connect(Nobody);
        world.Settle();
        Connection asked = FillCommands(endpoint, Nobody, takeLastQueued: true);
        List<Thread> waiting =
        [
            new(() => endpoint.Accept(Timeout.InfiniteTimeSpan)),
            new(() => begun.Receive(new byte[10], Timeout.InfiniteTimeSpan, out _)),
            new(() => asked.Receive(new byte[10], Timeout.InfiniteTimeSpan, out _)),
            new(() => asked.WaitUntilOpen(Timeout.InfiniteTimeSpan)),
        ];
        waiting.ForEach(thread => thread.IsBackground = true);
        waiting.ForEach(thread => thread.Start());

        node.Daemon.Dispose();
        node.IsStopped = true;

        Assert.That(waiting.TrueForAll(thread => thread.Join(JoinTimeout)), Is.True);
        Assert.That(asked.Status.IsFinal, Is.True);
    }

    [Test]
    public void After_the_daemon_was_disposed_everything_else_may_still_be_called()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        Endpoint endpoint = pair.Left.Open(0);

        pair.Left.Daemon.Dispose();
        pair.Left.IsStopped = true;

        Connection late = endpoint.Connect(pair.Server.LocalAddress);
        Assert.That(late.Status.IsFinal, Is.True);
        Assert.That(late.WaitUntilOpen(Timeout.InfiniteTimeSpan), Is.False);
        Assert.That(endpoint.Accept(Timeout.InfiniteTimeSpan), Is.Null);
        Assert.That(pair.Client.TrySend("late"u8), Is.EqualTo(SendStatus.Closed));
        pair.Client.Close();
        endpoint.Dispose();
        Assert.That(() => pair.Left.Open(0), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_layer_that_throws_stops_the_loop_and_everybody_hears_of_it()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        Endpoint endpoint = pair.Left.Open(0, SimWorld.Plain.Connections with { Payload = new ThrowingFactory() });
        Connection faulty = endpoint.Connect(pair.Server.LocalAddress);
        pair.Left.IsStopped = true;

        Assert.That(() => Drive(world, pair.Left), Throws.TypeOf<NotSupportedException>());

        Assert.That(pair.Left.Daemon.Fault, Is.TypeOf<NotSupportedException>());
        Assert.That(faulty.Status.Reasons, Is.EqualTo(FinalReasons.LoopFaulted));
        Assert.That(pair.Client.Status.Reasons, Is.EqualTo(FinalReasons.LoopFaulted));
        Assert.That(endpoint.Accept(Timeout.InfiniteTimeSpan), Is.Null);
        Assert.That(() => pair.Left.Daemon.ProcessIO(), Throws.InvalidOperationException);
        Assert.That(() => pair.Left.Open(0), Throws.InvalidOperationException);
    }

    [Test]
    public void Many_connections_with_much_to_say_share_the_turns_and_none_is_forgotten()
    {
        using SimWorld world = new(1);
        GudpConfig config = SimWorld.Plain with
        {
            Budgets = new TurnBudgets { TransmitDatagrams = 9 },
            Connections = SimWorld.Plain.Connections with { Congestion = new CongestionConfig { Pacing = false } },
        };
        Pair first = world.AddConnectedPair(config);
        List<Connection> connections = [first.Client];

        for (int i = 0; i < 4; i++)
        {
            connections.Add(first.Left.Open(0).Connect(first.Server.LocalAddress));
        }

        world.RunUntil(() => connections.TrueForAll(one => one.Status.IsOpen), TimeSpan.FromSeconds(5));
        world.Run(TimeSpan.FromSeconds(1));
        long before = first.Left.Daemon.ReadCounters().DatagramsSent;
        connections.ForEach(one => SendPackets(one, 9));

        world.Settle();

        Assert.That(first.Left.Daemon.ReadCounters().DatagramsSent - before, Is.EqualTo(5 * 9));
    }

    [Test]
    public void ProcessIO_belongs_to_its_first_caller()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        node.Daemon.ProcessIO();

        Exception? thrown = null;
        Thread stranger = new(() => thrown = Assert.Catch(() => node.Daemon.ProcessIO()));
        stranger.Start();
        stranger.Join();

        Assert.That(thrown, Is.TypeOf<InvalidOperationException>());
        Assert.That(node.Daemon.Fault, Is.Null);
        Assert.That(() => node.Daemon.ProcessIO(), Throws.Nothing);
    }

    [Test]
    public void A_daemon_is_driven_by_ProcessIO_or_by_its_thread_and_not_by_both()
    {
        using SimWorld world = new(1);
        Node pumped = world.AddNode();
        pumped.Daemon.ProcessIO();
        using Daemon started = new();
        started.Start();

        Assert.That(() => pumped.Daemon.Start(), Throws.InvalidOperationException);
        Assert.That(() => started.ProcessIO(), Throws.InvalidOperationException);
        Assert.That(() => started.Start(), Throws.InvalidOperationException);
    }

    [Test]
    public void UntilNextDeadline_tells_how_long_the_pump_may_rest()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        TimeSpan idle = node.Daemon.UntilNextDeadline;
        Endpoint endpoint = node.Open(0);
        TimeSpan asked = node.Daemon.UntilNextDeadline;
        node.Daemon.ProcessIO();
        TimeSpan resting = node.Daemon.UntilNextDeadline;
        endpoint.Connect(Nobody);
        node.Daemon.ProcessIO();
        TimeSpan waiting = node.Daemon.UntilNextDeadline;

        Assert.That(idle, Is.EqualTo(Timeout.InfiniteTimeSpan));
        Assert.That(asked, Is.EqualTo(TimeSpan.Zero));
        Assert.That(resting, Is.EqualTo(Timeout.InfiniteTimeSpan));
        Assert.That(waiting, Is.EqualTo(TimeSpan.FromMilliseconds(250)), "The first hello is repeated after 250 ms.");
    }

    [Test]
    public void ProcessIO_is_false_once_everything_is_closed()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        Endpoint endpoint = node.Open(0);

        bool withEndpoint = node.Daemon.ProcessIO();
        endpoint.Dispose();
        bool without = node.Daemon.ProcessIO();

        Assert.That(withEndpoint, Is.True);
        Assert.That(without, Is.False);
    }

    /// <summary>Connects until the queue is full, without a turn of the daemon.</summary>
    private static Connection FillCommands(Endpoint endpoint, PeerAddress remote, bool takeLastQueued = false)
    {
        Connection last = endpoint.Connect(remote);

        for (int i = 0; i < 10_000; i++)
        {
            Connection next = endpoint.Connect(remote);

            if (next.Status.IsFinal)
            {
                return takeLastQueued ? last : next;
            }

            last = next;
        }

        throw new InvalidOperationException("The command queue is never full.");
    }

    private static void SendPackets(Connection connection, int packets)
    {
        for (int i = 0; i < packets; i++)
        {
            connection.TrySend(new byte[1_100]);
        }
    }

    private static void Drive(SimWorld world, Node stopped)
    {
        for (int i = 0; i < 1_000; i++)
        {
            stopped.Daemon.ProcessIO();
            world.Run(TimeSpan.FromMilliseconds(1));
        }
    }

    private sealed class ThrowingFactory : IPacketPayloadFactory
    {
        public PayloadParameters Parameters => new() { Protocol = 0, Version = 1 };

        public IPacketPayload Create(PayloadHost host) => new ThrowingPayload();
    }

    /// <summary>Breaks the door's rule: it throws as soon as it is open, and once more when told of the end.</summary>
    private sealed class ThrowingPayload : IPacketPayload
    {
        public bool HasUnfinished => false;

        public bool HasDataToSend => false;

        public Instant NextDeadline => Instant.Never;

        public void HandleOpened(in PayloadParameters peer, Instant now) => throw new NotSupportedException("opened");

        public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now) => 0;

        public PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now)
            => PayloadVerdict.Held;

        public void HandleAcked(PacketNumber packet, Instant now)
        {
        }

        public void HandleLost(PacketNumber packet, Instant now)
        {
        }

        public void HandleOverdue(PacketNumber packet, Instant now)
        {
        }

        public void HandleTimeout(Instant now)
        {
        }

        public void HandleTurnEnd(Instant now)
        {
        }

        public void HandleStatus(ConnectionStatus status, CloseReason? reason, Instant now)
            => throw new NotSupportedException("status");
    }
}
