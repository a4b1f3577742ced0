using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>A peer whose messages the application does not want (M8, D-12.7, D-9.9).</summary>
[TestFixture]
public sealed class BlockedPeerTests
{
    private static readonly PeerId Kept = PeerId.Parse("600d1d");
    private static readonly SendOptions Asked = new() { NotifyTaken = true };

    // Goal: what waits is dropped at the block, what arrives as it comes, however much; all counted, refused to who asked,
    //   its credit given back; sending to the peer goes on; after the block all is as before.
    [Test]
    public void M8_A_blocked_peer_is_heard_no_more_and_sent_to_all_the_same_until_it_is_unblocked()
    {
        const int WhileBlocked = 200;
        MessagingConfig narrow = PeerWorld.Hasty with { LaneRingBytes = 64 * 1024 };
        using PeerWorld world = new(seed: 1);
        Place client = world.Add(narrow);
        Place server = world.Add(narrow);
        (Peer dialled, Peer accepted) = world.Connect(client, server);
        dialled.TrySend("waits"u8, Asked, out SendReceipt waiting);
        world.Run(seconds: 0.5);

        accepted.Block();
        world.Run(seconds: 0.5);
        SendReceipt dropped = dialled.StateOf(waiting.Id);

        // Far more than the credit of a lane that nobody reads.
        for (int i = 0; i < WhileBlocked; i++)
        {
            Assert.That(dialled.TrySend(new byte[4_000], Asked), Is.EqualTo(SendStatus.Accepted), $"Message {i}.");
            world.Run(seconds: 0.05);
        }

        bool heard = accepted.TryReceive(out _);
        accepted.TrySend("answer"u8);
        string answer = world.Await(dialled);
        world.Run(seconds: 1);
        MessageCounters counted = accepted.ReadCounters().Messages;
        MessageCounters asked = dialled.ReadCounters().Messages;
        accepted.Unblock();
        dialled.TrySend("wanted again"u8);

        Assert.That(dropped.Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(dropped.Take, Is.EqualTo(TakeState.Refused));
        Assert.That(heard, Is.False);
        Assert.That(answer, Is.EqualTo("answer"));
        Assert.That(counted.Dropped(MessageDrop.Blocked), Is.EqualTo(WhileBlocked + 1));
        Assert.That(counted.MessagesReceived, Is.Zero);
        Assert.That(asked.TakesRefused, Is.EqualTo(WhileBlocked + 1));
        Assert.That(world.Await(accepted), Is.EqualTo("wanted again"));
    }

    [Test]
    public void M8_A_block_drops_what_waits_of_the_connection_before_too_and_holds_on_the_next()
    {
        using PeerWorld world = new(seed: 2);
        Place server = world.Add();
        Place client = world.Add(id: Kept);
        (Peer first, Peer accepted) = world.Connect(client, server);
        first.TrySend("former"u8);
        world.Run(seconds: 0.5);
        first.Close();
        world.Run(seconds: 2);
        Peer second = client.Endpoint.Connect(server.Address);
        second.TrySend("present"u8);
        world.RunUntil(() => accepted.Status.IsOpen, "The second");
        world.Run(seconds: 0.5);

        accepted.Block();
        accepted.Unblock();
        string[] read = PeerWorld.ReadAll(accepted);
        accepted.Block();
        second.Close();
        world.Run(seconds: 2);
        Peer third = client.Endpoint.Connect(server.Address);
        third.TrySend("next"u8);
        world.RunUntil(() => accepted.IsActive && third.IsActive, "The third");
        world.Run(seconds: 0.5);

        Assert.That(read, Is.Empty);
        Assert.That(PeerWorld.ReadAll(accepted), Is.Empty);
        Assert.That(accepted.ReadStatistics().Messages.Messages.Dropped(MessageDrop.Blocked), Is.EqualTo(3));
        Assert.That(server.Endpoint.SessionsGivenUp, Is.Zero);
    }

    [Test]
    public void M8_A_peer_that_ended_with_messages_that_wait_is_blocked_without_them_and_forgotten_when_unblocked()
    {
        using PeerWorld world = new(seed: 3);
        Place client = world.Add();
        Place server = world.Add();
        (Peer dialled, Peer accepted) = world.Connect(client, server);
        dialled.TrySend("unread"u8);
        world.Run(seconds: 0.5);
        dialled.Close();
        world.Run(seconds: 5);

        accepted.Block();
        int blocked = server.Endpoint.CountPeers(PeerFilter.Blocked);
        accepted.Unblock();

        Assert.That(blocked, Is.EqualTo(1));
        Assert.That(server.Endpoint.CountPeers(PeerFilter.Known), Is.Zero);
        Assert.That(server.Endpoint.Memory.Blocks, Is.Zero);
    }
}
