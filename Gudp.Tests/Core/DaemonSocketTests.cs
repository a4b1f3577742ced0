using System.Net.Sockets;
using System.Text;
using Gudp.Core;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Few tests over the system's own UDP on loopback, with daemon threads. Bounded waits, no sleeps.</summary>
[TestFixture, Category("Release")]
public sealed class DaemonSocketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [TestCase("127.0.0.1:0", "127.0.0.1")]
    [TestCase("[::1]:0", "::1")]
    [TestCase("[::]:0", "127.0.0.1")]
    [TestCase("[::]:0", "::1")]
    public void Packets_go_both_ways_between_two_daemons(string serverAt, string clientGoesTo)
    {
        Assert.That(PeerAddress.TryParse(serverAt, out PeerAddress local), Is.True);
        using Daemon serverDaemon = new(SimWorld.Plain);
        using Daemon clientDaemon = new(SimWorld.Plain);
        serverDaemon.Start();
        clientDaemon.Start();
        Endpoint server = serverDaemon.Open(local);
        server.Listen();
        PeerAddress remote = PeerAddress.From(System.Net.IPAddress.Parse(clientGoesTo), server.LocalAddress.Port);
        PeerAddress from = remote.IsIPv4 ? PeerAddress.AnyIPv4(0) : PeerAddress.AnyIPv6(0);

        Connection client = clientDaemon.Open(from).Connect(remote);
        Connection? accepted = server.Accept(Patience);
        Assert.That(client.WaitUntilOpen(Patience), Is.True, client.CloseReason?.ToString());
        Assert.That(accepted, Is.Not.Null);
        client.TrySend("question"u8);
        string question = Receive(accepted!);
        accepted!.TrySend("answer"u8);

        Assert.That(question, Is.EqualTo("question"));
        Assert.That(Receive(client), Is.EqualTo("answer"));
    }

    // P-9.1: what the loopback carries is used where it is allowed.
    [Test]
    public void The_size_of_the_loopback_is_found_and_used()
    {
        GudpConfig config = SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with { Path = new PathConfig { MaxPacketBytes = 65_507 } },
        };
        using Daemon serverDaemon = new(config);
        using Daemon clientDaemon = new(config);
        serverDaemon.Start();
        clientDaemon.Start();
        Endpoint server = serverDaemon.Open(PeerAddress.LoopbackIPv4(0));
        server.Listen();
        Connection client = clientDaemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress);
        Connection accepted = server.Accept(Patience)!;
        byte[] buffer = new byte[65_507];
        int largest = 0;

        // Each packet is answered for by the reader, so the search goes on between them.
        for (int i = 0; i < 2_000 && largest < 60_000; i++)
        {
            SendStatus sent = client.TrySend(new byte[client.MaxPacketBytes], PacketDelivery.Reliable);
            Assert.That(sent, Is.EqualTo(SendStatus.Accepted));
            Assert.That(accepted.Receive(buffer, Patience, out int length), Is.EqualTo(ReceiveStatus.Received));
            largest = Math.Max(largest, length);
        }

        Assert.That(largest, Is.GreaterThan(60_000));
        Assert.That(client.ReadCounters().PacketBytes, Is.EqualTo(65_507));
    }

    [Test]
    public void Disposing_the_daemon_delivers_what_was_sent_and_says_goodbye()
    {
        using Daemon serverDaemon = new(SimWorld.Plain);
        serverDaemon.Start();
        Endpoint server = serverDaemon.Open(PeerAddress.LoopbackIPv4(0));
        server.Listen();
        Daemon clientDaemon = new(SimWorld.Plain);
        clientDaemon.Start();
        Connection client = clientDaemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress);
        Connection accepted = server.Accept(Patience)!;

        client.TrySend("the last"u8);
        clientDaemon.Dispose();

        Assert.That(Receive(accepted), Is.EqualTo("the last"));
        Assert.That(accepted.Receive(new byte[100], Patience, out _), Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(accepted.Status.Reasons, Is.EqualTo(FinalReasons.ClosedByPeer));
    }

    [Test]
    public void A_port_in_use_is_an_exception_that_says_so()
    {
        using Daemon daemon = new(SimWorld.Plain);
        Endpoint first = daemon.Open(PeerAddress.LoopbackIPv4(0));

        SocketException? error = Assert.Throws<SocketException>(() => daemon.Open(first.LocalAddress));

        Assert.That(error!.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
    }

    [Test]
    public void All_of_many_blocked_consumers_wake_when_the_connection_ends()
    {
        using Daemon daemon = new(SimWorld.Plain);
        daemon.Start();
        Endpoint server = daemon.Open(PeerAddress.LoopbackIPv4(0));
        server.Listen();
        Connection client = daemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress);
        Connection accepted = server.Accept(Patience)!;
        Thread[] consumers = new Thread[8];
        int closed = 0;

        for (int i = 0; i < consumers.Length; i++)
        {
            consumers[i] = new Thread(() =>
            {
                if (accepted.Receive(new byte[100], Timeout.InfiniteTimeSpan, out _) == ReceiveStatus.Closed)
                {
                    Interlocked.Increment(ref closed);
                }
            });
            consumers[i].Start();
        }

        client.Close();

        foreach (Thread consumer in consumers)
        {
            Assert.That(consumer.Join(Patience), Is.True, "A consumer sleeps for ever.");
        }

        Assert.That(closed, Is.EqualTo(consumers.Length));
    }

    [Test]
    public void Random_bytes_at_a_port_are_counted_and_nothing_else()
    {
        using Daemon daemon = new(SimWorld.Plain);
        daemon.Start();
        Endpoint server = daemon.Open(PeerAddress.LoopbackIPv4(0));
        server.Listen();
        using Socket stranger = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Prng draws = new(11);
        byte[] noise = new byte[1_500];

        for (int i = 0; i < 500; i++)
        {
            SeededSecrets bytes = new(draws);
            bytes.Fill(noise);
            stranger.SendTo(noise.AsSpan(0, (int)draws.NextBelow(noise.Length)), server.LocalAddress.ToIPEndPoint());
        }

        Connection client = daemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress);
        Assert.That(client.WaitUntilOpen(Patience), Is.True);
        DaemonCounters counters = daemon.ReadCounters();

        Assert.That(daemon.Fault, Is.Null);
        Assert.That(counters.DatagramsDropped, Is.GreaterThan(400));
    }

    private static string Receive(Connection connection)
    {
        byte[] buffer = new byte[2_000];
        ReceiveStatus status = connection.Receive(buffer, Patience, out int length);
        Assert.That(status, Is.EqualTo(ReceiveStatus.Received));
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
