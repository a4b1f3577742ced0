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
internal sealed class SwarmWorld : IDisposable
{
    private const int MessagePort = 7000;
    private const int DoorPort = 7001;
    private const int PacketPort = 7002;
    private const int SilentPort = 7003;
    private const int Million = 1_000_000;
    private const int SmallMtuBytes = 1_200;
    private const int LargestMtuBytes = 65_507;
    private const int MostMessageBytes = 1024 * 1024;
    private const int MostRounds = 400_000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan HealingLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestCut = TimeSpan.FromSeconds(20);
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
    private readonly List<int> _readers = [];
    private readonly List<PendingPeer> _pending = [];
    private readonly List<Fault> _waiting = [];
    private readonly List<ActiveFault> _active = [];
    private readonly HostilePeer _hostile;
    private readonly PacketFlow _packets;
    private readonly Endpoint _packetEndpoint;
    private readonly SwarmTally _tally = new();
    private bool _isHealed;

    internal SwarmWorld(ulong seed)
    {
        _seed = seed;
        _root = new Prng(seed);
        Prng topology = _root.Split(10_000);
        IsHard = seed % 2 == 0;
        int nodes = IsHard ? (int)topology.NextBetween(3, 5) : 2;
        _world = new SimWorld(seed, maxSegments: topology.NextChance(Million / 2) ? 16 : 1) { Tap = _tap };
        _oracles = new Oracles(_world);
        _world.Watch = _oracles.Watch;
        _replays = _root.Split(10_001);
        _plan = FaultPlan.Drawn(_root.Split(10_002), nodes, IsHard);

        _waiting.AddRange(_plan.Faults);

        for (int i = 0; i < nodes; i++)
        {
            AddNode(topology, i);
        }

        SetLinks();
        ConnectAll(topology);

        _packetEndpoint = _world.Nodes[0].Open(PacketPort, ShortQueues);
        _packetEndpoint.Listen();
        Connection packets = _world.Nodes[1].Open(PacketPort).Connect(_packetEndpoint.LocalAddress);
        _packets = new PacketFlow("packets 1 to 0", packets, _root.Split(10_003), new PacketPlan());

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
        RunUntil(HasFinished, HealingLimit);
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
        IdleTimeout = TimeSpan.FromSeconds(90),
        HandshakeTimeout = TimeSpan.FromSeconds(90),
        Queues = new QueueConfig { ReceivePackets = 4 },
    };

    private static ConnectionConfig OneAccept => SimWorld.Plain.Connections with
    {
        Queues = new QueueConfig { PendingAccepts = 1 },
    };

    private bool HasPassedFaults()
        => _world.Now - default(Instant) >= _plan.Lasting && _active.Count == 0 && _waiting.Count == 0;

    private bool HasFinished() => _hostile.IsDone && _packets.IsFinished && _flows.TrueForAll(flow => flow.IsFinished);

    private void AddNode(Prng draws, int index)
    {
        // The attacked node has the usual budgets, or the flood of one moment would be spread over many turns.
        bool isShort = draws.NextChance(Million / 4) && index > 0;
        int budget = (int)draws.NextBetween(1, 8);
        bool hasSmallSocket = draws.NextChance(Million / 3);
        ConnectionConfig connections = DrawnConnections(draws);
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
        MessageEndpoint endpoint = new(node.Daemon, node.Host.Address.WithPort(MessagePort), messaging);
        endpoint.Listen();
        _endpoints.Add(endpoint);
    }

