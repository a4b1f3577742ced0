using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// One world of the swarm, from its seed: nodes that talk to each other in messages, two that also talk in packets, an
// attacker, and a plan of faults. First everything goes wrong for a while; then the network is clean, everybody reads,
// and everything that was sent must arrive and be known to have arrived; then all is closed.
//
// Draws come from generators of their own (topology, plan, each flow, the attacker), so that a
// draw added to one does not change the others.

/// <summary>Runs one seed. Not reusable.</summary>
internal sealed partial class SwarmWorld : IDisposable
{
    private const int MessagePort = 7000;
    private const int DoorPort = 7001;
    private const int PacketPort = 7002;
    private const int SilentPort = 7003;
    private const int Million = 1_000_000;
    private const int MostMessageBytes = 1024 * 1024;
    private const int MostRounds = 400_000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan HealingLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(90);

    // P-6.3: twice as long with something undelivered.
    private static readonly TimeSpan LongestSilence = 2 * IdleTimeout;
    private static readonly LinkModel Clean = new() { Delay = TimeSpan.FromMilliseconds(5) };

    private readonly ulong _seed;
    private readonly Prng _root;
    private readonly Prng _replays;
    private readonly SimWorld _world;
    private readonly Wiretap _tap = new();
    private readonly Oracles _oracles;
    private readonly FaultPlan _plan;
    private readonly List<MessageEndpoint> _endpoints = [];
    private readonly List<MessageFlow> _flows = [];
    private readonly List<MessagingConfig> _configs = [];
    private readonly List<PendingPeer> _pending = [];
    private readonly HostilePeer _hostile;
    private readonly bool _followsAddresses;
    private readonly Endpoint _packetEndpoint;
    private readonly SwarmTally _tally = new();
    private PacketFlow _packets;
    private int _connects;
    private bool _isHealed;

    internal SwarmWorld(ulong seed)
    {
        _seed = seed;
        _root = new Prng(seed);
        Prng topology = _root.Split(10_000);
        IsHard = seed % 2 == 0;
        int nodes = IsHard ? (int)topology.NextBetween(3, 5) : 2;
        bool hasOffload = topology.NextChance(Million / 2);
        SocketModel sockets = SocketModel.Drawn(_root.Split(10_007));
        _world = new SimWorld(seed, hasOffload ? sockets : sockets with { MaxSegments = 1 }) { Tap = _tap };
        _oracles = new Oracles(_world);
        _world.Watch = _oracles.Watch;
        _replays = _root.Split(10_001);
        _plan = FaultPlan.Drawn(_root.Split(10_002), nodes, IsHard);

        _followsAddresses = _root.Split(10_006).NextChance(Million * 3 / 4);
        _waiting.AddRange(_plan.Faults.Where(fault => _followsAddresses || fault.Kind != FaultKind.Rebind));

        for (int i = 0; i < nodes; i++)
        {
            AddNode(topology, i);
        }

        SetLinks();
        ConnectAll(topology);

        _packetEndpoint = _world.Nodes[0].Open(PacketPort, ShortQueues);
        _packetEndpoint.Listen();
        _packets = ConnectPackets(10_003);

        Endpoint door = _world.Nodes[0].Open(DoorPort, OneAccept);
        door.Listen();
        Endpoint silent = _world.Nodes[0].Open(SilentPort);
        _hostile = new HostilePeer(
            _world, door.LocalAddress, silent.LocalAddress, _endpoints[1].LocalAddress, _root.Split(10_004));
    }

    /// <summary>Three or more nodes, a paused reader, a large message and a long cut.</summary>
    internal bool IsHard { get; }

    internal string ReplayLine
        => $"seed {_seed}, at {_world.ReplayLine}; again with: "
            + $"GUDP_SWARM_SEEDS={_seed}-{_seed} dotnet test --filter Name~Seeds_of_the_environment";

    /// <summary>What was done to it, for whoever looks into a failure.</summary>
    internal string Story
    {
        get
        {
            IEnumerable<string> faults = _plan.Faults.OrderBy(fault => fault.At).Select(fault => fault.ToString());
            return $"{_world.Nodes.Count} nodes, healed after {_plan.Lasting}\n{string.Join('\n', faults)}";
        }
    }

