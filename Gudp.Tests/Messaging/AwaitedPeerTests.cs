using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>A pinned peer between two connections: what a sender is told, and how time goes on.</summary>
[TestFixture]
public sealed class AwaitedPeerTests
{
    private const int UnorderedLane = 3;

    private static readonly byte[] Text = "hello"u8.ToArray();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public void D_13_5_Who_sends_between_two_connections_is_told_once_when_to_send_again()
    {
        using PeerWorld world = new(seed: 31);
        LateSender sink = new(peer => [peer.TrySend(Text), peer.TrySend(Text), ClaimStatus(peer)]);
        Place client = world.Add(sink: sink);
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        world.RunUntil(() => pinned.IsActive, "The connection");

        accepted.Close();
        world.RunUntil(() => sink.Changes.Contains(PeerChange.Writable), "The signal");
        bool wasThere = pinned.IsActive;
        string received = world.Await(world.Accept(server));
        PeerChange[] expected = [PeerChange.Opened, PeerChange.Closed, PeerChange.Writable, PeerChange.Opened];

        Assert.That(sink.Refused, Has.Length.EqualTo(3).And.All.EqualTo(SendStatus.NotOpen));
        Assert.That(sink.WorthTrying, Is.False, "Whoever waits for it waits.");
        Assert.That(wasThere, Is.False, "It may be long until it is there, and what is sent waits.");
        Assert.That(sink.Again, Is.EqualTo(SendStatus.Accepted));
        Assert.That(received, Is.EqualTo("hello"));
        Assert.That(sink.Changes, Is.EqualTo(expected));
    }

    [Test]
    public void D_13_5_When_the_wish_is_taken_back_the_next_send_is_refused_for_good()
    {
        using PeerWorld world = new(seed: 32);
        LateSender sink = new(peer =>
        {
            SendStatus before = peer.TrySend(Text);
            peer.Unpin();
            return [before, peer.TrySend(Text), ClaimStatus(peer)];
        });
        Place client = world.Add(sink: sink);
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        world.RunUntil(() => pinned.IsActive, "The connection");

        accepted.Close();
        world.Run(seconds: 10);

        Assert.That(
            sink.Refused, Is.EqualTo(new[] { SendStatus.NotOpen, SendStatus.Closed, SendStatus.Closed }));
        Assert.That(sink.WorthTrying, Is.True, "Whoever waited learns it by the next send.");
        Assert.That(sink.Changes, Is.EqualTo(new[] { PeerChange.Opened, PeerChange.Closed }));
    }

    [Test]
    public void D_13_5_SendAsync_waits_through_the_time_between_two_connections()
    {
        using PeerWorld world = new(seed: 33);
        Task<SendReceipt>? sending = null;
        LateSender sink = new(peer =>
        {
            sending = peer.SendAsync(Text).AsTask();
            return [SendStatus.NotOpen];
        });
        Place client = world.Add(sink: sink);
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        world.RunUntil(() => pinned.IsActive, "The connection");
        int before = pinned.Incarnation;

        accepted.Close();
        world.RunUntil(() => sending is not null, "The end");
        world.Run(seconds: 1);

        // Not awaited: the world is driven by the thread that made it.
        bool ended = sending!.Wait(Patience);
        string received = world.Await(world.Accept(server));

        Assert.That(ended, Is.True);
        Assert.That(sending.Result.Id.Incarnation, Is.GreaterThan(before));
        Assert.That(received, Is.EqualTo("hello"));
    }

    // Goal: what was meant for a moment ago is not delivered minutes late.
    [TestCase(SendOptions.DefaultLane)]
    [TestCase(SendOptions.UnreliableLane)]
    [TestCase(UnorderedLane)]
    public void M4_D_10_2_time_to_live_runs_while_the_peer_is_dialled(int lane)
    {
        using PeerWorld world = new(seed: 34);
        MessagingConfig config = PeerWorld.Hasty with
        {
            LanePlan = LanePlan.Default.With(UnorderedLane, new LaneOptions { Mode = LaneMode.UnorderedReliable }),
        };
        Place client = world.Add(config);
        Place server = world.Add(config);
        PeerAddress address = server.Address;
        server.Endpoint.Dispose();
        Peer pinned = client.Endpoint.Pin(address);
        SendOptions lasting = new() { Lane = lane, NotifyTaken = true };
        SendOptions mortal = lasting with { ReceiveTimeout = TimeSpan.FromSeconds(5) };

        pinned.TrySend("late"u8, mortal, out SendReceipt late);
        pinned.TrySend("lasting"u8, lasting, out SendReceipt kept);
        world.Run(seconds: 4.5);
        SendReceipt inTime = pinned.StateOf(late.Id);
        world.Run(seconds: 1);
        ReceiptUpdate[] updates = new ReceiptUpdate[4];
        int told = pinned.TakeUpdates(updates);
        SendReceipt expected = late with { Transfer = TransferState.Expired, Take = TakeState.Expired };
        server.Open();
        string received = world.Await(world.Accept(server));
        world.Run(seconds: 1);

        Assert.That(inTime, Is.EqualTo(late));
        Assert.That(updates[..told], Is.EqualTo(new[] { new ReceiptUpdate(expected) }));
        Assert.That(received, Is.EqualTo("lasting"));
        Assert.That(pinned.StateOf(late.Id), Is.EqualTo(expected), "An end never changes.");
        Assert.That(pinned.StateOf(kept.Id).Take, Is.EqualTo(TakeState.Taken));
    }

    // Goal: an unreliable lane to a peer that is away is not full of what expired.
    [Test]
    public void M4_what_expired_while_an_unreliable_peer_is_dialled_makes_room()
    {
        using PeerWorld world = new(seed: 35);
        Place client = world.Add();
        Place server = world.Add();
        PeerAddress address = server.Address;
        server.Endpoint.Dispose();
        Peer pinned = client.Endpoint.Pin(address);
        SendOptions mortal = SendOptions.Unreliable with { ReceiveTimeout = TimeSpan.FromSeconds(1) };
        int sent = 0;

        for (int round = 0; round < 3; round++)
        {
            while (pinned.TrySend([1], mortal) == SendStatus.Accepted)
            {
                sent++;
            }

            world.Run(seconds: 2);
        }

        Assert.That(sent, Is.EqualTo(3 * 16_384), "The lane's most messages, each time.");
        Assert.That(pinned.ReadLane(SendOptions.UnreliableLane).Messages.TransfersExpired, Is.EqualTo(sent));
    }

    private static SendStatus ClaimStatus(Peer peer)
    {
        SendStatus status = peer.TryClaim(1, default, out MessageClaim claim);
        claim.Abandon();
        return status;
    }

    /// <summary>Sends when it hears of an end, and again when it is told that it may.</summary>
    private sealed class LateSender(Func<Peer, SendStatus[]> whenClosed) : IMessageSink
    {
        internal List<PeerChange> Changes { get; } = [];

        internal SendStatus[] Refused { get; private set; } = [];

        internal bool WorthTrying { get; private set; }

        internal SendStatus? Again { get; private set; }

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        {
        }

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
            bool isFirstEnd = change == PeerChange.Closed && Refused.Length == 0;
            Changes.Add(change);

            if (isFirstEnd)
            {
                Refused = whenClosed(peer);
                WorthTrying = peer.WaitToSend(TimeSpan.Zero);
            }
            else if (change == PeerChange.Writable)
            {
                Again = peer.TrySend(Text);
            }
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }
}
