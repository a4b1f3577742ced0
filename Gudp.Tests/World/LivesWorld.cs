using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// Goal: I8 and I9. Clients with kept or drawn ids die, close and come back while they send; one server knows them all and
// must hear everything of one life before anything of the next, and every event in its order.
// Method: every message says whose it is, of which life, and its number on its lane; the record of each peer object at
// the server is a small machine that refuses what may not follow.

/// <summary>One world of clients with many lives, from its seed. Not reusable.</summary>
internal sealed class LivesWorld : IDisposable
{
    private const int Port = 7000;
    private const int Million = 1_000_000;
    private const int MessageBytes = 12;

    private static readonly int[] Lanes = [0, 1, 3];
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(20);

    private readonly SimWorld _world;
    private readonly Prng _draws;
    private readonly MessageEndpoint _server;
    private readonly List<Client> _clients = [];
    private readonly LivesRecord _record = new();
    private readonly bool _hasSink;

    internal LivesWorld(ulong seed)
    {
        _draws = new Prng(seed).Split(30_000);
        _world = new SimWorld(seed);
        _world.Network.DefaultLink = LinkModel.Drawn(_draws) with { RateBytesPerSecond = 0 };
        _hasSink = _draws.NextChance(Million / 2);
        Node node = _world.AddNode(Config(default).Core);
        _server = new MessageEndpoint(
            node.Daemon, node.Host.Address.WithPort(Port), Config(default), _hasSink ? _record : null);
        _server.Listen();

        for (int i = 0; i < 3; i++)
        {
            PeerId kept = _draws.NextChance(Million * 2 / 3) ? new PeerId((UInt128)(i + 1)) : default;
            Client client = new(i, _world.AddNode(Config(kept).Core), kept);
            client.Open();
            client.Connect(_server.LocalAddress);
            _clients.Add(client);
        }
    }

    internal string ReplayLine => $"{_world.ReplayLine}, {(_hasSink ? "sink" : "reader")}";

    /// <summary>Lives of which the server got a message.</summary>
    internal int LivesSeen => _record.LivesSeen;

    internal void Run()
    {
        for (Instant end = _world.Now + Lasting; _world.Now < end;)
        {
            Step();

            foreach (Client client in _clients)
            {
                if (_draws.NextChance(5_000))
                {
                    End(client);
                }

                client.Send((int)_draws.NextBelow(3), Lanes[_draws.NextBelow(Lanes.Length)]);
            }
        }

        _world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        _clients.ForEach(client => client.Peer.Close());

        for (Instant end = _world.Now + (3 * IdleTimeout); _world.Now < end;)
        {
            Step();
        }

        _record.AssertEnded(_hasSink);
        _server.Dispose();
        Assert.That(_server.Memory.UsedBytes, Is.Zero, "Memory is back to what it was.");
    }

    public void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        _world.Dispose();
    }

    private static MessagingConfig Config(PeerId kept) => new()
    {
        Core = SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                IdleTimeout = IdleTimeout,
                UnfinishedTimeout = IdleTimeout,
                PeerId = kept,
            },
        },
    };

    private void Step()
    {
        _world.Run(Tick);

        if (_hasSink)
        {
            return;
        }

        while (_server.TryAccept(out _))
        {
            // Its messages come through the endpoint.
        }

        while (_server.TryReceive(out Peer? from, out ReceivedMessage message))
        {
            using (message)
            {
                _record.NoteMessage(from!, message.Lane, message.Span);
            }
        }
    }

    /// <summary>By a kill, by a close, or by nothing but another connection after the end.</summary>
    private void End(Client client)
    {
        if (_draws.NextChance(Million / 2))
        {
            _world.Restart(client.Node, Config(client.Kept).Core);
            client.Open();
        }
        else
        {
            client.Peer.Close();
        }

        client.Connect(_server.LocalAddress);
    }

    /// <summary>One process after the other at one address.</summary>
    private sealed class Client(int number, Node node, PeerId kept) : IDisposable
    {
        private readonly Dictionary<int, int> _next = [];
        private readonly byte[] _message = new byte[MessageBytes];
        private MessageEndpoint? _endpoint;
        private int _life = -1;
        private int _incarnation = -1;

        internal Node Node => node;

        internal PeerId Kept => kept;

        internal Peer Peer { get; private set; } = null!;

        internal void Open()
        {
            // Another process counts from its own beginning.
            _incarnation = -1;
            _endpoint = new MessageEndpoint(node.Daemon, node.Host.Address.WithPort(Port), Config(kept));
        }

        public void Dispose() => _endpoint?.Dispose();

        internal void Connect(PeerAddress server) => Peer = _endpoint!.Connect(server);

        internal void Send(int messages, int lane)
        {
            if (Peer.Incarnation != _incarnation)
            {
                _incarnation = Peer.Incarnation;
                _life++;
                _next.Clear();
            }

            for (int i = 0; i < messages; i++)
            {
                int next = _next.GetValueOrDefault(lane);
                BinaryPrimitives.WriteInt32BigEndian(_message, number);
                BinaryPrimitives.WriteInt32BigEndian(_message.AsSpan(4), _life);
                BinaryPrimitives.WriteInt32BigEndian(_message.AsSpan(8), next);

                if (Peer.TrySend(_message, new SendOptions { Lane = lane }) == SendStatus.Accepted)
                {
                    _next[lane] = next + 1;
                }
            }
        }
    }
}

