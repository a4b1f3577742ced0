using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Gudp.Bench.Load.Native;

namespace Gudp.Bench.Load.Transports;

// ENet's own queue has no end, so what waits is bounded here: packets that were handed over and not yet acknowledged.

/// <summary>ENet, one channel, reliable packets; bandwidth unlimited, as its tutorial has it for speed.</summary>
internal sealed unsafe class EnetTransport : ILoadTransport
{
    private const int MostPeers = 4_000;
    private const int Batch = 512;

    // ENet's largest window of each link, and at least a few messages of any size. More goes no faster and waits: six times
    // as much made a median of 2.1 ms out of 0.2 ms at 1 KB, and a third fewer messages of 32 B.
    private const long MostWaiting = 64 * 1024;
    private const int LeastMessages = 4;

    [ThreadStatic]
    private static long _waitingBytes;

    private readonly Dictionary<nint, int> _links = [];
    private readonly List<nint> _peers = [];
    private readonly HostView* _host;
    private readonly EnetEvent* _event = (EnetEvent*)NativeMemory.AllocZeroed((nuint)sizeof(EnetEvent));
    private int _connecting;
    private bool _hasEvent;
    private nint _lastPeer;
    private int _lastLink;

    internal EnetTransport()
    {
        _ = EnetNative.Initialize();
        EnetAddress address = new() { Host = Loopback };
        _host = EnetNative.CreateHost(&address, MostPeers, 1, 0, 0);

        if (_host == null)
        {
            throw new InvalidOperationException("ENet opened no host.");
        }
    }

    // 127.0.0.1 in network order.
    private static uint Loopback => BitConverter.IsLittleEndian ? 0x0100007Fu : 0x7F000001u;

    // Measured: with eight times as many between two flushes it sends a quarter less.
    public int MostBatch => 256;

    public int Port => _host->Address.Port;

    public int Connect(int port, int sender)
    {
        EnetAddress address = new() { Host = Loopback, Port = (ushort)port };
        nint peer = EnetNative.Connect(_host, &address, 1, 0);

        if (peer == 0)
        {
            throw new InvalidOperationException("ENet has no room for a peer.");
        }

        _connecting++;
        return AddLink(peer);
    }

    public bool AreOpen()
    {
        if (_connecting > 0 && EnetNative.Service(_host, _event, 1) > 0)
        {
            Handle(null);
        }

        return _connecting == 0;
    }

    public bool TrySend(int link, ReadOnlySpan<byte> message)
    {
        if (_waitingBytes + message.Length > Math.Max(MostWaiting * _peers.Count, LeastMessages * (long)message.Length))
        {
            return false;
        }

        fixed (byte* bytes = message)
        {
            EnetPacket* packet = EnetNative.CreatePacket(bytes, (nuint)message.Length, EnetNative.Reliable);
            packet->OnFree = &HandleFree;

            if (EnetNative.Send(_peers[link], 0, packet) < 0)
            {
                packet->OnFree = null;
                EnetNative.DestroyPacket(packet);
                return false;
            }
        }

        _waitingBytes += message.Length;
        return true;
    }

    public void Flush() => EnetNative.Flush(_host);

    public int Poll(ILoadInbox inbox)
    {
        int count = 0;
        bool isThere = _hasEvent || EnetNative.Service(_host, _event, 0) > 0;
        _hasEvent = false;

        while (isThere)
        {
            count += Handle(inbox);
            isThere = count < Batch && EnetNative.CheckEvents(_host, _event) > 0;
        }

        return count;
    }

    // Returns at the first event, which the next look takes up.
    public void Wait(TimeSpan atMost, bool isRefused)
        => _hasEvent = _hasEvent || EnetNative.Service(_host, _event, (uint)Math.Max(1, atMost.TotalMilliseconds)) > 0;

    public LoadTraffic ReadTraffic() => LoadTraffic.Unknown;

    public void Dispose()
    {
        EnetNative.DestroyHost(_host);
        NativeMemory.Free(_event);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void HandleFree(EnetPacket* packet) => _waitingBytes -= (long)packet->Length;

    private int Handle(ILoadInbox? inbox)
    {
        switch (_event->Kind)
        {
            case EnetEventKind.Connected when _links.ContainsKey(_event->Peer):
                _connecting--;
                return 0;
            case EnetEventKind.Connected:
                AddLink(_event->Peer);
                return 0;
            case EnetEventKind.Received:
                EnetPacket* packet = _event->Packet;
                inbox?.Take(LinkOf(_event->Peer), new ReadOnlySpan<byte>(packet->Bytes, (int)packet->Length));
                EnetNative.DestroyPacket(packet);
                return 1;
            default:
                return 0;
        }
    }

    private int AddLink(nint peer)
    {
        _links[peer] = _peers.Count;
        _peers.Add(peer);
        return _peers.Count - 1;
    }

    private int LinkOf(nint peer)
    {
        if (peer != _lastPeer)
        {
            _lastPeer = peer;
            _lastLink = _links[peer];
        }

        return _lastLink;
    }
}
