using System.Runtime.InteropServices;

namespace Gudp.Bench.Load.Native;

/// <summary>The calls of ENet 1.3 that the measurements need (Debian: libenet7), with its layouts on 64-bit systems.</summary>
internal static unsafe partial class EnetNative
{
    internal const string Library = "libenet.so.7";

    /// <summary>enet_peer_send: the packet is resent until it is acknowledged.</summary>
    internal const uint Reliable = 1;

    [LibraryImport(Library, EntryPoint = "enet_initialize")]
    internal static partial int Initialize();

    [LibraryImport(Library, EntryPoint = "enet_host_create")]
    internal static partial HostView* CreateHost(
        EnetAddress* address, nuint peers, nuint channels, uint incomingBandwidth, uint outgoingBandwidth);

    [LibraryImport(Library, EntryPoint = "enet_host_destroy")]
    internal static partial void DestroyHost(HostView* host);

    [LibraryImport(Library, EntryPoint = "enet_host_connect")]
    internal static partial nint Connect(HostView* host, EnetAddress* address, nuint channels, uint data);

    [LibraryImport(Library, EntryPoint = "enet_host_service")]
    internal static partial int Service(HostView* host, EnetEvent* occurred, uint timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "enet_host_check_events")]
    internal static partial int CheckEvents(HostView* host, EnetEvent* occurred);

    [LibraryImport(Library, EntryPoint = "enet_host_flush")]
    internal static partial void Flush(HostView* host);

    [LibraryImport(Library, EntryPoint = "enet_packet_create")]
    internal static partial EnetPacket* CreatePacket(byte* bytes, nuint length, uint flags);

    [LibraryImport(Library, EntryPoint = "enet_packet_destroy")]
    internal static partial void DestroyPacket(EnetPacket* packet);

    [LibraryImport(Library, EntryPoint = "enet_peer_send")]
    internal static partial int Send(nint peer, byte channel, EnetPacket* packet);
}

/// <summary>ENetAddress: in network order the host, in our own the port.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EnetAddress
{
    internal uint Host;
    internal ushort Port;
}

/// <summary>The beginning of ENetHost.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HostView
{
    internal int Socket;
    internal EnetAddress Address;
}

/// <summary>ENetPacket.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EnetPacket
{
    internal nuint References;
    internal uint Flags;
    internal byte* Bytes;
    internal nuint Length;

    /// <summary>Called when the packet goes: a reliable one when it was acknowledged.</summary>
    internal delegate* unmanaged[Cdecl]<EnetPacket*, void> OnFree;

    internal void* UserData;
}

/// <summary>What enet_host_service tells.</summary>
internal enum EnetEventKind
{
    None,
    Connected,
    Disconnected,
    Received,
}

/// <summary>ENetEvent.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EnetEvent
{
    internal EnetEventKind Kind;
    internal nint Peer;
    internal byte Channel;
    internal uint Value;
    internal EnetPacket* Packet;
}
