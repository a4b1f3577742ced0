using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core.Buffers;
using Gudp.Core.Config;
using Gudp.Core.Engine;
using Gudp.Core.Loop;

namespace Gudp.Core;

/// <summary>
/// One local address of a daemon: opens connections to peers and takes in those that peers open. Any thread.
/// </summary>
/// <remarks>
/// Strangers are answered from the first <see cref="Listen"/>, <see cref="Accept"/> or <see cref="TryAccept"/> on; an
/// endpoint that only connects never takes anybody in.
/// </remarks>
public sealed class Endpoint : IDisposable, IConnectionAcceptor, IWaitPlace
{
    private readonly object _gate = new();
    private readonly Queue<Connection> _accepted = new();
    private readonly EventLoop _loop;
    private readonly SharedConfig _config;
    private readonly ConnectionRegister _register;
    private EndpointDriver? _driver;
    private TaskCompletionSource? _arrival;     // what AcceptAsync waits for; under the gate
    private int _watching;
    private bool _isListening;
    private bool _isDisposed;
    private bool _hasEnded;         // its socket or daemon is gone; under the gate

    internal Endpoint(
        EventLoop loop, PeerAddress local, in ConnectionConfig config, ConnectionRegister register, Prng choices)
    {
        Choices = choices;
        PeerId = config.PeerId;
        _loop = loop;
        _register = register;
        _config = new SharedConfig(config);
        LocalAddress = local;
    }

    /// <summary>The address it is bound to, with the port the system picked if 0 was asked for.</summary>
    public PeerAddress LocalAddress { get; }

    /// <summary>Who it is to its peers: <see cref="ConnectionConfig.PeerId"/>, or drawn when it was opened.</summary>
    public PeerId PeerId { get; }

    /// <summary>
    /// Connections that peers opened and nobody has accepted yet; with <see cref="QueueConfig.PendingAccepts"/> of them
    /// no more are taken in.
    /// </summary>
    public int WaitingToBeAccepted
    {
        get
        {
            lock (_gate)
            {
                return _accepted.Count;
            }
        }
    }

    /// <summary>
    /// Draws for the layer on top that follow from the daemon's, so that a simulated run repeats; one thread at a time.
    /// </summary>
    public Prng Choices { get; }

    ConnectionConfig IConnectionAcceptor.Config => _config.Whole;

    PayloadParameters IConnectionAcceptor.Announced => Connection.AnnouncedBy(_config.Whole);

    bool IConnectionAcceptor.HasOneConnectionPerPeer => _config.Whole.Payload is { HasOneConnectionPerPeer: true };

    bool IConnectionAcceptor.IsListening => Volatile.Read(ref Entrance._isListening)
        && !Volatile.Read(ref Entrance._isDisposed) && !Volatile.Read(ref _isDisposed);

    bool IConnectionAcceptor.HasRoom => Entrance.WaitingToBeAccepted < _config.Whole.Queues.PendingAccepts;

    /// <summary>Opens a connection to a peer. Returns at once; <see cref="Connection.WaitUntilOpen"/> waits.</summary>
    /// <param name="remote">Address and port of the peer.</param>
    /// <param name="config">How; by default as the endpoint was opened.</param>
    /// <param name="after">
    /// When the first packet goes, counted from the turn that sees the request: 0 or more; the handshake's time-out
    /// starts then. The connection can be written to and closed meanwhile.
    /// </param>
    /// <exception cref="GudpConfigException">The configuration breaks a rule; all mistakes are listed.</exception>
    /// <exception cref="ObjectDisposedException">The endpoint was disposed.</exception>
    /// <remarks>
    /// One endpoint holds one connection to a given peer at a time: a second one makes the peer end the first.
    /// </remarks>
    public Connection Connect(PeerAddress remote, ConnectionConfig? config = null, TimeSpan after = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(after, TimeSpan.Zero);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfZero(remote.Port, nameof(remote));
        SharedConfig used = config is { } own ? new SharedConfig(own) : _config;
        used.Whole.ValidateForOpening();

        Connection connection = new(_loop, LocalAddress, remote, used) { Register = _register, StartsAfter = after };
        _register.Add(connection);

        if (!_loop.TryPost(new LoopCommand(LoopCommandKind.Connect, _driver, connection)))
        {
            ((ILoopConnection)connection).EndUnconnected(
                FinalReasons.Refused,
                new CloseReason(CloseCode.Busy, "The daemon's command queue is full, or the daemon has stopped."),
                default);
        }

        return connection;
    }

    /// <summary>From now on strangers are answered and become connections to be accepted.</summary>
    public void Listen() => Volatile.Write(ref _isListening, true);

    /// <summary>The next connection a peer has opened, if there is one. Begins to listen.</summary>
    public bool TryAccept(out Connection? connection)
    {
        Listen();

        lock (_gate)
        {
            return _accepted.TryDequeue(out connection);
        }
    }