    /// <summary>What happened, once it has run.</summary>
    internal SwarmTally Tally => _tally;

    /// <summary>Runs all phases.</summary>
    /// <returns>A hash over everything the network carried.</returns>
    internal ulong Run()
    {
        RunUntil(HasPassedFaults, _plan.Lasting + (2 * LongestCut));
        Heal();
        RunUntil(HasFinished, HealingLimit + (_restarts > 0 ? LongestSilence : TimeSpan.Zero));
        AssertFinished();
        CloseAll();
        Count();
        return _world.Network.TraceHash;
    }

    public void Dispose() => _world.Dispose();

    private static GudpConfig Plain(ConnectionConfig connections) => new()
    {
        Connections = connections with { Security = new SecurityConfig { Protection = Protection.Plain } },
    };

    private static ConnectionConfig ShortQueues => SimWorld.Plain.Connections with
    {
        IdleTimeout = IdleTimeout,
        HandshakeTimeout = IdleTimeout,
        Queues = new QueueConfig { ReceivePackets = 4 },
    };

    private static ConnectionConfig OneAccept => SimWorld.Plain.Connections with
    {
        Queues = new QueueConfig { PendingAccepts = 1 },
    };

    private bool HasPassedFaults()
        => _world.Now - default(Instant) >= _plan.Lasting && _active.Count == 0 && _waiting.Count == 0;

    private bool HasFinished()
        => _hostile.IsDone && _bereft.Count == 0 && _packets.IsFinished && _flows.TrueForAll(flow => flow.IsFinished);

    private void AddNode(Prng draws, int index)
    {
        // The attacked node has the usual budgets, or the flood of one moment would be spread over many turns.
        bool isShort = draws.NextChance(Million / 4) && index > 0;
        int budget = (int)draws.NextBetween(1, 8);
        bool hasSmallSocket = draws.NextChance(Million / 3);
        ConnectionConfig connections = DrawnConnections(draws, _followsAddresses);
        GudpConfig config = Plain(connections) with
        {
            Budgets = isShort
                ? new TurnBudgets { Commands = budget, ReceiveDatagrams = budget, TransmitDatagrams = budget }
                : default,
            Sockets = hasSmallSocket && index > 0 ? new SocketConfig { ReceiveBufferBytes = 16 * 1024 } : default,
        };
        Node node = _world.AddNode(config);
        MessagingConfig messaging = new()
        {
            Core = config,
            MaxMessageBytes = MostMessageBytes,
            LaneRingBytes = (64 * 1024) << (int)draws.NextBelow(4),
            DatagramQueueBytes = 128 * 1024,
        };
        _configs.Add(messaging);
        _endpoints.Add(OpenMessages(node, messaging));
    }

    private static MessageEndpoint OpenMessages(Node node, MessagingConfig messaging)
    {
        MessageEndpoint endpoint = new(node.Daemon, node.Host.Address.WithPort(MessagePort), messaging);
        endpoint.Listen();
        return endpoint;
    }

    private PacketFlow ConnectPackets(ulong stream)
    {
        Connection packets = _world.Nodes[1].Open(PacketPort).Connect(_packetEndpoint.LocalAddress);
        return new PacketFlow("packets 1 to 0", packets, _root.Split(stream), new PacketPlan());
    }

    private static ConnectionConfig DrawnConnections(Prng draws, bool followsAddresses) => new()
    {
        IdleTimeout = IdleTimeout,
        HandshakeTimeout = IdleTimeout,
        Path = new PathConfig
        {
            PacketBytes = draws.NextChance(Million / 2) ? 1_200 : (int)draws.NextBetween(1_201, 4_000),
            AllowAddressChange = followsAddresses,
        },
        Loss = new LossConfig
        {
            PacketThreshold = (int)draws.NextBetween(3, 8),
            AckEveryPackets = (int)draws.NextBetween(1, 8),
            MaxAckDelay = TimeSpan.FromMilliseconds(draws.NextBetween(0, 25)),
            EagerResend = draws.NextChance(Million / 2),
            FirstRoundTrip = TimeSpan.FromMilliseconds(draws.NextBetween(20, 333)),
        },
        Congestion = new CongestionConfig
        {
            InitialWindowPackets = (int)draws.NextBetween(2, 32),
            Pacing = draws.NextChance(Million / 2),
        },
    };

