using Gudp.Bench.Transport;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>
/// A world of daemons in manual mode on one simulated network and one virtual clock. One seed decides everything.
/// </summary>
/// <remarks>
/// Always true: time moves only in <see cref="Step"/>, to the next arrival or deadline; every daemon with something to
/// do has its turn at each moment, in the order the nodes were added.
/// </remarks>
internal sealed class SimWorld : IDisposable
{
    // A daemon that always finds something to do at one moment is a bug, not a busy one.
    private const int MostTurnsPerMoment = 20_000;

    private readonly List<Node> _nodes = [];
    private readonly ulong _seed;
    private int _daemons;

    internal SimWorld(ulong seed, SocketModel? sockets = null)
    {
        _seed = seed;
        Draws = new Prng(seed);
        Network = new SimulatedNetwork(seed) { Sockets = sockets ?? SocketModel.Plain };
    }

    internal SimulatedNetwork Network { get; }

    /// <summary>For the test's own choices; split from the network's and the daemons'.</summary>
    internal Prng Draws { get; }

    internal Instant Now => Network.Now;

    internal IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>Sees what the nodes added from now on send; null: nobody does.</summary>
    internal Wiretap? Tap { get; set; }

    /// <summary>Called after every moment: the place for oracles that hold all the time.</summary>
    internal Action? Watch { get; set; }

    /// <summary>Who else lives here; each runs before the daemons at every moment.</summary>
    internal List<IWorldActor> Actors { get; } = [];

    /// <summary>What daemons of killed processes had received.</summary>
    internal long ReceivedByKilled { get; private set; }

    /// <summary>What daemons of killed processes had sent.</summary>
    internal long SentByKilled { get; private set; }

    /// <summary>Datagrams that had been delivered to sockets of killed processes, and not read.</summary>
    internal long UnreadByKilled { get; private set; }

    internal string ReplayLine => $"seed {_seed}, at {Now.Ticks / 10_000.0:0.###} ms, trace {Network.TraceHash:x16}";

    internal static GudpConfig Plain { get; } = new()
    {
        Connections = new ConnectionConfig { Security = new SecurityConfig { Protection = Protection.Plain } },
    };

    /// <param name="config">Null: <see cref="Plain"/>.</param>
    /// <param name="trace">The daemon's.</param>
    /// <param name="between">Puts something between the daemon and its host.</param>
    internal Node AddNode(
        GudpConfig? config = null,
        IPacketTrace? trace = null,
        Func<SimulatedHost, IDatagramNetwork>? between = null)
    {
        SimulatedHost host = Network.AddHost();
        Daemon daemon = AddDaemon(host, config, trace, between);
        Node node = new(host, daemon);
        _nodes.Add(node);
        return node;
    }

    /// <summary>
    /// A node's process is killed, without a goodbye, and starts again: the same addresses and links, nothing else left.
    /// </summary>
    internal void Restart(Node node, GudpConfig? config = null)
    {
        UnreadByKilled += node.Host.ReadableDatagrams;
        node.Host.Dispose();
        node.Daemon.Dispose();
        DaemonCounters counters = node.Daemon.ReadCounters();
        ReceivedByKilled += counters.DatagramsReceived;
        SentByKilled += counters.DatagramsSent;
        SimulatedHost host = Network.AddHost(node.Host.Address);
        node.Replace(host, AddDaemon(host, config, null, null));
    }

    /// <summary>Two nodes, the first connected to the second.</summary>
    internal Pair AddConnectedPair(GudpConfig? config = null)
    {
        Node left = AddNode(config);
        Node right = AddNode(config);
        Endpoint server = right.Open(7000);
        server.Listen();
        Connection client = left.Open(0).Connect(server.LocalAddress);
        Connection? accepted = null;
        RunUntil(() => client.Status.IsOpen && server.TryAccept(out accepted), TimeSpan.FromSeconds(60));
        return new Pair(left, right, client, accepted!);
    }

