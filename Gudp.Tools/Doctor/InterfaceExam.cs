using System.Globalization;
using System.Net.NetworkInformation;
using Gudp.Core;
using Gudp.Tools.Output;

namespace Gudp.Tools.Doctor;

/// <summary>What the machine's interfaces carry, and which ports are left.</summary>
internal static class InterfaceExam
{
    // Headers of IP without options, and of UDP.
    private const int HeaderBytesV4 = 20 + 8;
    private const int HeaderBytesV6 = 40 + 8;

    private const int LongestDatagram = 65_507;
    private const string PortRange = "/proc/sys/net/ipv4/ip_local_port_range";

    // Below so many per cent free, who asks for any port waits for the system's search.
    private const int FewPercent = 10;

    // What every connection begins with.
    private static readonly int LeastPayload = new PathConfig().PacketBytes;

    /// <summary>The largest datagram each interface that is up carries in one piece.</summary>
    internal static IEnumerable<CheckUp> Interfaces()
    {
        foreach (NetworkInterface found in NetworkInterface.GetAllNetworkInterfaces()
            .Where(found => found.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
            .OrderBy(found => found.Name, StringComparer.Ordinal))
        {
            bool isIPv4 = found.Supports(NetworkInterfaceComponent.IPv4);

            if (isIPv4 || found.Supports(NetworkInterfaceComponent.IPv6))
            {
                yield return Of(found.Name, MtuOf(found, isIPv4), isIPv4);
            }
        }
    }

    /// <summary>How many of the ports that the system gives to who asks for any have no UDP socket.</summary>
    internal static CheckUp LocalPorts()
    {
        const string Name = "local ports";

        if (!OperatingSystem.IsLinux())
        {
            return new CheckUp(Name, "unknown", Verdict.Note, "This system does not tell its range.");
        }

        int[] ends = [.. File.ReadAllText(PortRange).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out int port) ? port : -1)];

        if (ends is not [>= 0, >= 0] || ends[0] > ends[1])
        {
            return new CheckUp(Name, "unknown", Verdict.Note, $"{PortRange} holds no range.");
        }

        int taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveUdpListeners()
            .Select(socket => socket.Port).Distinct().Count(port => port >= ends[0] && port <= ends[1]);
        int all = ends[1] - ends[0] + 1;
        bool areFew = (all - taken) * 100L < (long)all * FewPercent;

        return new CheckUp(
            Name,
            string.Create(CultureInfo.InvariantCulture, $"{all - taken:N0} of {all:N0} free ({ends[0]} to {ends[1]})"),
            areFew ? Verdict.Note : Verdict.Fine,
            areFew ? "Close sockets, or as root: sysctl -w net.ipv4.ip_local_port_range='1024 65535'" : "");
    }

    /// <summary>An MTU, and what of it is left for a datagram.</summary>
    internal static string Sizes(int mtu, bool isIPv4)
        => $"{Units.Count(mtu)} B, datagrams of {Units.Count(PayloadOf(mtu, isIPv4))} B";

    private static int PayloadOf(int mtu, bool isIPv4)
        => Math.Clamp(mtu - (isIPv4 ? HeaderBytesV4 : HeaderBytesV6), 0, LongestDatagram);

    private static CheckUp Of(string name, int? mtu, bool isIPv4)
    {
        if (mtu is not { } known)
        {
            return new CheckUp($"interface {name}", "of unknown size", Verdict.Note, "The system does not tell its MTU.");
        }

        bool isTooSmall = PayloadOf(known, isIPv4) < LeastPayload;
        return new CheckUp(
            $"interface {name}", Sizes(known, isIPv4), isTooSmall ? Verdict.Bad : Verdict.Fine,
            isTooSmall ? $"Gudp needs datagrams of {LeastPayload} bytes." : "");
    }

    // Told by a file that a container need not have.
    private static int? MtuOf(NetworkInterface found, bool isIPv4)
    {
        try
        {
            IPInterfaceProperties properties = found.GetIPProperties();
            int mtu = isIPv4 ? properties.GetIPv4Properties().Mtu : properties.GetIPv6Properties().Mtu;
            return mtu > 0 ? mtu : null;
        }
        catch (Exception missing) when (missing is NetworkInformationException or IOException
            or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return null;
        }
    }
}