/// <summary>What the server hears, peer by peer.</summary>
internal sealed class LivesRecord : IMessageSink
{
    private readonly Dictionary<PeerId, Story> _stories = [];
    private readonly HashSet<(int Client, int Life)> _lives = [];

    internal int LivesSeen => _lives.Count;

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
    {
        if (!StoryOf(from).IsOpen)
        {
            Assert.Fail($"I8, a message of {from.Id} outside of Opened and Closed.");
        }

        NoteMessage(from, lane, message);
    }

    public void HandlePeer(Peer peer, PeerChange change, Instant now)
    {
        Story story = StoryOf(peer);
        bool mayFollow = change switch
        {
            PeerChange.Opened => !story.IsOpen,
            PeerChange.Restarted => !story.IsOpen && story.WasOpened && !story.IsRestarting,
            _ => story.IsOpen,
        };

        if (!mayFollow)
        {
            Assert.Fail($"I9, {change} of {peer.Id} after {story}.");
        }

        story.IsOpen = change is PeerChange.Opened or PeerChange.Writable;
        story.IsRestarting = change == PeerChange.Restarted;
        story.WasOpened |= story.IsOpen;
    }

    public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        => Assert.Fail("Nothing was sent from here.");

    internal void NoteMessage(Peer from, int lane, ReadOnlySpan<byte> message)
    {
        Story story = StoryOf(from);
        int client = BinaryPrimitives.ReadInt32BigEndian(message);
        int life = BinaryPrimitives.ReadInt32BigEndian(message[4..]);
        int number = BinaryPrimitives.ReadInt32BigEndian(message[8..]);
        story.Client = story.Client < 0 ? client : story.Client;

        if (client != story.Client || life < story.Life)
        {
            Assert.Fail($"I8, from {from.Id}: life {life} of client {client} after {story}.");
        }

        if (life > story.Life)
        {
            story.Begin(life);
        }

        int expected = story.Next.GetValueOrDefault(lane);

        if (number != expected)
        {
            Assert.Fail($"I1, from {from.Id}: message {number} instead of {expected} on lane {lane} in {story}.");
        }

        story.Next[lane] = number + 1;
        _lives.Add((client, life));
    }

    internal void AssertEnded(bool hasSink)
    {
        foreach ((PeerId id, Story story) in _stories)
        {
            Assert.That(hasSink && story.IsOpen, Is.False, $"I9, {id} never closed: {story}.");
        }
    }

    private Story StoryOf(Peer peer)
    {
        if (!_stories.TryGetValue(peer.Id, out Story? story))
        {
            story = new Story();
            _stories.Add(peer.Id, story);
        }

        return story;
    }

    private sealed class Story
    {
        internal int Client { get; set; } = -1;

        internal int Life { get; private set; } = -1;

        internal bool IsOpen { get; set; }

        internal bool WasOpened { get; set; }

        internal bool IsRestarting { get; set; }

        internal Dictionary<int, int> Next { get; } = [];

        internal void Begin(int life)
        {
            Life = life;
            Next.Clear();
        }

        public override string ToString()
            => $"client {Client}, life {Life}, open {IsOpen}, opened before {WasOpened}, restarting {IsRestarting}";
    }
}
