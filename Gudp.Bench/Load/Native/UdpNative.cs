using System.Runtime.InteropServices;

namespace Gudp.Bench.Load.Native;

/// <summary>The bare calls of Linux on 64-bit machines: the limit that a protocol above them is held against.</summary>
internal static unsafe partial class UdpNative
{
    internal const int WouldBlock = 11;
    internal const int MessageDontWait = 0x40;
    internal const int LevelUdp = 17;

    /// <summary>UDP_SEGMENT: the bytes of a datagram that a longer buffer is cut into.</summary>
    internal const int Segment = 103;

    /// <summary>UDP_GRO: datagrams of one sender arrive in one piece.</summary>
    internal const int ReceiveOffload = 104;

    internal const int LevelSocket = 1;
    internal const int SendBuffer = 7;
    internal const int ReceiveBuffer = 8;
    internal const short PollIn = 1;
    internal const short PollOut = 4;

    private const string Library = "libc";
    private const int Inet = 2;
    private const int Datagrams = 2;

    internal static int Open() => Socket(Inet, Datagrams, 0);

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int kind, int protocol);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int socket, InetAddress* address, int length);

    [LibraryImport(Library, EntryPoint = "getsockname", SetLastError = true)]
    internal static partial int ReadName(int socket, InetAddress* address, int* length);

    [LibraryImport(Library, EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetOption(int socket, int level, int option, int* value, int length);

    [LibraryImport(Library, EntryPoint = "sendmsg", SetLastError = true)]
    internal static partial nint Send(int socket, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint Receive(int socket, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollItem* items, nuint count, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "close")]
    internal static partial int Close(int socket);

    /// <summary>sockaddr_in: port and host in network order.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    internal struct InetAddress
    {
        internal ushort Family;
        internal ushort Port;
        internal uint Host;

        internal static InetAddress Loopback(int port) => new()
        {
            Family = Inet,
            Port = BitConverter.IsLittleEndian
                ? System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((ushort)port)
                : (ushort)port,
            Host = BitConverter.IsLittleEndian ? 0x0100007Fu : 0x7F000001u,
        };
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Buffer
    {
        internal byte* Start;
        internal nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MessageHeader
    {
        internal InetAddress* Name;
        internal int NameLength;
        internal int NamePadding;
        internal Buffer* Buffers;
        internal nuint BufferCount;
        internal Control* Control;
        internal nuint ControlLength;
        internal int Flags;
        internal int FlagsPadding;
    }

    /// <summary>struct cmsghdr with room for one value: two bytes of it when sending, four when receiving.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Control
    {
        internal nuint Length;
        internal int Level;
        internal int Type;
        internal int Value;
        internal int ValuePadding;

        internal static Control CutInto(ushort bytes) => new()
        {
            Length = 18,
            Level = LevelUdp,
            Type = Segment,
            Value = bytes,
        };
    }

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PollItem
    {
        internal int Descriptor;
        internal short Events;
        internal short Happened;
    }
}
