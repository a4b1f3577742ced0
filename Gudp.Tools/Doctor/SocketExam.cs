using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tools.Output;

namespace Gudp.Tools.Doctor;

/// <summary>What the system's UDP grants: offload, buffers, sizes and ports.</summary>
internal static class SocketExam
{
    // linux/in.h and linux/in6.h: IP_MTU and IPV6_MTU, what the system knows of the path a socket is connected to.
    private static readonly (int Level, int Option) PathMtuV4 = (0, 14);
    private static readonly (int Level, int Option) PathMtuV6 = (41, 24);

    /// <summary>Offload, each way, and whether probes of size mean anything.</summary>
    internal static IEnumerable<CheckUp> Offload()
    {
        SystemOffload offload = UdpNetwork.Offload;
        bool isExpected = offload.HasCalls || !OperatingSystem.IsLinux();
        yield return new CheckUp(
            "calls",
            offload.HasCalls ? "the system's" : "the framework's",
            isExpected ? Verdict.Fine : Verdict.Note,
            isExpected ? "" : offload.Finding);
        yield return Direction("send offload", offload.Sends, offload.Finding);
        yield return Direction("receive offload", offload.Receives, offload.Finding);
    }

    /// <summary>What a socket asked for with this config, and what it was granted.</summary>
    internal static IEnumerable<CheckUp> Buffers(SocketConfig config)
    {
        using UdpNetwork network = new(config.FrameworkOnly);
        using IDatagramSocket socket = network.Open(Any(0), config);
        DatagramCapabilities granted = socket.Capabilities;

        yield return Buffer("send buffer", config.SendBufferBytes, granted.SendBufferBytes, "net.core.wmem_max");
        yield return Buffer(
            "receive buffer", config.ReceiveBufferBytes, granted.ReceiveBufferBytes, "net.core.rmem_max");
        yield return new CheckUp("whole datagrams", granted.DoNotFragment ? "yes" : "no",
            granted.DoNotFragment ? Verdict.Fine : Verdict.Note,
            granted.DoNotFragment ? "" : "Routers may cut datagrams; the path's size is not searched.");
        yield return new CheckUp("IPv6", Socket.OSSupportsIPv6 ? "yes" : "no",
            Socket.OSSupportsIPv6 ? Verdict.Fine : Verdict.Note);
    }

    /// <summary>What the system knows of the way to a host; nothing is sent.</summary>
    internal static CheckUp Path(PeerAddress to)
    {
        string name = $"path to {to}";

        if (!OperatingSystem.IsLinux())
        {
            return new CheckUp(name, "unknown", Verdict.Note, "This system does not tell; connections find out.");
        }

        using Socket socket = new(
            to.IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(to.ToIPEndPoint());
        byte[] value = new byte[sizeof(int)];
        (int level, int option) = to.IsIPv4 ? PathMtuV4 : PathMtuV6;
        socket.GetRawSocketOption(level, option, value);
        return new CheckUp(name, InterfaceExam.Sizes(BitConverter.ToInt32(value), to.IsIPv4));
    }

    /// <summary>Whether a UDP port can be opened here.</summary>
    internal static CheckUp Port(int port)
    {
        using UdpNetwork network = new();

        try
        {
            using IDatagramSocket socket = network.Open(Any(port), default(SocketConfig));
            return new CheckUp($"port {port}", "free");
        }
        catch (SocketException refused)
        {
            string found = refused.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "in use",
                SocketError.AccessDenied => "not permitted",
                _ => refused.Message,
            };
            return new CheckUp(
                $"port {port}", found, Verdict.Bad, "Stop the other program, or choose another port above 1023.");
        }
    }

    // Needs no interface that is up.
    private static PeerAddress Any(int port)
        => Socket.OSSupportsIPv6 ? PeerAddress.AnyIPv6(port) : PeerAddress.AnyIPv4(port);

    private static CheckUp Direction(string name, bool works, string finding)
        => works ? new CheckUp(name, "works") : new CheckUp(name, "off", Verdict.Note, finding);

    private static CheckUp Buffer(string name, int asked, int reported, string limit)
    {
        // Linux reports twice what it gives, for its own bookkeeping.
        int granted = OperatingSystem.IsLinux() ? reported / 2 : reported;
        bool isLess = granted < asked;

        return new CheckUp(
            name,
            $"{Units.Bytes(asked)} asked, {Units.Bytes(granted)} granted",
            isLess ? Verdict.Note : Verdict.Fine,
            !isLess ? ""
                : OperatingSystem.IsLinux() ? $"Bursts may be lost; as root: sysctl -w {limit}={asked}"
                : "Bursts may be lost; raise the system's limit.");
    }
}
