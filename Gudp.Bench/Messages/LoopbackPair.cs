using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>Two daemons of this process, and a connection between them over the system's loopback.</summary>
internal sealed class LoopbackPair : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Daemon _sending;
    private readonly Daemon _receiving;
    private readonly MessageEndpoint _client;
    private readonly MessageEndpoint _server;

    private LoopbackPair(MessagingConfig config, bool hasThreads)
    {
        _sending = new Daemon(config.Core);
        _receiving = new Daemon(config.Core);

        if (hasThreads)
        {
            _sending.Start();
            _receiving.Start();
        }

        _server = new MessageEndpoint(_receiving, PeerAddress.LoopbackIPv4(0), config);
        _client = new MessageEndpoint(_sending, PeerAddress.LoopbackIPv4(0), config);
        _server.Listen();
        Sender = _client.Connect(_server.LocalAddress);
        Receiver = Accept(hasThreads);
    }

    internal Peer Sender { get; }

    internal Peer Receiver { get; }

    /// <summary>Both daemons have threads of their own.</summary>
    internal static LoopbackPair WithThreads(MessagingConfig config) => new(config, hasThreads: true);

    /// <summary>Both daemons are driven by <see cref="Turn"/>.</summary>
    internal static LoopbackPair ByHand(MessagingConfig config) => new(config, hasThreads: false);

    /// <summary>One turn of each daemon.</summary>
    internal void Turn()
    {
        _sending.ProcessIO();
        _receiving.ProcessIO();
    }

    public void Dispose()
    {
        Sender.Dispose();
        Receiver.Dispose();
        _client.Dispose();
        _server.Dispose();
        _sending.Dispose();
        _receiving.Dispose();
    }

    private Peer Accept(bool hasThreads)
    {
        Peer? peer = hasThreads ? _server.Accept(Patience) : null;

        for (long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
            peer is null && !hasThreads && Environment.TickCount64 < end;
            _server.TryAccept(out peer))
        {
            Turn();
        }

        return peer ?? throw new InvalidOperationException("No connection over loopback.");
    }
}
