using System.Runtime.InteropServices;
using Gudp.Bench.Load.Native;

namespace Gudp.Bench.Load.Transports;

// No protocol: nothing is repeated, nothing is held back. A datagram is a message of at most what fits one Ethernet
// packet.

/// <summary>
/// Bare UDP by system calls: with offload up to 64 datagrams of one size a call, without it one. What these give is the
/// limit of everything above them.
/// </summary>
internal sealed unsafe class RawUdpTransport : ILoadTransport
{
    /// <summary>A larger message is not one datagram.</summary>
    internal const int MostBytes = 1_472;

    private const int MostSegments = 64;
    private const int MostSuperBytes = 65_507;
    private const int BufferBytes = 65_536;
    private const int SocketBufferBytes = 4 * 1024 * 1024;

    private readonly int _socket = UdpNative.Open();
    private readonly List<int> _ports = [];
    private readonly Dictionary<ushort, int> _links = [];
    private readonly byte[] _out = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly byte[] _in = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly bool _hasOffload;
    private int _outBytes;
    private int _outLink;
    private int _segmentBytes;
    private ushort _lastPort;
    private int _lastLink = -1;
    private long _sent;
    private long _sentBytes;

    internal RawUdpTransport(bool hasOffload)
    {
        _hasOffload = hasOffload;
        UdpNative.InetAddress address = UdpNative.InetAddress.Loopback(0);
        Check(UdpNative.Bind(_socket, &address, sizeof(UdpNative.InetAddress)));
        int length = sizeof(UdpNative.InetAddress);
        Check(UdpNative.ReadName(_socket, &address, &length));
        Port = PortOf(address);
        Set(UdpNative.LevelSocket, UdpNative.SendBuffer, SocketBufferBytes);
        Set(UdpNative.LevelSocket, UdpNative.ReceiveBuffer, SocketBufferBytes);

        if (hasOffload)
        {
            Set(UdpNative.LevelUdp, UdpNative.ReceiveOffload, 1);
        }
    }

    public int Port { get; }

    public int Connect(int port, int sender) => Add(port);

    public bool AreOpen() => true;

    public bool TrySend(int link, ReadOnlySpan<byte> message)
    {
        bool joins = _hasOffload && _outBytes > 0 && link == _outLink && message.Length == _segmentBytes;

        if (!joins && !TryFlush())
        {
            return false;
        }

        message.CopyTo(_out.AsSpan(_outBytes));
        _outBytes += message.Length;
        (_outLink, _segmentBytes) = (link, message.Length);

        if (!_hasOffload || _outBytes >= MostSegments * _segmentBytes || _outBytes + _segmentBytes > MostSuperBytes)
        {
            // What is refused stays, and leaves first.
            TryFlush();
        }

        return true;
    }

    public void Flush() => TryFlush();

    // One call a look: a second one that finds nothing would cost a ping-pong a tenth of its round trip.
    public int Poll(ILoadInbox inbox) => ReceiveOne(inbox);

    public void Wait(TimeSpan atMost, bool isRefused)
    {
        UdpNative.PollItem item = new()
        {
            Descriptor = _socket,
            Events = (short)(UdpNative.PollIn | (isRefused ? UdpNative.PollOut : 0)),
        };
        _ = UdpNative.Poll(&item, 1, (int)Math.Max(1, atMost.TotalMilliseconds));
    }

    public LoadTraffic ReadTraffic() => new(_sent, _sentBytes, 0, 0, 0);

    public void Dispose() => _ = UdpNative.Close(_socket);

    private bool TryFlush()
    {
        if (_outBytes == 0)
        {
            return true;
        }

        UdpNative.InetAddress to = UdpNative.InetAddress.Loopback(_ports[_outLink]);
        UdpNative.Control control = UdpNative.Control.CutInto((ushort)_segmentBytes);
        bool isCut = _outBytes > _segmentBytes;

        fixed (byte* bytes = _out)
        {
            UdpNative.Buffer buffer = new() { Start = bytes, Length = (nuint)_outBytes };
            UdpNative.MessageHeader message = new()
            {
                Name = &to,
                NameLength = sizeof(UdpNative.InetAddress),
                Buffers = &buffer,
                BufferCount = 1,
                Control = isCut ? &control : null,
                ControlLength = isCut ? (nuint)sizeof(UdpNative.Control) : 0,
            };

            if (UdpNative.Send(_socket, &message, UdpNative.MessageDontWait) < 0)
            {
                Check(Marshal.GetLastPInvokeError() == UdpNative.WouldBlock ? 0 : -1);
                return false;
            }
        }

        _sent += (_outBytes + _segmentBytes - 1) / _segmentBytes;
        _sentBytes += _outBytes;
        _outBytes = 0;
        return true;
    }

    private int ReceiveOne(ILoadInbox inbox)
    {
        UdpNative.InetAddress from = default;
        UdpNative.Control control = default;
        nint received;

        fixed (byte* bytes = _in)
        {
            UdpNative.Buffer buffer = new() { Start = bytes, Length = BufferBytes };
            UdpNative.MessageHeader message = new()
            {
                Name = &from,
                NameLength = sizeof(UdpNative.InetAddress),
                Buffers = &buffer,
                BufferCount = 1,
                Control = &control,
                ControlLength = (nuint)sizeof(UdpNative.Control),
            };
            received = UdpNative.Receive(_socket, &message, UdpNative.MessageDontWait);
        }

        return received < 0 ? 0 : HandOut(LinkOf(from), (int)received, SegmentOf(control, (int)received), inbox);
    }

    private int HandOut(int link, int received, int segmentBytes, ILoadInbox inbox)
    {
        int count = 0;

        for (int at = 0; at < received; at += segmentBytes, count++)
        {
            inbox.Take(link, _in.AsSpan(at, Math.Min(segmentBytes, received - at)));
        }

        return count;
    }

    private int LinkOf(in UdpNative.InetAddress from)
    {
        if (_lastLink < 0 || from.Port != _lastPort)
        {
            _lastPort = from.Port;
            _lastLink = _links.TryGetValue(from.Port, out int link) ? link : Add(PortOf(from));
        }

        return _lastLink;
    }

    private int Add(int port)
    {
        _links[UdpNative.InetAddress.Loopback(port).Port] = _ports.Count;
        _ports.Add(port);
        return _ports.Count - 1;
    }

    private void Set(int level, int option, int value)
        => Check(UdpNative.SetOption(_socket, level, option, &value, sizeof(int)));

    private static int SegmentOf(in UdpNative.Control control, int received)
        => control is { Level: UdpNative.LevelUdp, Type: UdpNative.ReceiveOffload, Value: > 0 } ? control.Value : received;

    private static int PortOf(in UdpNative.InetAddress address) => BitConverter.IsLittleEndian
        ? System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(address.Port)
        : address.Port;

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new InvalidOperationException($"The system refused: errno {Marshal.GetLastPInvokeError()}.");
        }
    }
}