    /// <summary>Waits for the next connection a peer opens. Begins to listen.</summary>
    /// <param name="timeout">How long, of any length; <see cref="Timeout.InfiniteTimeSpan"/> waits until one comes or
    /// nobody can.</param>
    /// <returns>The connection, open; null if none came in time, or the endpoint or its daemon has ended.</returns>
    /// <remarks>In manual mode another thread must call <see cref="Daemon.ProcessIO"/> meanwhile.</remarks>
    public Connection? Accept(TimeSpan timeout)
    {
        Listen();
        WaitLimit limit = new(timeout);
        Interlocked.Increment(ref _watching);

        try
        {
            while (_loop.Turns.Wait(this, 0, limit.Left))
            {
                lock (_gate)
                {
                    if (_accepted.TryDequeue(out Connection? connection) || _isDisposed || _hasEnded)
                    {
                        return connection;
                    }
                }

                // Another thread was faster.
            }
        }
        finally
        {
            Interlocked.Decrement(ref _watching);
        }

        return null;
    }

    bool IWaitPlace.IsOver(long token)
    {
        lock (_gate)
        {
            return _accepted.Count > 0 || _isDisposed || _hasEnded;
        }
    }

    bool IWaitPlace.Park(long token, TimeSpan limit)
    {
        WaitLimit left = new(limit);

        lock (_gate)
        {
            while (_accepted.Count == 0 && !_isDisposed && !_hasEnded)
            {
                int milliseconds = left.NextMilliseconds;

                if (milliseconds == 0)
                {
                    break;
                }

                Monitor.Wait(_gate, milliseconds);
            }

            return _accepted.Count > 0 || _isDisposed || _hasEnded;
        }
    }

    /// <summary>Waits for the next connection a peer opens, without holding a thread. Begins to listen.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The connection, open; null if the endpoint or its daemon has ended.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; no connection was lost.</exception>
    /// <remarks>What follows the wait never runs on the thread that leads the turn.</remarks>
    public async ValueTask<Connection?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        Listen();

        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task arrival;

            lock (_gate)
            {
                if (_accepted.TryDequeue(out Connection? connection))
                {
                    return connection;
                }

                if (_isDisposed || _hasEnded)
                {
                    return null;
                }

                if (_arrival is null)
                {
                    _arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    _loop.Turns.BeginTask();
                }

                arrival = _arrival.Task;
            }

            await arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Stops new peers and closes those that were never accepted; live connections go on, and the socket goes with the
    /// last of them (G22).
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            Volatile.Write(ref _isDisposed, true);

            while (_accepted.TryDequeue(out Connection? unwanted))
            {
                // Nobody ever had it, so nobody will take what it received.
                unwanted.Dispose();
            }

            Monitor.PulseAll(_gate);
            WakeTasks();
        }

        _loop.Release(_driver!);
    }

    IConnectionOwner IConnectionAcceptor.Admit(PeerAddress remote)
    {
        Connection connection = new(_loop, LocalAddress, remote, _config) { Register = _register };
        _register.Add(connection);
        return connection;
    }

    void IConnectionAcceptor.HandleAdmitted(IConnectionOwner owner, ConnectionEngine engine)
    {
        Connection connection = (Connection)owner;
        ((ILoopConnection)connection).Attach(engine, _driver!);

        if (!Entrance.TryEnqueue(connection))
        {
            connection.Dispose();
        }
    }

    void IConnectionAcceptor.HandleEnd()
    {
        lock (_gate)
        {
            _hasEnded = true;
            Monitor.PulseAll(_gate);
            WakeTasks();
        }
    }

    internal void Attach(EndpointDriver driver) => _driver = driver;

    /// <summary>The endpoint at which what is opened here is accepted; null: this one.</summary>
    internal Endpoint? Sharing { private get; init; }

    private Endpoint Entrance => Sharing ?? this;

    internal ConnectionConfig ConfigToShare()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _config.Whole;
    }

    private bool TryEnqueue(Connection connection)
    {
        lock (_gate)
        {
            if (!_isDisposed && !connection.IsTakenIn)
            {
                _accepted.Enqueue(connection);
                Monitor.Pulse(_gate);
                WakeTasks();
            }

            return !_isDisposed;
        }
    }

    // Under the gate. All of them: whoever finds nothing waits anew.
    private void WakeTasks()
    {
        if (_arrival is not null)
        {
            _arrival.SetResult();
            _arrival = null;
            _loop.Turns.EndTask();
        }

        // Who waits in the kernel counts itself before it looks, and the fence stands between the change and this look.
        Interlocked.MemoryBarrier();

        if (Volatile.Read(ref _watching) > 0)
        {
            _loop.Turns.Nudge();
        }
    }
}
