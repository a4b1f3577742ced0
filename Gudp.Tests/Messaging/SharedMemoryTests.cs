using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Peers that share an endpoint's memory: what one gives back, another one's wait must find.</summary>
[TestFixture]
public sealed class SharedMemoryTests
{
    private const int Kilobyte = 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly MessagingConfig Narrow = new()
    {
        Core = SimWorld.Plain,
        LaneRingBytes = 64 * Kilobyte,
        DatagramQueueBytes = 128 * Kilobyte,
        MaxMessageBytes = 64 * Kilobyte,
        PeerMemoryBytes = 512 * Kilobyte,
        EndpointMemoryBytes = 512 * Kilobyte,
    };

    [Test]
    public void A_sink_refused_for_memory_that_another_peer_holds_hears_when_it_is_back()
    {
        using SimWorld world = new(1);
        Greeter sink = new();
        Node home = world.AddNode();
        MessageEndpoint listener = new(home.Daemon, home.Host.Address.WithPort(7000), Narrow, sink);
        listener.Listen();
        Peer reader = Connect(world, listener);
        Peer other = Connect(world, listener);
        world.RunUntil(() => sink.Peers.Count == 2, Limit);

        // The first one does not read, so that what is sent to it stays here.
        FillMemory(world, sink.Peers[0]);
        SendStatus refused = sink.Peers[1].TrySend([1]);
        world.Run(TimeSpan.FromSeconds(1));
        reader.Dispose();
        world.RunUntil(() => other.TryReceive(out _), Limit);

        Assert.That(refused, Is.EqualTo(SendStatus.DaemonFull));
    }

    [Test]
    public void A_message_that_found_no_memory_reaches_the_sink_when_another_peer_gave_some_back()
    {
        using SimWorld world = new(1);
        Greeter sink = new();
        Node home = world.AddNode();
        MessageEndpoint listener = new(home.Daemon, home.Host.Address.WithPort(7000), Narrow, sink);
        listener.Listen();
        _ = Connect(world, listener);
        Peer sender = Connect(world, listener);
        world.RunUntil(() => sink.Peers.Count == 2, Limit);
        sender.TrySend([1]);
        world.RunUntil(() => sink.Messages == 1, Limit);

        // What is kept to receive, another peer has received.
        FillMemory(world, sink.Peers[0]);
        MemoryHoard rest = new(listener.Memory);
        sender.TrySend(new byte[50 * Kilobyte]);
        world.Run(TimeSpan.FromSeconds(1));
        int before = sink.Messages;
        rest.Return();
        world.RunUntil(() => sink.Messages == 2, Limit);

        Assert.That(before, Is.EqualTo(1));
    }

    private static Peer Connect(SimWorld world, MessageEndpoint listener)
    {
        Node node = world.AddNode();
        MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, Narrow);
        Peer peer = endpoint.Connect(listener.LocalAddress);
        world.RunUntil(() => peer.Status.IsOpen, Limit);
        return peer;
    }

    // Until the reader's credit is used up too, and nothing moves any more.
    private static void FillMemory(SimWorld world, Peer peer)
    {
        int[] lanes = [1, 3, 4, 5, 6, 7, 8, 9];
        byte[] large = new byte[60 * Kilobyte];

        for (int round = 0; round < 5; round++)
        {
            foreach (int lane in lanes)
            {
                while (peer.TrySend(large, new SendOptions { Lane = lane }) == SendStatus.Accepted)
                {
                }
            }

            world.Run(TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Remembers who came, and sends again when told that it may.</summary>
    private sealed class Greeter : IMessageSink
    {
        internal List<Peer> Peers { get; } = [];

        internal int Messages { get; private set; }

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now) => Messages++;

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
            if (change == PeerChange.Opened)
            {
                Peers.Add(peer);
            }
            else if (change == PeerChange.Writable)
            {
                peer.TrySend([1]);
            }
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }
}
