using System.Runtime.InteropServices;

namespace Gudp.Bench.Load.Native;

/// <summary>The calls of ZeroMQ 4 that the measurements need (Debian: libzmq5).</summary>
internal static unsafe partial class ZeroMqNative
{
    internal const string Library = "libzmq.so.5";

    internal const int Pull = 7;
    internal const int Push = 8;

    internal const int LingerOption = 17;
    internal const int SendHighWaterOption = 23;
    internal const int ReceiveHighWaterOption = 24;
    internal const int LastEndpointOption = 32;

    internal const int DontWait = 1;

    internal const short PollIn = 1;
    internal const short PollOut = 2;

    [LibraryImport(Library, EntryPoint = "zmq_ctx_new")]
    internal static partial nint CreateContext();

    /// <remarks>Waits for its sockets' threads; they do not linger here.</remarks>
    [LibraryImport(Library, EntryPoint = "zmq_ctx_term")]
    internal static partial int EndContext(nint context);

    [LibraryImport(Library, EntryPoint = "zmq_socket")]
    internal static partial nint Open(nint context, int kind);

    [LibraryImport(Library, EntryPoint = "zmq_close")]
    internal static partial int Close(nint socket);

    [LibraryImport(Library, EntryPoint = "zmq_setsockopt")]
    internal static partial int SetOption(nint socket, int option, int* value, nuint length);

    [LibraryImport(Library, EntryPoint = "zmq_getsockopt")]
    internal static partial int GetOption(nint socket, int option, byte* value, nuint* length);

    [LibraryImport(Library, EntryPoint = "zmq_bind", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Bind(nint socket, string address);

    [LibraryImport(Library, EntryPoint = "zmq_connect", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Connect(nint socket, string address);

    [LibraryImport(Library, EntryPoint = "zmq_send")]
    internal static partial int Send(nint socket, byte* bytes, nuint length, int flags);

    [LibraryImport(Library, EntryPoint = "zmq_recv")]
    internal static partial int Receive(nint socket, byte* bytes, nuint length, int flags);

    [LibraryImport(Library, EntryPoint = "zmq_poll")]
    internal static partial int Poll(PollItem* items, int count, long timeoutMilliseconds);

    /// <summary>zmq_pollitem_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PollItem
    {
        internal nint Socket;
        internal int Descriptor;
        internal short Events;
        internal short Happened;
    }
}
