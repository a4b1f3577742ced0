using Gudp.Core;

namespace Gudp.Tests.World;

/// <summary>
/// As many unreliable packets as one end of a connection takes, read at the other end at once: a transfer without an
/// end, watched at every moment of the world.
/// </summary>
/// <remarks>Takes the world's <see cref="SimWorld.Watch"/>.</remarks>
internal sealed class PacketStream
{
    internal const int PacketBytes = 1_100;

    private readonly SimWorld _world;
    private readonly Connection _sender;
    private readonly Connection _receiver;
    private readonly byte[] _packet = new byte[PacketBytes];
    private readonly byte[] _buffer = new byte[2_000];

    internal PacketStream(SimWorld world, Connection sender, Connection receiver)
    {
        _world = world;
        _sender = sender;
        _receiver = receiver;
        LastArrival = world.Now;
        world.Watch = Advance;
    }

    /// <summary>Payload bytes that arrived.</summary>
    internal long ArrivedBytes { get; private set; }

    /// <summary>When the last packet arrived.</summary>
    internal Instant LastArrival { get; private set; }

    /// <summary>Called at each arrival with the moment of the one before and its own.</summary>
    internal Action<Instant, Instant>? Arrived { get; set; }

    private void Advance()
    {
        while (_sender.TrySend(_packet) == SendStatus.Accepted)
        {
        }

        while (_receiver.TryReceive(_buffer, out int length) == ReceiveStatus.Received)
        {
            ArrivedBytes += length;
            Arrived?.Invoke(LastArrival, _world.Now);
            LastArrival = _world.Now;
        }
    }
}
