using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <content>R1: what the counters of each queue say.</content>
public sealed partial class BackPressureTests
{
    [TestCase(1)]
    [TestCase(3)]
    public void R1_updates_that_wait_are_a_queue_with_limits_a_high_water_mark_and_refusals(int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendOptions ask = new() { Lane = lane, NotifyReceived = true };
        SendStatus refused = SendUntilRefused(pair.Client.Peer, [], ask);
        QueueCounters full = pair.Client.Peer.ReadLane(lane).Updates;
        int fetched = 0;

        for (int step = 0; step < 2_000 && fetched < 4_096; step++)
        {
            ReadAll(pair.Server.Peer);
            pair.Step();
            fetched += pair.Client.Peer.TakeUpdates(new ReceiptUpdate[256]);
        }

        QueueCounters empty = pair.Client.Peer.ReadLane(lane).Updates;

        Assert.That(refused, Is.EqualTo(SendStatus.UpdatesFull));
        Assert.That((full.Items, full.LimitItems, full.HighItems, full.Refused), Is.EqualTo((4096, 4096, 4096, 1)));
        Assert.That(full.Bytes, Is.Positive.And.EqualTo(full.LimitBytes).And.EqualTo(full.HighBytes));
        Assert.That(fetched, Is.EqualTo(4_096));
        Assert.That((empty.Items, empty.Bytes), Is.EqualTo((0, 0)));
        Assert.That((empty.HighItems, empty.HighBytes), Is.EqualTo((full.HighItems, full.HighBytes)));
    }

    // Who waits for each message, as the first example does, fetches no updates.
    [TestCase(1)]
    [TestCase(3)]
    public void R1_waiting_for_messages_makes_room_for_updates(int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        Peer client = pair.Client.Peer;
        SendOptions ask = new()
        {
            Lane = lane,
            NotifyReceived = true,
            NotifyTaken = true,
            TakeTimeout = TimeSpan.FromMilliseconds(40),
        };
        HashSet<TakeState> ends = [];

        for (int i = 0; i < 5_000; i++)
        {
            Assert.That(client.TrySend([], ask, out SendReceipt receipt), Is.EqualTo(SendStatus.Accepted));

            for (int step = 0; step < 500 && !client.WaitForTaken(receipt.Id, TimeSpan.Zero, out receipt); step++)
            {
                pair.Step();

                // Every hundredth message is taken too late.
                if (i % 100 != 0)
                {
                    ReadAll(pair.Server.Peer);
                }
            }

            ends.Add(receipt.Take);
            ReadAll(pair.Server.Peer);
        }

        Assert.That(ends, Is.EquivalentTo(new[] { TakeState.Taken, TakeState.Expired }));
        Assert.That(client.ReadLane(lane).Updates.Items, Is.AtMost(1));
        Assert.That(client.TakeUpdates(new ReceiptUpdate[8]), Is.Zero);
    }

    // What is given up early is told before those before it: its update waits beside its record.
    [Test]
    public void R1_updates_of_messages_that_were_given_up_stay_within_the_limit()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendOptions ask = new() { Lane = 1, NotifyReceived = true, NotifyTaken = true };
        List<MessageId> sent = [];

        while (pair.Client.Peer.TrySend([], ask, out SendReceipt receipt) == SendStatus.Accepted)
        {
            sent.Add(receipt.Id);
        }

        int cancelled = sent.Count(id => pair.Client.Peer.TryCancel(id));
        QueueCounters full = pair.Client.Peer.ReadLane(1).Updates;

        Assert.That(cancelled, Is.Positive);
        Assert.That(full.Items, Is.EqualTo(full.LimitItems));
        Assert.That(full.HighItems, Is.EqualTo(full.LimitItems));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void R1_what_waits_to_be_sent_counts_as_messages_too(int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        for (int i = 0; i < 7; i++)
        {
            pair.Client.Peer.TrySend(new byte[100], new SendOptions { Lane = lane });
        }

        QueueCounters waiting = pair.Client.Peer.ReadLane(lane).SendQueue;
        pair.RunUntilQuiet();
        QueueCounters empty = pair.Client.Peer.ReadLane(lane).SendQueue;

        Assert.That((waiting.Items, waiting.HighItems), Is.EqualTo((7, 7)));
        Assert.That((empty.Items, empty.HighItems), Is.EqualTo((0, 7)));
    }

    [Test]
    public void R1_a_peer_that_the_endpoint_s_memory_refuses_counts_it()
    {
        MessagingConfig tight = Small with
        {
            MaxMessageBytes = 64 * 1024,
            PeerMemoryBytes = 512 * 1024,
            EndpointMemoryBytes = 512 * 1024,
        };
        using SessionPair pair = SessionPair.Opened(config: tight);
        MemoryHoard hoard = new(pair.Client.Memory);

        SendStatus refused = pair.Client.Peer.TrySend([]);
        PeerCounters counters = pair.Client.Peer.ReadCounters();
        hoard.Return();

        Assert.That(refused, Is.EqualTo(SendStatus.DaemonFull));
        Assert.That(counters.Memory.Refused, Is.EqualTo(1));
        Assert.That(counters.Memory.Bytes, Is.Zero);
    }
}
