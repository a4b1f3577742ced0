using System;
using System.Threading;
using Gudp.Core.Diagnostics;
using Gudp.Core.Engine;
using Gudp.Core.Loop;
using Gudp.Core.Sockets;

namespace Gudp.Core;

/// <summary>
/// Drives endpoints and their connections: with a thread of its own after <see cref="Start"/>, or without any thread
/// by the caller's <see cref="ProcessIO"/>.
/// </summary>
/// <remarks>
/// All members but <see cref="ProcessIO"/> and <see cref="UntilNextDeadline"/> may be called by any thread. Disposing
/// ends the connections; what was queued is delivered first as far as
/// <see cref="ConnectionConfig.LingerTimeout"/> allows.
/// </remarks>
public sealed class Daemon : IDisposable
{
    private const ulong LayerStream = 0x1A7E5;

    private readonly GudpConfig _config;
    private readonly IDatagramNetwork _network;
    private readonly LoopClock _clock;
    private readonly ProcessIdentity _identity;
    private readonly Prng _choices;
    private readonly Prng _layerChoices;
    private readonly DaemonCounterSet _counters = new();
    private readonly ConnectionRegister _connections = new();
    private readonly DaemonMeter? _meter;
    private readonly TraceFile? _traceFile;
    private readonly EventLoop _loop;
    private readonly object _modeGate = new();

    // Held by the pump's owner during a turn, and by who ends the daemon: one waits for the other.
    private readonly object _turnGate = new();
    private LoopThread? _thread;
    private int _pumpOwner;
    private bool _isDisposed;
    private DrainReport _report = DrainReport.Nothing;

    /// <summary>A daemon on the system's UDP and clock. Nothing is started.</summary>
    /// <exception cref="GudpConfigException">The configuration breaks a rule; all mistakes are listed.</exception>
    public Daemon(GudpConfig config = default)
        : this(
            config,
            new UdpNetwork(config.Sockets.FrameworkOnly),
            TimeProvider.System,
            SystemSecrets.Instance,
            NewChoices())
    {
    }

    /// <summary>A daemon on a network, clock and random sources of the caller's, for simulation and tests.</summary>
    /// <param name="config">Default is the documented default.</param>
    /// <param name="network">Disposed with the daemon.</param>
    /// <param name="time">Read once per turn.</param>
    /// <param name="secrets">For what strangers must not guess.</param>
    /// <param name="choices">For all other draws.</param>
    /// <exception cref="GudpConfigException">The configuration breaks a rule; all mistakes are listed.</exception>
    /// <exception cref="System.IO.IOException">The packet trace that was asked for cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written there.</exception>
    public Daemon(
        GudpConfig config, IDatagramNetwork network, TimeProvider time, ISecretSource secrets, Prng choices)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(secrets);
        ArgumentNullException.ThrowIfNull(choices);
        config.Validate();

