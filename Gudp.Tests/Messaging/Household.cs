using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.Messaging;

/// <summary>The ways a process may drive its endpoints (M27).</summary>
public enum ThreadMode
{
    /// <summary>No thread of the library: the program calls <see cref="Daemon.ProcessIO"/>.</summary>
    Manual,

    /// <summary>One daemon with its thread drives all endpoints.</summary>
    OneDaemon,

    /// <summary>Each endpoint has a daemon with a thread of its own.</summary>
    SeveralDaemons,
}

/// <summary>Real daemons, driven in one of the three ways, and endpoints on them.</summary>
/// <remarks>In manual mode one thread of the test plays the program's loop and owns the pump of every daemon.</remarks>
internal sealed class Household : IDisposable
{
    private readonly ThreadMode _mode;
    private readonly MessagingConfig _config;
    private readonly List<Daemon> _daemons = [];
    private readonly List<MessageEndpoint> _endpoints = [];
    private readonly List<Peer> _peers = [];
    private Thread? _pump;
    private volatile bool _isOver;

    internal Household(ThreadMode mode, MessagingConfig config)
    {
        _mode = mode;
        _config = config;
    }

    /// <summary>Every exception of a pump that was not its daemon's end.</summary>
    internal Exception? PumpFault { get; private set; }

    internal IReadOnlyList<Daemon> Daemons => _daemons;

    /// <summary>Opens endpoints, and from then on drives them. Once.</summary>
    internal MessageEndpoint[] Open(int endpoints)
    {
        for (int i = 0; i < endpoints; i++)
        {
            if (_daemons.Count == 0 || _mode == ThreadMode.SeveralDaemons)
            {
                _daemons.Add(new Daemon(_config.Core));
            }

            _endpoints.Add(new MessageEndpoint(_daemons[^1], PeerAddress.LoopbackIPv4(0), _config));
        }

        if (_mode == ThreadMode.Manual)
        {
            _pump = new Thread(Pump);
            _pump.Start();
        }
        else
        {
            _daemons.ForEach(daemon => daemon.Start());
        }

        return [.. _endpoints];
    }

    /// <summary>Connects one endpoint to another, which listens.</summary>
    internal (Peer Client, Peer Server) Connect(MessageEndpoint from, MessageEndpoint to, TimeSpan patience)
    {
        to.Listen();
        Peer client = from.Connect(to.LocalAddress);
        Peer server = to.Accept(patience) ?? throw new TimeoutException("Nobody connected.");
        _peers.Add(client);
        _peers.Add(server);
        return client.WaitUntilOpen(patience) ? (client, server) : throw new TimeoutException("Nobody answered.");
    }

    /// <summary>Blocks of memory that are still out, over all endpoints.</summary>
    internal long BlocksOut => _endpoints.Sum(endpoint => endpoint.Memory.Blocks);

    public void Dispose()
    {
        _peers.ForEach(peer => peer.Dispose());
        _isOver = true;
        _pump?.Join();
        _daemons.ForEach(daemon => daemon.Dispose());

        Exception? fault = _daemons.Select(daemon => daemon.Fault).FirstOrDefault(fault => fault is not null);

        if ((fault ?? PumpFault) is { } cause)
        {
            throw new InvalidOperationException("A daemon stopped by a fault.", cause);
        }
    }

    private void Pump()
    {
        while (!_isOver)
        {
            foreach (Daemon daemon in _daemons)
            {
                try
                {
                    daemon.ProcessIO();
                }
                catch (ObjectDisposedException)
                {
                    // Ended by the test while this thread went on.
                }
                catch (Exception fault)
                {
                    PumpFault ??= fault;
                }
            }

            Thread.Yield();
        }
    }
}
