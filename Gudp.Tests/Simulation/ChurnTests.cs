using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>
/// T20: many peers that come and go. Afterwards nothing is left of them: no peer, no deadline, no memory.
/// </summary>
[TestFixture]
public sealed class ChurnTests
{
    private const int ServerPort = 7000;

    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(10);

    // Each client is an endpoint of its own that connects, says something, closes, and connects again.
    [Test]
    public void T20_256_clients_that_connect_and_disconnect_for_10_s_leave_nothing()
    {
        using Churn churn = new(seed: 1, clientNodes: 8, listeners: 1);
        churn.AddClients(256);

        churn.Run(TimeSpan.FromSeconds(10));

        Assert.That(churn.Opened, Is.GreaterThan(4 * 256));
        churn.AssertNothingLeft();
    }

    [Test]
    public void T20_Two_listeners_with_64_clients_each_that_reconnect_leave_nothing()
    {
        using Churn churn = new(seed: 2, clientNodes: 4, listeners: 2);
        churn.AddClients(128);

        churn.Run(TimeSpan.FromSeconds(10));

        Assert.That(churn.Opened, Is.GreaterThan(4 * 128));
        churn.AssertNothingLeft();
    }

    // G37, with the defaults of all time-outs. A path of 200 ms leaves the fewest rounds of hellos.
    [TestCase(10, 10, 0)]
    [TestCase(1, 100, 0)]
    [TestCase(10, 100, 20_000)]
    public void T20_A_thousand_connections_at_once_open_and_leave_nothing(int hosts, int oneWay, int lossPpm)
    {
        using SimWorld world = new(3);
        world.Network.DefaultLink = new LinkModel
        {
            Delay = TimeSpan.FromMilliseconds(oneWay),
            LossPpm = lossPpm,
        };
        Node server = world.AddNode();
        Node[] clients = [.. Enumerable.Range(0, hosts).Select(_ => world.AddNode())];
        Endpoint listener = server.Open(ServerPort);
        listener.Listen();
        List<Connection> connections = [];
        List<Connection> accepted = [];

        for (int i = 0; i < 1_000; i++)
        {
            Endpoint endpoint = clients[i % clients.Length].Open(0);
            connections.Add(endpoint.Connect(listener.LocalAddress));
            endpoint.Dispose();

            // A daemon takes so many requests in one turn.
            world.Settle();
        }

        world.RunUntil(() => connections.TrueForAll(one => one.Status.IsOpen), TimeSpan.FromMinutes(1));
        TestContext.Out.WriteLine($"All were open after {world.Now.Ticks / TimeSpan.TicksPerMillisecond} ms.");

        // A client may be open before its Finish has reached the server.
        world.Run(TimeSpan.FromSeconds(5));

        while (listener.TryAccept(out Connection? one))
        {
            accepted.Add(one!);
        }

        connections.ForEach(one => one.Close());
        listener.Dispose();
        world.Run(TimeSpan.FromSeconds(10));

        Assert.That(accepted, Has.Count.EqualTo(1_000));
        AssertEmpty(server, "server");

        foreach (Node client in clients)
        {
            AssertEmpty(client, "client");
        }
    }

    private static void AssertEmpty(Node node, string name)
    {
        Assert.That(node.Daemon.LiveCount, Is.Zero, $"{name}: endpoints and connections");
        Assert.That(node.Daemon.DeadlineCount, Is.Zero, $"{name}: deadlines");
        Assert.That(node.Daemon.MemoryInUseBytes, Is.Zero, $"{name}: memory");
        Assert.That(node.Daemon.ProcessIO(), Is.False, name);
    }

    /// <summary>Listeners on one node, clients on several, all driven by their own clocks' draws.</summary>
    private sealed class Churn : IDisposable
    {
        private readonly SimWorld _world;
        private readonly Node _server;
        private readonly List<Endpoint> _listeners = [];
        private readonly List<Connection> _accepted = [];
        private readonly List<Client> _clients = [];
        private readonly byte[] _buffer = new byte[100];
        private int _heard;

