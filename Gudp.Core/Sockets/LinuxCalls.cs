using System.Runtime.InteropServices;

// Nothing but the system's own libraries is called from this assembly.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Gudp.Core.Sockets;

// The calls of Linux that the framework does not offer, or offers one datagram at a time, and the structs and numbers
// of its headers. Structs are blittable: nothing is converted, nothing is allocated.

/// <summary>What sendmsg and recvmsg take (struct msghdr of bits/socket.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    internal byte* Name;
    internal int NameBytes;
    internal MemoryPiece* Pieces;
    internal nint PieceCount;
    internal void* Control;
    internal nint ControlBytes;
    internal int Flags;
}

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MemoryPiece
{
    internal byte* Start;
    internal nint Bytes;
}

/// <summary>What stands before each item of control information (struct cmsghdr).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ControlHeader
{
    internal nint Bytes;
    internal int Level;
    internal int Type;
}

/// <summary>Control information that asks for datagrams of that size: a u16 behind its header.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SegmentControl
{
    internal ControlHeader Header;
    internal ushort SegmentBytes;

    // The system wants the item's end aligned as its start is.
    private readonly ushort _unused1;
    private readonly uint _unused2;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    internal int Descriptor;
    internal short Asked;
    internal short Found;
}

/// <summary>struct timespec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SystemSpan
{
    internal nint Seconds;
    internal nint Nanoseconds;
}

/// <summary>The calls themselves. A negative answer: <see cref="Marshal.GetLastPInvokeError"/> says why.</summary>
internal static unsafe partial class LinuxCalls
{
    /// <summary>MSG_DONTWAIT.</summary>
    internal const int DoNotWait = 0x40;

    /// <summary>MSG_TRUNC: the datagram was longer than the buffer.</summary>
    internal const int CutOff = 0x20;

    /// <summary>MSG_CTRUNC: there was more control information than room for it.</summary>
    internal const int ControlCutOff = 0x8;

    /// <summary>SOL_UDP, for options and control information (linux/udp.h).</summary>
    internal const int UdpLevel = 17;

    /// <summary>UDP_SEGMENT: cut what is sent into datagrams of this size.</summary>
    internal const int UdpSegment = 103;

    /// <summary>UDP_GRO: join what is received, and say the size of its datagrams.</summary>
    internal const int UdpJoin = 104;

    /// <summary>AF_INET.</summary>
    internal const ushort FamilyIPv4 = 2;

    /// <summary>AF_INET6.</summary>
    internal const ushort FamilyIPv6 = 10;

    /// <summary>POLLIN.</summary>
    internal const short Readable = 1;

    /// <summary>EFD_CLOEXEC and EFD_NONBLOCK.</summary>
    internal const int EventFlags = 0x80000 | 0x800;

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    internal static partial nint SendMessage(SafeHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    internal static partial nint SendTo(
        SafeHandle socket, byte* bytes, nint length, int flags, byte* address, int addressBytes);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint ReceiveMessage(SafeHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    internal static partial int Poll(PollEntry* entries, nint count, SystemSpan* limit, void* signals);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int CreateList(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int ChangeList(SafeHandle list, int what, SafeHandle descriptor, byte* entry);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int WaitForList(SafeHandle list, byte* entries, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    internal static partial int OpenEvent(uint count, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(SafeHandle descriptor, void* bytes, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(SafeHandle descriptor, void* bytes, nint length);
}
