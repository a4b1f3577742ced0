using Gudp.Core;
using Gudp.Core.Wire;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>A peer that abuses the frames of paths and ids (P-9): it may end its own connection and nothing else.</summary>
[TestFixture]
public sealed class HostilePathTests
{
    [Test]
    public void A_flood_of_challenges_gets_one_answer_for_a_datagram_and_none_longer_than_it()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);
        peer.Take();
        byte[] frames = new byte[9 * 100];

        for (int i = 0; i < 100; i++)
        {
            FrameWriter.WritePathChallenge(frames.AsSpan(9 * i), (ulong)i);
        }

        long sentBefore = server.ReadCounters().BytesSent;

        for (int i = 0; i < 50; i++)
        {
            peer.Send(frames);
        }

        int answers = peer.Take().Sum(CountResponses);
        long sent = server.ReadCounters().BytesSent - sentBefore;

        Assert.That(answers, Is.InRange(1, 50));
        Assert.That(sent, Is.LessThan(2 * 50 * (frames.Length + 17)), "The answers and the acks.");
        Assert.That(server.Status.IsOpen, Is.True);
    }

    [Test]
    public void Answers_that_nobody_asked_for_do_nothing()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);
        PeerAddress before = server.RemoteAddress;
        byte[] response = new byte[9];

        for (ulong i = 0; i < 1_000; i++)
        {
            FrameWriter.WritePathResponse(response, i);
            peer.Send(response);
        }

        Assert.That(server.Status.IsOpen, Is.True);
        Assert.That(server.RemoteAddress, Is.EqualTo(before));
        Assert.That(server.ReadCounters().PathChanges, Is.Zero);
    }

    [Test]
    public void A_flood_of_ids_closes_the_connection_at_the_eighth()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);
        byte[] frame = new byte[32];

        for (ulong i = 1; i <= 7; i++)
        {
            peer.Send(frame.AsSpan(0, FrameWriter.WriteNewId(frame, i, 1_000 + i, new byte[16])));
        }

        bool isOpen = server.Status.IsOpen;
        peer.Send(frame.AsSpan(0, FrameWriter.WriteNewId(frame, 8, 1_008, new byte[16])));

        Assert.That(isOpen, Is.True);
        Assert.That(server.CloseReason!.Code, Is.EqualTo(CloseCode.CreditExceeded));
    }

    [TestCase(0u)]
    [TestCase(9u)]
    public void Retiring_an_id_that_the_packet_itself_names_or_that_was_never_given_closes_the_connection(uint sequence)
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world);
        byte[] frame = new byte[9];

        peer.Send(frame.AsSpan(0, FrameWriter.WriteRetireId(frame, sequence)));

        Assert.That(server.CloseReason!.Code, Is.EqualTo(CloseCode.MalformedFrame));
    }

    [Test]
    public void Ids_retired_one_after_another_are_replaced_one_by_one()
    {
        using SimWorld world = new(1);
        (RawPeer peer, Connection server) = OpenRaw(world, spareIds: 2);
        byte[] frame = new byte[9];

        // The server offered sequences 1 and 2; each retired one brings another.
        for (uint sequence = 1; sequence <= 200; sequence++)
        {
            peer.Send(frame.AsSpan(0, FrameWriter.WriteRetireId(frame, sequence)));
        }

        HashSet<ulong> offered = [];

        foreach (byte[] frames in peer.Take())
        {
            FrameReader reader = new(frames);

            while (reader.TryNext(out Frame offer))
            {
                if (offer.Type == FrameType.NewId)
                {
                    offered.Add(offer.IdSequence);
                }
            }
        }

        Assert.That(server.Status.IsOpen, Is.True);
        Assert.That(offered, Has.Count.InRange(3, 202));
    }

    // Somebody who reads along sends a newer packet from elsewhere and hands the challenge on to the peer, which answers
    // it from where it is (P-9.7).
    [Test]
    public void An_echo_from_where_the_peer_is_moves_nobody_elsewhere()
    {
        PeerAddress elsewhere = PeerAddress.FromIPv4(0x0A00_00C8, 5_555);
        Wiretap tap = new();
        using SimWorld world = new(1) { Tap = tap };
        (RawPeer peer, Connection server) = OpenRaw(world);
        PeerAddress before = server.RemoteAddress;
        peer.SendFrom(elsewhere, FrameType.Ping);
        ulong token = TokenOfChallenge(tap, elsewhere);
        byte[] response = new byte[9];
        FrameWriter.WritePathResponse(response, token);

        peer.Send(response);

        Assert.That(server.RemoteAddress, Is.EqualTo(before));
        Assert.That(server.ReadCounters().PathChanges, Is.Zero);
        Assert.That(server.Status.IsPathValidated, Is.True);
    }

    private static ulong TokenOfChallenge(Wiretap tap, PeerAddress to)
    {
        for (int i = 0; i < tap.Count; i++)
        {
            if (tap.At(i).To == to && ShortHeader.TryParse(tap.At(i).Bytes, out ShortHeader header) == DropReason.None)
            {
                FrameReader reader = new(tap.At(i).Bytes.AsSpan()[header.HeaderBytes..^WireFormat.TrailerBytes]);

                while (reader.TryNext(out Frame frame))
                {
                    if (frame.Type == FrameType.PathChallenge)
                    {
                        return frame.PathToken;
                    }
                }
            }
        }

        throw new AssertionException("No challenge was sent.");
    }

    private static int CountResponses(byte[] frames)
    {
        FrameReader reader = new(frames);
        int count = 0;

        while (reader.TryNext(out Frame frame))
        {
            count += frame.Type == FrameType.PathResponse ? 1 : 0;
        }

        return count;
    }

    private static (RawPeer Peer, Connection Server) OpenRaw(SimWorld world, int spareIds = 1)
    {
        world.Network.DefaultLink = new() { Delay = TimeSpan.FromMilliseconds(1) };
        Node node = world.AddNode();
        PathConfig path = new() { AllowAddressChange = true, SpareIds = spareIds };
        Endpoint endpoint = node.Open(7000, SimWorld.Plain.Connections with { Path = path });
        endpoint.Listen();
        RawPeer peer = new(world, endpoint);
        peer.Open();
        Assert.That(endpoint.TryAccept(out Connection? server), Is.True);
        return (peer, server!);
    }
}
