using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;

namespace Gudp.Core.Sockets;

/// <summary>
/// Waits through the framework, in whole milliseconds, the finest it offers. The bell is a loopback socket connected to
/// itself, watched with the others.
/// </summary>
internal sealed class SelectWaiter : ISocketWaiter
{
    // The framework takes the limit as 32-bit microseconds; whoever waits longer is asked to wait again.
    private const long LongestWaitMilliseconds = 30 * 60 * 1000;

    private readonly List<Socket> _selected = [];
    private readonly Socket _bell = OpenOnLoopback();
    private readonly byte[] _received = new byte[1];

    public bool Wait(Socket[] sockets, TimeSpan limit)
    {
        _selected.Clear();
        _selected.Add(_bell);
        _selected.AddRange(sockets);

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

        if (_selected.Count > 0 && ReferenceEquals(_selected[0], _bell))
        {
            Silence();
        }

        return _selected.Count > 0;
    }

    public void Ring() => _bell.Send([0], SocketFlags.None, out SocketError _);

    public void Dispose() => _bell.Dispose();

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

    private void Silence()
    {
        try
        {
            while (_bell.Poll(0, SelectMode.SelectRead))
            {
                _bell.Receive(_received, SocketFlags.None, out SocketError _);
            }
        }
        catch (ObjectDisposedException)
        {
            // The network is being disposed: nobody will sleep here again.
        }
    }

    private static Socket OpenOnLoopback()
    {
        IPAddress loopback = Socket.OSSupportsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        var socket = new Socket(loopback.AddressFamily, SocketType.Dgram, ProtocolType.Udp);

        try
        {
            socket.Blocking = false;
            socket.Bind(new IPEndPoint(loopback, 0));

            // Connected to itself it hears nobody else.
            socket.Connect(socket.LocalEndPoint!);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return socket;
    }
}
