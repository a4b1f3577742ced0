using System.Diagnostics;
using Gudp.Core;
using Gudp.Core.Simulation;

namespace Gudp.Bench.Transport;

/// <summary>P19: how much virtual time the simulator covers in a second of real time.</summary>
internal sealed class SpeedRun : IWorldActor
{
    private const int PacketBytes = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private readonly Connection _sender;
    private readonly Connection _receiver;
    private readonly WorldNode _receiving;
    private readonly byte[] _packet = new byte[PacketBytes];
    private readonly byte[] _buffer = new byte[2_000];
    private Instant _next;
    private long _seenTurns;

    private SpeedRun(Connection sender, Connection receiver, WorldNode receiving, Instant start)
    {
        _sender = sender;
        _receiver = receiver;
        _receiving = receiving;
        _next = start;
    }

    public Instant NextDeadline => _next;

    internal long Received { get; private set; }

    /// <summary>Each node sends 100 unreliable packets a second to the next one.</summary>
    /// <returns>Virtual seconds per second of the clock on the wall, and per second of processor time.</returns>
    internal static (double PerWall, double PerProcessor) Run(int nodes, TimeSpan span, ulong seed)
    {
        using BenchWorld world = new(seed);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(10) };
        List<SpeedRun> flows = Connect(world, nodes);
        world.RunTo(world.Now + TimeSpan.FromSeconds(10));
        long before = flows.Sum(flow => flow.Received);
        TimeSpan worked = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        world.RunTo(world.Now + span);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double processorSeconds = (Environment.CpuUsage.TotalTime - worked).TotalSeconds;
        long expected = (long)(nodes * (span / Interval));
        world.Require(flows.Sum(flow => flow.Received) - before >= expected, "A packet is missing");
        return (span.TotalSeconds / seconds, span.TotalSeconds / processorSeconds);
    }

    public bool Run(Instant now)
    {
        bool isBusy = false;

        if (now >= _next)
        {
            _sender.TrySend(_packet);
            _next += Interval;
            isBusy = true;
        }

        if (_seenTurns == _receiving.Turns)
        {
            return isBusy;
        }

        _seenTurns = _receiving.Turns;

        while (_receiver.TryReceive(_buffer, out _) == ReceiveStatus.Received)
        {
            Received++;
            isBusy = true;
        }

        return isBusy;
    }

    private static List<SpeedRun> Connect(BenchWorld world, int count)
    {
        GudpConfig config = Presets.Plain(default);
        List<WorldNode> nodes = [];
        List<Endpoint> endpoints = [];

        for (int i = 0; i < count; i++)
        {
            WorldNode node = world.AddNode(config);
            Endpoint endpoint = node.Daemon.Open(node.Host.Address.WithPort(7000));
            endpoint.Listen();
            nodes.Add(node);
            endpoints.Add(endpoint);
        }

        List<SpeedRun> flows = [];

        for (int i = 0; i < count; i++)
        {
            Endpoint next = endpoints[(i + 1) % count];
            Connection sender = endpoints[i].Connect(next.LocalAddress);
            Connection? receiver = null;
            bool isOpen = world.RunUntil(
                () => sender.Status.IsOpen && next.TryAccept(out receiver), world.Now + TimeSpan.FromSeconds(10));
            world.Require(isOpen, "A connection did not open");

            // Each at a moment of its own: nodes in step would share their moments and flatter the figure.
            flows.Add(new SpeedRun(sender, receiver!, nodes[(i + 1) % count], world.Now + (Interval * i / count)));
        }

        // Only now: the first flow would wait for none of the others.
        for (int i = 0; i < count; i++)
        {
            world.Add(flows[i], nodes[i]);
        }

        return flows;
    }
}
