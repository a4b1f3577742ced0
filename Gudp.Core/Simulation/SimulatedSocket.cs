using System;
using System.Collections.Generic;
using Gudp.Core.Sockets;

namespace Gudp.Core.Simulation;

/// <summary>A socket of a simulated host.</summary>
/// <remarks>
/// Always true: _queuedBytes is the sum over the queue of each datagram's bytes and its bookkeeping.
/// </remarks>
internal sealed class SimulatedSocket : IDatagramSocket
{
    // A kernel charges a datagram more than its bytes; without this, empty ones could wait in any number.
    private const int BookkeepingBytes = 512;

    private readonly SimulatedNetwork _network;
    private readonly Queue<int> _queue = new();
    private readonly long _capacityBytes;
    private long _queuedBytes;
    private bool _isDisposed;

    internal SimulatedSocket(SimulatedHost host, PeerAddress local, DatagramCapabilities capabilities)
    {
        Host = host;
        LocalAddress = local;
        Capabilities = capabilities;
        _network = host.Network;
        _capacityBytes = capabilities.ReceiveBufferBytes;
    }

    public PeerAddress LocalAddress { get; }

    public DatagramCapabilities Capabilities { get; }

    internal SimulatedHost Host { get; }

    /// <summary>The network's.</summary>
    internal SimulatedRoutes Routes { get; } = new();

    public SocketOutcome TryReceive(Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
    {
        length = 0;
        datagramBytes = 0;
        from = default;

        if (_isDisposed)
        {
            return SocketOutcome.Closed;
        }

        if (!_queue.TryPeek(out int slot))
        {
            return SocketOutcome.WouldBlock;
        }

        from = _network.Store.At(slot).From;
        length = TakeInto(buffer);
        datagramBytes = length;

        for (int joined = 1; joined < _network.MaxJoined; joined++)
        {
            if (!CanJoin(from, datagramBytes, buffer.Length - length))
            {
                break;
            }

            int taken = TakeInto(buffer[length..]);
            length += taken;

            // A shorter one ends the run.
            if (taken < datagramBytes)
            {
                break;
            }
        }

        return SocketOutcome.Done;
    }

    public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
    {
        // The same limits as a real socket, so that a world that breaks them fails in simulation already.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            datagrams.Length,
            (long)datagramBytes * Capabilities.MaxSegments);

        if (_isDisposed)
        {
            return SocketOutcome.Closed;
        }

        if (Math.Min(datagramBytes, datagrams.Length) > Host.LargestDatagramBytes)
        {
            _network.NoteRefused((datagrams.Length + datagramBytes - 1) / datagramBytes);
            return SocketOutcome.TooLarge;
        }

        if (to.Port == 0)
        {
            return SocketOutcome.Unreachable;
        }

        do
        {
            int length = Math.Min(datagramBytes, datagrams.Length);
            _network.Send(this, to, datagrams[..length]);
            datagrams = datagrams[length..];
        }
        while (!datagrams.IsEmpty);

        return SocketOutcome.Done;
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;

        while (_queue.TryDequeue(out int slot))
        {
            Forget(_network.Store.At(slot).Length);
            _network.Store.Return(slot);
        }

        _network.Forget(this);
    }

    /// <summary>Puts an arrived datagram into the receive buffer; false: full, the slot stays the caller's.</summary>
    internal bool TryQueue(int slot, int bytes)
    {
        long charge = bytes + BookkeepingBytes;

        if (_queue.Count > 0 && _queuedBytes + charge > _capacityBytes)
        {
            return false;
        }

        _queue.Enqueue(slot);
        _queuedBytes += charge;
        Host.ReadableDatagrams++;
        return true;
    }

    private bool CanJoin(PeerAddress from, int datagramBytes, int room)
    {
        if (!_queue.TryPeek(out int slot))
        {
            return false;
        }

        ref StoredDatagram next = ref _network.Store.At(slot);
        return next.From == from && next.Length > 0 && next.Length <= Math.Min(datagramBytes, room);
    }

    private int TakeInto(Span<byte> buffer)
    {
        int slot = _queue.Dequeue();
        ref StoredDatagram datagram = ref _network.Store.At(slot);
        Forget(datagram.Length);
        int length = Math.Min(buffer.Length, datagram.Length);
        datagram.Bytes[..length].CopyTo(buffer);
        _network.Store.Return(slot);
        return length;
    }

    private void Forget(int bytes)
    {
        _queuedBytes -= bytes + BookkeepingBytes;
        Host.ReadableDatagrams--;
        Invariant.Require(_queuedBytes >= 0, "A receive queue never holds less than nothing.");
    }
}
