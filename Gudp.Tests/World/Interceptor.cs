using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>Sees, changes or swallows a datagram.</summary>
/// <param name="datagram">May be changed in place.</param>
/// <returns>False: it does not get through.</returns>
internal delegate bool DatagramFilter(Span<byte> datagram);

/// <summary>Stands between a daemon and its host, where a test wants to decide over each datagram by itself.</summary>
internal sealed class Interceptor(SimulatedHost host) : IDatagramNetwork
{
    internal DatagramFilter? Sends { get; init; }

    internal DatagramFilter? Receives { get; init; }

    public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
        => new FilteredSocket(this, host.Open(local, sendBufferBytes, receiveBufferBytes));

    public bool Wait(TimeSpan limit) => host.Wait(limit);

    public void Wake() => host.Wake();

    public void Dispose() => host.Dispose();

    private sealed class FilteredSocket(Interceptor filters, IDatagramSocket socket) : IDatagramSocket
    {
        private readonly byte[] _copy = new byte[65_536];

        public PeerAddress LocalAddress => socket.LocalAddress;

        public DatagramCapabilities Capabilities => socket.Capabilities;

        public SocketOutcome TryReceive(
            Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
        {
            SocketOutcome outcome;

            do
            {
                outcome = socket.TryReceive(buffer, out length, out datagramBytes, out from);
            }
            while (outcome == SocketOutcome.Done && filters.Receives?.Invoke(buffer[..length]) == false);

            return outcome;
        }

        public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
        {
            Assert.That(datagrams.Length, Is.LessThanOrEqualTo(datagramBytes), "Filters take one datagram at a time.");
            datagrams.CopyTo(_copy);
            Span<byte> datagram = _copy.AsSpan(0, datagrams.Length);

            return filters.Sends?.Invoke(datagram) == false
                ? SocketOutcome.Done
                : socket.TrySend(datagram, datagramBytes, to);
        }

        public void Dispose() => socket.Dispose();
    }
}
