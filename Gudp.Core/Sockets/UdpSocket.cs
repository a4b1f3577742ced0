using System;
using System.Net;
using System.Net.Sockets;

namespace Gudp.Core.Sockets;

/// <summary>
/// One UDP socket of the operating system. All quirks of platforms are absorbed here; nothing of the protocol is
/// decided here.
/// </summary>
internal sealed class UdpSocket : IDatagramSocket
{
    // SIO_UDP_CONNRESET of winsock2: without it an ICMP answer to one peer fails the reads of all.
    private const int WindowsReportRefusals = unchecked((int)0x9800_000C);

    // linux/in.h and linux/in6.h: IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, and PROBE for both: never fragment, and look at
    // the interface alone.
    private const int LinuxIPv4Level = 0;
    private const int LinuxIPv4MtuDiscover = 10;
    private const int LinuxIPv6Level = 41;
    private const int LinuxIPv6MtuDiscover = 23;

    private static ReadOnlySpan<byte> LinuxProbe => BitConverter.IsLittleEndian ? [3, 0, 0, 0] : [0, 0, 0, 3];

    private readonly Action<UdpSocket> _forget;
    private readonly AddressFamily _family;
    private readonly bool _isDual;
    private readonly SocketAddress _sender;
    private readonly SocketAddress _receiver;

    internal UdpSocket(PeerAddress local, in SocketConfig config, Action<UdpSocket> forget)
    {
        _forget = forget;

        bool wantsBothFamilies = local.IsAny && !local.IsIPv4;
        PeerAddress bound = wantsBothFamilies && !Socket.OSSupportsIPv6 ? PeerAddress.AnyIPv4(local.Port) : local;
        _family = bound.IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        _isDual = wantsBothFamilies && _family == AddressFamily.InterNetworkV6 && Socket.OSSupportsIPv4;
        _sender = new SocketAddress(_family);
        _receiver = new SocketAddress(_family);

        Socket = new Socket(_family, SocketType.Dgram, ProtocolType.Udp);

        try
        {
            Configure(config.SendBufferBytes, config.ReceiveBufferBytes);
            SocketOptions.Apply(Socket, config);
            Socket.Bind(bound.ToIPEndPoint());
            LocalAddress = PeerAddress.From((IPEndPoint)Socket.LocalEndPoint!);
            Capabilities = new DatagramCapabilities(
                Socket.SendBufferSize, Socket.ReceiveBufferSize, MaxSegments: 1, TryForbidFragments());
        }
        catch
        {
            Socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public PeerAddress LocalAddress { get; }

    /// <inheritdoc/>
    public DatagramCapabilities Capabilities { get; }

    /// <summary>What the network watches.</summary>
    internal Socket Socket { get; }

    /// <summary>Whether the network watches it; written by the network.</summary>
    internal bool IsListed { get; set; }

    /// <inheritdoc/>
    public SocketOutcome TryReceive(Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
    {
        length = 0;
        datagramBytes = 0;
        from = default;

        try
        {
            // Asked first because an empty non-blocking socket answers with an exception, which costs far more than
            // this. Socket.Available is no cheaper and says 0 when an empty datagram stands before others.
            if (!Socket.Poll(0, SelectMode.SelectRead))
            {
                return SocketOutcome.WouldBlock;
            }

            // This overload refills one SocketAddress; the ones that take an EndPoint allocate for every datagram.
            length = Socket.ReceiveFrom(buffer, SocketFlags.None, _sender);
        }
        catch (SocketException refusal)
        {
            return OutcomeOfReceive(refusal.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return SocketOutcome.Closed;
        }

        datagramBytes = length;
        from = PeerAddress.Read(_sender);
        return SocketOutcome.Done;
    }

    /// <inheritdoc/>
    public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagrams.Length, datagramBytes);

        if (!CanReach(to))
        {
            return SocketOutcome.Unreachable;
        }

        to.Write(_receiver, _family);

        try
        {
            Socket.SendTo(datagrams, SocketFlags.None, _receiver);
            return SocketOutcome.Done;
        }
        catch (SocketException refusal)
        {
            return OutcomeOfSend(refusal.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return SocketOutcome.Closed;
        }
    }

    public void Dispose()
    {
        _forget(this);
        Socket.Dispose();
    }

    private static SocketOutcome OutcomeOfReceive(SocketError error) => error switch
    {
        // Readable and yet empty: the waiting datagram failed its checksum.
        SocketError.WouldBlock or SocketError.TryAgain or SocketError.NoBufferSpaceAvailable
            => SocketOutcome.WouldBlock,
        SocketError.ConnectionReset or SocketError.ConnectionRefused or SocketError.NetworkReset
            or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown
            => SocketOutcome.EarlierSendRefused,
        SocketError.MessageSize => SocketOutcome.TooLarge,
        _ => SocketOutcome.Closed,
    };

    private static SocketOutcome OutcomeOfSend(SocketError error) => error switch
    {
        SocketError.WouldBlock or SocketError.TryAgain => SocketOutcome.WouldBlock,
        SocketError.ConnectionReset or SocketError.ConnectionRefused => SocketOutcome.EarlierSendRefused,
        SocketError.MessageSize => SocketOutcome.TooLarge,
        SocketError.Interrupted or SocketError.OperationAborted or SocketError.NotSocket or SocketError.Shutdown
            => SocketOutcome.Closed,

        // No route, a firewall's veto, port 0, no memory: bad for this datagram, perhaps not for the next.
        _ => SocketOutcome.Unreachable,
    };

    private void Configure(int sendBufferBytes, int receiveBufferBytes)
    {
        Socket.Blocking = false;

        if (_family == AddressFamily.InterNetworkV6)
        {
            Socket.DualMode = _isDual;
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
                return _family == AddressFamily.InterNetwork;
            }

            if (_family == AddressFamily.InterNetwork || _isDual)
            {
                Socket.SetRawSocketOption(LinuxIPv4Level, LinuxIPv4MtuDiscover, LinuxProbe);
            }

            if (_family == AddressFamily.InterNetworkV6)
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

    // Asked here, because the system's answer to the wrong family or to port 0, which a stranger can make us reply to,
    // is an exception for every datagram.
    private bool CanReach(PeerAddress to)
        => to.Port != 0 && (_isDual || to.IsIPv4 == (_family == AddressFamily.InterNetwork));
}
