using System.Runtime.InteropServices;
using System.Text;
using Gudp.Bench.Load.Native;

namespace Gudp.Bench.Load.Transports;

// PUSH and PULL, as ZeroMQ's own throughput test uses them. They lead one way, so a node that is sent to learns from a
// first message where it can answer, and which link is meant from the sender that stands in each message.

/// <summary>ZeroMQ over TCP: one PULL socket for all that arrives, a PUSH socket for each link.</summary>
internal sealed unsafe class ZeroMqTransport : ILoadTransport
{
    private const int Batch = 512;
    private const int MostSenders = 1 << 16;

    // Of what waits in a socket's queue: its default of 1,000 messages, but not more than this of large ones.
    private const int MostQueuedBytes = 16 * 1024 * 1024;
    private const int DefaultHighWater = 1_000;
    private const int LeastHighWater = 8;

    private readonly nint _context = ZeroMqNative.CreateContext();
    private readonly nint _pull;
    private readonly List<nint> _links = [];
    private readonly int[] _linkOfSender = new int[MostSenders];
    private readonly byte[] _buffer;
    private readonly byte[] _hello = new byte[LoadMessage.LeastBytes];
    private readonly int _highWater;
    private int _refused;

    internal ZeroMqTransport(int messageBytes)
    {
        _highWater = Math.Clamp(MostQueuedBytes / messageBytes, LeastHighWater, DefaultHighWater);
        _buffer = GC.AllocateUninitializedArray<byte>(Math.Max(messageBytes, LoadMessage.LeastBytes), pinned: true);
        _pull = Open(ZeroMqNative.Pull);
        Check(ZeroMqNative.Bind(_pull, "tcp://127.0.0.1:*"));
        Port = ReadPort();
        Array.Fill(_linkOfSender, -1);
    }

    public int Port { get; }

    public int Connect(int port, int sender)
    {
        int link = AddLink(port, sender);

        // Its queue is empty: this is never refused.
        new LoadMessage(LoadKind.Hello, sender, Port, 0).Write(_hello);
        TrySend(link, _hello);
        return link;
    }

    public bool AreOpen() => true;

    public bool TrySend(int link, ReadOnlySpan<byte> message)
    {
        fixed (byte* bytes = message)
        {
            bool isSent = ZeroMqNative.Send(_links[link], bytes, (nuint)message.Length, ZeroMqNative.DontWait) >= 0;
            _refused = isSent ? _refused : link;
            return isSent;
        }
    }

    public void Flush()
    {
        // Its threads send by themselves.
    }

    public int Poll(ILoadInbox inbox)
    {
        int count = 0;

        while (count < Batch)
        {
            int length;

            fixed (byte* bytes = _buffer)
            {
                length = ZeroMqNative.Receive(_pull, bytes, (nuint)_buffer.Length, ZeroMqNative.DontWait);
            }

            if (length < 0)
            {
                break;
            }

            count += Take(_buffer.AsSpan(0, length), inbox);
        }

        return count;
    }

    public void Wait(TimeSpan atMost, bool isRefused)
    {
        ZeroMqNative.PollItem* items = stackalloc ZeroMqNative.PollItem[2];
        items[0] = new ZeroMqNative.PollItem { Socket = _pull, Events = ZeroMqNative.PollIn };
        items[1] = isRefused
            ? new ZeroMqNative.PollItem { Socket = _links[_refused], Events = ZeroMqNative.PollOut }
            : default;
        _ = ZeroMqNative.Poll(items, isRefused ? 2 : 1, Math.Max(1, (long)atMost.TotalMilliseconds));
    }

    public LoadTraffic ReadTraffic() => LoadTraffic.Unknown;

    public void Dispose()
    {
        _links.ForEach(link => _ = ZeroMqNative.Close(link));
        _ = ZeroMqNative.Close(_pull);
        _ = ZeroMqNative.EndContext(_context);
    }

    private int Take(ReadOnlySpan<byte> message, ILoadInbox inbox)
    {
        int sender = LoadMessage.TryRead(message, out LoadMessage read) ? read.Sender : 0;

        if (read.Kind == LoadKind.Hello)
        {
            AddLink((int)read.Number, sender);
            return 0;
        }

        inbox.Take(_linkOfSender[sender], message);
        return 1;
    }

    private int AddLink(int port, int sender)
    {
        nint push = Open(ZeroMqNative.Push);
        Check(ZeroMqNative.Connect(push, FormattableString.Invariant($"tcp://127.0.0.1:{port}")));
        _linkOfSender[sender] = _links.Count;
        _links.Add(push);
        return _links.Count - 1;
    }

    private nint Open(int kind)
    {
        nint socket = ZeroMqNative.Open(_context, kind);
        Check(socket == 0 ? -1 : 0);
        Set(socket, ZeroMqNative.LingerOption, 0);
        Set(socket, ZeroMqNative.SendHighWaterOption, _highWater);
        Set(socket, ZeroMqNative.ReceiveHighWaterOption, _highWater);
        return socket;
    }

    private int ReadPort()
    {
        Span<byte> name = stackalloc byte[64];
        nuint length = (nuint)name.Length;

        fixed (byte* bytes = name)
        {
            Check(ZeroMqNative.GetOption(_pull, ZeroMqNative.LastEndpointOption, bytes, &length));
        }

        string address = Encoding.ASCII.GetString(name[..((int)length - 1)]);
        return int.Parse(address.AsSpan(address.LastIndexOf(':') + 1), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static void Set(nint socket, int option, int value)
        => Check(ZeroMqNative.SetOption(socket, option, &value, sizeof(int)));

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new InvalidOperationException($"ZeroMQ refused: errno {Marshal.GetLastSystemError()}.");
        }
    }
}
