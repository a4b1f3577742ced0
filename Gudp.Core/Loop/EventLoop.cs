using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core.Buffers;
using Gudp.Core.Config;
using Gudp.Core.Engine;
using Gudp.Core.Sockets;

namespace Gudp.Core.Loop;

// The turn: one bounded pass over all there is to do, and the only class that knows its order.
//
// Always true:
//   - whoever runs a turn holds the turn lock, and a turn is never re-entered;
//   - every datagram taken from a socket is counted once, accepted or under one drop reason;
//   - a connection is in the ready list at most once; one that is not in it has nothing to say before its deadline;
//   - user threads only publish (commands, status bits, payload queues) and wake; all else belongs to the leader.

/// <summary>
/// Drives all endpoints and connections of one daemon. Called by whoever leads: see <see cref="Turns"/>.
/// </summary>
internal sealed partial class EventLoop
{
    private const int ReceiveBufferBytes = 65_536;
    private const int MostReadable = 256;

    private readonly Turns _turns;
    private readonly TurnBudgets _budgets;
    private readonly DaemonCounterSet _counters;
    private readonly CommandQueue<LoopCommand> _commands;
    private readonly Queue<LoopCommand> _ownCommands = new();
    private readonly TouchList _touched = new();
    private readonly DeadlineHeap<ConnectionEngine> _deadlines = new(new EngineHeapSlot());
    private readonly Queue<ConnectionEngine> _ready = new();
    private readonly List<EndpointDriver> _endpoints = [];
    private readonly List<EndpointDriver> _heard = [];                  // received something since replies were sent
    private readonly object?[] _readable = new object?[MostReadable];
    private readonly IReadySockets? _readySockets;
    private readonly TransmitBuffer _transmit = new();
    private readonly byte[] _receive = GC.AllocateUninitializedArray<byte>(ReceiveBufferBytes, pinned: true);

    private int _isReleaseAsked;
    private int _firstEndpoint;
    private Instant _lastTurn;
    private bool _isSocketFull;
    private int _quickTurns;
    private bool _isResting;
    private Instant _restAt = Instant.Never;    // all that is ready only waits for company, until then

    internal EventLoop(
        IDatagramNetwork network, LoopClock clock, in GudpConfig config, DaemonCounterSet counters, in Limits limits)
    {
        Memory = new MemoryBudget(limits.PoolBytes);
        _readySockets = network as IReadySockets;
        _turns = new Turns(this, network, clock, config.Waiting);
        Clock = clock;
        _budgets = config.Budgets;
        _counters = counters;
        _commands = new CommandQueue<LoopCommand>(limits.CommandSlots);
    }

    /// <summary>Who runs the turns. Any thread.</summary>
    internal Turns Turns => _turns;

    /// <summary>What the queues of all connections grow out of. Any thread.</summary>
    internal MemoryBudget Memory { get; }

    /// <summary>For moments that user threads need. Any thread.</summary>
    internal LoopClock Clock { get; }

    /// <summary>See <see cref="EndpointSettings.FirstNumbers"/>; set before anything is opened.</summary>
    internal FirstNumbers FirstNumbers { get; set; }

    /// <summary>Open endpoints and live connections; zero when there is nothing left to drive. Any thread.</summary>
    internal int LiveCount { get; private set; }

    /// <summary>True while the leader has commands to run or connections that may transmit at once.</summary>
    internal bool HasWorkNow => !_commands.IsEmpty || _ownCommands.Count > 0 || !_touched.IsEmpty || Volatile.Read(ref _isReleaseAsked) != 0
        || _mayHoldMore
        || (_ready.Count > 0 && !_isSocketFull && _restAt.IsNever);

    /// <summary>When the next turn is due if nothing comes in before. Leader or pump owner.</summary>
    internal Instant NextDeadline(Instant now)
    {
        if (HasWorkNow)
        {
            return now;
        }

        Instant next = Instant.Earlier(Instant.Earlier(_deadlines.Next, NextTimer()), _restAt);

        // A full socket gives no sign when it has room again: look soon.
        return _isSocketFull ? Instant.Earlier(next, now + TimeSpan.FromMilliseconds(1)) : next;
    }

    /// <summary>Any thread: hands a request to the leader and wakes it.</summary>
    /// <returns>False if the queue is full or the loop has stopped.</returns>
    internal bool TryPost(in LoopCommand command)
    {
        if (!_commands.TryPost(command))
        {
            // The leader cannot wait for room that it makes itself. What layers ask for inside a turn is bounded by what
            // has ended in it.
            if (!IsLedByCaller)
            {
                return false;
            }

            _ownCommands.Enqueue(command);
        }

        _turns.OnPublished();
        return true;
    }

