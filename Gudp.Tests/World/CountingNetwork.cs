using System.Collections.Concurrent;
using Gudp.Core;
using Gudp.Core.Sockets;

namespace Gudp.Tests.World;

/// <summary>The system's UDP, with a look at who waits in it and for how long; waits may be as coarse as a bad timer.</summary>
/// <param name="tick">Waits with a limit are rounded up to a whole number of these; zero: as they are.</param>
internal sealed class CountingNetwork(TimeSpan tick = default) : IDatagramNetwork
{
    private readonly UdpNetwork _network = new();
    private readonly ConcurrentDictionary<int, int> _readers = new();
    private int _waits;
    private int _ranOut;
    private int _inside;
    private int _mostInside;
    private int _waiter;
    private long _limitTicks;
    private int _losses;

    /// <summary>Waits that slept or would have.</summary>
    internal int Waits => Volatile.Read(ref _waits);

    /// <summary>Of them those that nothing ended but their limit.</summary>
    internal int RanOut => Volatile.Read(ref _ranOut);

    /// <summary>Most threads that waited at the same time.</summary>
    internal int MostInside => Volatile.Read(ref _mostInside);

    /// <summary>The managed id of the thread that waits now; 0: none does.</summary>
    internal int Waiter => Volatile.Read(ref _waiter);

    /// <summary>Of the last wait that began.</summary>
    internal TimeSpan Limit => new(Volatile.Read(ref _limitTicks));

    public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
        => new LosingSocket(this, _network.Open(local, sendBufferBytes, receiveBufferBytes));

    /// <summary>The threads that led turns which read this network's sockets.</summary>
    internal ICollection<int> Readers => _readers.Keys;

    /// <summary>What is sent next goes nowhere.</summary>
    internal void LoseNextRun() => Volatile.Write(ref _losses, 1);

    public bool Wait(TimeSpan limit)
    {
        Interlocked.Increment(ref _waits);
        int inside = Interlocked.Increment(ref _inside);
        _mostInside = Math.Max(Volatile.Read(ref _mostInside), inside);
        Volatile.Write(ref _limitTicks, limit.Ticks);
        Volatile.Write(ref _waiter, Environment.CurrentManagedThreadId);

        bool isSomething = _network.Wait(Rounded(limit));

        Volatile.Write(ref _waiter, 0);
        Interlocked.Decrement(ref _inside);

        if (!isSomething)
        {
            Interlocked.Increment(ref _ranOut);
        }

        return isSomething;
    }

    public void Wake() => _network.Wake();

    public void Dispose() => _network.Dispose();

    private TimeSpan Rounded(TimeSpan limit)
        => tick <= TimeSpan.Zero || limit <= TimeSpan.Zero || limit > TimeSpan.FromHours(1)
            ? limit
            : new TimeSpan((limit.Ticks + tick.Ticks - 1) / tick.Ticks * tick.Ticks);

    private sealed class LosingSocket(CountingNetwork network, IDatagramSocket socket) : IDatagramSocket
    {
        public PeerAddress LocalAddress => socket.LocalAddress;

        public DatagramCapabilities Capabilities => socket.Capabilities;

        public long OffloadRefusals => socket.OffloadRefusals;

        public SocketOutcome TryReceive(Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
        {
            network._readers[Environment.CurrentManagedThreadId] = 0;
            return socket.TryReceive(buffer, out length, out datagramBytes, out from);
        }

        public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
            => Interlocked.Exchange(ref network._losses, 0) != 0
                ? SocketOutcome.Done
                : socket.TrySend(datagrams, datagramBytes, to);

        public void Dispose() => socket.Dispose();
    }
}

/// <summary>Who ran the turns in which packets were sent and received; throws once when told to.</summary>
internal sealed class LeaderTrace : IPacketTrace
{
    private readonly ConcurrentQueue<(TraceEventKind Kind, int Thread)> _events = new();
    private int _throws;

    /// <summary>The next event ends the turn with an exception.</summary>
    internal void ThrowOnce() => Volatile.Write(ref _throws, 1);

    internal void Clear() => _events.Clear();

    internal int[] Leaders(TraceEventKind kind)
        => [.. _events.Where(e => e.Kind == kind).Select(e => e.Thread).Distinct()];

    public void Record(in TraceEvent happened)
    {
        if (Interlocked.Exchange(ref _throws, 0) != 0)
        {
            throw new InvalidOperationException("The trace broke.");
        }

        _events.Enqueue((happened.Kind, Environment.CurrentManagedThreadId));
    }
}
