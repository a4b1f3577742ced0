using System;
using System.Collections.Generic;
using Gudp.Core.Sockets;

namespace Gudp.Core.Simulation;

/// <summary>A socket of a simulated host. Runs go the way of the Linux socket: only the system's answers are made up.
/// </summary>
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
    private readonly DatagramCapabilities _granted;
    private readonly Prng _sendDraws;
    private readonly Prng _receiveDraws;
    private RunSender _runs;
    private int _taken;
    private long _queuedBytes;
    private bool _isDisposed;

    internal SimulatedSocket(SimulatedHost host, PeerAddress local, DatagramCapabilities capabilities)
    {
        Host = host;
        LocalAddress = local;
        _granted = capabilities;
        _network = host.Network;
        _sendDraws = _network.DrawsOf(local, isSending: true);
        _receiveDraws = _network.DrawsOf(local, isSending: false);
        _runs = new RunSender(capabilities.MaxSegments > 1);
        _capacityBytes = capabilities.ReceiveBufferBytes;
    }

    public PeerAddress LocalAddress { get; }

    public DatagramCapabilities Capabilities => _granted with { MaxSegments = _runs.IsOn ? _granted.MaxSegments : 1 };

    public long OffloadRefusals => _runs.Refusals;

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

        SocketModel model = _network.Sockets;

        for (int joined = 1; joined < model.MaxJoined; joined++)
        {
            bool ends = !CanJoin(from, datagramBytes, buffer.Length - length)
                || Happens(_receiveDraws, model.JoinEndsPpm);

            if (ends)
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

        if (length > datagramBytes)
        {
            _network.NoteRunReceived();
        }

        return SocketOutcome.Done;
    }

    public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
    {
        // The same limits as a real socket, so that a world that breaks them fails in simulation already.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            datagrams.Length,
            (long)datagramBytes * _granted.MaxSegments);

        if (_isDisposed)
        {
            return SocketOutcome.Closed;
        }

        if (to.Port == 0)
        {
            return SocketOutcome.Unreachable;
        }

        int count = CountOf(datagrams.Length, datagramBytes);
        _taken = 0;
        SocketOutcome outcome = _runs.Send(new SendCall(this, to), datagrams, datagramBytes);

        if (outcome != SocketOutcome.Done)
        {
            _network.NoteUnsent(count - _taken, outcome);
        }

        return outcome;
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

    private static bool Happens(Prng draws, int ppm) => ppm > 0 && draws.NextChance(ppm);

    // An empty datagram is one.
    private static int CountOf(int bytes, int datagramBytes)
        => datagramBytes == 0 ? 1 : Math.Max(1, (bytes + datagramBytes - 1) / datagramBytes);

    /// <summary>The system's answer to one call; 0: it takes it.</summary>
    private int Refusal(int datagramBytes, bool isRun)
    {
        SocketModel model = _network.Sockets;

        if (datagramBytes > Host.LargestDatagramBytes)
        {
            return isRun ? LinuxErrors.Invalid : LinuxErrors.MessageSize;
        }

        if (Happens(_sendDraws, model.FullPpm))
        {
            return LinuxErrors.TryAgain;
        }

        if (!isRun)
        {
            return LinuxErrors.None;
        }

        return Happens(_sendDraws, model.RefusalPpm) ? LinuxErrors.InputOutput
            : Happens(_sendDraws, model.VetoPpm) ? LinuxErrors.NotPermitted
            : LinuxErrors.None;
    }

    private void Take(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
    {
        do
        {
            int length = Math.Min(datagramBytes, datagrams.Length);
            _network.Send(this, to, datagrams[..length]);
            datagrams = datagrams[length..];
            _taken++;
        }
        while (!datagrams.IsEmpty);
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

    /// <summary>To one address.</summary>
    private readonly struct SendCall(SimulatedSocket socket, PeerAddress to) : ISendCall
    {
        public int Send(ReadOnlySpan<byte> datagrams, int segmentBytes)
        {
            bool isRun = segmentBytes > 0;
            int datagramBytes = isRun ? segmentBytes : datagrams.Length;
            int refusal = socket.Refusal(datagramBytes, isRun);

            if (refusal == LinuxErrors.None)
            {
                socket.Take(datagrams, datagramBytes, to);
            }

            if (isRun && refusal == LinuxErrors.None)
            {
                socket._network.NoteRunSent();
            }
            else if (isRun && refusal != LinuxErrors.TryAgain)
            {
                socket._network.NoteRunRefused();
            }

            return refusal;
        }
    }
}
