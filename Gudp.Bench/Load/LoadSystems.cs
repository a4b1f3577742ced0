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

    private const int LeastNodes = 2;
    private const int MostNodes = 32;

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
        RawUdp when !OperatingSystem.IsLinux() => "its calls are those of Linux",
        _ => null,
    };

    /// <summary>Its datagrams can go through a relay.</summary>
    internal static bool IsOverUdp(string system) => system is Gudp or RawUdp or Enet;

    /// <summary>Its sending and receiving is done by threads of its own, so that its user sleeps meanwhile.</summary>
    internal static bool HasOwnThreads(string system) => system == ZeroMq;

    /// <summary>Why a cell cannot be measured, and what can be; null: it can.</summary>
    internal static string? Refusal(LoadCell cell)
    {
        bool isGudp = cell.System == Gudp;
        int most = MostBytes(cell.System);
        return cell switch
        {
            _ when cell.Bytes < LoadMessage.LeastBytes || cell.Bytes > most
                => FormattableString.Invariant($"A message of {cell.System} has {LoadMessage.LeastBytes} to {most} bytes."),
            _ when cell.Gudp != new GudpChoices() && !isGudp => $"Modes and receipts are Gudp's; {cell.System} has none.",
            _ when !cell.HasOffload && !isGudp && cell.System != RawUdp
                => $"Offload can be switched for {Gudp} and {RawUdp}; {cell.System} has no such switch.",
            _ when cell.IsFrameworkOnly && !isGudp && cell.System != RawUdp
                => $"The socket can be chosen for {Gudp} and {RawUdp}; {cell.System} has its own.",
            _ when cell.Impairment.Length > 0 && !IsOverUdp(cell.System)
                => $"The relay carries UDP: {Gudp}, {RawUdp}, {Enet}; not {cell.System}.",
            _ when cell.Impairment.Length > 0 && cell.Peers > LoadImpairment.MostPeers
                => FormattableString.Invariant($"The relay carries at most {LoadImpairment.MostPeers} peers."),
            _ when cell.Impairment.Length > 0 && !LoadImpairment.TryRead(cell.Impairment, out _, out string problem) => problem,
            _ when cell.Work == LoadWork.NToN && cell.Peers is < LeastNodes or > MostNodes
                => FormattableString.Invariant($"n-to-n is measured with {LeastNodes} to {MostNodes} nodes (--peers)."),
            _ => null,
        };
    }

    internal static ILoadTransport Open(NodePlan plan) => plan.Cell.System switch
    {
        Gudp => new GudpTransport(plan.Cell),
        RawUdp when plan.Cell.IsFrameworkOnly => new FrameworkUdpTransport(),
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
