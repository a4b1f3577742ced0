using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.World;

/// <summary>Two message endpoints, the first connected to the second.</summary>
internal sealed class PeerPair : IDisposable
{
    private const int Port = 7_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly MessageEndpoint _left;
    private readonly MessageEndpoint _right;

    internal PeerPair(SimWorld world, Node left, Node right, MessagingConfig config)
    {
        _left = new MessageEndpoint(left.Daemon, left.Host.Address.WithPort(Port), config);
        _right = new MessageEndpoint(right.Daemon, right.Host.Address.WithPort(Port), config);
        _right.Listen();
        Client = _left.Connect(_right.LocalAddress);
        Peer? accepted = null;
        world.RunUntil(
            () => Client.Status.IsOpen && (accepted is not null || _right.TryAccept(out accepted)),
            Patience,
            "The connection");
        Server = accepted!;
    }

    internal Peer Client { get; }

    internal Peer Server { get; }

    /// <summary>Two nodes of one configuration.</summary>
    internal static PeerPair In(SimWorld world, MessagingConfig config)
        => new(world, world.AddNode(config.Core), world.AddNode(config.Core), config);

    internal void AssertAlive()
    {
        Oracles.AssertAlive(Client.Connection, "client");
        Oracles.AssertAlive(Server.Connection, "server");
    }

    public void Dispose()
    {
        _left.Dispose();
        _right.Dispose();
    }
}
