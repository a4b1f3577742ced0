using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace Gudp.Core.Sockets;

/// <summary>
/// Ends a wait on sockets from another thread: a loopback socket connected to itself, watched with the others.
/// </summary>
/// <remarks>
/// <see cref="Set"/> and <see cref="Dispose"/>: any thread. The rest: the waiting thread.
/// Always true: a Set is never lost. It either finds the sleeper and sends one datagram, or leaves the mark that the
/// next <see cref="TrySleep"/> finds. Setting a signal that is already set costs one exchange and no system call.
/// </remarks>
internal sealed class WakeSignal : IDisposable
{
    private const int Awake = 0;
    private const int Asleep = 1;
    private const int Signalled = 2;

    private readonly byte[] _received = new byte[1];
    private int _state = Awake;

    internal WakeSignal() => Socket = OpenOnLoopback();

    /// <summary>What to watch.</summary>
    internal Socket Socket { get; }

    /// <summary>False: a signal was set since the last look, do not sleep.</summary>
    internal bool TrySleep()
    {
        if (Interlocked.CompareExchange(ref _state, Asleep, Awake) == Awake)
        {
            return true;
        }

        Volatile.Write(ref _state, Awake);
        return false;
    }

    /// <summary>The sleep is over. True if somebody ended it.</summary>
    internal bool Rise() => Interlocked.Exchange(ref _state, Awake) == Signalled;

    /// <summary>Takes the datagrams that ended sleeps; one more may follow from a thread slow to send it.</summary>
    internal void Drain()
    {
        try
        {
            while (Socket.Poll(0, SelectMode.SelectRead))
            {
                Socket.Receive(_received, SocketFlags.None, out SocketError _);
            }
        }
        catch (ObjectDisposedException)
        {
            // The network is being disposed: nobody will sleep here again.
        }
    }

    internal void Set()
    {
        if (Interlocked.Exchange(ref _state, Signalled) != Asleep)
        {
            return;
        }

        try
        {
            Socket.Send([0], SocketFlags.None, out SocketError _);
        }
        catch (ObjectDisposedException)
        {
            // Disposing ended the wait already.
        }
    }

    public void Dispose()
    {
        Set();
        Socket.Dispose();
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
