using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// One world of mixed traffic, from its seed: nodes in a chain, every neighbour sends the other messages of all modes,
// and a plan of faults. First everything goes wrong for a while, and processes may be killed; then the network is
// clean, and everything that was sent must end as its mode promises; then all is closed amid some last messages.

/// <summary>Runs one seed of the whole stack. Not reusable.</summary>
internal sealed partial class MixedWorld : IDisposable
{
    private const int Port = 7000;
    private const int Million = 1_000_000;
    private const int LargestMessage = 256 * 1024;
    private const int QueueBytes = 128 * 1024;
    private const int MostRounds = 400_000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan HealingLimit = TimeSpan.FromSeconds(240);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(90);
    private static readonly LinkModel Clean = new() { Delay = TimeSpan.FromMilliseconds(5) };

    private readonly ulong _seed;
    private readonly Prng _root;
    private readonly SimWorld _world;
    private readonly Oracles _oracles;
    private readonly FaultPlan _plan;
    private readonly List<MessageEndpoint> _endpoints = [];
    private readonly List<IReadOnlyList<LaneOptions>> _lanes = [];
    private readonly List<MixedLink> _links = [];
    private readonly List<MixedLink> _ended = [];
    private bool _isHealed;

    internal MixedWorld(ulong seed)
    {
        _seed = seed;
        _root = new Prng(seed);
        Prng draws = _root.Split(20_000);
        int nodes = (int)draws.NextBetween(2, 4);
        bool hasOffload = draws.NextChance(Million / 2);
        SocketModel sockets = SocketModel.Drawn(_root.Split(20_007));
        _world = new SimWorld(seed, hasOffload ? sockets : sockets with { MaxSegments = 1 });
        _oracles = new Oracles(_world);
        _world.Watch = _oracles.Watch;
        _plan = FaultPlan.Drawn(_root.Split(20_001), nodes, isHard: nodes > 2);
        _waiting.AddRange(_plan.Faults.Where(fault => fault.Kind != FaultKind.Rebind));

        for (int i = 0; i < nodes; i++)
        {
            AddNode(draws);
        }

        SetLinks();

        for (int to = 0; to < nodes - 1; to++)
        {
            Connect(to + 1, to, draws);
        }
    }

    internal string ReplayLine => $"seed {_seed}, at {_world.ReplayLine}";

    /// <summary>What was done to it, for whoever looks into a failure.</summary>
    internal string Story
        => $"{_world.Nodes.Count} nodes, healed after {_plan.Lasting}\n"
            + string.Join('\n', _plan.Faults.OrderBy(fault => fault.At));

    internal string Standing => string.Join('\n', _links.Concat(_ended).Select(link => link.Standing));

    /// <summary>How all messages ended, once it has run.</summary>
    internal MixedAccount Account { get; } = new();

    /// <summary>Runs all phases.</summary>
    /// <returns>A hash over everything the network carried.</returns>
    internal ulong Run()
    {
        RunUntil(HasPassedFaults, _plan.Lasting + (2 * LongestCut));
        Heal();
        RunUntil(() => _links.TrueForAll(link => link.IsFinished), HealingLimit);
        Assert.That(_links.TrueForAll(link => link.IsFinished), Is.True, "Healed, and yet not everything ended.");
        CloseAll();
        AssertEnded();
        return _world.Network.TraceHash;
    }

    public void Dispose() => _world.Dispose();

    private bool HasPassedFaults()
        => _world.Now - default(Instant) >= _plan.Lasting && _active.Count == 0 && _waiting.Count == 0;

    private void AddNode(Prng draws)
    {
        Node node = _world.AddNode(SimWorld.Plain with { Connections = DrawnConnections(draws) });
        int ring = (64 * 1024) << (int)draws.NextBelow(3);
        IReadOnlyList<LaneOptions> lanes = LaneModes.Drawn(draws);
        MessagingConfig messaging = LaneModes.Apply(lanes, new MessagingConfig
        {
            Core = SimWorld.Plain with { Connections = DrawnConnections(draws) },
            Lanes = MixedPlan.LaneCount,
            MaxMessageBytes = LargestMessage,
            LaneRingBytes = ring,
            DatagramQueueBytes = QueueBytes,
            PeerMemoryBytes = (2 * MixedPlan.LaneCount * (ring + LargestMessage)) + (2 * QueueBytes)
                + draws.NextBelow(LargestMessage * 8),
        });
        MessageEndpoint endpoint = new(node.Daemon, node.Host.Address.WithPort(Port), messaging);
        endpoint.Listen();
        _endpoints.Add(endpoint);
        _lanes.Add(lanes);
    }