    private void ConnectAll(Prng draws)
    {
        // A chain, so that all hang together, and some of the other pairs.
        for (int to = 0; to < _endpoints.Count; to++)
        {
            for (int from = to + 1; from < _endpoints.Count; from++)
            {
                bool wanted = draws.NextChance(Million / 4);

                if (wanted || from == to + 1)
                {
                    Connect(from, to, draws);
                }
            }
        }
    }

    private void Connect(int from, int to, Prng draws)
    {
        Peer client = _endpoints[from].Connect(_endpoints[to].LocalAddress);
        int large = IsHard && _connects == 0 ? DrawnLarge(draws) : 0;
        int messages = (int)draws.NextBetween(10, 80);
        ulong stream = 20_000 + (ulong)_connects++;
        MessageFlow flow = AddFlow(from, to, client, new MessagePlan(messages, large), stream);

        // The way back begins when the peer is accepted.
        _pending.Add(new PendingPeer(flow, new MessagePlan(messages, 0), stream + 10_000));
    }

    private static int DrawnLarge(Prng draws) => draws.NextBelow(3) switch
    {
        0 => MostMessageBytes,
        1 => (int)draws.NextBetween(100_000, MostMessageBytes),
        _ => (int)draws.NextBetween(30_000, 200_000),
    };

