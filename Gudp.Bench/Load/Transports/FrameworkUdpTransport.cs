using System.Net;
using System.Net.Sockets;

namespace Gudp.Bench.Load.Transports;

/// <summary>
/// Bare UDP through the framework's socket, one datagram a call: the limit of what sends through it. Nothing is repeated,
/// nothing is held back.
/// </summary>
internal sealed class FrameworkUdpTransport : ILoadTransport
{
    private const int BufferBytes = 65_536;
    private const int SocketBufferBytes = 4 * 1024 * 1024;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly List<SocketAddress> _peers = [];
    private readonly Dictionary<SocketAddress, int> _links = [];
    private readonly SocketAddress _from = new(AddressFamily.InterNetwork);
    private readonly byte[] _in = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private int _lastLink = -1;
    private long _sent;
    private long _sentBytes;

    internal FrameworkUdpTransport()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.SendBufferSize = SocketBufferBytes;
        _socket.ReceiveBufferSize = SocketBufferBytes;
        _socket.Blocking = false;
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public int Connect(int port, int sender) => Add(new IPEndPoint(IPAddress.Loopback, port).Serialize());

    public bool AreOpen() => true;

    public bool TrySend(int link, ReadOnlySpan<byte> message)
    {
        try
        {
            _sentBytes += _socket.SendTo(message, SocketFlags.None, _peers[link]);
            _sent++;
            return true;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.WouldBlock)
        {
            return false;
        }
    }

    public void Flush()
    {
        // Each leaves at once.
    }

    // A look before the call: where there is nothing the framework would throw, which costs more than all else here.
    public int Poll(ILoadInbox inbox)
    {
        if (_socket.Available == 0)
        {
            return 0;
        }

        int received = _socket.ReceiveFrom(_in, SocketFlags.None, _from);
        inbox.Take(LinkOf(), _in.AsSpan(0, received));
        return 1;
    }

    public void Wait(TimeSpan atMost, bool isRefused)
        => _socket.Poll(atMost, isRefused ? SelectMode.SelectWrite : SelectMode.SelectRead);

    public LoadTraffic ReadTraffic() => new(_sent, _sentBytes, 0, 0, 0);

    public void Dispose() => _socket.Dispose();

    private int LinkOf()
    {
        if (_lastLink < 0 || !_peers[_lastLink].Equals(_from))
        {
            _lastLink = _links.TryGetValue(_from, out int link) ? link : Add(Copy(_from));
        }

        return _lastLink;
    }

    private int Add(SocketAddress address)
    {
        _links[address] = _peers.Count;
        _peers.Add(address);
        return _peers.Count - 1;
    }

    private static SocketAddress Copy(SocketAddress address)
    {
        SocketAddress copy = new(address.Family, address.Size);
        address.Buffer.Span[..address.Size].CopyTo(copy.Buffer.Span);
        return copy;
    }
}
