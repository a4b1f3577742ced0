using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace Gudp.Core.Sockets;

/// <summary>
/// A socket of the framework, opened, told everything that a config asks, and bound. Both ways of sending and receiving
/// stand on it: the framework's own, and the system's calls on its handle.
/// </summary>
internal sealed class BoundSocket
{
    // SIO_UDP_CONNRESET of winsock2: without it an ICMP answer to one peer fails the reads of all.
    private const int WindowsReportRefusals = unchecked((int)0x9800_000C);

    // linux/in.h and linux/in6.h: IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, and PROBE for both: never fragment, and look at
    // the interface alone.
    private const int LinuxIPv4Level = 0;
    private const int LinuxIPv4MtuDiscover = 10;
    private const int LinuxIPv6Level = 41;
    private const int LinuxIPv6MtuDiscover = 23;

    private object? _mark;

    private static ReadOnlySpan<byte> LinuxProbe => BitConverter.IsLittleEndian ? [3, 0, 0, 0] : [0, 0, 0, 3];

    /// <exception cref="SocketException">The address or an option is refused.</exception>
    internal BoundSocket(PeerAddress local, in SocketConfig config)
    {
        bool wantsBothFamilies = local.IsAny && !local.IsIPv4;
        PeerAddress bound = wantsBothFamilies && !Socket.OSSupportsIPv6 ? PeerAddress.AnyIPv4(local.Port) : local;
        Family = bound.IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        IsDual = wantsBothFamilies && Family == AddressFamily.InterNetworkV6 && Socket.OSSupportsIPv4;
        Socket = new Socket(Family, SocketType.Dgram, ProtocolType.Udp);

        try
        {
            Configure(config.SendBufferBytes, config.ReceiveBufferBytes);
            SocketOptions.Apply(Socket, config);
            Socket.Bind(bound.ToIPEndPoint());
            LocalAddress = PeerAddress.From((IPEndPoint)Socket.LocalEndPoint!);
            Granted = new DatagramCapabilities(
                Socket.SendBufferSize, Socket.ReceiveBufferSize, MaxSegments: 1, TryForbidFragments());
        }
        catch
        {
            Socket.Dispose();
            throw;
        }
    }

    internal Socket Socket { get; }

    /// <summary>As of <see cref="IWatchedSocket.Mark"/>.</summary>
    internal object? Mark
    {
        get => Volatile.Read(ref _mark);
        set => Volatile.Write(ref _mark, value);
    }

    /// <summary>Of the socket's own addresses; an IPv4 address is mapped on a socket of both.</summary>
    internal AddressFamily Family { get; }

    internal bool IsDual { get; }

    internal PeerAddress LocalAddress { get; }

    /// <summary>Without offload.</summary>
    internal DatagramCapabilities Granted { get; }

    // Asked before a send, because the system's answer to the wrong family or to port 0, which a stranger can make us
    // reply to, is an error for every datagram, and an exception in the framework.
    internal bool CanReach(PeerAddress to)
        => to.Port != 0 && (IsDual || to.IsIPv4 == (Family == AddressFamily.InterNetwork));

    private void Configure(int sendBufferBytes, int receiveBufferBytes)
    {
        Socket.Blocking = false;

        if (Family == AddressFamily.InterNetworkV6)
        {
            Socket.DualMode = IsDual;
        }

        if (sendBufferBytes > 0)
        {
            Socket.SendBufferSize = sendBufferBytes;
        }

        if (receiveBufferBytes > 0)
        {
            Socket.ReceiveBufferSize = receiveBufferBytes;
        }

        if (OperatingSystem.IsWindows())
        {
            Socket.IOControl(WindowsReportRefusals, [0, 0, 0, 0], null);
        }
    }

    /// <summary>
    /// Asks for whole datagrams or none (RFC 8899 section 3). On Linux by the raw options: the framework's own leaves
    /// IPv6 on a dual socket fragmenting, and makes the kernel keep a path size of its own that forged ICMP can lower.
    /// </summary>
    private bool TryForbidFragments()
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                // The framework offers it for IPv4 alone.
                Socket.DontFragment = true;
                return Family == AddressFamily.InterNetwork;
            }

            if (Family == AddressFamily.InterNetwork || IsDual)
            {
                Socket.SetRawSocketOption(LinuxIPv4Level, LinuxIPv4MtuDiscover, LinuxProbe);
            }

            if (Family == AddressFamily.InterNetworkV6)
            {
                Socket.SetRawSocketOption(LinuxIPv6Level, LinuxIPv6MtuDiscover, LinuxProbe);
            }

            return true;
        }
        catch (Exception refusal) when (refusal is SocketException or PlatformNotSupportedException
            or NotSupportedException or InvalidOperationException)
        {
            return false;
        }
    }
}

/// <summary>A socket that a network waits for.</summary>
internal interface IWatchedSocket : IDatagramSocket
{
    /// <summary>What is waited for.</summary>
    Socket Socket { get; }

    /// <summary>What whoever reads it knows it by; null before it is read. Written once, by the leader.</summary>
    object? Mark { get; set; }
}
