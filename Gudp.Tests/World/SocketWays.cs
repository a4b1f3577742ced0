using System.Diagnostics;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>A way from datagrams to sockets and back.</summary>
public enum SocketWay
{
    /// <summary>The framework's Socket.</summary>
    Framework,

    /// <summary>The system's calls, one datagram each.</summary>
    Calls,

    /// <summary>The system's calls, runs outwards.</summary>
    SendOffload,

    /// <summary>The system's calls, runs inwards.</summary>
    ReceiveOffload,

    /// <summary>The system's calls, runs both ways.</summary>
    Offload,

    /// <summary>The simulated network's sockets, runs both ways.</summary>
    Simulated,
}

/// <summary>Opens sockets of one way, and waits for what they bring.</summary>
internal sealed class SocketWays : IDisposable
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(10);

    private readonly IDatagramNetwork _network;
    private readonly SimulatedNetwork? _simulated;
    private readonly SocketConfig _config;
    private readonly byte[] _buffer = new byte[65_535];

    internal SocketWays(SocketWay way)
    {
        if (way == SocketWay.Simulated)
        {
            _simulated = new SimulatedNetwork(seed: 1) { Sockets = new SocketModel { MaxSegments = 64, MaxJoined = 64 } };
            _network = _simulated.AddHost(PeerAddress.LoopbackIPv4(0));
            return;
        }

        if (way != SocketWay.Framework && !OffloadTrial.OfThisSystem.HasCalls)
        {
            Assert.Ignore(OffloadTrial.OfThisSystem.Finding);
        }

        _network = new UdpNetwork(isFrameworkOnly: way == SocketWay.Framework);
        _config = new SocketConfig
        {
            SendBufferBytes = 4 << 20,
            ReceiveBufferBytes = 4 << 20,
            SendOffload = way is SocketWay.SendOffload or SocketWay.Offload,
            ReceiveOffload = way is SocketWay.ReceiveOffload or SocketWay.Offload,
        };
    }

    internal IDatagramNetwork Network => _network;

    internal IDatagramSocket Open(PeerAddress local) => _network.Open(local, _config);

    internal IDatagramSocket Open() => Open(PeerAddress.LoopbackIPv4(0));

    /// <summary>The next outcome that is not: nothing waits.</summary>
    internal SocketOutcome Receive(
        IDatagramSocket socket, Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
    {
        long start = Stopwatch.GetTimestamp();

        while (Stopwatch.GetElapsedTime(start) < Generous)
        {
            _simulated?.AdvanceTo(_simulated.Now);
            SocketOutcome outcome = socket.TryReceive(buffer, out length, out datagramBytes, out from);

            if (outcome != SocketOutcome.WouldBlock)
            {
                return outcome;
            }

            _network.Wait(Generous);
        }

        length = datagramBytes = 0;
        from = default;
        return SocketOutcome.WouldBlock;
    }

    /// <summary>So many datagrams, in order, each by itself however they came.</summary>
    internal List<byte[]> ReceiveAll(IDatagramSocket socket, int count)
    {
        List<byte[]> arrived = [];

        while (arrived.Count < count)
        {
            SocketOutcome outcome = Receive(socket, _buffer, out int length, out int datagramBytes, out _);
            Assert.That(outcome, Is.EqualTo(SocketOutcome.Done), $"{arrived.Count} of {count} arrived.");
            Assert.That(datagramBytes, Is.LessThanOrEqualTo(length));
            int position = 0;

            do
            {
                int bytes = Math.Min(datagramBytes, length - position);
                arrived.Add(_buffer.AsSpan(position, bytes).ToArray());
                position += bytes;
            }
            while (position < length);
        }

        return arrived;
    }

    public void Dispose() => _network.Dispose();
}