    private static ConnectionConfig DrawnConnections(Prng draws) => SimWorld.Plain.Connections with
    {
        IdleTimeout = IdleTimeout,
        UnfinishedTimeout = IdleTimeout,
        HandshakeTimeout = IdleTimeout,
        Path = new PathConfig
        {
            PacketBytes = draws.NextChance(Million / 2) ? 1_200 : (int)draws.NextBetween(1_201, 4_000),
        },
        Loss = new LossConfig
        {
            PacketThreshold = (int)draws.NextBetween(3, 8),
            AckEveryPackets = (int)draws.NextBetween(1, 8),
            MaxAckDelay = TimeSpan.FromMilliseconds(draws.NextBetween(0, 25)),
            EagerResend = draws.NextChance(Million / 2),
        },
        Congestion = new CongestionConfig
        {
            InitialWindowPackets = (int)draws.NextBetween(2, 32),
            Pacing = draws.NextChance(Million / 2),
        },
    };

    private void Connect(int from, int to, Prng draws)
    {
        Peer client = _endpoints[from].Connect(_endpoints[to].LocalAddress);
        MixedPlan there = MixedPlan.Drawn(draws.Split(1), _lanes[from], (int)draws.NextBetween(20, 120));
        MixedPlan back = MixedPlan.Drawn(draws.Split(2), _lanes[to], (int)draws.NextBetween(5, 60));
        _links.Add(new MixedLink(from, to, client, there, back, _root.Split(21_000 + (ulong)_links.Count)));
    }

    private void RunUntil(Func<bool> condition, TimeSpan limit)
    {
        Instant end = _world.Now + limit;

        for (int round = 0; !condition() && _world.Now < end; round++)
        {
            Instant next = _world.Now + Tick;

            while (_world.Step(next))
            {
                Read();
            }

            AdvanceFaults();
            Accept();

            foreach (MixedLink link in _links)
            {
                link.Send();
                link.AssertAlive();
            }

            Read();
            Assert.That(round, Is.LessThan(MostRounds), "The world does not come to its end.");
        }
    }

    private void Read()
    {
        foreach (MixedLink link in _links)
        {
            link.Read();
        }
    }

    private void Accept()
    {
        for (int i = 0; i < _endpoints.Count; i++)
        {
            while (_endpoints[i].TryAccept(out Peer? peer))
            {
                MixedLink? link = _links.Find(
                    link => link.To == i && _endpoints[link.From].LocalAddress == peer!.RemoteAddress);
                Assert.That(link, Is.Not.Null, $"A peer nobody connected was accepted: {peer!.RemoteAddress}.");
                link!.Accepted(peer);
            }
        }
    }

    private void Heal()
    {
        _isHealed = true;
        _world.HealSockets();
        _waiting.Clear();
        _active.Clear();
        ApplyFaults();
        _links.ForEach(link => link.Heal());
    }

    private void CloseAll()
    {
        Prng draws = _root.Split(20_002);
        _links.ForEach(link => link.SendLast());
        _world.Run(TimeSpan.FromMilliseconds(draws.NextBelow(12)));

        foreach (MixedLink link in _links)
        {
            link.Close(draws.NextChance(Million / 2));
        }

        // Those whose peer was killed are told by silence.
        TimeSpan silence = _ended.Count > 0 ? IdleTimeout + HealingLimit : TimeSpan.FromSeconds(8);

        for (Instant end = _world.Now + silence; _world.Now < end;)
        {
            _world.Run(TimeSpan.FromMilliseconds(100));
            Read();
        }
    }

    private void AssertEnded()
    {
        foreach (MixedLink link in _links.Concat(_ended))
        {
            link.AssertEnded(Account);
        }

        Account.AssertExact("All links together");
        _oracles.AssertCountedOnce();
        _oracles.AssertNetworkAgrees(readElsewhere: 0);

        foreach (MessageEndpoint endpoint in _endpoints)
        {
            Assert.That(endpoint.Memory.UsedBytes, Is.Zero, "Memory is back to what it was.");
            Assert.That(endpoint.Memory.Blocks, Is.Zero, "Memory is back to what it was.");
        }
    }
}
