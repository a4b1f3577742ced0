using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Message endpoints on hosts of a simulated world, that go away and come back.</summary>
internal sealed class PeerWorld : IDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    internal static readonly LinkModel Link = new() { Delay = TimeSpan.FromMilliseconds(10) };

    // So that an outage of seconds ends connections.
    internal static readonly MessagingConfig Hasty = new()
    {
        Core = SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                IdleTimeout = TimeSpan.FromSeconds(3),
                HandshakeTimeout = TimeSpan.FromSeconds(2),
                LingerTimeout = TimeSpan.FromSeconds(1),
            },
        },
    };

    // So that a fifth of all packets lost never ends a handshake.
    internal static readonly MessagingConfig Patient = new() { Core = SimWorld.Plain };

    private readonly List<Place> _places = [];

    internal PeerWorld(ulong seed)
    {
        World = new SimWorld(seed);
        World.Network.DefaultLink = Link;
    }

    internal SimWorld World { get; }

    /// <summary>Everything is lost while it is set.</summary>
    internal bool IsCut
    {
        set => World.Network.DefaultLink = Link with { Cut = value };
    }

    internal Place Add(MessagingConfig? config = null, IMessageSink? sink = null, PeerId id = default)
    {
        MessagingConfig used = WithId(config ?? Hasty, id);
        Node node = World.AddNode(used.Core);
        Place place = new(node) { Config = used, Sink = sink };
        place.Open();
        _places.Add(place);
        return place;
    }

    /// <summary>The process is killed and starts again at the same address.</summary>
    internal void Restart(Place place, PeerId id = default)
    {
        World.Restart(place.Node, place.Config.Core);
        place.Config = WithId(place.Config, id);
        place.Open();
    }

    /// <summary>Two places, and on each the peer that the other is.</summary>
    internal (Peer Dialled, Peer Accepted) Connect(Place from, Place to)
    {
        Peer dialled = from.Endpoint.Connect(to.Address);
        Peer accepted = Accept(to);
        World.RunUntil(() => dialled.Status.IsOpen, Patience);
        return (dialled, accepted);
    }

    internal Peer Accept(Place place)
    {
        Peer? accepted = null;
        World.RunUntil(() => place.Endpoint.TryAccept(out accepted), Patience, "A peer to accept");
        return accepted!;
    }

    internal void Run(double seconds) => World.Run(TimeSpan.FromSeconds(seconds));

    internal void RunUntil(Func<bool> condition, string what) => World.RunUntil(condition, Patience, what);

    /// <summary>The next message as text.</summary>
    internal string Await(Peer peer)
    {
        ReceivedMessage message = default;
        RunUntil(() => peer.TryReceive(out message), "A message");
        return Text(message);
    }

    internal static string Text(ReceivedMessage message)
    {
        string text = System.Text.Encoding.UTF8.GetString(message.Span);
        message.Dispose();
        return text;
    }

    internal static string[] ReadAll(Peer peer)
    {
        List<string> all = [];

        while (peer.TryReceive(out ReceivedMessage message))
        {
            all.Add(Text(message));
        }

        return [.. all];
    }

    /// <summary>Ends all and proves that nothing is left.</summary>
    public void Dispose()
    {
        // Who is on the way arrives.
        IsCut = false;
        Run(1);

        foreach (Place place in _places)
        {
            Peer[] known = new Peer[place.Endpoint.CountPeers(PeerFilter.Known)];
            _ = place.Endpoint.CopyPeers(PeerFilter.Known, known);

            foreach (Peer peer in known)
            {
                peer.Unblock();
                peer.Dispose();
            }
        }

        Run(20);

        foreach (Place place in _places)
        {
            Assert.That(place.Endpoint.Memory.Blocks, Is.Zero, "Every block of memory came back.");
            Assert.That(place.Endpoint.CountPeers(PeerFilter.Known), Is.Zero, "Nobody is known for ever.");
            Assert.That(place.Node.Daemon.DeadlineCount, Is.Zero, "No timer is left.");
        }

        World.Dispose();
    }

    private static MessagingConfig WithId(MessagingConfig config, PeerId id) => config with
    {
        Core = config.Core with { Connections = config.Core.Connections with { PeerId = id } },
    };
}

/// <summary>One message endpoint on one host; another one after a restart.</summary>
internal sealed class Place(Node node)
{
    private const int Port = 7_000;

    internal Node Node { get; } = node;

    internal MessagingConfig Config { get; set; }

    internal IMessageSink? Sink { get; init; }

    internal MessageEndpoint Endpoint { get; private set; } = null!;

    internal PeerAddress Address => Endpoint.LocalAddress;

    internal void Open(int port = Port)
    {
        Endpoint = new MessageEndpoint(Node.Daemon, Node.Host.Address.WithPort(port), Config, Sink);
        Endpoint.Listen();
    }
}
