using Gudp.Core;
using Gudp.Core.Wire;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>A peer that speaks the bytes and breaks the rules: it may end its connection and nothing else.</summary>
[TestFixture]
public sealed class HostilePeerTests
{
    private static readonly byte[] Ping = [FrameType.Ping];

    [Test]
    public void A_peer_that_acknowledges_what_was_never_sent_is_closed()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);

        peer.Send(RawPeer.Ack(0, 1_000));

        Assert.That(server.CloseReason!.Code, Is.EqualTo(CloseCode.AckedUnsent));
    }

    [Test]
    public void A_peer_that_acknowledges_nothing_is_given_up_when_the_numbers_run_out()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);

        // Two packets bring one ack, and each ack takes a number that the unanswered first packet keeps in the ring.
        for (int i = 0; i < 140_000 && !server.Status.IsFinal; i++)
        {
            peer.Send(Ping);
            peer.Take();
        }

        for (int i = 0; i < 100_000 && !server.Status.IsFinal; i++)
        {
            world.Run(TimeSpan.FromSeconds(1));
            peer.Send(Ping);
            peer.Take();
        }

        Assert.That(server.Status.IsFinal, Is.True);
        Assert.That(server.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
    }

    [Test]
    public void An_end_that_only_receives_asks_for_an_ack_when_its_ranges_grow()
    {
        using SimWorld world = new(1);
        (RawPeer peer, _) = OpenRaw(world);
        peer.Send(RawPeer.Ack(0, peer.LargestSeen));
        int asked = 0;

        for (int i = 1; i <= 100; i++)
        {
            // Every other number is missing, so each packet is acknowledged at once and adds a range.
            peer.SendNumbered(10 + (2 * i), Ping);
            asked += peer.Take().Count(IsAckWithPing);
        }

        Assert.That(asked, Is.InRange(1, 5));
    }

    [TestCase(new byte[] { 0x3F }, CloseCode.UnknownFrame)]
    [TestCase(new byte[] { 0x10, 0x05, 0x01 }, CloseCode.MalformedFrame)]
    [TestCase(new byte[] { 0x0F }, CloseCode.UnknownFrame)]
    [TestCase(new byte[] { 0x02, 0x00 }, CloseCode.MalformedFrame)]
    public void A_frame_that_breaks_the_rules_closes_the_connection_with_its_code(byte[] frames, CloseCode expected)
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);

        peer.Send(frames);
        world.Run(TimeSpan.FromSeconds(10));

        Assert.That(server.CloseReason!.Code, Is.EqualTo(expected));
        Assert.That(peer.Take().Count(said => said.Contains(FrameType.Close)), Is.EqualTo(3));
    }

    [Test]
    public void A_frame_of_the_future_is_skipped()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);

        peer.Send(0x40, 0x5F, 0x02, 0xAA, 0xBB, 0x10, 0x01, 0x07);

        Assert.That(server.TryReceive(new byte[10], out int length), Is.EqualTo(ReceiveStatus.Received));
        Assert.That(length, Is.EqualTo(1));
    }

    [TestCase(0L, 0L, 0L, 0L)]
    [TestCase(long.MaxValue >> 2, long.MaxValue >> 2, long.MaxValue >> 2, long.MaxValue >> 2)]
    [TestCase(1L, 1L, 1L, 1L)]
    public void Extreme_terms_are_clamped_and_harm_nobody(long idle, long delay, long datagram, long buffer)
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        Endpoint endpoint = node.Open(7000);
        endpoint.Listen();
        RawPeer peer = new(world, endpoint);

        peer.Open(terms =>
        {
            terms.IdleTimeoutMilliseconds = idle;
            terms.MaxAckDelayMicroseconds = delay;
            terms.LargestDatagramBytes = datagram;
            terms.ReceiveBufferBytes = buffer;
        });

        Assert.That(endpoint.TryAccept(out Connection? server), Is.True);
        server!.TrySend(new byte[1_000]);
        world.Run(TimeSpan.FromSeconds(60));
        Assert.That(node.Daemon.Fault, Is.Null);
        Assert.That(server.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
    }

    [Test]
    public void A_finish_that_finds_the_accept_queue_full_succeeds_when_it_is_repeated_later()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        Endpoint endpoint = node.Open(7000, SimWorld.Plain.Connections with
        {
            Queues = new QueueConfig { PendingAccepts = 1 },
        });
        endpoint.Listen();
        RawPeer first = new(world, endpoint);
        RawPeer second = new(world, endpoint);
        ulong firstId = first.AskForAnswer();
        ulong secondId = second.AskForAnswer();
        first.Finish(firstId);
        second.Finish(secondId);
        Assert.That(node.Daemon.ReadCounters().Dropped(DropReason.Busy), Is.EqualTo(1));

        endpoint.TryAccept(out _);
        second.Finish(secondId);

        Assert.That(endpoint.TryAccept(out Connection? accepted), Is.True);
        Assert.That(accepted!.Status.IsOpen, Is.True);
    }

    [Test]
    public void More_candidates_than_connections_do_not_exceed_the_limit_of_connections()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode(SimWorld.Plain with { MaxConnections = 2 });
        Endpoint endpoint = node.Open(7000);
        endpoint.Listen();
        List<(RawPeer Peer, ulong Id)> peers = [];

        for (int i = 0; i < 4; i++)
        {
            RawPeer peer = new(world, endpoint);
            peers.Add((peer, peer.AskForAnswer()));
        }

        peers.ForEach(candidate => candidate.Peer.Finish(candidate.Id));

        int accepted = 0;

        while (endpoint.TryAccept(out _))
        {
            accepted++;
        }

        Assert.That(accepted, Is.EqualTo(2));
    }

    private static bool IsAckWithPing(byte[] frames)
    {
        FrameReader reader = new(frames);
        bool hasAck = false;
        bool hasPing = false;

        while (reader.TryNext(out Frame frame))
        {
            hasAck |= frame.Type == FrameType.Ack;
            hasPing |= frame.Type == FrameType.Ping;
        }

        return hasAck && hasPing;
    }

    private static (RawPeer Peer, Connection Server) OpenRaw(SimWorld world)
    {
        Endpoint endpoint = world.AddNode().Open(7000);
        endpoint.Listen();
        RawPeer peer = new(world, endpoint);
        peer.Open();
        Assert.That(endpoint.TryAccept(out Connection? server), Is.True);
        world.Run(TimeSpan.FromMilliseconds(1));
        peer.Take();
        return (peer, server!);
    }
}
