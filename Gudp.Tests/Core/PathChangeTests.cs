using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Wire;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>A peer whose address changes (P-9.5 to P-9.9, scenario T8), in virtual time.</summary>
[TestFixture]
public sealed class PathChangeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly PathConfig Movable = new() { AllowAddressChange = true };
    private static readonly PeerAddress Elsewhere = PeerAddress.FromIPv4(0x0A00_00C8, 5_555);

    private static readonly LinkModel Clean = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        RateBytesPerSecond = 500_000,
        QueueBytes = 50_000,
    };

    // P-9.7
    [Test]
    public void T8_A_rebound_client_keeps_its_connection([Values(1, 2, 3)] int seed)
    {
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = Clean;
        using BulkTransfer transfer = new(world, Movable, bytes: 10_000_000);
        PeerAddress local = transfer.Client.Connection.LocalAddress;
        PeerAddress outside = local;

        for (int i = 0; i < 3; i++)
        {
            transfer.Run(TimeSpan.FromSeconds(5));
            outside = world.Network.Rebind(local, changesAddress: i == 2);
        }

        transfer.Complete(Limit);

        TestContext.Out.WriteLine($"{world.ReplayLine}; {transfer.AtServer}");
        Assert.That(transfer.Server.Connection.RemoteAddress, Is.EqualTo(outside));
        Assert.That(transfer.AtServer.PathChanges, Is.EqualTo(3));
        Assert.That(transfer.AtServer.PathChallengesSent, Is.GreaterThanOrEqualTo(6), "The new path and the old.");
        Assert.That(transfer.Client.Status.IsOpen && transfer.Server.Status.IsOpen, Is.True);
    }

    [Test]
    public void T8_A_sender_follows_a_receiver_that_was_rebound()
    {
        using SimWorld world = new(seed: 4);
        world.Network.DefaultLink = Clean;
        Pair pair = Connected(world);
        PeerAddress outside = world.Network.Rebind(pair.Client.LocalAddress, changesAddress: true);

        // Only the server speaks: it learns of the move by the client's heartbeats.
        world.RunUntil(
            () =>
            {
                pair.Server.TrySend("to where you are"u8);
                return pair.Server.RemoteAddress == outside;
            },
            TimeSpan.FromSeconds(5),
            "the move");
        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(pair.Server.Status.IsOpen, Is.True);
        Assert.That(pair.Client.ReadCounters().PayloadBytesReceived, Is.GreaterThan(0));
    }

    [Test]
    public void T8_A_forged_rebinding_is_refused()
    {
        Wiretap tap = new();
        using SimWorld world = new(seed: 5) { Tap = tap };
        world.Network.DefaultLink = Clean;
        Pair pair = Connected(world);
        PeerAddress before = pair.Server.RemoteAddress;
        TappedDatagram last = LastOf(tap, pair.Client.LocalAddress);
        byte[] forged = Forged(last.Bytes, ahead: 1, frames: [FrameType.Ping]);

        world.Network.Inject(Elsewhere, last.To, forged);
        world.Settle();
        world.Run(TimeSpan.FromMilliseconds(1));
        bool isValidated = pair.Server.Status.IsPathValidated;
        world.Run(TimeSpan.FromSeconds(10));

        Assert.That(isValidated, Is.False, "While the address is being proved.");
        Assert.That(pair.Server.RemoteAddress, Is.EqualTo(before));
        Assert.That(pair.Server.ReadCounters().PathChallengesSent, Is.GreaterThan(0));
        Assert.That(pair.Server.ReadCounters().PathChanges, Is.Zero);
        Assert.That(pair.Server.Status.IsPathValidated, Is.True, "The peer answered from where it is.");
        Assert.That(pair.Server.Status.IsOpen && pair.Client.Status.IsOpen, Is.True);
    }

    [Test]
    public void A_copy_sent_from_another_address_does_nothing()
    {
        Wiretap tap = new();
        using SimWorld world = new(seed: 6) { Tap = tap };
        world.Network.DefaultLink = Clean;
        Pair pair = Connected(world);
        TappedDatagram last = LastOf(tap, pair.Client.LocalAddress);

        for (int i = 0; i < 100; i++)
        {
            world.Network.Inject(Elsewhere.WithPort(1_000 + i), last.To, last.Bytes);
        }

        world.Run(TimeSpan.FromSeconds(2));

        Assert.That(pair.Server.ReadCounters().PathChallengesSent, Is.Zero);
        Assert.That(pair.Right.Daemon.ReadCounters().Dropped(DropReason.Duplicate), Is.GreaterThanOrEqualTo(100));
        Assert.That(pair.Server.Status.IsPathValidated, Is.True);
    }

    [Test]
    public void Without_the_option_packets_from_elsewhere_are_a_strangers()
    {
        using SimWorld world = new(seed: 7);
        world.Network.DefaultLink = Clean;
        Pair pair = world.AddConnectedPair();
        PeerAddress before = pair.Server.RemoteAddress;

        world.Network.Rebind(pair.Client.LocalAddress, changesAddress: false);
        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(pair.Server.RemoteAddress, Is.EqualTo(before));
        Assert.That(
            pair.Right.Daemon.ReadCounters().Dropped(DropReason.UnknownConnection), Is.GreaterThan(0));
        Assert.That(pair.Server.ReadCounters().PathChallengesSent, Is.Zero);
    }

    [Test]
    public void Bytes_to_an_address_without_proof_stay_below_three_times_those_from_it()
    {
        Wiretap tap = new();
        using SimWorld world = new(seed: 8) { Tap = tap };
        world.Network.DefaultLink = Clean;
        Pair pair = Connected(world);
        TappedDatagram last = LastOf(tap, pair.Client.LocalAddress);
        SimulatedHost victim = world.Network.AddHost(0x0A00_00C8);
        Gudp.Core.Sockets.IDatagramSocket socket = victim.Open(Elsewhere, 0, 0);
        byte[] buffer = new byte[65_507];
        long received = 0;
        long forgedBytes = 0;

        for (int i = 1; i <= 50; i++)
        {
            byte[] forged = Forged(last.Bytes, ahead: i, frames: [FrameType.Ping]);
            forgedBytes += forged.Length;
            world.Network.Inject(Elsewhere, last.To, forged);
            world.Run(TimeSpan.FromMilliseconds(200));

            while (socket.TryReceive(buffer, out int length, out _, out _) == Gudp.Core.Sockets.SocketOutcome.Done)
            {
                received += length;
            }

            Assert.That(received, Is.LessThanOrEqualTo(3 * forgedBytes));
        }

        Assert.That(received, Is.GreaterThan(0));
        Assert.That(pair.Server.ReadCounters().PathChanges, Is.Zero);
    }

    [Test]
    public void Many_forged_addresses_neither_move_nor_end_the_connection()
    {
        Wiretap tap = new();
        using SimWorld world = new(seed: 9) { Tap = tap };
        world.Network.DefaultLink = Clean;
        Pair pair = Connected(world);
        TappedDatagram last = LastOf(tap, pair.Client.LocalAddress);
        PeerAddress before = pair.Server.RemoteAddress;

        for (int i = 1; i <= 2_000; i++)
        {
            byte[] forged = Forged(last.Bytes, ahead: i, frames: [FrameType.Ping]);
            world.Network.Inject(Elsewhere.WithPort(1_000 + i), last.To, forged);

            if (i % 100 == 0)
            {
                world.Run(TimeSpan.FromMilliseconds(10));
            }
        }

        world.Run(TimeSpan.FromSeconds(20));

        Assert.That(pair.Server.RemoteAddress, Is.EqualTo(before));
        Assert.That(pair.Server.ReadCounters().PathChallengesSent, Is.LessThanOrEqualTo(2 * 2_000));
        Assert.That(pair.Server.Status.IsPathValidated, Is.True);
    }

    private static Pair Connected(SimWorld world)
    {
        GudpConfig config = SimWorld.Plain with { Connections = SimWorld.Plain.Connections with { Path = Movable } };
        Pair pair = world.AddConnectedPair(config);
        world.Run(TimeSpan.FromSeconds(2.2));
        return pair;
    }

    private static TappedDatagram LastOf(Wiretap tap, PeerAddress from)
    {
        TappedDatagram? last = null;

        for (int i = 0; i < tap.Count; i++)
        {
            last = tap.At(i).From == from ? tap.At(i) : last;
        }

        return last!;
    }

    /// <summary>What somebody who reads along can make: an intact packet with a number the peer has not used yet.</summary>
    private static byte[] Forged(byte[] seen, int ahead, ReadOnlySpan<byte> frames)
    {
        ShortHeader.TryParse(seen, out ShortHeader header);
        byte[] forged = new byte[WireFormat.MinAckElicitingBytes];
        long number = header.NumberBits + ahead;
        int position = ShortHeader.Write(
            forged, header.DestinationId, header.IsFromServer, new PacketNumber(number), -1, header.NumberWidthBytes);
        frames.CopyTo(forged.AsSpan(position));
        new PacketTrailer(applicationId: 0).SealShort(forged);
        return forged;
    }
}