        _config = config;
        _network = network;
        _clock = new LoopClock(time);
        _identity = new ProcessIdentity(secrets);
        _choices = choices;
        _layerChoices = choices.Split(LayerStream);
        _loop = new EventLoop(network, _clock, config, _counters, Config.Limits.From(config));
        _traceFile = config.Trace.Directory.Length > 0
            ? TraceFile.Create(config.Trace, config.Name, time.GetUtcNow())
            : null;
        _meter = config.Metrics ? new DaemonMeter(config.Name, ReadCounters, _connections) : null;
    }

    /// <summary>For tests: both ends must agree. Set before anything is opened.</summary>
    internal FirstNumbers FirstNumbers
    {
        set => _loop.FirstNumbers = value;
    }

    /// <summary>What all queues grow out of.</summary>
    internal Buffers.MemoryBudget Memory => _loop.Memory;

    /// <summary>Why the loop stopped, if it did not stop by <see cref="Dispose"/>; else null.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>
    /// Hears what happens to the packets of endpoints opened from now on, instead of the file that
    /// <see cref="TraceConfig.Directory"/> asks for. Null, the default: nobody does.
    /// </summary>
    public IPacketTrace? Trace { get; init; }

    /// <summary>
    /// Events missing in the trace file: the disk was too slow, the file is full, or it could not be written. Any
    /// thread.
    /// </summary>
    public long TraceEventsLost => _traceFile?.EventsLost ?? 0;

    /// <summary>
    /// Manual mode: how long the owner may sleep before the next <see cref="ProcessIO"/>, if no datagram comes.
    /// </summary>
    /// <remarks>
    /// Zero if there is something to do now; <see cref="Timeout.InfiniteTimeSpan"/> if nothing is waited for.
    /// </remarks>
    public TimeSpan UntilNextDeadline
    {
        get
        {
            Instant now = _clock.Now;
            Instant next = _loop.NextDeadline(now);
            return next.IsNever ? Timeout.InfiniteTimeSpan : next <= now ? TimeSpan.Zero : next - now;
        }
    }

    /// <summary>
    /// The daemon's clock: moments that the layers and sinks on it are told, and those of another daemon are not on it.
    /// Any thread.
    /// </summary>
    public Instant Now => _clock.Now;

    /// <summary>Starts the daemon's thread. Once; not together with <see cref="ProcessIO"/>.</summary>
    /// <exception cref="InvalidOperationException">It was started before, or is driven by ProcessIO.</exception>
    public void Start()
    {
        lock (_modeGate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);

            if (_thread is not null)
            {
                throw new InvalidOperationException("The daemon was started before; start it once.");
            }

            if (_pumpOwner != 0)
            {
                throw new InvalidOperationException(
                    "The daemon is driven by ProcessIO; it cannot have a thread as well.");
            }

            _loop.Turns.Open(HandleFault);
            _thread = new LoopThread($"gudp-{_config.Name}", _loop.Turns);
            _thread.Start();
        }
    }

    /// <summary>
    /// Manual mode: one bounded turn, everything that can be done now. The first caller owns the pump (B6).
    /// </summary>
    /// <returns>False when every endpoint and connection is closed.</returns>
    /// <exception cref="InvalidOperationException">
    /// Called by another thread than before, after <see cref="Start"/>, or after a fault.
    /// </exception>
    public bool ProcessIO()
    {
        ThrowIfEnded();
        ClaimPump();

        lock (_turnGate)
        {
            // Another thread may have ended the daemon while this one waited for the gate.
            ThrowIfEnded();

            try
            {
                // A turn that did nothing has not taken long.
                if (_loop.Turn(_clock.Now) > 0)
                {
                    _loop.NoteTurnEnd(_clock.Now);
                }
            }
            catch (Exception fault)
            {
                HandleFault(fault);
                throw;
            }

            return _loop.LiveCount > 0;
        }
    }

    /// <summary>For waits of a layer's own. Any thread.</summary>
    public ITurnWatch Watch => _loop.Turns;

    /// <summary>
    /// Opens another local address for an endpoint: the same identity and config, and what peers open there is accepted
    /// at <paramref name="sharing"/>, once that one listens (M37).
    /// </summary>
    /// <param name="local">As of <see cref="Open(PeerAddress, ConnectionConfig?)"/>.</param>
    /// <param name="sharing">An endpoint of this daemon; disposed last.</param>
    /// <returns>To connect from that address, and to be disposed.</returns>
    /// <exception cref="ObjectDisposedException">The endpoint was disposed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be used.</exception>
    public Endpoint Open(PeerAddress local, Endpoint sharing)
    {
        ArgumentNullException.ThrowIfNull(sharing);
        ThrowIfEnded();
        return Open(local, sharing.ConfigToShare(), sharing);
    }

    /// <summary>Opens a local address.</summary>
    /// <param name="local">Port 0 lets the system pick; <see cref="PeerAddress.AnyIPv6"/> serves both families.</param>
    /// <param name="config">How its connections behave; by default <see cref="GudpConfig.Connections"/>.</param>
    /// <exception cref="GudpConfigException">A rule is broken, or no protection is named.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">
    /// The address cannot be used, for instance because it is in use; or the system refuses one of
    /// <see cref="GudpConfig.Sockets"/>, and the message says which.
    /// </exception>
    public Endpoint Open(PeerAddress local, ConnectionConfig? config = null)
    {
        ThrowIfEnded();
        ConnectionConfig used = config ?? _config.Connections;
        used.ValidateForOpening();
        return Open(local, used.PeerId.IsKnown ? used : used with { PeerId = _identity.NextPeerId() }, null);
    }

    private Endpoint Open(PeerAddress local, in ConnectionConfig used, Endpoint? sharing)
    {
        IDatagramSocket socket = _network.Open(local, _config.Sockets);
        Endpoint endpoint = new(_loop, socket.LocalAddress, used, _connections, NextLayerChoices())
        {
            Sharing = sharing,
        };
        EndpointSettings settings = new(_config, _identity, socket.Capabilities.ReceiveBufferBytes, _choices)
        {
            PeerId = endpoint.PeerId,
            CanProbeSize = socket.Capabilities.DoNotFragment,
            Trace = Trace ?? _traceFile,
            FirstNumbers = _loop.FirstNumbers,
        };
        EndpointDriver driver = new(socket, new EndpointEngine(settings, endpoint))
        {
            // Endpoints that share an identity share the layer, whose timer the first one drives.
            Timer = sharing is null ? used.Payload?.Timer : null,
        };
        endpoint.Attach(driver);

        if (used.Payload is { CallsApplication: true })
        {
            _loop.Turns.CountCaller();
        }

        if (!_loop.TryPost(new LoopCommand(LoopCommandKind.AddEndpoint, driver, null)))
        {
            socket.Dispose();
            ThrowIfEnded();     // meanwhile, by another thread
            throw new InvalidOperationException("The daemon's command queue is full; open fewer endpoints at once.");
        }

        return endpoint;
    }

    /// <summary>A copy of the daemon's counters. Any thread; the fields are not consistent among each other.</summary>
    public DaemonCounters ReadCounters() => _counters.ReadSnapshot();

    /// <summary>
    /// The connections that live now, so that their counters and states can be read (M11). Any thread; a new array in
    /// no order.
    /// </summary>
    public Connection[] ReadConnections() => _connections.ReadLive();

    /// <summary>
    /// As <see cref="Shutdown"/> with <see cref="ConnectionConfig.LingerTimeout"/> of the daemon's own config.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from inside a turn of this daemon.</exception>
    public void Dispose() => Shutdown(_config.Connections.LingerTimeout);

    /// <summary>
    /// Ends every connection, delivering first what was queued, says goodbye, stops the thread, closes the sockets, and
    /// reports what was not delivered. Any thread but the daemon's own; the first call counts, later ones return its
    /// report at once: an empty one while the first is still at work.
    /// </summary>
    /// <param name="deadline">
    /// How long to wait at most for what was queued to arrive, in place of each connection's own linger;
    /// <see cref="Timeout.InfiniteTimeSpan"/>: until everything has arrived or its connection has ended.
    /// </param>
    /// <returns>What was accepted and not sent, or sent and not acknowledged, per connection.</returns>
    /// <exception cref="InvalidOperationException">Called from inside a turn of this daemon.</exception>
    /// <remarks>
    /// In manual mode nothing is waited for, since nobody drives the daemon meanwhile: close the connections, call
    /// <see cref="ProcessIO"/> until they have ended, then shut down. A <see cref="ProcessIO"/> that runs on another
    /// thread is waited for; its next call throws <see cref="ObjectDisposedException"/>.
    /// </remarks>
    public DrainReport Shutdown(TimeSpan deadline)
    {
        LoopThread? thread;

        lock (_modeGate)
        {
            if (_isDisposed)
            {
                return _report;
            }

            thread = _thread;

            if (thread is { IsCurrent: true } || _loop.IsLedByCaller)
            {
                throw new InvalidOperationException(
                    "A daemon cannot be ended from inside its own turn, since that would wait for itself; "
                    + "do it on another thread, or after ProcessIO has returned.");
            }

            _isDisposed = true;
        }

        _meter?.Dispose();
        thread?.Stop();

        lock (_turnGate)
        {
            _report = RunLastTurns(thread is null ? TimeSpan.Zero : LimitOf(deadline), isDriven: thread is not null);
            _loop.DisposeSockets();
        }

        _network.Dispose();
        _traceFile?.Dispose();
        return _report;
    }

    internal int LiveCount => _loop.LiveCount;

    internal int DeadlineCount => _loop.DeadlineCount;

    internal long MemoryInUseBytes => _loop.Memory.InUseBytes;

    // Far beyond any run, and far from the end of the clock's range.
    private static TimeSpan LimitOf(TimeSpan deadline)
    {
        TimeSpan longest = TimeSpan.FromDays(10_000);
        return deadline == Timeout.InfiniteTimeSpan || deadline > longest ? longest
            : deadline < TimeSpan.Zero ? TimeSpan.Zero
            : deadline;
    }

    private Prng NextLayerChoices()
    {
        lock (_modeGate)
        {
            return new Prng(_layerChoices.NextUInt64());
        }
    }

    private static Prng NewChoices()
    {
        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        SystemSecrets.Instance.Fill(seed);
        return new Prng(BitConverter.ToUInt64(seed));
    }

    private void ThrowIfEnded()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        if (Fault is { } fault)
        {
            throw new InvalidOperationException("The daemon has stopped because of a fault; make a new one.", fault);
        }
    }

    private void ClaimPump()
    {
        int thread = Environment.CurrentManagedThreadId;
        int owner = Volatile.Read(ref _pumpOwner);

        if (owner == thread)
        {
            return;
        }

        lock (_modeGate)
        {
            if (_thread is not null)
            {
                throw new InvalidOperationException(
                    "The daemon has a thread of its own; ProcessIO is for daemons not started.");
            }

            if (_pumpOwner != 0)
            {
                throw new InvalidOperationException(
                    "ProcessIO belongs to the thread that called it first; call it from there.");
            }

            _pumpOwner = thread;
            _loop.IsPumped = true;
        }
    }

    /// <summary>The ending thread leads the last turns itself: nobody else does any more.</summary>
    private DrainReport RunLastTurns(TimeSpan limit, bool isDriven)
    {
        LastTurns last = new(_loop, _network, _clock);
        _loop.IsPumped = false;

        if (Fault is null)
        {
            try
            {
                last.Run(limit);
                _loop.Stop(FinalReasons.ClosedLocally, CloseReason.ByApplication, _clock.Now);
            }
            catch (Exception fault)
            {
                // The sockets close whatever happens in the last turns.
                HandleFault(fault);
            }
        }

        last.NoteConnections();
        return last.Report(isDriven);
    }

    private void HandleFault(Exception fault)
    {
        Fault = fault;
        _loop.Stop(
            FinalReasons.LoopFaulted, new CloseReason(CloseCode.LoopFault, fault.Message), _clock.Now);
    }
}