    /// <summary>
    /// Any thread: the leader will look at this connection. Only for one whose touched flag was just set.
    /// </summary>
    internal void Touch(ILoopConnection connection) => _touched.Add(connection);

    /// <summary>Any thread: the endpoint goes as soon as nothing needs it.</summary>
    internal void Release(EndpointDriver endpoint)
    {
        endpoint.IsReleased = true;
        Volatile.Write(ref _isReleaseAsked, 1);
        _turns.OnPublished();
    }

    /// <summary>
    /// Ends every connection without a goodbye and wakes every waiter; what was asked for and not begun is refused, now
    /// and from now on.
    /// </summary>
    internal void Stop(FinalReasons reasons, CloseReason reason, Instant now)
    {
        _commands.Complete();

        foreach (EndpointDriver endpoint in _endpoints)
        {
            EndAllOf(endpoint, reasons, reason, now);
        }

        while (_commands.TryRead(out LoopCommand command) || _ownCommands.TryDequeue(out command))
        {
            if (command.Kind == LoopCommandKind.Connect)
            {
                EndUnconnected(command.Connection!, reasons, reason, now);
            }
            else
            {
                EndAllOf(command.Endpoint!, reasons, reason, now);
                command.Endpoint!.Socket.Dispose();
            }
        }
    }

    /// <summary>Deadlines set, one per connection at most; for tests of leaks.</summary>
    internal int DeadlineCount => _deadlines.Count;

    internal void AddConnectionsTo(List<ConnectionEngine> list)
    {
        foreach (EndpointDriver endpoint in _endpoints)
        {
            list.AddRange(endpoint.Engine.Connections);
        }
    }

    /// <summary>Closes every connection as its user would: flush until the moment given, then goodbye.</summary>
    internal void CloseAll(CloseReason reason, Instant lingerUntil, Instant now)
    {
        foreach (EndpointDriver endpoint in _endpoints)
        {
            foreach (ConnectionEngine connection in endpoint.Engine.Connections)
            {
                connection.Close(FinalReasons.ClosedLocally, reason, now);
                connection.LingerUntil(lingerUntil);
                MarkReady(connection);
            }
        }
    }

    /// <summary>
    /// Skips the flush of all connections that still flush, for a daemon that has waited long enough.
    /// </summary>
    internal void SayGoodbyes(Instant now)
    {
        foreach (EndpointDriver endpoint in _endpoints)
        {
            foreach (ConnectionEngine connection in endpoint.Engine.Connections)
            {
                connection.HurryGoodbyes(now);
                MarkReady(connection);
            }
        }
    }

    /// <summary>True while some connection has still to deliver or to say goodbye.</summary>
    internal bool HasUnsaidGoodbyes()
    {
        foreach (EndpointDriver endpoint in _endpoints)
        {
            foreach (ConnectionEngine connection in endpoint.Engine.Connections)
            {
                if (connection.State is ConnectionState.Flushing or ConnectionState.Closing)
                {
                    return true;
                }
            }
        }

        return false;
    }

    internal void DisposeSockets()
    {
        foreach (EndpointDriver endpoint in _endpoints)
        {
            endpoint.Socket.Dispose();
        }

        _endpoints.Clear();
        LiveCount = 0;
    }

    // A layer that throws when it hears of the end must not keep the others from hearing of it: the loop stops anyway,
    // and why it does is known already.
    private static void EndAllOf(EndpointDriver endpoint, FinalReasons reasons, CloseReason reason, Instant now)
    {
        endpoint.Engine.StopAccepting();

        foreach (ConnectionEngine connection in endpoint.Engine.Connections)
        {
            try
            {
                connection.End(reasons, reason, now);
            }
            catch (Exception)
            {
                // As said above.
            }

            ((ILoopConnection)connection.Owner).HandleForgotten();
        }
    }

    private static void EndUnconnected(
        ILoopConnection connection, FinalReasons reasons, CloseReason reason, Instant now)
    {
        try
        {
            connection.EndUnconnected(reasons, reason, now);
        }
        catch (Exception)
        {
            // As above.
        }
    }

    private int RunCommands(Instant now)
    {
        int done = 0;

        while (done < _budgets.Commands && _commands.TryRead(out LoopCommand command))
        {
            Run(command, now);
            done++;
        }

        while (done < _budgets.Commands && _ownCommands.TryDequeue(out LoopCommand own))
        {
            Run(own, now);
            done++;
        }

        // Not before the commands that came before it: a connection asked for first keeps its endpoint alive (G22).
        if (Volatile.Read(ref _isReleaseAsked) != 0 && _commands.IsEmpty
            && Interlocked.Exchange(ref _isReleaseAsked, 0) != 0)
        {
            DropReleased();
            done++;
        }

        return done + LookAtTouched(now);
    }

