using System.Runtime.InteropServices;
using Gudp.Bench.Load.Native;
using Gudp.Bench.Load.Transports;

namespace Gudp.Bench.Load;

/// <summary>Everything that can be measured: names, what is promised, and how one end of it is opened.</summary>
internal static class LoadSystems
{
    internal const string Gudp = "gudp";
    internal const string RawUdp = "udp-raw";
    internal const string Tcp = "tcp";
    internal const string TcpCoalesced = "tcp-coalesced";
    internal const string Enet = "enet";
    internal const string ZeroMq = "zeromq";

    internal static readonly string[] All = [Gudp, RawUdp, Tcp, TcpCoalesced, Enet, ZeroMq];

    /// <summary>Nothing may be missing at the end.</summary>
    internal static bool IsReliable(string system) => system != RawUdp;

    /// <summary>The largest message that is measured.</summary>
    internal static int MostBytes(string system) => system == RawUdp ? RawUdpTransport.MostBytes : 16 * 1024 * 1024;

    /// <summary>What to install for a system that is not here; null: it is.</summary>
    internal static string? Missing(string system) => system switch
    {
        Enet when !IsThere(EnetNative.Library) => "apt-get install libenet7",
        ZeroMq when !IsThere(ZeroMqNative.Library) => "apt-get install libzmq5",
        RawUdp when !OperatingSystem.IsLinux() => "Linux",
        _ => null,
    };

    internal static ILoadTransport Open(NodePlan plan) => plan.Cell.System switch
    {
        Gudp => new GudpTransport(plan.Cell),
        RawUdp => new RawUdpTransport(plan.Cell.HasOffload),
        Tcp => new TcpTransport(plan.Cell.Bytes, plan.Links, isCoalesced: false),
        TcpCoalesced => new TcpTransport(plan.Cell.Bytes, plan.Links, isCoalesced: true),
        Enet => new EnetTransport(),
        ZeroMq => new ZeroMqTransport(plan.Cell.Bytes),
        _ => throw new ArgumentOutOfRangeException(nameof(plan), plan.Cell.System, null),
    };

    private static bool IsThere(string library)
    {
        bool isThere = NativeLibrary.TryLoad(library, out nint handle);

        if (isThere)
        {
            NativeLibrary.Free(handle);
        }

        return isThere;
    }
}
