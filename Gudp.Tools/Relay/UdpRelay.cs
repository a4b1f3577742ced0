using System.Diagnostics;
using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;

namespace Gudp.Tools.Relay;

// A bad network between two unmodified programs. Everything that can go wrong is the simulator's work (RelayPath);
// this class moves bytes between real sockets and simulated ones and moves the simulated clocks along with the real
// one. The same seed hits the same datagrams: number k of a client's direction, clients counted as they first appear.
//
// A delay is met to about a tenth of a millisecond, where the system has short sleeps and a processor is free.

/// <summary>
/// Stands between UDP clients and one target and impairs both directions; each client gets an upstream socket.
/// </summary>
/// <remarks>
/// The constructor opens the port, Start the thread. Any thread may read the counts, and dispose.
/// Always true: each client is in the table by its address and in the slot it names; everything but the sockets'
/// disposal and the wake is touched under the gate.
/// </remarks>
internal sealed class UdpRelay : IDisposable
{
    private const int MostClients = 200;
    private const int DatagramsPerSocketAndPass = 64;
    private const int SocketBufferBytes = 4 * 1024 * 1024;

    /// <summary>A client that is silent so long, in both directions, is forgotten.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly PeerAddress _target;
    private readonly TimeSpan _rebindEvery;
    private readonly UdpNetwork _network = new();
    private readonly IDatagramSocket _listening;
    private readonly RelayPath _toTarget;
    private readonly RelayPath _toClients;
    private readonly Dictionary<PeerAddress, RelayClient> _clients = [];
    private readonly RelayClient?[] _slots = new RelayClient?[MostClients];
    private readonly byte[] _buffer = new byte[65_535];
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private readonly long _start = Stopwatch.GetTimestamp();
    private Instant _nextExpiry;
    private long _refused;
    private long _sendFailed;
    private long _rebindings;
    private volatile bool _isStopping;

    /// <summary>Opens the port that clients send to.</summary>
    /// <param name="listen">Port 0 is allowed, see <see cref="LocalAddress"/>; an any address serves everybody.</param>
    /// <param name="target">Where the datagrams go.</param>
    /// <param name="options">What happens to them, in each direction.</param>
    /// <exception cref="SocketException">The port is taken or not permitted.</exception>
    internal UdpRelay(PeerAddress listen, PeerAddress target, ImpairmentOptions options)
    {
        _target = target;
        _rebindEvery = options.RebindEvery;
        _toTarget = new RelayPath(options, isToTarget: true);
        _toClients = new RelayPath(options, isToTarget: false);
        _thread = new Thread(Run) { IsBackground = true, Name = "gudp-relay" };

        try
        {
            _listening = _network.Open(listen, SocketBufferBytes, SocketBufferBytes);
        }
        catch
        {
            _network.Dispose();
            throw;
        }
    }

    /// <summary>Where clients send to.</summary>
    internal PeerAddress LocalAddress => _listening.LocalAddress;

    /// <summary>Why the relay stopped by itself, if it did.</summary>
    internal Exception? Fault { get; private set; }

    private Instant Now => new(Stopwatch.GetElapsedTime(_start).Ticks);

    /// <summary>Begins to relay. Once.</summary>
    internal void Start() => _thread.Start();

    /// <summary>What was done so far.</summary>
    internal RelayCounts ReadCounts()
    {
        lock (_gate)
        {
            return new RelayCounts(
                _toTarget.Network.Faults,
                _toClients.Network.Faults,
                _clients.Count,
                _refused,
                _sendFailed,
                _rebindings);
        }
    }

    /// <summary>The draws that decide over one client's datagrams; clients are counted from 0.</summary>
    internal LinkDraws DrawsOf(int client, bool isToTarget)
        => (isToTarget ? _toTarget : _toClients).DrawsOf(client);

