using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;

namespace Gudp.Bench.Transport;

/// <summary>P14: a small message at each tick, and how long each is on its way.</summary>
internal sealed class TickRun : IWorldActor, IMessageHandler
{
    private const int MessageBytes = 200;
    private const int TicksPerSecond = 60;
    private const int Messages = 60 * TicksPerSecond;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Nobody sends an unreliable message again: what arrives is there long before.
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(1);

    private readonly byte[] _message = new byte[MessageBytes];
    private readonly Peer _sender;
    private readonly Peer _receiver;
    private readonly BenchWorld _world;
    private readonly Instant _start;
    private readonly List<double> _delaysMs = [];
    private int _sent;

    private TickRun(BenchWorld world, Peer sender, Peer receiver)
    {
        _world = world;
        _sender = sender;
        _receiver = receiver;
        _start = world.Now + TimeSpan.FromSeconds(1);
    }

    public Instant NextDeadline => _sent < Messages ? TickAt(_sent) : Instant.Never;

    /// <returns>Every message's way from TrySend to the reader, in milliseconds.</returns>
    internal static IReadOnlyList<double> Run(MessagingConfig config, LinkModel link, ulong seed)
        => Measure(config, link, seed).DelaysMs;

    internal static TickSample Measure(MessagingConfig config, LinkModel link, ulong seed)
    {
        using BenchWorld world = new(seed);
        PeerWorld peers = world.AddPeers(config, link);
        (Peer sender, Peer receiver) = world.Connect(peers);
        TickRun run = new(world, sender, receiver);
        world.Add(run);
        long before = sender.Connection.ReadCounters().BytesSent;
        bool isReliable = config.LanePlan[SendOptions.DefaultLane].Mode <= LaneMode.SequencedReliable;
        bool isDone = world.RunUntil(
            () => run._delaysMs.Count == Messages, run.TickAt(Messages) + (isReliable ? Patience : Lateness));
        world.Require(isDone || !isReliable, "Not every message arrived");
        double bytes = sender.Connection.ReadCounters().BytesSent - before;
        return new TickSample(run._delaysMs, bytes / Messages, 100.0 * run._delaysMs.Count / Messages);
    }

    public bool Run(Instant now)
    {
        int before = _sent + _delaysMs.Count;

        while (_sent < Messages && TickAt(_sent) <= now)
        {
            BinaryPrimitives.WriteInt32BigEndian(_message, _sent);
            _world.Require(_sender.TrySend(_message) == SendStatus.Accepted, "A tick's message was refused");
            _sent++;
        }

        TickRun self = this;
        _receiver.Poll(ref self, budget: int.MaxValue);
        return _sent + _delaysMs.Count != before;
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
    {
        int number = BinaryPrimitives.ReadInt32BigEndian(message);
        _delaysMs.Add((_world.Now - TickAt(number)).TotalMilliseconds);
    }

    private Instant TickAt(int number) => _start + new TimeSpan(number * TimeSpan.TicksPerSecond / TicksPerSecond);
}

/// <summary>What one run found.</summary>
/// <param name="DelaysMs">The way from TrySend to the reader of every message that arrived.</param>
/// <param name="WireBytesPerMessage">The sender's bytes on the wire.</param>
/// <param name="ArrivedPercent">Of all messages; 100 on reliable lanes.</param>
internal sealed record TickSample(
    IReadOnlyList<double> DelaysMs, double WireBytesPerMessage, double ArrivedPercent);
