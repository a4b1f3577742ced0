using System.Text;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Two daemons in virtual time, one link: named scenarios.</summary>
[TestFixture]
public sealed class ConnectionTests
{
    private static readonly LinkModel TenMilliseconds = new() { Delay = TimeSpan.FromMilliseconds(10) };

    [Test]
    public void A_client_and_a_server_open_after_two_round_trips()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMilliseconds;

        Pair pair = world.AddConnectedPair();

        Assert.That(pair.Client.Status.IsOpen, Is.True);
        Assert.That(pair.Server.Status.IsOpen, Is.True);
        Assert.That(world.Now - default(Instant), Is.LessThanOrEqualTo(TimeSpan.FromMilliseconds(51)));
    }

    [Test]
    public void A_packet_arrives_with_its_boundaries_in_both_directions()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();

        pair.Client.TrySend("from the client"u8);
        pair.Client.TrySend([]);
        pair.Server.TrySend("from the server"u8);
        world.Run(TimeSpan.FromMilliseconds(10));

        Assert.That(Receive(pair.Server), Is.EqualTo("from the client"));
        Assert.That(Receive(pair.Server), Is.Empty);
        Assert.That(Receive(pair.Server), Is.Null);
        Assert.That(Receive(pair.Client), Is.EqualTo("from the server"));
    }

    [Test]
    public void The_largest_packet_fits_and_one_byte_more_is_too_large()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        byte[] packet = new byte[pair.Client.MaxPacketBytes];

        Assert.That(pair.Client.TrySend(packet), Is.EqualTo(SendStatus.Accepted));
        Assert.That(pair.Client.TrySend(new byte[packet.Length + 1]), Is.EqualTo(SendStatus.TooLarge));
        world.Run(TimeSpan.FromMilliseconds(10));

        Assert.That(pair.Server.TryReceive(new byte[2000], out int length), Is.EqualTo(ReceiveStatus.Received));
        Assert.That(length, Is.EqualTo(packet.Length));
    }

    [Test]
    public void A_close_is_seen_by_the_peer_with_its_reason_after_what_was_sent_before()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMilliseconds;
        Pair pair = world.AddConnectedPair();

        pair.Client.TrySend("last words"u8);
        pair.Client.Close(new CloseReason(CloseCode.Application, "done"));
        Assert.That(pair.Client.Status.IsFinal, Is.True);
        Assert.That(pair.Client.TrySend("more"u8), Is.EqualTo(SendStatus.Closed));
        world.Run(TimeSpan.FromSeconds(1));

        Assert.That(pair.Server.Status.Reasons, Is.EqualTo(FinalReasons.ClosedByPeer));
        Assert.That(pair.Server.CloseReason!.Detail, Is.EqualTo("done"));
        Assert.That(Receive(pair.Server), Is.EqualTo("last words"));
        Assert.That(pair.Server.TryReceive(new byte[100], out _), Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(pair.Server.TryReceive(new byte[100], out _), Is.EqualTo(ReceiveStatus.Closed));
    }

    [Test]
    public void Nobody_at_the_other_end_ends_in_a_handshake_time_out()
    {
        using SimWorld world = new(1);
        Node lonely = world.AddNode();
        Node deaf = world.AddNode();
        Connection connection = lonely.Open(0).Connect(deaf.Host.Address.WithPort(7000));

        world.Run(TimeSpan.FromSeconds(11));

        Assert.That(connection.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
        Assert.That(connection.CloseReason!.Code, Is.EqualTo(CloseCode.HandshakeTimeout));
        // After 0, 250 and 625 ms, then each half second until 10 s.
        Assert.That(lonely.Daemon.ReadCounters().DatagramsSent, Is.EqualTo(21));
    }

    [Test]
    public void An_endpoint_that_does_not_listen_answers_no_stranger()
    {
        using SimWorld world = new(1);
        Node client = world.AddNode();
        Node other = world.AddNode();
        Endpoint silent = other.Open(7000);
        Connection connection = client.Open(0).Connect(silent.LocalAddress);

        world.Run(TimeSpan.FromSeconds(11));

        Assert.That(connection.CloseReason!.Code, Is.EqualTo(CloseCode.HandshakeTimeout));
        Assert.That(other.Daemon.ReadCounters().DatagramsSent, Is.Zero);
        Assert.That(other.Daemon.ReadCounters().Dropped(DropReason.Unexpected), Is.Positive);
    }

    [Test]
    public void An_idle_connection_lives_on_heartbeats()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMilliseconds;
        Pair pair = world.AddConnectedPair();
        long before = pair.Client.ReadCounters().DatagramsSent;

        world.Run(TimeSpan.FromSeconds(60));

        Assert.That(pair.Client.Status.IsFinal, Is.False);
        Assert.That(pair.Server.Status.IsFinal, Is.False);
        Assert.That(pair.Client.ReadCounters().DatagramsSent - before, Is.InRange(50, 200));
    }

    [TestCase(-1, ExpectedResult = true)]
    [TestCase(+1_100, ExpectedResult = false)]
    public bool A_silence_is_survived_if_it_is_shorter_than_the_idle_time_out(int millisecondsBeyond)
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        world.Run(TimeSpan.FromMilliseconds(100));
        pair.Right.IsStopped = true;

        world.Run(TimeSpan.FromSeconds(13.9));
        pair.Right.IsStopped = millisecondsBeyond > 0;
        world.Run(TimeSpan.FromMilliseconds(1_100 + millisecondsBeyond));

        return !pair.Client.Status.IsFinal;
    }

    [Test]
    public void A_peer_that_died_is_reported_as_timed_out()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        pair.Right.IsStopped = true;

        world.Run(TimeSpan.FromSeconds(16));

        Assert.That(pair.Client.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
        Assert.That(pair.Client.CloseReason!.Code, Is.EqualTo(CloseCode.IdleTimeout));
    }

    [Test]
    public void A_restarted_peer_at_the_same_address_retires_the_former_connection_first()
    {
        using SimWorld world = new(1);
        Node left = world.AddNode();
        Node right = world.AddNode();
        Endpoint server = right.Open(7000);
        server.Listen();
        Connection first = left.Open(5000).Connect(server.LocalAddress);
        Connection? accepted = null;
        world.RunUntil(() => server.TryAccept(out accepted), TimeSpan.FromSeconds(5));

        Endpoint again = left.Daemon.Open(left.Host.Address.WithPort(5001));
        Connection second = again.Connect(server.LocalAddress);
        Connection? acceptedSecond = null;
        world.RunUntil(() => server.TryAccept(out acceptedSecond), TimeSpan.FromSeconds(5));

        Assert.That(accepted!.Status.IsFinal, Is.False, "Another port is another peer.");

        Connection third = again.Connect(server.LocalAddress);
        Connection? acceptedThird = null;
        world.RunUntil(() => server.TryAccept(out acceptedThird), TimeSpan.FromSeconds(5));

        Assert.That(acceptedSecond!.Status.Reasons, Is.EqualTo(FinalReasons.ClosedByPeer));
        Assert.That(acceptedThird!.Status.IsFinal, Is.False);
        Assert.That(first.Status.IsFinal, Is.False);
        Assert.That(second, Is.Not.SameAs(third));
    }

    [TestCase(true, ExpectedResult = true)]
    [TestCase(false, ExpectedResult = false)]
    public bool A_peer_that_is_asked_to_acknowledges_at_once_as_its_asker_does(bool isAsked)
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMilliseconds;
        Node left = world.AddNode(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                Loss = new LossConfig { AckEveryPackets = 1, MaxAckDelay = TimeSpan.Zero, AskSameAcks = isAsked },
            },
        });
        Endpoint server = world.AddNode().Open(7000);
        server.Listen();
        Connection client = left.Open(0).Connect(server.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, TimeSpan.FromSeconds(5));

        for (int i = 0; i < 10; i++)
        {
            // One at a time, since the second of two is acknowledged at once anyway, and no long silence between them.
            client.TrySend("alone"u8);
            world.Run(TimeSpan.FromMilliseconds(60));
        }

        return client.ReadCounters().LatestRtt == 2 * TenMilliseconds.Delay;
    }

    // Sixteen is the least that the configuration allows.
    [TestCase(16)]
    [TestCase(20)]
    [TestCase(33)]
    public void The_fewest_packets_in_flight_that_may_be_configured_carry_everything(int packets)
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMilliseconds;
        Pair pair = world.AddConnectedPair(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with { Path = new PathConfig { MaxPacketsInFlight = packets } },
        });

        for (int i = 0; i < 100; i++)
        {
            Assert.That(pair.Client.TrySend(new byte[1_000]), Is.EqualTo(SendStatus.Accepted));
        }

        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(pair.Client.Status.IsOpen, Is.True);
        Assert.That(pair.Client.ReadCounters().PayloadBytesSent, Is.GreaterThan(100_000));
    }

    // What the peer waited, as it was asked to, is no part of the round trip.
    [Test]
    public void An_ack_delay_that_was_asked_for_is_still_allowed_for()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMilliseconds;
        Node left = world.AddNode(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                Loss = new LossConfig { MaxAckDelay = TimeSpan.FromMilliseconds(5), AskSameAcks = true },
            },
        });
        Endpoint server = world.AddNode().Open(7000);
        server.Listen();
        Connection client = left.Open(0).Connect(server.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, TimeSpan.FromSeconds(5));

        for (int i = 0; i < 50; i++)
        {
            client.TrySend("alone"u8);
            world.Run(TimeSpan.FromMilliseconds(60));
        }

        Assert.That(
            client.ReadCounters().SmoothedRtt,
            Is.EqualTo(2 * TenMilliseconds.Delay).Within(TimeSpan.FromMilliseconds(1)));
    }

    [Test]
    public void The_same_seed_gives_the_same_trace()
    {
        ulong first = TraceOf(7);
        ulong again = TraceOf(7);
        ulong other = TraceOf(8);

        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));

        static ulong TraceOf(ulong seed)
        {
            using SimWorld world = new(seed);
            world.Network.DefaultLink = TenMilliseconds with
            {
                LossPpm = 100_000,
                Jitter = TimeSpan.FromMilliseconds(3),
            };
            Pair pair = world.AddConnectedPair();

            for (int i = 0; i < 50; i++)
            {
                pair.Client.TrySend(Encoding.UTF8.GetBytes($"packet {i}"));
                world.Run(TimeSpan.FromMilliseconds(5));
            }

            return world.Network.TraceHash;
        }
    }

    [Test]
    public void A_handshake_succeeds_whatever_single_datagrams_of_it_are_lost([NUnit.Framework.Range(1, 40)] int seed)
    {
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = TenMilliseconds with { LossPpm = 400_000, DuplicatePpm = 200_000 };

        Pair pair = world.AddConnectedPair(WithLongHandshake);

        Assert.That(pair.Server.Status.IsOpen, Is.True, world.ReplayLine);
    }

    [Test]
    public void Every_datagram_is_counted_once_as_accepted_or_dropped()
    {
        using SimWorld world = new(3);
        world.Network.DefaultLink = TenMilliseconds with { DuplicatePpm = 300_000, CorruptPpm = 200_000 };
        Pair pair = world.AddConnectedPair(WithLongHandshake);

        for (int i = 0; i < 200; i++)
        {
            pair.Client.TrySend(new byte[100]);
            world.Run(TimeSpan.FromMilliseconds(3));
        }

        DaemonCounters counters = pair.Right.Daemon.ReadCounters();
        Assert.That(counters.DatagramsReceived, Is.EqualTo(counters.DatagramsAccepted + counters.DatagramsDropped));
        Assert.That(counters.Dropped(DropReason.Duplicate), Is.Positive);
        Assert.That(counters.Dropped(DropReason.BadChecksum), Is.Positive);
    }

    // Seed 1 of the swarm: an early packet, when numbers took one byte, came again 260 packets later and passed as new.
    [Test]
    public void A_packet_that_comes_again_after_many_others_is_not_taken_for_a_new_one()
    {
        Wiretap tap = new();
        using SimWorld world = new(1) { Tap = tap };
        Pair pair = world.AddConnectedPair();

        for (int i = 0; i < 300; i++)
        {
            pair.Client.TrySend([1]);
            world.Run(TimeSpan.FromMilliseconds(1));
            Receive(pair.Server);
        }

        for (int i = 0; i < tap.Count; i++)
        {
            world.Network.Inject(tap.At(i).From, tap.At(i).To, tap.At(i).Bytes);
        }

        world.Run(TimeSpan.FromMilliseconds(1));

        Assert.That(Receive(pair.Server), Is.Null);
        Assert.That(pair.Server.Status.IsFinal, Is.False, pair.Server.CloseReason?.ToString());
        Assert.That(pair.Client.Status.IsFinal, Is.False, pair.Client.CloseReason?.ToString());
    }

    // Seed 156 of the swarm: answers were lost for almost as long as the server remembers a candidate.
    [Test]
    public void A_handshake_whose_answer_came_late_has_time_to_finish()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = TenMilliseconds;
        Node left = world.AddNode(WithLongHandshake);
        Node right = world.AddNode(WithLongHandshake);
        Endpoint server = right.Open(7000);
        server.Listen();
        Connection client = left.Open(0).Connect(server.LocalAddress);
        world.Run(TimeSpan.FromMilliseconds(25));
        LinkModel cut = TenMilliseconds with { Cut = true };
        world.Network.SetLink(right.Host, left.Host, cut);
        world.Run(TimeSpan.FromSeconds(9));
        world.Network.SetLink(right.Host, left.Host, TenMilliseconds);
        long before = right.Daemon.ReadCounters().DatagramsSent;
        world.RunUntil(
            () => right.Daemon.ReadCounters().DatagramsSent > before, TimeSpan.FromMilliseconds(900), "An answer");
        world.Network.SetLink(left.Host, right.Host, cut);
        world.Run(TimeSpan.FromSeconds(2));
        Assert.That(client.Status.IsOpen, Is.True);

        world.Network.SetLink(left.Host, right.Host, TenMilliseconds);
        Connection? accepted = null;
        world.RunUntil(() => server.TryAccept(out accepted), TimeSpan.FromSeconds(5), "A finish");

        Assert.That(accepted!.Status.IsOpen, Is.True);
    }

    private static GudpConfig WithLongHandshake => SimWorld.Plain with
    {
        Connections = SimWorld.Plain.Connections with { HandshakeTimeout = TimeSpan.FromSeconds(60) },
    };

    private static string? Receive(Connection connection)
    {
        byte[] buffer = new byte[2_000];
        return connection.TryReceive(buffer, out int length) == ReceiveStatus.Received
            ? Encoding.UTF8.GetString(buffer, 0, length)
            : null;
    }
}
