using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>
/// One message peer that sends as fast as it may to another across a simulated path, and checks every byte in order.
/// </summary>
internal sealed class BulkTransfer : IDisposable
{
    private const int MessageBytes = 4_000;

    private readonly SimWorld _world;
    private readonly byte[] _message = new byte[MessageBytes];
    private readonly int _messages;
    private int _sent;
    private int _received;

    internal BulkTransfer(SimWorld world, PathConfig path, int bytes)
    {
        _world = world;
        _messages = (bytes + MessageBytes - 1) / MessageBytes;
        MessagingConfig config = new()
        {
            Core = SimWorld.Plain with { Connections = SimWorld.Plain.Connections with { Path = path } },
        };
        Right = world.AddNode(config.Core);
        Left = world.AddNode(config.Core);
        MessageEndpoint listener = new(Right.Daemon, Right.Host.Address.WithPort(7000), config);
        listener.Listen();
        MessageEndpoint caller = new(Left.Daemon, Left.Host.Address.WithPort(0), config);
        Client = caller.Connect(listener.LocalAddress);
        Peer? accepted = null;
        world.RunUntil(() => listener.TryAccept(out accepted), TimeSpan.FromMinutes(1), "the handshake");
        Server = accepted!;
    }

    internal Node Left { get; }

    internal Node Right { get; }

    /// <summary>The sender.</summary>
    internal Peer Client { get; }

    internal Peer Server { get; }

    /// <summary>Bytes that arrived in order.</summary>
    internal long ReceivedBytes => (long)_received * MessageBytes;

    internal bool IsDone => _received == _messages;

    internal ConnectionCounters AtClient => Client.Connection.ReadCounters();

    internal ConnectionCounters AtServer => Server.Connection.ReadCounters();

    /// <summary>Sends and receives until the condition holds.</summary>
    internal void RunUntil(Func<bool> condition, TimeSpan limit, string what)
        => _world.RunUntil(
            () =>
            {
                Pump();
                return condition();
            },
            limit,
            what);

    internal void Run(TimeSpan span)
    {
        Instant end = _world.Now + span;
        RunUntil(() => _world.Now >= end || IsDone, span + TimeSpan.FromMinutes(1), "the end of a span");
    }

    internal void Complete(TimeSpan limit) => RunUntil(() => IsDone, limit, $"{_messages} messages");

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private void Pump()
    {
        while (_sent < _messages)
        {
            Fill(_sent);

            if (Client.TrySend(_message) != SendStatus.Accepted)
            {
                break;
            }

            _sent++;
        }

        while (Server.TryReceive(out ReceivedMessage received))
        {
            Fill(_received);

            if (!received.Span.SequenceEqual(_message))
            {
                Assert.Fail($"Message {_received} is not what was sent. {_world.ReplayLine}");
            }

            received.Dispose();
            _received++;
        }
    }

    private void Fill(int number)
    {
        _message.AsSpan().Fill((byte)(number * 31));
        BitConverter.TryWriteBytes(_message, number);
    }
}
