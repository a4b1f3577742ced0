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
    public void A_peer_that_acknowledges_a_number_left_out_is_closed_and_one_that_skips_it_is_not()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);
        long leftOut = -1;

        for (int i = 0; i < 400 && leftOut < 0; i++)
        {
            server.TrySend("one"u8);
            world.Run(TimeSpan.FromMilliseconds(1));
            peer.Take();
            peer.Send(RawPeer.Ack(peer.LargestSeen, peer.LargestSeen));
            leftOut = peer.Seen[^2] + 1 == peer.LargestSeen ? -1 : peer.LargestSeen - 1;
        }

        bool isHonestOneOpen = !server.Status.IsFinal;
        peer.Send(RawPeer.Ack(leftOut - 1, peer.LargestSeen));

        Assert.That(leftOut, Is.Positive);
        Assert.That(isHonestOneOpen, Is.True);
        Assert.That(server.CloseReason!.Code, Is.EqualTo(CloseCode.AckedUnsent));
    }

    [Test]
    public void A_peer_that_repeats_ranges_is_told_what_is_settled()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);
        List<long> told = [];

        for (int i = 0; i < 25; i++)
        {
            server.TrySend("one"u8);
            world.Run(TimeSpan.FromMilliseconds(20));
            told.AddRange(peer.Take().SelectMany(SettledIn));
            long newest = peer.LargestSeen;
            byte[] ack = newest < 3
                ? RawPeer.Ack(0, newest)
                : RawPeer.Ack(new AckRange(newest, newest), new AckRange(0, newest - 2));
            peer.Send(ack);
        }

        // P-2.7: each once, ever newer ones, none above what has its fate.
        Assert.That(told, Has.Count.InRange(3, 25));
        Assert.That(told, Is.Ordered.Ascending);
        Assert.That(told, Is.Unique);
        Assert.That(told, Is.All.LessThan(peer.LargestSeen));
    }

    [Test]
    public void Ranges_below_what_the_peer_calls_settled_are_not_repeated()
    {
        using SimWorld world = new(1);
        (RawPeer peer, _) = OpenRaw(world);
        peer.SendNumbered(10, Ping);
        peer.SendNumbered(12, Ping);
        peer.SendNumbered(14, Ping);
        world.Run(TimeSpan.FromMilliseconds(1));
        int before = peer.Take().Max(RangesIn);
        byte[] settled = new byte[16];
        int length = FrameWriter.WriteSettled(settled, new PacketNumber(14));

        peer.SendNumbered(16, [.. settled[..length], FrameType.Ping]);
        peer.SendNumbered(18, Ping);
        world.Run(TimeSpan.FromMilliseconds(1));
        int after = peer.Take().Max(RangesIn);

        Assert.That(before, Is.EqualTo(3));
        Assert.That(after, Is.EqualTo(3), "14, 16 and 18 remain.");
    }

    // S-10.2, W-2.7
    [Test]
    public void A_stranger_gets_no_more_bytes_than_it_sent_before_it_has_proved_its_address()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        Endpoint endpoint = node.Open(7000);
        endpoint.Listen();
        RawPeer peer = new(world, endpoint);

        peer.AskForAnswer();
        world.Run(TimeSpan.FromSeconds(10));

        DaemonCounters counters = node.Daemon.ReadCounters();
        Assert.That(counters.BytesSent, Is.Positive);
        Assert.That(counters.BytesSent, Is.LessThanOrEqualTo(counters.BytesReceived));
    }

    // S-5.5, S-5.6
    [Test]
    public void A_closed_connection_answers_three_late_packets_and_is_forgotten_after_three_probe_time_outs()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        (RawPeer peer, Connection server) = OpenRaw(world, node);
        peer.Send(RawPeer.Ack(0, peer.LargestSeen));
        TimeSpan roundTrip = server.ReadCounters().SmoothedRtt;
        server.Close();
        world.Run(TimeSpan.FromMilliseconds(10));
        int goodbyes = peer.Take().Count(IsClose);

        for (int i = 0; i < 5; i++)
        {
            peer.Send(Ping);
        }

        int answers = peer.Take().Count(IsClose);
        long late = node.Daemon.ReadCounters().Dropped(DropReason.ConnectionClosed);
        world.Run(3 * (roundTrip + (2 * roundTrip) + TimeSpan.FromMilliseconds(25)));
        peer.Send(Ping);

        Assert.That(goodbyes, Is.EqualTo(3));
        Assert.That(answers, Is.EqualTo(3));
        Assert.That(late, Is.EqualTo(5));
        Assert.That(node.Daemon.ReadCounters().Dropped(DropReason.UnknownConnection), Is.EqualTo(1));
    }

    // P-3.3
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

    private static IEnumerable<long> SettledIn(byte[] packet)
    {
        List<long> told = [];
        FrameReader reader = new(packet);

        while (reader.TryNext(out Frame frame))
        {
            if (frame.Type == FrameType.Settled)
            {
                told.Add(frame.SettledBelow.Value);
            }
        }

        return told;
    }

    private static int RangesIn(byte[] packet)
    {
        FrameReader reader = new(packet);
        int count = 0;

        while (reader.TryNext(out Frame frame))
        {
            AckRangeReader ranges = frame.Type == FrameType.Ack ? frame.AckRanges : default;

            while (ranges.TryNext(out _))
            {
                count++;
            }
        }

        return count;
    }

    private static bool IsClose(byte[] packet)
    {
        FrameReader reader = new(packet);
        return reader.TryNext(out Frame frame) && frame.Type == FrameType.Close;
    }

    private static (RawPeer Peer, Connection Server) OpenRaw(SimWorld world) => OpenRaw(world, world.AddNode());

    private static (RawPeer Peer, Connection Server) OpenRaw(SimWorld world, Node node)
    {
        Endpoint endpoint = node.Open(7000);
        endpoint.Listen();
        RawPeer peer = new(world, endpoint);
        peer.Open();
        Assert.That(endpoint.TryAccept(out Connection? server), Is.True);
        world.Run(TimeSpan.FromMilliseconds(1));
        peer.Take();
        return (peer, server!);
    }
}
