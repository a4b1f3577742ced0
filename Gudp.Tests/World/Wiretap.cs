using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;

namespace Gudp.Tests.World;

/// <summary>A datagram as somebody on the path sees it.</summary>
internal sealed record TappedDatagram(PeerAddress From, PeerAddress To, byte[] Bytes);

/// <summary>
/// An observer on the path: keeps some of the datagrams that hosts send, early ones too, so that any of them can come
/// back at any time. Which ones depends on their number alone.
/// </summary>
internal sealed class Wiretap
{
    private const int Kept = 128;

    private readonly List<TappedDatagram> _kept = [];
    private long _seen;

    internal int Count => _kept.Count;

    internal TappedDatagram At(int index) => _kept[index];

    internal IDatagramNetwork Around(SimulatedHost host) => new TappedNetwork(this, host);

    private void Note(PeerAddress from, PeerAddress to, ReadOnlySpan<byte> datagram)
    {
        // The handshakes first, then one in sixteen, in places that earlier ones leave.
        long number = _seen++;

        if (_kept.Count < Kept)
        {
            _kept.Add(new TappedDatagram(from, to, datagram.ToArray()));
        }
        else if (number % 16 == 0)
        {
            _kept[(int)(number / 16 % Kept)] = new TappedDatagram(from, to, datagram.ToArray());
        }
    }

    private sealed class TappedNetwork(Wiretap tap, SimulatedHost host) : IDatagramNetwork
    {
        public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
            => new TappedSocket(tap, host.Open(local, sendBufferBytes, receiveBufferBytes));

        public bool Wait(TimeSpan limit) => host.Wait(limit);

        public void Wake() => host.Wake();

        public void Dispose() => host.Dispose();
    }

    private sealed class TappedSocket(Wiretap tap, IDatagramSocket socket) : IDatagramSocket
    {
        public PeerAddress LocalAddress => socket.LocalAddress;

        public DatagramCapabilities Capabilities => socket.Capabilities;

        public long OffloadRefusals => socket.OffloadRefusals;

        public SocketOutcome TryReceive(
            Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
            => socket.TryReceive(buffer, out length, out datagramBytes, out from);

        public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
        {
            tap.Note(LocalAddress, to, datagrams[..Math.Min(datagramBytes, datagrams.Length)]);
            return socket.TrySend(datagrams, datagramBytes, to);
        }

        public void Dispose() => socket.Dispose();
    }
}