    private Daemon AddDaemon(
        SimulatedHost host, GudpConfig? config, IPacketTrace? trace, Func<SimulatedHost, IDatagramNetwork>? between)
    {
        ulong stream = (ulong)_daemons++;
        Prng root = new(_seed);
        return new Daemon(
            config ?? Plain,
            between?.Invoke(host) ?? Tap?.Around(host) ?? host,
            Network.Time,
            new SeededSecrets(root.Split(1_000 + stream)),
            root.Split(2_000 + stream))
        {
            Trace = trace,
        };
    }

    /// <summary>From now on the system takes every call; the shapes of runs stay.</summary>
    internal void HealSockets()
        => Network.Sockets = Network.Sockets with { FullPpm = 0, VetoPpm = 0, RefusalPpm = 0 };

    /// <summary>Lets every daemon do all it can at this moment.</summary>
    internal void Settle()
    {
        bool busy = true;

        for (int turn = 0; busy; turn++)
        {
            if (turn == MostTurnsPerMoment)
            {
                // Not an assertion, which would build its message every time: allocation is measured through here.
                Assert.Fail($"A daemon never comes to rest. {ReplayLine}");
            }

            busy = false;

            foreach (IWorldActor actor in Actors)
            {
                busy |= actor.Run(Now);
            }

            foreach (Node node in _nodes)
            {
                if (node.IsStopped)
                {
                    continue;
                }

                if (node.Host.HasReadable || node.Daemon.UntilNextDeadline == TimeSpan.Zero)
                {
                    node.Daemon.ProcessIO();
                    busy = true;
                }
            }
        }

        Watch?.Invoke();
    }

    /// <summary>Moves time to the next thing that happens, at most to <paramref name="limit"/>.</summary>
    /// <returns>False if nothing happens before the limit.</returns>
    internal bool Step(Instant limit)
    {
        Settle();
        Instant next = Network.NextArrival;

        foreach (Node node in _nodes)
        {
            TimeSpan wait = node.IsStopped ? Timeout.InfiniteTimeSpan : node.Daemon.UntilNextDeadline;

            if (wait != Timeout.InfiniteTimeSpan)
            {
                next = Instant.Earlier(next, Now + wait);
            }
        }

        foreach (IWorldActor actor in Actors)
        {
            next = Instant.Earlier(next, actor.NextDeadline);
        }

        bool happens = next <= limit;
        Network.AdvanceTo(happens ? next : limit);
        return happens;
    }

    internal void Run(TimeSpan span)
    {
        Instant end = Now + span;

        while (Step(end))
        {
        }

        Settle();
    }

    /// <summary>Runs until the condition holds; fails the test if it does not within the limit.</summary>
    internal void RunUntil(Func<bool> condition, TimeSpan limit, string? what = null)
    {
        Instant end = Now + limit;
        Settle();

        while (!condition())
        {
            if (!Step(end))
            {
                Settle();
                Assert.That(
                    condition(), Is.True, $"{what ?? "The condition"} did not come true in {limit}. {ReplayLine}");
                return;
            }

            Settle();
        }
    }

    public void Dispose()
    {
        foreach (Node node in _nodes)
        {
            node.Daemon.Dispose();
        }
    }
}

/// <summary>One daemon on one simulated host.</summary>
internal sealed class Node(SimulatedHost host, Daemon daemon)
{
    internal SimulatedHost Host { get; private set; } = host;

    internal Daemon Daemon { get; private set; } = daemon;

    /// <summary>True while the process is paused or dead: it has no turns.</summary>
    internal bool IsStopped { get; set; }

    /// <summary>The process was started again.</summary>
    internal void Replace(SimulatedHost host, Daemon daemon) => (Host, Daemon) = (host, daemon);

    internal Endpoint Open(int port, ConnectionConfig? config = null)
        => Daemon.Open(Host.Address.WithPort(port), config);
}

/// <summary>Two nodes with one connection between them.</summary>
internal sealed record Pair(Node Left, Node Right, Connection Client, Connection Server);