    private MessageFlow AddFlow(int from, int to, Peer sender, MessagePlan plan, ulong stream)
    {
        MessageFlow flow = new($"{from} to {to}", sender, _root.Split(stream), plan) { From = from, To = to };
        _flows.Add(flow);
        return flow;
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

            Act();
            Assert.That(round, Is.LessThan(MostRounds), "The world does not come to its end.");
        }
    }

    private void Act()
    {
        AdvanceFaults();
        Accept();
        AdvanceBereft();
        _hostile.Advance();
        Replay();

        foreach (MessageFlow flow in _flows)
        {
            flow.Send();
        }

        Read();

        foreach (MessageFlow flow in _flows)
        {
            flow.AssertAlive();
        }

        _packets.Advance();
        _packets.AssertAlive();
    }

    private void Read()
    {
        foreach (MessageFlow flow in _flows)
        {
            flow.Read();
        }

        foreach (Bereft bereft in _bereft)
        {
            bereft.Incoming?.Read();
        }
    }

    private void Accept()
    {
        foreach (MessageEndpoint endpoint in _endpoints)
        {
            while (endpoint.TryAccept(out Peer? peer))
            {
                TakeIn(endpoint, peer!);
            }
        }

        while (_packetEndpoint.TryAccept(out Connection? connection))
        {
            Assert.That(_packets.Receiver, Is.Null, "One connection was opened, two were accepted.");
            _packets.Receiver = connection;
        }
    }

    private void TakeIn(MessageEndpoint endpoint, Peer peer)
    {
        int index = _pending.FindIndex(pending => _endpoints[pending.Flow.To] == endpoint
            && _world.Network.OutsideOf(_endpoints[pending.Flow.From].LocalAddress) == peer.RemoteAddress);
        Assert.That(index, Is.GreaterThanOrEqualTo(0), $"A peer nobody connected was accepted: {peer.RemoteAddress}.");

        PendingPeer pending = _pending[index];
        MessageFlow there = pending.Flow;
        _pending.RemoveAt(index);
        there.Receiver = peer;
        AddFlow(there.To, there.From, peer, pending.Back, pending.Stream).Receiver = there.Sender;
    }

    /// <summary>Any earlier datagram may come again, from where it came and at any time.</summary>
    private void Replay()
    {
        if (_tap.Count > 0 && _replays.NextChance(50_000))
        {
            TappedDatagram again = _tap.At((int)_replays.NextBelow(_tap.Count));
            _world.Network.Inject(again.From, again.To, again.Bytes);
        }
    }

    private void Heal()
    {
        _isHealed = true;
        _world.HealSockets();
        _waiting.Clear();
        _active.Clear();
        ApplyFaults();
    }

    private void AssertFinished()
    {
        MessageFlow? late = _flows.Find(flow => !flow.IsFinished);
        Assert.That(late?.Standing, Is.Null, "Healed, and yet not all arrived.");
        Assert.That(_packets.IsFinished, Is.True, $"Healed, and yet not all arrived: {_packets.Standing}.");
        _packets.AssertKept();
        Assert.That(_hostile.IsDone, Is.True, "The attacker did not get through.");
        Assert.That(_pending, Is.Empty, "Healed, and yet not all peers were accepted.");
    }

    private void CloseAll()
    {
        Prng draws = _root.Split(10_005);

        foreach (MessageFlow flow in _flows)
        {
            flow.SendLast(messages: 4);
        }

        _world.Run(TimeSpan.FromMilliseconds(draws.NextBelow(12)));

        foreach (MessageFlow flow in _flows)
        {
            flow.IsReaderPaused = false;
            (draws.NextChance(Million / 2) ? flow.Sender : flow.Receiver!).Close();
        }

        _packets.Sender.Close();

        for (Instant end = _world.Now + TimeSpan.FromSeconds(8); _world.Now < end;)
        {
            _world.Run(Tick);
            Read();
        }

        _packets.AssertEnded();

        foreach (MessageFlow flow in _flows)
        {
            flow.AssertReceiptsEnded();
            FinalReasons reasons = flow.Sender.Status.Reasons;
            Assert.That(
                reasons & ~(FinalReasons.ClosedLocally | FinalReasons.ClosedByPeer), Is.EqualTo(FinalReasons.None));
        }
    }

    private void Count()
    {
        _oracles.AssertCountedOnce();
        _oracles.AssertNetworkAgrees(readElsewhere: _hostile.ReadAll());
        _tally.Add(_world.Network.Faults);

        foreach (Node node in _world.Nodes)
        {
            _tally.Add(node.Daemon.ReadCounters());
        }

        foreach (FaultKind kind in Enum.GetValues<FaultKind>())
        {
            _tally.Add($"fault {kind}", 0);
        }

        foreach (MessageFlow flow in _flows)
        {
            _tally.Add(flow.Sender.Connection.ReadCounters());
        }

        _tally.Add("swarm own pauses", _world.Nodes.Sum(node => node.Daemon.ReadCounters().OwnPauses));
        _tally.Add("swarm worlds", 1);
        _tally.Add("swarm worlds that follow addresses", _followsAddresses ? 1 : 0);
        _tally.Add("swarm worlds that do not", _followsAddresses ? 0 : 1);
        _tally.Add("swarm ends told as a restart", _toldRestarted);
        _tally.Add("swarm ends by silence after a restart", _toldByTimeout);
        _tally.Add("swarm refused sends", _flows.Sum(flow => flow.Refusals));
        _tally.Add("swarm unreliable messages", _flows.Sum(flow => flow.UnreliableReceived));
        _tally.Add("swarm packets", _packets.Received);
        _tally.Add("swarm packets told received", _packets.Outcomes(PacketOutcome.Received));
        _tally.Add("swarm packets told lost", _packets.Outcomes(PacketOutcome.Lost));
        _tally.Add("swarm packets timed out", _packets.Outcomes(PacketOutcome.TimedOut));
        _tally.Add("swarm packets cancelled", _packets.Outcomes(PacketOutcome.Cancelled));
        _tally.Add("swarm packets repeated", _packets.Sender.ReadCounters().Retransmits);
        _tally.Add("swarm virtual seconds", (long)(_world.Now - default(Instant)).TotalSeconds);
    }

    /// <summary>A connection whose other end was not accepted yet; then the messages of the way back begin.</summary>
    private sealed record PendingPeer(MessageFlow Flow, MessagePlan Back, ulong Stream);
}
