using System;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Gudp.Core.Sockets;

/// <summary>
/// The options of a socket that the framework has no name for, or whose name it does not carry out everywhere: set raw,
/// by the numbers of the system's headers.
/// </summary>
internal static class SocketOptions
{
    // The upper six bits of the former type-of-service octet; the lower two are the network's (RFC 2474, RFC 3168).
    private const int TrafficClassShift = 2;

    private const int IPLevel = 0;
    private const int IPv6Level = 41;

    // Linux: bits/in.h, asm-generic/socket.h.
    private const int LinuxTypeOfService = 1;
    private const int LinuxTrafficClass = 67;
    private const int LinuxSocketLevel = 1;
    private const int LinuxBindToDevice = 25;
    private const int LinuxLongestName = 15;

    // macOS: netinet/in.h, netinet6/in6.h.
    private const int AppleTypeOfService = 3;
    private const int AppleTrafficClass = 36;
    private const int AppleBoundInterface = 25;
    private const int AppleBoundInterfaceV6 = 125;

    // Windows: ws2ipdef.h, the same number for both families.
    private const int WindowsUnicastInterface = 31;

    /// <summary>Before the socket is bound.</summary>
    /// <exception cref="SocketException">The system refuses; the message names the key and what to do.</exception>
    internal static void Apply(Socket socket, in SocketConfig config)
    {
        if (config.TrafficClass != 0)
        {
            SetTrafficClass(socket, config.TrafficClass);
        }

        if (config.Interface != SocketConfig.AnyInterface)
        {
            BindToInterface(socket, config.Interface);
        }
    }

    private static void SetTrafficClass(Socket socket, int trafficClass)
    {
        int octet = trafficClass << TrafficClassShift;
        bool isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;

        try
        {
            if (OperatingSystem.IsWindows())
            {
                // Windows takes it and leaves the packets as they are unless a policy of the machine says otherwise.
                socket.SetSocketOption(
                    SocketOptionLevel.IP, SocketOptionName.TypeOfService, octet);
                return;
            }

            bool isApple = OperatingSystem.IsMacOS();

            if (isIPv6)
            {
                Set(socket, IPv6Level, isApple ? AppleTrafficClass : LinuxTrafficClass, octet);
            }

            // Also for a socket of both families: packets to IPv4 addresses take it from here.
            if (!isIPv6 || socket.DualMode)
            {
                Set(socket, IPLevel, isApple ? AppleTypeOfService : LinuxTypeOfService, octet);
            }
        }
        catch (SocketException refusal)
        {
            throw Refused(
                nameof(SocketConfig.TrafficClass),
                trafficClass.ToString(CultureInfo.InvariantCulture),
                refusal,
                "Some classes need a privilege; 0 leaves it to the system.");
        }
    }

    private static void BindToInterface(Socket socket, string name)
    {
        const string Remedy = "Name an interface of this machine, such as 'lo' or 'eth0', or 'any'.";

        try
        {
            if (OperatingSystem.IsLinux())
            {
                BindByName(socket, name);
            }
            else
            {
                BindByIndex(socket, name);
            }
        }
        catch (SocketException refusal)
        {
            throw Refused(nameof(SocketConfig.Interface), name, refusal, Remedy);
        }
    }

    private static void BindByName(Socket socket, string name)
    {
        Span<byte> text = stackalloc byte[LinuxLongestName + 1];

        // The system cuts a longer name and might find another interface by what is left.
        if (Encoding.UTF8.GetByteCount(name) > LinuxLongestName)
        {
            throw new SocketException((int)SocketError.AddressNotAvailable);
        }

        text.Clear();
        Encoding.UTF8.GetBytes(name, text);
        socket.SetRawSocketOption(LinuxSocketLevel, LinuxBindToDevice, text);
    }

    private static void BindByIndex(Socket socket, string name)
    {
        bool isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        bool needsIPv4 = !isIPv6 || socket.DualMode;
        bool isWindows = OperatingSystem.IsWindows();

        if (isIPv6)
        {
            int option = isWindows ? WindowsUnicastInterface : AppleBoundInterfaceV6;
            Set(socket, IPv6Level, option, IndexOf(name, NetworkInterfaceComponent.IPv6));
        }

        if (needsIPv4)
        {
            int index = IndexOf(name, NetworkInterfaceComponent.IPv4);

            // Windows wants this one in the order of the network.
            Set(socket, IPLevel, isWindows ? WindowsUnicastInterface : AppleBoundInterface,
                isWindows ? BinaryPrimitives.ReverseEndianness(index) : index);
        }
    }

    private static int IndexOf(string name, NetworkInterfaceComponent family)
    {
        foreach (NetworkInterface candidate in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (string.Equals(candidate.Name, name, StringComparison.OrdinalIgnoreCase) && candidate.Supports(family))
            {
                IPInterfaceProperties properties = candidate.GetIPProperties();
                return family == NetworkInterfaceComponent.IPv6
                    ? properties.GetIPv6Properties().Index
                    : properties.GetIPv4Properties().Index;
            }
        }

        throw new SocketException((int)SocketError.AddressNotAvailable);
    }

    private static void Set(Socket socket, int level, int option, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(bytes, value);
        socket.SetRawSocketOption(level, option, bytes);
    }

    private static SocketException Refused(string key, string value, SocketException refusal, string remedy)
        => new(refusal.ErrorCode, $"Sockets.{key}={value} was refused: {refusal.Message} {remedy}");
}
