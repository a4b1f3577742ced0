using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Gudp.Bench.Load.Transports;

/// <summary>
/// TCP through the framework's socket, without Nagle's delay: each message has its length before it. Either each leaves
/// with a call of its own, or up to 64 KB leave together.
/// </summary>
internal sealed class TcpTransport : ILoadTransport
{
    private readonly Socket _listener = NewSocket();
    private readonly List<TcpLink> _links = [];
    private readonly bool _isCoalesced;
    private readonly int _messageBytes;
    private readonly int _expected;
    private int _refused;

    internal TcpTransport(int messageBytes, int links, bool isCoalesced)
    {
        _messageBytes = messageBytes;
        _expected = links;
        _isCoalesced = isCoalesced;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(4_096);
        _listener.Blocking = false;
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public int Connect(int port, int sender)
    {
        Socket socket = NewSocket();
        socket.Connect(IPAddress.Loopback, port);
        return Add(socket);
    }

    public bool AreOpen() => true;

    public bool TrySend(int link, ReadOnlySpan<byte> message)
    {
        bool isSent = _links[link].TrySend(message, _isCoalesced);
        _refused = isSent ? _refused : link;
        return isSent;
    }

    public void Flush()
    {
        foreach (TcpLink link in _links)
        {
            link.TryFlush();
        }
    }

    public int Poll(ILoadInbox inbox)
    {
        Accept();
        int count = 0;

        for (int link = 0; link < _links.Count; link++)
        {
            count += _links[link].Poll(link, inbox);
        }

        return count;
    }

    public void Wait(TimeSpan atMost, bool isRefused)
    {
        if (_links.Count == 1)
        {
            _links[0].Wait(atMost, isRefused);
            return;
        }

        List<Socket> readable = [_listener, .. _links.Select(link => link.Socket)];
        List<Socket>? writable = isRefused ? [_links[_refused].Socket] : null;
        Socket.Select(readable, writable, null, atMost);
    }

    public LoadTraffic ReadTraffic() => LoadTraffic.Unknown;

    public void Dispose()
    {
        _links.ForEach(link => link.Socket.Dispose());
        _listener.Dispose();
    }

    // A look costs a call to the system: none once all are here.
    private void Accept()
    {
        while (_links.Count < _expected && _listener.Poll(TimeSpan.Zero, SelectMode.SelectRead))
        {
            Add(_listener.Accept());
        }
    }

    private int Add(Socket socket)
    {
        socket.NoDelay = true;
        socket.Blocking = false;
        _links.Add(new TcpLink(socket, _messageBytes));
        return _links.Count - 1;
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <remarks>Always true: what lies in a buffer from its start to its end is to be sent, or to be handed out.</remarks>
    private sealed class TcpLink(Socket socket, int messageBytes)
    {
        private const int PrefixBytes = sizeof(int);
        private const int BatchBytes = 64 * 1024;

        private readonly byte[] _out = new byte[Math.Max(BatchBytes, PrefixBytes + messageBytes)];
        private readonly byte[] _in = new byte[Math.Max(4 * BatchBytes, 2 * (PrefixBytes + messageBytes))];
        private int _outStart;
        private int _outEnd;
        private int _inStart;
        private int _inEnd;

        internal Socket Socket => socket;

        internal bool TrySend(ReadOnlySpan<byte> message, bool isCoalesced)
        {
            int length = PrefixBytes + message.Length;

            if ((!isCoalesced || length > _out.Length - _outEnd) && !TryFlush())
            {
                return false;
            }

            BinaryPrimitives.WriteInt32LittleEndian(_out.AsSpan(_outEnd), message.Length);
            message.CopyTo(_out.AsSpan(_outEnd + PrefixBytes));
            _outEnd += length;

            // A part of it may stay: the next message or the next look sends the rest.
            if (!isCoalesced)
            {
                TryFlush();
            }

            return true;
        }

        internal bool TryFlush()
        {
            while (_outStart < _outEnd)
            {
                int sent = socket.Send(_out.AsSpan(_outStart, _outEnd - _outStart), SocketFlags.None, out SocketError error);

                if (error != SocketError.Success || sent <= 0)
                {
                    return false;
                }

                _outStart += sent;
            }

            (_outStart, _outEnd) = (0, 0);
            return true;
        }

        internal int Poll(int link, ILoadInbox inbox)
        {
            int received = socket.Receive(_in.AsSpan(_inEnd), SocketFlags.None, out SocketError error);

            if (error != SocketError.Success || received <= 0)
            {
                return 0;
            }

            _inEnd += received;
            return HandOut(link, inbox);
        }

        internal void Wait(TimeSpan atMost, bool isRefused)
        {
            if (isRefused)
            {
                socket.Poll(atMost, SelectMode.SelectWrite);
            }
            else
            {
                socket.Poll(atMost, SelectMode.SelectRead);
            }
        }

        private int HandOut(int link, ILoadInbox inbox)
        {
            int count = 0;

            while (_inEnd - _inStart >= PrefixBytes)
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(_in.AsSpan(_inStart));

                if (_inEnd - _inStart - PrefixBytes < length)
                {
                    break;
                }

                inbox.Take(link, _in.AsSpan(_inStart + PrefixBytes, length));
                _inStart += PrefixBytes + length;
                count++;
            }

            if (_inStart > 0)
            {
                _in.AsSpan(_inStart, _inEnd - _inStart).CopyTo(_in);
                (_inStart, _inEnd) = (0, _inEnd - _inStart);
            }

            return count;
        }
    }
}