    private void Run(in LoopCommand command, Instant now)
    {
        switch (command.Kind)
        {
            case LoopCommandKind.AddEndpoint:
                Keep(command.Endpoint!);
                break;
            case LoopCommandKind.Connect:
                Connect(command.Endpoint!, command.Connection!, now);
                break;
            default:
                Invariant.Require(false, "Every command has a consequence.");
                break;
        }
    }

    private int LookAtTouched(Instant now)
    {
        int looked = 0;
        ILoopConnection? connection = _touched.TakeAll();

        while (connection is not null)
        {
            // Read before the flag is cleared: from then on a user thread may add it again.
            ILoopConnection? next = connection.NextTouched;
            connection.NextTouched = null;
            connection.ClearTouched();

            // Without an engine its command to connect is still to come, and looks then. One that has ended is
            // forgotten already or about to be.
            if (connection.Engine is { State: not ConnectionState.Ended } engine)
            {
                engine.HandleTouch(now);
                MarkReady(engine);
            }

            connection = next;
            looked++;
        }

        return looked;
    }

    private void Connect(EndpointDriver endpoint, ILoopConnection connection, Instant now)
    {
        if (!endpoint.IsKept)
        {
            connection.EndUnconnected(
                FinalReasons.SocketFailed, new CloseReason(CloseCode.SocketError, "The endpoint is closed."), now);
            return;
        }

        ConnectionEngine engine = endpoint.Engine.Connect(connection, connection.RemoteAddress, now);
        connection.Attach(engine, endpoint);
        engine.HandleTouch(now);
        CountLive(endpoint);
        MarkReady(engine);
    }

    private static EndpointDriver DriverOf(ConnectionEngine connection) => ((ILoopConnection)connection.Owner).Driver!;

    private int FireDeadlines(Instant now)
    {
        int fired = 0;

        while (_deadlines.TryTakeDue(now, out ConnectionEngine? connection))
        {
            connection.HandleTimeout(now);
            MarkReady(connection);
            fired++;
        }

        return fired + FireTimers(now);
    }

    private void Forget(ConnectionEngine connection)
    {
        _deadlines.Remove(connection);
        EndpointDriver endpoint = DriverOf(connection);
        endpoint.Engine.Forget(connection);
        ((ILoopConnection)connection.Owner).HandleForgotten();
        CountLive(endpoint);
        DropIfUnused(endpoint);
    }

    /// <summary>G22: the socket goes when the endpoint was disposed and its last connection has gone.</summary>
    private void DropIfUnused(EndpointDriver endpoint)
    {
        if (endpoint.IsReleased && endpoint.Engine.ConnectionCount == 0 && _endpoints.Remove(endpoint))
        {
            endpoint.IsKept = false;
            LiveCount--;
            DropTimer(endpoint);
            endpoint.Socket.Dispose();
        }
    }

    private void DropReleased()
    {
        for (int i = _endpoints.Count - 1; i >= 0; i--)
        {
            DropIfUnused(_endpoints[i]);
        }
    }

    private void FailEndpoint(EndpointDriver endpoint, Instant now)
    {
        // G23: a fatal error of the socket ends all its peers with that error.
        endpoint.Engine.EndAll(
            FinalReasons.SocketFailed, new CloseReason(CloseCode.SocketError, "The socket was closed."), now);
        endpoint.IsReleased = true;

        foreach (ConnectionEngine connection in endpoint.Engine.Connections)
        {
            MarkReady(connection);
        }

        DropIfUnused(endpoint);
    }

    private void MarkReady(ConnectionEngine connection)
    {
        if (!connection.IsReady)
        {
            connection.IsReady = true;
            _ready.Enqueue(connection);
        }
    }

    private void Keep(EndpointDriver endpoint)
    {
        endpoint.IsKept = true;
        _endpoints.Add(endpoint);
        LiveCount++;
        KeepTimer(endpoint);

        if (endpoint.Socket is IWatchedSocket watched)
        {
            watched.Mark = endpoint;
        }
    }

    // What changed since it was counted last: of one endpoint, not of all.
    private void CountLive(EndpointDriver endpoint)
    {
        LiveCount += endpoint.Engine.ConnectionCount - endpoint.ConnectionsCounted;
        endpoint.ConnectionsCounted = endpoint.Engine.ConnectionCount;
    }
}
