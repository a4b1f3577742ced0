using Gudp.Core;
using Gudp.Core.Sockets;

namespace Gudp.Tests.World;

/// <summary>Sockets that no system has: one read never comes back until it may, or there is always one more datagram.</summary>
internal sealed class BrokenNetwork : IDatagramNetwork
{
    private readonly AutoResetEvent _woken = new(false);
    private int _waiter;

    /// <summary>Every read brings a datagram that belongs to nobody.</summary>
    internal bool IsFlooded { get; init; }

    /// <summary>While it is not set a read does not come back.</summary>
    internal ManualResetEventSlim MayRead { get; } = new(true);

    /// <summary>A read has been held up.</summary>
    internal ManualResetEventSlim IsHeld { get; } = new(false);

    /// <summary>The managed id of the thread that waits now; 0: none does.</summary>
    internal int Waiter => Volatile.Read(ref _waiter);

    public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes) => new Socket(this);

    public bool Wait(TimeSpan limit)
    {
        Volatile.Write(ref _waiter, Environment.CurrentManagedThreadId);
        bool isWoken = _woken.WaitOne(limit);
        Volatile.Write(ref _waiter, 0);
        return isWoken;
    }

    public void Wake() => _woken.Set();

    public void Dispose()
    {
    }

    private sealed class Socket(BrokenNetwork network) : IDatagramSocket
    {
        public PeerAddress LocalAddress { get; } = PeerAddress.LoopbackIPv4(4_000);

        public DatagramCapabilities Capabilities => new(65_536, 65_536, 1, true);

        public SocketOutcome TryReceive(Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
        {
            from = LocalAddress;
            length = network.IsFlooded ? 1 : 0;
            datagramBytes = length;

            if (!network.MayRead.IsSet)
            {
                network.IsHeld.Set();
                network.MayRead.Wait();
            }

            return network.IsFlooded ? SocketOutcome.Done : SocketOutcome.WouldBlock;
        }

        public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to) => SocketOutcome.Done;

        public void Dispose()
        {
        }
    }
}
