using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Two daemons with threads on the system's UDP, and one connection between two endpoints.</summary>
internal sealed class Loopback : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Daemon _left;
    private readonly Daemon _right;
    private readonly List<Peer> _more = [];

    private Loopback(MessagingConfig config)
    {
        _left = new Daemon(config.Core);
        _right = new Daemon(config.Core);
        _left.Start();
        _right.Start();
        Listener = new MessageEndpoint(_right, PeerAddress.LoopbackIPv4(0), config);
        Caller = new MessageEndpoint(_left, PeerAddress.LoopbackIPv4(0), config);
        Config = config;
    }

    internal Daemon LeftDaemon => _left;

    internal MessagingConfig Config { get; }

    /// <summary>The endpoint that listens.</summary>
    internal MessageEndpoint Listener { get; }

    internal MessageEndpoint Caller { get; }

    internal Peer Client { get; private set; } = null!;

    internal Peer Server { get; private set; } = null!;

    internal static async Task<Loopback> OpenAsync(MessagingConfig config)
    {
        Loopback made = new(config);
        made.Listener.Listen();
        made.Client = made.Caller.Connect(made.Listener.LocalAddress);
        made.Server = (await made.Listener.AcceptAsync().AsTask().WaitAsync(Patience))!;
        Assert.That(made.Client.WaitUntilOpen(Patience), Is.True);
        return made;
    }

    /// <summary>One more client, from an endpoint of its own; to be accepted.</summary>
    internal Peer Connect()
    {
        MessageEndpoint endpoint = new(_left, PeerAddress.LoopbackIPv4(0), Config);
        Peer peer = endpoint.Connect(Listener.LocalAddress);
        _more.Add(peer);
        return peer;
    }

    public ValueTask DisposeAsync()
    {
        _more.ForEach(peer => peer.Dispose());
        Client.Dispose();
        Server.Dispose();
        _left.Dispose();
        _right.Dispose();
        Assert.That(_left.Fault, Is.Null);
        Assert.That(_right.Fault, Is.Null);
        return ValueTask.CompletedTask;
    }
}
