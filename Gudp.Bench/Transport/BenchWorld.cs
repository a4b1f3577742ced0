using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;

namespace Gudp.Bench.Transport;

/// <summary>Something in a world that is not a daemon: an application, a flow of another protocol.</summary>
internal interface IWorldActor
{
    /// <summary>When it wants to run even if nothing else happens; never if it waits for others.</summary>
    Instant NextDeadline { get; }

    /// <summary>Does all it can at this moment.</summary>
    /// <returns>False if there was nothing to do.</returns>
    bool Run(Instant now);
}

/// <summary>
/// Daemons in manual mode and actors on one simulated network and one virtual clock; one seed decides everything.
/// </summary>
/// <remarks>
/// Always true: time moves only to the next arrival or deadline; at each moment actors and daemons run until none of
/// them finds anything to do, actors first, so that no daemon is woken by a datagram of somebody else's.
/// </remarks>
internal sealed class BenchWorld : IDisposable
{
    private const int MostTurnsPerMoment = 100_000;

    private static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(60);

    private readonly List<WorldNode> _nodes = [];
    private readonly List<(IWorldActor Actor, WorldNode[] Nodes)> _actors = [];
    private readonly List<IDisposable> _owned = [];
    private readonly ulong _seed;
    private bool _isRefreshed;

    internal BenchWorld(ulong seed)
    {
        _seed = seed;
        Network = new SimulatedNetwork(seed);
        Draws = new Prng(seed).Split(3_000);
    }

    internal SimulatedNetwork Network { get; }

    /// <summary>For choices of the measurement itself, such as when a flow begins.</summary>
    internal Prng Draws { get; }

    internal Instant Now => Network.Now;

    /// <param name="actor">Runs from now on.</param>
    /// <param name="nodes">Whose daemons it can give something to do; none named: all of them.</param>
    internal void Add(IWorldActor actor, params WorldNode[] nodes) => _actors.Add((actor, nodes));

    internal WorldNode AddNode(GudpConfig config, uint? address = null)
    {
        SimulatedHost host = address is { } ipv4 ? Network.AddHost(ipv4) : Network.AddHost();
        ulong stream = (ulong)_nodes.Count;
        Prng root = new(_seed);
        Daemon daemon = new(
            config, host, Network.Time, new SeededSecrets(root.Split(1_000 + stream)), root.Split(2_000 + stream));
        WorldNode node = new(host, daemon);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Two hosts behind one link each way, and a listening endpoint on the second.</summary>
    internal PeerWorld AddPeers(MessagingConfig config, LinkModel link, (uint Left, uint Right)? addresses = null)
    {
        WorldNode left = AddNode(config.Core, addresses?.Left);
        WorldNode right = AddNode(config.Core, addresses?.Right);
        Network.SetLinks(left.Host, right.Host, link);
        MessageEndpoint server = new(right.Daemon, right.Host.Address.WithPort(7000), config);
        server.Listen();
        _owned.Add(server);
        return new PeerWorld(left.Host, right.Host, left.Daemon, server, config);
    }

    /// <summary>Runs until the condition holds.</summary>
    /// <returns>False if the limit came first.</returns>
    internal bool RunUntil(Func<bool> condition, Instant limit)
    {
        _isRefreshed = false;
        Settle();

        while (!condition())
        {
            Instant next = NextEvent();

            if (next > limit)
            {
                Network.AdvanceTo(limit);
                Settle();
                return condition();
            }

            Network.AdvanceTo(Instant.Later(next, Now));
            Settle();
        }

        return true;
    }

    internal void RunTo(Instant end) => RunUntil(static () => false, end);

    internal void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"{what} (seed {_seed}, virtual time {Now.Ticks / 1e7:0.###} s)");
        }
    }

    /// <summary>
    /// Opens one more connection from the first host to the second, from an endpoint of its own: a second one from the
    /// same port would stand for a peer that was restarted.
    /// </summary>
    internal (Peer Sender, Peer Receiver) Connect(PeerWorld peers)
    {
        MessageEndpoint client = new(peers.Sending, peers.Left.Address.WithPort(0), peers.Config);
        _owned.Add(client);
        Peer sender = client.Connect(peers.Server.LocalAddress);
        Peer? receiver = null;
        bool isOpen = RunUntil(
            () => sender.Status.IsOpen && peers.Server.TryAccept(out receiver), Now + OpenPatience);
        Require(isOpen, "The connection did not open");
        return (sender, receiver!);
    }

    public void Dispose()
    {
        _owned.ForEach(endpoint => endpoint.Dispose());
        _nodes.ForEach(node => node.Daemon.Dispose());
    }

    private Instant NextEvent()
    {
        Instant next = Network.NextArrival;

        foreach (WorldNode node in _nodes)
        {
            next = Instant.Earlier(next, node.Due);
        }

        foreach ((IWorldActor actor, _) in _actors)
        {
            next = Instant.Earlier(next, actor.NextDeadline);
        }

        return next;
    }

    private void Settle()
    {
        bool isBusy = true;

        for (int turn = 0; isBusy; turn++)
        {
            Require(turn < MostTurnsPerMoment, "Somebody never comes to rest");
            isBusy = RunActors();

            foreach (WorldNode node in _nodes)
            {
                if (node.Host.HasReadable || node.Due <= Now)
                {
                    node.RunTurn(Now);
                    isBusy = true;
                }
            }
        }
    }

    private bool RunActors()
    {
        bool isBusy = false;

        foreach ((IWorldActor actor, WorldNode[] nodes) in _actors)
        {
            if (actor.Run(Now))
            {
                isBusy = true;
                Refresh(nodes);
            }
        }

        if (!_isRefreshed)
        {
            _isRefreshed = true;
            Refresh([]);
        }

        return isBusy;
    }

    private void Refresh(WorldNode[] nodes)
    {
        if (nodes.Length == 0)
        {
            _nodes.ForEach(node => node.Refresh(Now));
            return;
        }

        foreach (WorldNode node in nodes)
        {
            node.Refresh(Now);
        }
    }
}

/// <summary>
/// A daemon with the moment it next wants a turn: asked after each of its turns and after anybody may have given it
/// something to do, and not at every event, which would be most of the simulation's time.
/// </summary>
internal sealed class WorldNode(SimulatedHost host, Daemon daemon)
{
    internal SimulatedHost Host => host;

    internal Daemon Daemon => daemon;

    /// <summary>Grows with each turn: who only reads what the daemon received need not look in between.</summary>
    internal long Turns { get; private set; }

    internal Instant Due { get; private set; }

    internal void RunTurn(Instant now)
    {
        daemon.ProcessIO();
        Turns++;
        Refresh(now);
    }

    internal void Refresh(Instant now)
    {
        TimeSpan wait = daemon.UntilNextDeadline;
        Due = wait == Timeout.InfiniteTimeSpan ? Instant.Never : now + wait;
    }
}

/// <summary>Two hosts of a world: the daemon of the first, an endpoint that listens on the second.</summary>
internal sealed record PeerWorld(
    SimulatedHost Left, SimulatedHost Right, Daemon Sending, MessageEndpoint Server, MessagingConfig Config);
