using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>One endpoint in a simulated world, and clients around it, each on a node of its own, connected.</summary>
internal sealed class PeerStar : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly Node _home;
    private readonly List<Node> _nodes = [];

    internal PeerStar(int clients, MessagingConfig config, ulong seed = 1)
    {
        World = new SimWorld(seed);
        _home = World.AddNode();
        Hub = new MessageEndpoint(_home.Daemon, _home.Host.Address.WithPort(7000), config);
        Hub.Listen();

        for (int i = 0; i < clients; i++)
        {
            Node node = World.AddNode();
            _nodes.Add(node);
            MessageEndpoint endpoint = new(node.Daemon, node.Host.Address.WithPort(0), config);
            Clients.Add(endpoint.Connect(Hub.LocalAddress));
            Peer? accepted = null;
            World.RunUntil(() => Hub.TryAccept(out accepted), Limit);
            Accepted.Add(accepted!);
        }

        World.Watch = AuditMemory;
    }

    internal SimWorld World { get; }

    internal MessageEndpoint Hub { get; }

    /// <summary>The clients' ends.</summary>
    internal List<Peer> Clients { get; } = [];

    /// <summary>The hub's ends, in the order of the clients.</summary>
    internal List<Peer> Accepted { get; } = [];

    /// <summary>Nothing passes between the hub and a client any more.</summary>
    internal void CutOff(int client)
        => World.Network.SetLinks(_home.Host, _nodes[client].Host, new LinkModel { Cut = true });

    /// <summary>The path is as it was.</summary>
    internal void Restore(int client) => World.Network.SetLinks(_home.Host, _nodes[client].Host, null);

    internal void SendFrom(int client, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.That(Clients[client].TrySend([(byte)i]), Is.EqualTo(SendStatus.Accepted));
        }
    }

    /// <summary>Takes one message of anybody at the hub.</summary>
    internal Peer TakeAtHub()
    {
        Assert.That(Hub.TryReceive(out Peer? from, out ReceivedMessage message), Is.True);
        message.Dispose();
        return from!;
    }

    internal int TakeAllAtHub()
    {
        int count = 0;

        while (Hub.TryReceive(out _, out ReceivedMessage message))
        {
            message.Dispose();
            count++;
        }

        return count;
    }

    /// <summary>Takes all that has arrived at one peer.</summary>
    internal static List<byte[]> TakeFrom(Peer peer)
    {
        List<byte[]> contents = [];

        while (peer.TryReceive(out ReceivedMessage message))
        {
            contents.Add(message.Span.ToArray());
            message.Dispose();
        }

        return contents;
    }

    public void Dispose() => World.Dispose();

    private void AuditMemory()
    {
        foreach (Peer peer in Clients)
        {
            MemoryAudit.Check(peer.Session);
        }

        foreach (Peer peer in Accepted)
        {
            MemoryAudit.Check(peer.Session);
        }
    }
}