    /// <summary>Stops; what is under way is lost.</summary>
    public void Dispose()
    {
        _isStopping = true;
        _network.Wake();

        if (_thread.IsAlive && _thread != Thread.CurrentThread)
        {
            _thread.Join();
        }

        _network.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                TimeSpan limit;

                lock (_gate)
                {
                    limit = RunPass();
                }

                WaitAtMost(limit);
            }
        }
        catch (Exception fault)
        {
            // A thread's exception would end the process that hosts the relay.
            Fault = fault;
        }
    }

    private void WaitAtMost(TimeSpan limit)
    {
        if (limit > TimeSpan.Zero && limit < ShortSleep.FinestWait)
        {
            ShortSleep.Sleep(limit);
            return;
        }

        // Rounded down here, because it is rounded up there; the rest is for the short sleeps.
        _network.Wait(new TimeSpan(limit.Ticks - (limit.Ticks % ShortSleep.FinestWait.Ticks)));
    }

    /// <summary>Moves what there is to move; says how long there is nothing more to do.</summary>
    private TimeSpan RunPass()
    {
        Instant now = Now;
        DeliverDue(now);
        bool hasMore = ReceiveFromClients(now);

        foreach (RelayClient? client in _slots)
        {
            hasMore |= client is not null && ReceiveFromTarget(client, now);
        }

        // Again, for what needs no delay.
        now = Now;
        DeliverDue(now);
        ExpireClients(now);
        Instant nextRebind = RebindClients(now);

        if (hasMore)
        {
            return TimeSpan.Zero;
        }

        Instant next = Instant.Earlier(_toTarget.Network.NextArrival, _toClients.Network.NextArrival);
        next = Instant.Earlier(next, nextRebind);
        return next.IsNever || next - now > LongestWait ? LongestWait : next - now;
    }

    private void DeliverDue(Instant now)
    {
        _toTarget.Network.AdvanceTo(now);
        _toClients.Network.AdvanceTo(now);

        foreach (RelayClient? client in _slots)
        {
            if (client is not null)
            {
                Forward(client.ToTarget, client.Upstream, _target);
                Forward(client.ToClient, _listening, client.Address);
            }
        }
    }

    private void Forward(RelayPath.Route route, IDatagramSocket socket, PeerAddress to)
    {
        while (route.ExitHost.HasReadable)
        {
            route.Exit.TryReceive(_buffer, out int length, out _, out _);

            if (socket.TrySend(_buffer.AsSpan(0, length), length, to) != SocketOutcome.Done)
            {
                _sendFailed++;
            }
        }
    }

    /// <summary>True if the budget ended before the datagrams.</summary>
    private bool ReceiveFromClients(Instant now)
    {
        for (int i = 0; i < DatagramsPerSocketAndPass; i++)
        {
            SocketOutcome outcome = _listening.TryReceive(_buffer, out int length, out _, out PeerAddress from);

            if (outcome is SocketOutcome.WouldBlock or SocketOutcome.Closed)
            {
                return false;
            }

            if (outcome != SocketOutcome.Done)
            {
                continue;
            }

            if (_toTarget.IsFull || ClientAt(from) is not { } client)
            {
                _refused++;
                continue;
            }

            client.LastHeard = now;
            client.ToTarget.Send(_buffer.AsSpan(0, length));
        }

        return true;
    }

    private bool ReceiveFromTarget(RelayClient client, Instant now)
    {
        for (int i = 0; i < DatagramsPerSocketAndPass; i++)
        {
            SocketOutcome outcome = client.Upstream.TryReceive(_buffer, out int length, out _, out PeerAddress from);

            if (outcome is SocketOutcome.WouldBlock or SocketOutcome.Closed)
            {
                return false;
            }

            if (outcome != SocketOutcome.Done)
            {
                continue;
            }

            if (_toClients.IsFull || from != _target)
            {
                _refused++;
                continue;
            }

            client.LastHeard = now;
            client.ToClient.Send(_buffer.AsSpan(0, length));
        }

        return true;
    }

    private RelayClient? ClientAt(PeerAddress address)
    {
        if (_clients.TryGetValue(address, out RelayClient? known))
        {
            return known;
        }

        int slot = Array.IndexOf(_slots, null);
        IDatagramSocket? upstream = slot < 0 ? null : TryOpenUpstream();

        if (upstream is null)
        {
            return null;
        }

        var client = new RelayClient
        {
            Slot = slot,
            Address = address,
            Upstream = upstream,
            ToTarget = _toTarget.Open(slot),
            ToClient = _toClients.Open(slot),
            NextRebind = NextRebindAfter(Now),
        };
        _slots[slot] = client;
        _clients.Add(address, client);
        return client;
    }

    private IDatagramSocket? TryOpenUpstream()
    {
        PeerAddress anyPort = _target.IsIPv4 ? PeerAddress.AnyIPv4(0) : PeerAddress.AnyIPv6(0);

        try
        {
            return _network.Open(anyPort, SocketBufferBytes, SocketBufferBytes);
        }
        catch (SocketException)
        {
            // The system has no socket left for one more client; the others go on.
            return null;
        }
    }

    /// <summary>Gives new sockets to those whose time has come; says when the next one's comes.</summary>
    private Instant RebindClients(Instant now)
    {
        Instant next = Instant.Never;

        foreach (RelayClient? client in _slots)
        {
            if (client is null)
            {
                continue;
            }

            if (client.NextRebind <= now)
            {
                client.NextRebind = NextRebindAfter(now);
                Rebind(client);
            }

            next = Instant.Earlier(next, client.NextRebind);
        }

        return next;
    }

    private Instant NextRebindAfter(Instant now) => _rebindEvery > TimeSpan.Zero ? now + _rebindEvery : Instant.Never;

    private void Rebind(RelayClient client)
    {
        // With no socket left in the system the old one serves on. The new one comes first: it gets another port.
        if (TryOpenUpstream() is { } upstream)
        {
            client.Upstream.Dispose();
            client.Upstream = upstream;
            _rebindings++;
        }
    }

    private void ExpireClients(Instant now)
    {
        if (now < _nextExpiry)
        {
            return;
        }

        _nextExpiry = now + LongestWait;

        foreach (RelayClient? client in _slots)
        {
            if (client is not null && now - client.LastHeard >= IdleTimeout)
            {
                client.Close();
                _clients.Remove(client.Address);
                _slots[client.Slot] = null;
            }
        }
    }
}