        internal Churn(ulong seed, int clientNodes, int listeners)
        {
            _world = new SimWorld(seed);
            _world.Network.DefaultLink = new LinkModel { Delay = OneWay, LossPpm = 20_000 };
            _server = _world.AddNode();

            for (int i = 0; i < listeners; i++)
            {
                Endpoint listener = _server.Open(ServerPort + i);
                listener.Listen();
                _listeners.Add(listener);
            }

            for (int i = 0; i < clientNodes; i++)
            {
                _world.AddNode();
            }
        }

        internal int Opened => _clients.Sum(client => client.Opened);

        public void Dispose() => _world.Dispose();

        internal void AddClients(int count)
        {
            int nodes = _world.Nodes.Count - 1;

            for (int i = 0; i < count; i++)
            {
                Endpoint listener = _listeners[i % _listeners.Count];
                _clients.Add(new Client(_world.Nodes[1 + (i % nodes)], listener.LocalAddress, _world.Draws));
            }
        }

        internal void Run(TimeSpan span)
        {
            Instant end = _world.Now + span;

            while (_world.Now < end)
            {
                _clients.ForEach(client => client.Advance(_world.Now));
                Serve();
                _world.Run(TimeSpan.FromMilliseconds(20));
            }

            _clients.ForEach(client => client.End());
            _world.Run(TimeSpan.FromSeconds(20));
            Serve();
            _listeners.ForEach(listener => listener.Dispose());
            _world.Run(TimeSpan.FromSeconds(20));
        }

        internal void AssertNothingLeft()
        {
            Assert.That(_heard, Is.GreaterThan(0));
            AssertEmpty(_server, "server");

            for (int i = 1; i < _world.Nodes.Count; i++)
            {
                AssertEmpty(_world.Nodes[i], $"client node {i}");
            }

            DaemonCounters counters = _server.Daemon.ReadCounters();
            Assert.That(
                counters.DatagramsReceived, Is.EqualTo(counters.DatagramsAccepted + counters.DatagramsDropped));
            _world.Dispose();
        }

        private void Serve()
        {
            foreach (Endpoint listener in _listeners)
            {
                while (listener.TryAccept(out Connection? connection))
                {
                    _accepted.Add(connection!);
                }
            }

            foreach (Connection connection in _accepted)
            {
                while (connection.TryReceive(_buffer, out _) == ReceiveStatus.Received)
                {
                    _heard++;
                }
            }

            _accepted.RemoveAll(connection => connection.Status.IsFinal);
        }
    }

    /// <summary>One endpoint that connects, stays for up to a second, closes, rests a little and comes again.</summary>
    private sealed class Client(Node node, PeerAddress server, Prng draws)
    {
        private readonly Endpoint _endpoint = node.Open(0);
        private readonly List<Connection> _all = [];
        private Connection? _connection;
        private Instant _nextAt;
        private bool _wasOpen;

        internal int Opened { get; private set; }

        internal void Advance(Instant now)
        {
            if (_connection is { } open && open.Status.IsOpen && !_wasOpen)
            {
                _wasOpen = true;
                Opened++;
                open.TrySend("hello"u8);
            }

            if (now < _nextAt)
            {
                return;
            }

            if (_connection is { } old)
            {
                // Half of them say goodbye; the others only stop using it, and their next hello retires it.
                if (draws.NextChance(500_000))
                {
                    old.Close();
                }

                _connection = null;
                _nextAt = now + TimeSpan.FromMilliseconds(draws.NextBetween(20, 200));
                return;
            }

            _connection = _endpoint.Connect(server);
            _all.Add(_connection);
            _wasOpen = false;
            _nextAt = now + TimeSpan.FromMilliseconds(draws.NextBetween(100, 1_500));
        }

        internal void End()
        {
            _all.ForEach(connection => connection.Close());
            _endpoint.Dispose();
        }
    }
}
