using System.Diagnostics;
using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Runs of datagrams on the system's own sockets: tried, switched, refused, and counted by daemons.</summary>
[TestFixture, Category("Release"), Platform("Linux")]
public sealed class OffloadTests
{
    // SO_NO_CHECK: without checksums a kernel cuts no runs, and says that it is Invalid.
    private const int SocketLevel = 1;
    private const int NoChecksum = 11;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [SetUp]
    public void RequireRuns()
    {
        if (OffloadTrial.OfThisSystem.Works is not { Send: true, Receive: true })
        {
            Assert.Ignore(OffloadTrial.OfThisSystem.Finding);
        }
    }

    [TestCase(true, true)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(false, false)]
    public void Each_direction_has_a_switch(bool send, bool receive)
    {
        using UdpNetwork network = new();
        SocketConfig config = new() { SendOffload = send, ReceiveOffload = receive };

        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), config);

        Assert.That(socket.Capabilities.MaxSegments, Is.EqualTo(send ? 64 : 1));
        Assert.That(socket.Capabilities.JoinsReceived, Is.EqualTo(receive));
    }

    [Test]
    public void The_framework_alone_has_neither()
    {
        using UdpNetwork network = new();

        using IDatagramSocket socket = network.Open(
            PeerAddress.LoopbackIPv4(0), new SocketConfig { FrameworkOnly = true });

        Assert.That(socket, Is.InstanceOf<UdpSocket>());
        Assert.That((socket.Capabilities.MaxSegments, socket.Capabilities.JoinsReceived), Is.EqualTo((1, false)));
    }

    [Test]
    public void T30_A_kernel_that_refuses_runs_gets_them_one_by_one_and_is_not_asked_again()
    {
        using UdpNetwork network = new();
        using IDatagramSocket sender = network.Open(PeerAddress.LoopbackIPv4(0), default(SocketConfig));
        using IDatagramSocket receiver = network.Open(PeerAddress.LoopbackIPv4(0), default(SocketConfig));
        ((IWatchedSocket)sender).Socket.SetRawSocketOption(SocketLevel, NoChecksum, BitConverter.GetBytes(1));
        byte[] run = new byte[(9 * 200) + 50];
        Random.Shared.NextBytes(run);

        SocketOutcome first = sender.TrySend(run, 200, receiver.LocalAddress);
        SocketOutcome second = sender.TrySend(run, 200, receiver.LocalAddress);

        Assert.That((first, second), Is.EqualTo((SocketOutcome.Done, SocketOutcome.Done)));
        Assert.That((sender.OffloadRefusals, sender.Capabilities.MaxSegments), Is.EqualTo((1L, 1)));
        Assert.That(ReadAll(network, receiver, 2 * run.Length), Is.EqualTo(run.Concat(run)));
    }

    [Test]
    public void Daemons_count_the_runs_they_send_and_receive([Values] bool send, [Values] bool receive)
    {
        using Pair pair = new(new SocketConfig { SendOffload = send, ReceiveOffload = receive });

        pair.Carry(packets: 400);
        DaemonCounters sent = pair.Client.ReadCounters();
        DaemonCounters received = pair.Server.ReadCounters();

        Assert.That(sent.RunsSent > 0, Is.EqualTo(send));
        Assert.That(sent.RunDatagramsSent, Is.GreaterThanOrEqualTo(2 * sent.RunsSent));
        Assert.That(received.RunsReceived > 0, Is.EqualTo(send && receive));
        Assert.That(received.RunDatagramsReceived, Is.GreaterThanOrEqualTo(2 * received.RunsReceived));
        Assert.That(sent.OffloadFallbacks + received.OffloadFallbacks, Is.Zero);
    }

    [Test]
    public void T30_A_daemon_whose_kernel_refuses_runs_delivers_everything_and_counts_it()
    {
        using Pair pair = new(default, refusesRuns: true);

        pair.Carry(packets: 400);
        DaemonCounters sent = pair.Client.ReadCounters();

        Assert.That(sent.OffloadFallbacks, Is.EqualTo(1));
        Assert.That(pair.Server.ReadCounters().RunsReceived, Is.Zero);
    }

    private static byte[] ReadAll(UdpNetwork network, IDatagramSocket socket, int bytes)
    {
        byte[] all = new byte[bytes];
        byte[] buffer = new byte[65_507];
        long start = Stopwatch.GetTimestamp();
        int position = 0;

        while (position < bytes && Stopwatch.GetElapsedTime(start) < Patience)
        {
            if (socket.TryReceive(buffer, out int length, out _, out _) == SocketOutcome.Done)
            {
                buffer.AsSpan(0, length).CopyTo(all.AsSpan(position));
                position += length;
            }
            else
            {
                network.Wait(Patience);
            }
        }

        return all;
    }

    /// <summary>Two daemons with threads; one sends to the other.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly Connection _sender;
        private readonly Connection _receiver;

        internal Pair(SocketConfig sockets, bool refusesRuns = false)
        {
            GudpConfig config = SimWorld.Plain with { Sockets = sockets };
            Server = new Daemon(config);
            Refusing network = new() { Refuses = refusesRuns };
            Client = new Daemon(config, network, TimeProvider.System, SystemSecrets.Instance, new Prng(1));
            Server.Start();
            Client.Start();
            Endpoint server = Server.Open(PeerAddress.LoopbackIPv4(0));
            server.Listen();
            _sender = Client.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress);
            _receiver = server.Accept(Patience)!;
            Assert.That(_sender.WaitUntilOpen(Patience), Is.True);
        }

        internal Daemon Server { get; }

        internal Daemon Client { get; }

        /// <summary>So many packets, sent in bursts and read in order.</summary>
        internal void Carry(int packets)
        {
            byte[] packet = new byte[_sender.MaxPacketBytes];
            byte[] buffer = new byte[packet.Length];
            int read = 0;

            for (int sent = 0; read < packets;)
            {
                while (sent < packets && sent - read < 100)
                {
                    BitConverter.TryWriteBytes(packet, sent);
                    Assert.That(_sender.TrySend(packet, PacketDelivery.Reliable), Is.EqualTo(SendStatus.Accepted));
                    sent++;
                }

                Assert.That(_receiver.Receive(buffer, Patience, out _), Is.EqualTo(ReceiveStatus.Received));
                read++;
            }
        }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }

    /// <summary>The system's network, on whose sockets the kernel may refuse runs.</summary>
    private sealed class Refusing : IDatagramNetwork
    {
        private readonly UdpNetwork _network = new();

        internal bool Refuses { get; init; }

        public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
            => _network.Open(local, sendBufferBytes, receiveBufferBytes);

        public IDatagramSocket Open(PeerAddress local, in SocketConfig config)
        {
            IDatagramSocket socket = _network.Open(local, config);

            if (Refuses)
            {
                ((IWatchedSocket)socket).Socket.SetRawSocketOption(SocketLevel, NoChecksum, BitConverter.GetBytes(1));
            }

            return socket;
        }

        public bool Wait(TimeSpan limit) => _network.Wait(limit);

        public void Wake() => _network.Wake();

        public void Dispose() => _network.Dispose();
    }
}
