using System;
using System.Collections.Generic;
using System.Net.Sockets;
using System.Threading;
using Gudp.Core.Sockets;

namespace Gudp.Core.Simulation;

/// <summary>A machine of a <see cref="SimulatedNetwork"/>: give it to a daemon in manual mode as its network.</summary>
/// <remarks>
/// <see cref="Wake"/> is for any thread, the rest for the one that drives the world. Disposing the host closes its
/// sockets, as when a process is killed; adding a host of the same address later starts it again behind the same links.
/// </remarks>
public sealed class SimulatedHost : IDatagramNetwork
{
    private const int FirstAutomaticPort = 40_000;

    private readonly List<SimulatedSocket> _sockets = [];
    private int _nextPort = FirstAutomaticPort;
    private int _largestDatagramBytes = LinkModel.MaxDatagramBytes;
    private int _defaultBufferBytes = 212_992;
    private int _largestBufferBytes = int.MaxValue;
    private int _isWoken;

    internal SimulatedHost(SimulatedNetwork network, PeerAddress address, int index)
    {
        Network = network;
        Address = address;
        Index = index;
    }

    /// <summary>Its only address; the port is 0.</summary>
    public PeerAddress Address { get; }

    /// <summary>True if a datagram waits in one of its sockets.</summary>
    public bool HasReadable => ReadableDatagrams > 0;

    /// <summary>
    /// A longer datagram is refused here with <see cref="SocketOutcome.TooLarge"/>, as by a system that knows the MTU
    /// of its interface; it may change at any time. 0 to 65,507 bytes of UDP payload; 65,507 by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less or more.</exception>
    public int LargestDatagramBytes
    {
        get => _largestDatagramBytes;
        set => _largestDatagramBytes = Checked(value, 0, LinkModel.MaxDatagramBytes);
    }

    /// <summary>
    /// The buffers of a socket opened from now on that asks for none; 1 or more bytes. Default 212,992, as Linux.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less.</exception>
    public int DefaultBufferBytes
    {
        get => _defaultBufferBytes;
        set => _defaultBufferBytes = Checked(value, 1, int.MaxValue);
    }

    /// <summary>
    /// The most that a socket opened from now on is granted, whatever it asks for, as a system's own limit does; 1 or
    /// more bytes. No limit by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less.</exception>
    public int LargestBufferBytes
    {
        get => _largestBufferBytes;
        set => _largestBufferBytes = Checked(value, 1, int.MaxValue);
    }

    internal SimulatedNetwork Network { get; }

    /// <summary>Its place among the hosts' links; kept over a restart.</summary>
    internal int Index { get; }

    internal int ReadableDatagrams { get; set; }

    internal bool IsDisposed { get; private set; }

    /// <inheritdoc/>
    /// <remarks>
    /// <paramref name="local"/> is this host's address, or one of the any addresses; port 0 takes the next free one
    /// from 40,000 on. Each waiting datagram is charged 512 bytes of the receive buffer beyond its own.
    /// </remarks>
    public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(sendBufferBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(receiveBufferBytes);

        if (!local.IsAny && local.WithPort(0) != Address)
        {
            throw new SocketException((int)SocketError.AddressNotAvailable);
        }

        int port = local.Port != 0 ? local.Port : NextFreePort();
        PeerAddress bound = Address.WithPort(port);

        if (Network.Find(bound) is not null)
        {
            throw new SocketException((int)SocketError.AddressAlreadyInUse);
        }

        var capabilities = new DatagramCapabilities(
            Granted(sendBufferBytes),
            Granted(receiveBufferBytes),
            Network.Sockets.MaxSegments,
            DoNotFragment: true)
        {
            JoinsReceived = Network.Sockets.MaxJoined > 1,
        };
        var socket = new SimulatedSocket(this, bound, capabilities);
        Network.Remember(socket);
        _sockets.Add(socket);
        return socket;
    }

    /// <summary>
    /// Never sleeps, whatever the limit: virtual time passes in <see cref="SimulatedNetwork.AdvanceTo"/> only.
    /// </summary>
    /// <param name="limit">Not looked at.</param>
    /// <returns>True if a datagram waits or Wake was called since the last time.</returns>
    public bool Wait(TimeSpan limit) => Interlocked.Exchange(ref _isWoken, 0) != 0 || HasReadable;

    /// <inheritdoc/>
    public void Wake() => Interlocked.Exchange(ref _isWoken, 1);

    /// <summary>Closes its sockets; what was not read is gone, what is under way will find nobody.</summary>
    public void Dispose()
    {
        IsDisposed = true;

        while (_sockets.Count > 0)
        {
            _sockets[^1].Dispose();
        }
    }

    internal void Forget(SimulatedSocket socket) => _sockets.Remove(socket);

    private static int Checked(int value, int least, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most);
        return value;
    }

    private int Granted(int asked) => Math.Min(asked == 0 ? DefaultBufferBytes : asked, LargestBufferBytes);

    private int NextFreePort()
    {
        for (int tried = FirstAutomaticPort; tried <= ushort.MaxValue; tried++)
        {
            int port = _nextPort;
            _nextPort = port == ushort.MaxValue ? FirstAutomaticPort : port + 1;

            if (Network.Find(Address.WithPort(port)) is null)
            {
                return port;
            }
        }

        throw new SocketException((int)SocketError.AddressAlreadyInUse);
    }
}
