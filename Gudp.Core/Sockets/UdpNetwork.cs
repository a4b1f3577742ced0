using System;
using System.Collections.Generic;
using System.Net.Sockets;

namespace Gudp.Core.Sockets;

/// <summary>
/// The operating system's UDP, through the framework's <see cref="Socket"/>: works wherever .NET does.
/// </summary>
/// <remarks>
/// <c>Open</c>, <see cref="Wake"/> and the disposal of sockets may come from any thread; <see cref="Wait"/>
/// from one thread at a time. A wait is rounded up to whole milliseconds, the finest the framework offers.
/// Always true: a socket is in the list exactly while it is open; the list changes under its lock only.
/// </remarks>
public sealed class UdpNetwork : IDatagramNetwork
{
    // The framework takes the limit as 32-bit microseconds; whoever waits longer is asked to wait again.
    private const long LongestWaitMilliseconds = 30 * 60 * 1000;

    private readonly List<UdpSocket> _open = [];
    private readonly List<Socket> _selected = [];
    private readonly WakeSignal _wake = new();
    private bool _isDisposed;

    /// <inheritdoc/>
    public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sendBufferBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(receiveBufferBytes);

        return Watch(new UdpSocket(
            local,
            new SocketConfig { SendBufferBytes = sendBufferBytes, ReceiveBufferBytes = receiveBufferBytes },
            Forget));
    }

    /// <inheritdoc/>
    public IDatagramSocket Open(PeerAddress local, in SocketConfig config)
        => Watch(new UdpSocket(local, config, Forget));

    /// <inheritdoc/>
    public bool Wait(TimeSpan limit)
    {
        if (!_wake.TrySleep())
        {
            return true;
        }

        bool isReadable = Select(limit);
        bool isWoken = _wake.Rise();
        return isReadable || isWoken;
    }

    /// <inheritdoc/>
    public void Wake() => _wake.Set();

    /// <summary>Closes every socket opened here and ends a running <see cref="Wait"/>. Any thread; once is enough.</summary>
    public void Dispose()
    {
        UdpSocket[] open;

        lock (_open)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            open = [.. _open];
        }

        foreach (UdpSocket socket in open)
        {
            socket.Dispose();
        }

        _wake.Dispose();
    }

    private UdpSocket Watch(UdpSocket socket)
    {
        lock (_open)
        {
            if (!_isDisposed)
            {
                _open.Add(socket);
                socket.IsListed = true;
            }
        }

        if (!socket.IsListed)
        {
            socket.Dispose();
            throw new ObjectDisposedException(nameof(UdpNetwork));
        }

        // A wait that began before this socket existed does not watch it.
        Wake();
        return socket;
    }

    /// <summary>True if some socket, or the wake signal, can be read.</summary>
    private bool Select(TimeSpan limit)
    {
        _selected.Clear();
        _selected.Add(_wake.Socket);

        lock (_open)
        {
            foreach (UdpSocket socket in _open)
            {
                _selected.Add(socket.Socket);
            }
        }

        try
        {
            // Leaves only the readable ones in the list.
            Socket.Select(_selected, null, null, ToMicroseconds(limit));
        }
        catch (Exception ending) when (ending is ObjectDisposedException or SocketException)
        {
            // A socket was closed while it was watched; its owner learns that from the next call on it.
            return true;
        }

        if (_selected.Count > 0 && ReferenceEquals(_selected[0], _wake.Socket))
        {
            _wake.Drain();
        }

        return _selected.Count > 0;
    }

    // Up, because a wait that ends just before the deadline it waits for spins through the last millisecond.
    private static int ToMicroseconds(TimeSpan limit)
    {
        if (limit <= TimeSpan.Zero)
        {
            return 0;
        }

        long milliseconds = 1 + ((limit.Ticks - 1) / TimeSpan.TicksPerMillisecond);
        return (int)(Math.Min(milliseconds, LongestWaitMilliseconds) * 1000);
    }

    // Called before the system socket is closed: a wait that still holds it would delay the closing.
    private void Forget(UdpSocket socket)
    {
        lock (_open)
        {
            _open.Remove(socket);
        }

        Wake();
    }
}