    private static ConnectionConfig DrawnConnections(Prng draws) => new()
    {
        IdleTimeout = TimeSpan.FromSeconds(90),
        HandshakeTimeout = TimeSpan.FromSeconds(90),
        Path = new PathConfig
        {
            PacketBytes = draws.NextChance(Million / 2) ? 1_200 : (int)draws.NextBetween(1_201, 4_000),
            AllowAddressChange = true,
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
        bool isFirst = _flows.Count == 0;
        int large = IsHard && isFirst ? DrawnLarge(draws) : 0;
        int messages = (int)draws.NextBetween(10, 80);
        ulong stream = 20_000 + (ulong)_flows.Count;
        AddFlow($"{from} to {to}", client, reader: to, new MessagePlan(messages, large), stream);

        // The way back begins when the peer is accepted.
        _pending.Add(new PendingPeer(from, to, client, _flows.Count - 1, new MessagePlan(messages, 0), stream + 10_000));
    }

    private static int DrawnLarge(Prng draws) => draws.NextBelow(3) switch
    {
        0 => MostMessageBytes,
        1 => (int)draws.NextBetween(100_000, MostMessageBytes),
        _ => (int)draws.NextBetween(30_000, 200_000),
    };

    private void AddFlow(string name, Peer sender, int reader, MessagePlan plan, ulong stream)
    {
        _flows.Add(new MessageFlow(name, sender, _root.Split(stream), plan));
        _readers.Add(reader);
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
        int index = _pending.FindIndex(pending => _endpoints[pending.To] == endpoint
            && _endpoints[pending.From].LocalAddress == peer.RemoteAddress);
        Assert.That(index, Is.GreaterThanOrEqualTo(0), $"A peer nobody connected was accepted: {peer.RemoteAddress}.");

        PendingPeer pending = _pending[index];
        _pending.RemoveAt(index);
        _flows[pending.Flow].Receiver = peer;
        AddFlow($"{pending.To} to {pending.From}", peer, reader: pending.From, pending.Back, pending.Stream);
        _flows[^1].Receiver = pending.Client;
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

    private void AdvanceFaults()
    {
        if (_isHealed)
        {
            return;
        }

        _active.RemoveAll(fault => fault.Until <= _world.Now && End(fault));

        foreach (Fault fault in _waiting.FindAll(IsDue))
        {
            _waiting.Remove(fault);

            if (fault.Kind == FaultKind.Rebind)
            {
                _world.Network.Rebind(_endpoints[^1].LocalAddress, changesAddress: !fault.IsOneWay);
                continue;
            }

            _active.Add(new ActiveFault(fault, _world.Now + SpanOf(fault), Probes()));
        }

        ApplyFaults();
    }

    private bool IsDue(Fault fault)
    {
        if (fault.Kind == FaultKind.Rebind)
        {
            // A handshake belongs to one address.
            int last = _endpoints.Count - 1;
            return default(Instant) + fault.At <= _world.Now && !_pending.Exists(pending => pending.From == last);
        }

        // A server remembers a peer for 10 s between its answer and the peer's Finish. A longer cut just there leaves
        // the client with a connection that nobody else has, until it is given up: nothing to be healed.
        bool mustBeOpen = fault.Kind == FaultKind.LongCut;
        return default(Instant) + fault.At <= _world.Now && (!mustBeOpen || IsOpen(fault.From, fault.To));
    }

    private bool IsOpen(int left, int right)
        => !_pending.Exists(pending => (pending.From == left && pending.To == right)
            || (pending.From == right && pending.To == left))
            && (left + right > 1 || _packets.Receiver is not null);

    private bool End(ActiveFault fault)
    {
        if (fault.Fault.Kind == FaultKind.LongCut && Probes() - fault.ProbesBefore >= 3)
        {
            _tally.Add("plan LongCut with 3 probes", 1);
        }

        return true;
    }

    private TimeSpan SpanOf(Fault fault)
    {
        if (fault.Kind != FaultKind.LongCut)
        {
            return fault.Lasting;
        }

        // RFC 9002: a probe time-out is the round trip, four times its variation (half of it at first) and the ack
        // delay. Three of them, and some more.
        TimeSpan longest = TimeSpan.FromMilliseconds(333);

        foreach (MessageFlow flow in _flows)
        {
            TimeSpan smoothed = flow.Sender.Connection.ReadCounters().SmoothedRtt;
            longest = smoothed > longest ? smoothed : longest;
        }

        TimeSpan least = 3 * ((3 * longest) + TimeSpan.FromMilliseconds(25));
        TimeSpan span = fault.Lasting > least ? fault.Lasting : least;
        return span < LongestCut ? span : LongestCut;
    }

    private long Probes()
    {
        long probes = 0;

        foreach (MessageFlow flow in _flows)
        {
            probes += flow.Sender.Connection.ReadCounters().ProbesSent;
        }

        return probes;
    }

    private void ApplyFaults()
    {
        SetLinks();

        for (int i = 0; i < _world.Nodes.Count; i++)
        {
            _world.Nodes[i].IsStopped = Exists(FaultKind.Pause, i);
            _world.Nodes[i].Host.LargestDatagramBytes = Exists(FaultKind.SmallMtu, i) ? SmallMtuBytes : LargestMtuBytes;
        }

        for (int i = 0; i < _flows.Count; i++)
        {
            _flows[i].IsReaderPaused = Exists(FaultKind.ReaderPause, _readers[i]);
        }

        _packets.IsReaderPaused = Exists(FaultKind.ReaderPause, 0);
    }

    private bool Exists(FaultKind kind, int node)
        => _active.Exists(active => active.Fault.Kind == kind && active.Fault.From == node);

    private void SetLinks()
    {
        for (int from = 0; from < _world.Nodes.Count; from++)
        {
            for (int to = 0; to < _world.Nodes.Count; to++)
            {
                if (from != to)
                {
                    _world.Network.SetLink(_world.Nodes[from].Host, _world.Nodes[to].Host, ModelOf(from, to));
                }
            }
        }
    }

    private LinkModel ModelOf(int from, int to)
    {
        LinkModel model = _isHealed ? Clean : _plan.Links[from, to];

        foreach (ActiveFault active in _active)
        {
            Fault fault = active.Fault;
            bool isHere = (fault.From == from && fault.To == to)
                || (!fault.IsOneWay && fault.From == to && fault.To == from);
            model = fault.Kind switch
            {
                FaultKind.Cut when isHere => model with { Cut = true },
                FaultKind.LongCut when isHere || (fault.From == to && fault.To == from) => model with { Cut = true },
                FaultKind.Narrow when isHere => model with { LargestBytes = 600 },
                _ => model,
            };
        }

        return model;
    }

    private void Heal()
    {
        _isHealed = true;
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

        foreach (Fault fault in _plan.Faults)
        {
            _tally.Add($"plan {fault.Kind}", 1);
        }

        _tally.Add("swarm worlds", 1);
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
    private sealed record PendingPeer(int From, int To, Peer Client, int Flow, MessagePlan Back, ulong Stream);

    private sealed record ActiveFault(Fault Fault, Instant Until, long ProbesBefore);
}
