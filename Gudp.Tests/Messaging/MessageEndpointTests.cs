using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>The whole stack: endpoints on daemons in a simulated world, in virtual time.</summary>
[TestFixture]
public sealed class MessageEndpointTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan OneFrame = TimeSpan.FromMilliseconds(16);

    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    [Test]
    public void Two_peers_exchange_messages_both_ways()
    {
        using SimWorld world = new(seed: 1);
        (Peer client, Peer server) = Connect(world);

        client.TrySend("ping"u8);
        byte[] atServer = Await(world, server);
        server.TrySend("pong"u8);
        byte[] atClient = Await(world, client);

        Assert.That(atServer, Is.EqualTo("ping"u8.ToArray()));
        Assert.That(atClient, Is.EqualTo("pong"u8.ToArray()));
    }

    [Test]
    public void What_is_sent_before_the_handshake_is_done_arrives()
    {
        using SimWorld world = new(seed: 2);
        Node right = world.AddNode();
        Node left = world.AddNode();
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), Plain);
        listener.Listen();
        MessageEndpoint caller = new(left.Daemon, left.Host.Address.WithPort(0), Plain);

        Peer client = caller.Connect(listener.LocalAddress);
        SendStatus status = client.TrySend("early"u8);
        Peer? server = null;
        world.RunUntil(() => listener.TryAccept(out server), Limit);
        byte[] received = Await(world, server!);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(received, Is.EqualTo("early"u8.ToArray()));
    }

    [Test]
    public void Messages_of_all_sizes_survive_a_lossy_path([Range(1, 5)] int seed)
    {
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = new()
        {
            Delay = TimeSpan.FromMilliseconds(20),
            LossPpm = 50_000,
            ReorderPpm = 20_000,
            DuplicatePpm = 10_000,
            ReorderBy = TimeSpan.FromMilliseconds(10),
        };
        (Peer client, Peer server) = Connect(world);
        byte[][] messages = [.. new[] { 0, 1, 100, 1_500, 70_000, 400_000, 3_000_000 }
            .Select(bytes => LaneTests.Pattern(bytes, (ulong)bytes))];

        foreach (byte[] message in messages)
        {
            Assert.That(client.TrySend(message), Is.EqualTo(SendStatus.Accepted));
        }

        foreach (byte[] message in messages)
        {
            byte[] received = Await(world, server);
            Assert.That(received.AsSpan().SequenceEqual(message), Is.True, world.ReplayLine);
        }
    }

    [Test]
    public void Eager_resend_brings_a_lost_message_before_a_later_ack_tells_of_the_loss()
    {
        TimeSpan eager = TimeToArrive(isEager: true);
        TimeSpan patient = TimeToArrive(isEager: false);

        // Nine eighths of the round trip of 20 ms, and 10 ms for the way.
        Assert.That(eager, Is.InRange(TimeSpan.FromMilliseconds(32), TimeSpan.FromMilliseconds(36)));
        Assert.That(patient, Is.GreaterThan(eager));
    }

    private static TimeSpan TimeToArrive(bool isEager)
    {
        ConnectionConfig connections = SimWorld.Plain.Connections with
        {
            Loss = GudpConfig.Lockstep.Connections.Loss with { EagerResend = isEager },
        };
        using SimWorld world = new(seed: 4);
        LinkModel link = new() { Delay = TimeSpan.FromMilliseconds(10) };
        world.Network.DefaultLink = link;
        (Peer client, Peer server) = Connect(
            world, new MessagingConfig { Core = SimWorld.Plain with { Connections = connections } });

        Instant? arrived = null;
        world.Watch = () =>
        {
            while (TryTake(server, out _))
            {
                arrived ??= world.Now;
            }
        };

        for (int i = 0; i < 20; i++)
        {
            client.TrySend("so that the round trip is known"u8);
            world.Run(OneFrame);
        }

        Instant sent = world.Now;
        arrived = null;
        world.Network.DefaultLink = link with { Cut = true };
        client.TrySend("lost once"u8);
        world.Run(TimeSpan.FromMilliseconds(1));
        world.Network.DefaultLink = link;

        // What is under way arrives first; each further message sets the probe back.
        world.Run(TimeSpan.FromMilliseconds(11));
        arrived = null;

        while (arrived is null)
        {
            client.TrySend("later"u8);
            world.Run(OneFrame);
        }

        return arrived.Value - sent;
    }

    [Test]
    public void A_closed_peer_delivers_what_it_accepted_and_tells_the_other()
    {
        using SimWorld world = new(seed: 3);
        (Peer client, Peer server) = Connect(world);
        client.TrySend("last words"u8);

        client.Close(new CloseReason(CloseCode.Application, "done"));
        world.RunUntil(() => server.Status.IsFinal, Limit);
        bool received = server.TryReceive(out ReceivedMessage message);

        Assert.That(received, Is.True);
        Assert.That(message.Span.SequenceEqual("last words"u8), Is.True);
        message.Dispose();
        Assert.That(server.Receive(TimeSpan.Zero, out _), Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(server.CloseReason!.Code, Is.EqualTo(CloseCode.Application));
        Assert.That(client.TrySend([1]), Is.EqualTo(SendStatus.Closed));
    }

    [Test]
    public void A_sink_hears_of_peers_messages_and_receipts_and_may_answer_at_once()
    {
        using SimWorld world = new(seed: 4);
        EchoSink sink = new();
        Node right = world.AddNode();
        Node left = world.AddNode();
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), Plain, sink);
        listener.Listen();
        MessageEndpoint caller = new(left.Daemon, left.Host.Address.WithPort(0), Plain);
        Peer client = caller.Connect(listener.LocalAddress);

        client.TrySend("echo"u8, new SendOptions { NotifyTaken = true }, out SendReceipt receipt);
        byte[] answer = Await(world, client);
        world.RunUntil(() => client.StateOf(receipt.Id).Take == TakeState.Taken, Limit);
        world.RunUntil(() => sink.Receipts.Count > 0, Limit);
        client.Close();
        world.RunUntil(() => sink.Changes.Contains(PeerChange.Closed), Limit);

        Assert.That(answer, Is.EqualTo("echo"u8.ToArray()));
        Assert.That(sink.Changes[0], Is.EqualTo(PeerChange.Opened));
        Assert.That(sink.Changes[^1], Is.EqualTo(PeerChange.Closed));
        Assert.That(
            sink.Receipts.Select(update => update.Receipt.Transfer), Is.EqualTo(new[] { TransferState.Received }));
        Assert.That(listener.TryAccept(out _), Is.False, "The sink has the peer already.");
    }

    [Test]
    public void An_endpoint_without_a_named_protection_says_what_is_missing()
    {
        using SimWorld world = new(seed: 5);
        Node node = world.AddNode();

        GudpConfigException? refused = Assert.Throws<GudpConfigException>(
            () => _ = new MessageEndpoint(node.Daemon, node.Host.Address));

        Assert.That(refused!.Message, Does.Contain("Protection"));
    }

    private static (Peer Client, Peer Server) Connect(SimWorld world, MessagingConfig? config = null)
    {
        MessagingConfig used = config ?? Plain;
        Node right = world.AddNode(used.Core);
        Node left = world.AddNode(used.Core);
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), used);
        listener.Listen();
        MessageEndpoint caller = new(left.Daemon, left.Host.Address.WithPort(0), used);
        Peer client = caller.Connect(listener.LocalAddress);
        Peer? server = null;
        world.RunUntil(() => client.Status.IsOpen && listener.TryAccept(out server), Limit);
        return (client, server!);
    }

    private static byte[] Await(SimWorld world, Peer peer)
    {
        byte[]? content = null;
        world.RunUntil(() => TryTake(peer, out content), Limit, "A message");
        return content!;
    }

    private static bool TryTake(Peer peer, out byte[]? content)
    {
        content = null;

        if (!peer.TryReceive(out ReceivedMessage message))
        {
            return false;
        }

        using (message)
        {
            content = message.Span.ToArray();
            return true;
        }
    }

    private sealed class EchoSink : IMessageSink
    {
        internal List<PeerChange> Changes { get; } = [];

        internal List<ReceiptUpdate> Receipts { get; } = [];

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
            => from.TrySend(message, new SendOptions { Lane = lane, NotifyReceived = true });

        public void HandlePeer(Peer peer, PeerChange change, Instant now) => Changes.Add(change);

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now) => Receipts.Add(update);
    }
}
