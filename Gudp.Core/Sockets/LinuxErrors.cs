namespace Gudp.Core.Sockets;

/// <summary>What the errors of Linux (asm-generic/errno.h) mean for a datagram.</summary>
internal static class LinuxErrors
{
    internal const int None = 0;
    internal const int NotPermitted = 1;
    internal const int Interrupted = 4;
    internal const int InputOutput = 5;
    internal const int BadDescriptor = 9;
    internal const int TryAgain = 11;
    internal const int NoMemory = 12;
    internal const int AccessDenied = 13;
    internal const int Invalid = 22;
    internal const int BrokenPipe = 32;
    internal const int NotASocket = 88;
    internal const int MessageSize = 90;
    internal const int NoSuchOption = 92;
    internal const int NotSupported = 95;
    internal const int NoBuffers = 105;

    private const int NoNetwork = 64;
    private const int Protocol = 71;
    private const int NetworkDown = 100;
    private const int NetworkUnreachable = 101;
    private const int NetworkReset = 102;
    private const int ConnectionReset = 104;
    private const int Shutdown = 108;
    private const int ConnectionRefused = 111;
    private const int HostDown = 112;
    private const int HostUnreachable = 113;

    internal static SocketOutcome OutcomeOfSend(int error) => error switch
    {
        None => SocketOutcome.Done,
        TryAgain => SocketOutcome.WouldBlock,
        ConnectionReset or ConnectionRefused => SocketOutcome.EarlierSendRefused,
        MessageSize => SocketOutcome.TooLarge,
        BadDescriptor or NotASocket or Shutdown or BrokenPipe => SocketOutcome.Closed,

        // No route, a firewall's veto, no memory: bad for this datagram, perhaps not for the next.
        _ => SocketOutcome.Unreachable,
    };

    internal static SocketOutcome OutcomeOfReceive(int error) => error switch
    {
        None => SocketOutcome.Done,

        // Readable and yet empty: the waiting datagram failed its checksum.
        TryAgain or NoMemory or NoBuffers => SocketOutcome.WouldBlock,
        MessageSize => SocketOutcome.TooLarge,

        // What the system makes of ICMP (net/ipv4/icmp.c, net/ipv6/icmp.c), and news of the interface.
        ConnectionRefused or ConnectionReset or NetworkReset or HostUnreachable or NetworkUnreachable or HostDown
            or NoSuchOption or NoNetwork or NotSupported or Protocol or AccessDenied or NetworkDown
            => SocketOutcome.EarlierSendRefused,
        _ => SocketOutcome.Closed,
    };

    /// <summary>
    /// True if what refuses several datagrams at once with this may take each by itself: the kernel, a device or a
    /// filter that does not know of segments, or a memory in pieces.
    /// </summary>
    internal static bool MayBeOfOffload(int error)
        => error is NotPermitted or AccessDenied or MessageSize or NoMemory or NoBuffers || IsOfOffload(error);

    /// <summary>
    /// True if, once a datagram by itself was taken, no later run will be; the others pass with a rule of a firewall,
    /// with a route, or with the load.
    /// </summary>
    internal static bool IsOfOffload(int error)
        => error is InputOutput or Invalid or NoSuchOption or NotSupported;
}
