using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class SendBatchTests
{
    private static readonly MessagingConfig Small = new() { LaneRingBytes = 64 * 1024 };

    [Test]
    public void Messages_of_every_length_arrive_in_order_and_as_they_were([Values(1u, 2u, 3u)] ulong seed)
    {
        using SessionPair pair = SessionPair.Opened(seed, new PathModel { LossPpm = 20_000, MostDelaySteps = 4 });
        Prng draws = new(seed);
        List<byte[]> sent = [];
        Collector collector = new();

        for (int round = 0; round < 60; round++)
        {
            SendDrawn(pair, ref draws, sent);
            pair.Run(3);
            pair.Server.Peer.Poll(ref collector, 1_000);
        }

        pair.RunUntil(() => pair.Server.Peer.Poll(ref collector, 1_000) == 0 && pair.Client.Peer.Flush(TimeSpan.Zero));
        pair.Server.Peer.Poll(ref collector, int.MaxValue);

        Assert.That(sent, Has.Count.GreaterThan(1_000));
        Assert.That(collector.Messages, Is.EqualTo(sent));
    }

    [Test]
    public void The_leader_is_woken_once_for_what_is_handed_over_together()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        int before = pair.Client.Wakes;

        using (SendBatch batch = pair.Client.Peer.BeginBatch())
        {
            for (byte i = 0; i < 100; i++)
            {
                batch.TrySend([i]);
            }

            Assert.That(pair.Client.Wakes, Is.EqualTo(before));
        }

        Assert.That(pair.Client.Wakes, Is.EqualTo(before + 1));
    }

    [Test]
    public void A_full_ring_refuses_and_what_was_accepted_before_is_in_it()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        byte[] message = new byte[100];
        int accepted = 0;
        SendStatus last = SendStatus.Accepted;

        using (SendBatch batch = pair.Client.Peer.BeginBatch())
        {
            while (last == SendStatus.Accepted)
            {
                last = batch.TrySend(message);
                accepted += last == SendStatus.Accepted ? 1 : 0;
            }
        }

        bool mustWait = pair.Client.Session.IsSendRefused();
        Collector collector = new();
        pair.RunUntil(() => pair.Server.Peer.Poll(ref collector, 1_000) == 0 && pair.Client.Peer.Flush(TimeSpan.Zero));

        Assert.That(last, Is.EqualTo(SendStatus.LaneFull));
        Assert.That(accepted, Is.InRange(600, 655), "Each takes 102 of 65,536 bytes.");
        Assert.That(mustWait, Is.True);
        Assert.That(pair.Client.Session.IsSendRefused(), Is.False, "Room came free, and the sender hears of it.");
        Assert.That(collector.Messages, Has.Count.EqualTo(accepted));
    }

    [Test]
    public void A_batch_goes_on_over_many_rings_full()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        Collector collector = new();
        int accepted = 0;

        for (int step = 0; step < 400; step++)
        {
            using (SendBatch batch = pair.Client.Peer.BeginBatch())
            {
                while (batch.TrySend(BitConverter.GetBytes(accepted)) == SendStatus.Accepted)
                {
                    accepted++;
                }
            }

            pair.Step();
            pair.Server.Peer.Poll(ref collector, 3_000);
        }

        pair.RunUntil(() => pair.Server.Peer.Poll(ref collector, 3_000) == 0 && pair.Client.Peer.Flush(TimeSpan.Zero));

        Assert.That(accepted, Is.GreaterThan(100_000));
        Assert.That(
            collector.Messages.Select(message => BitConverter.ToInt32(message)), Is.EqualTo(Enumerable.Range(0, accepted)));
    }

    [Test]
    public void What_was_accepted_keeps_its_room_whatever_others_send_meanwhile()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendStatus handed;
        int others = 0;

        using (SendBatch batch = pair.Client.Peer.BeginBatch())
        {
            batch.TrySend([1]);

            while (pair.Client.Peer.TrySend(new byte[500]) == SendStatus.Accepted)
            {
                others++;
            }

            batch.TrySend([2]);
            handed = batch.Flush();
        }

        Collector collector = new();
        pair.RunUntil(() => pair.Server.Peer.Poll(ref collector, 1_000) == 0 && pair.Client.Peer.Flush(TimeSpan.Zero));

        Assert.That(others, Is.InRange(90, 99), "A quarter of the ring was promised to the batch.");
        Assert.That(handed, Is.EqualTo(SendStatus.Accepted));
        Assert.That(collector.Messages.TakeLast(2), Is.EqualTo(new byte[][] { [1], [2] }));
    }

    [Test]
    public void A_batch_that_is_never_ended_stops_nobody()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendBatch forgotten = pair.Client.Peer.BeginBatch();
        forgotten.TrySend([1]);

        SendStatus single = pair.Client.Peer.TrySend([2]);
        SendStatus batched = SendTwo(pair, default);
        Collector collector = new();
        pair.RunUntil(() => pair.Server.Peer.Poll(ref collector, 10) == 0 && pair.Client.Peer.Flush(TimeSpan.Zero));

        Assert.That((single, batched), Is.EqualTo((SendStatus.Accepted, SendStatus.Accepted)));
        Assert.That(collector.Messages, Is.EqualTo(new byte[][] { [2], [3], [4] }));
        forgotten.Dispose();
    }

    [Test]
    public void A_batch_that_was_ended_takes_nothing_more_nor_does_its_copy()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendBatch batch = pair.Client.Peer.BeginBatch();
        SendBatch copy = batch;
        batch.TrySend([1]);
        batch.Dispose();
        using SendBatch next = pair.Client.Peer.BeginBatch();
        next.TrySend([2]);

        copy.Dispose();
        bool throws = IsRefusedByThrow(ref copy);

        Assert.That(throws, Is.True);
        Assert.That(next.Flush(), Is.EqualTo(SendStatus.Accepted));
        Assert.That(Received(pair), Is.EqualTo(new byte[][] { [1], [2] }));
    }

    [Test]
    public void Long_and_short_messages_keep_their_order()
    {
        using SessionPair pair = SessionPair.Opened();
        byte[][] messages = [[1], LaneTests.Pattern(5_000, 1), [2], LaneTests.Pattern(300_000, 2), [], [3]];

        using (SendBatch batch = pair.Client.Peer.BeginBatch())
        {
            foreach (byte[] message in messages)
            {
                batch.TrySend(message);
            }
        }

        Assert.That(Received(pair), Is.EqualTo(messages));
    }

    [Test]
    public void Too_long_a_message_is_refused_and_the_others_go()
    {
        using SessionPair pair = SessionPair.Opened(config: Small with { MaxMessageBytes = 70_000 });
        SendStatus refused;

        using (SendBatch batch = pair.Client.Peer.BeginBatch())
        {
            batch.TrySend([1]);
            refused = batch.TrySend(new byte[70_001]);
            batch.TrySend([2]);
        }

        Assert.That(refused, Is.EqualTo(SendStatus.TooLarge));
        Assert.That(Received(pair), Is.EqualTo(new byte[][] { [1], [2] }));
    }

    [Test]
    public void Messages_with_updates_go_one_by_one_and_tell_their_receipts()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendReceipt receipt;

        using (SendBatch batch = pair.Client.Peer.BeginBatch(new SendOptions { NotifyReceived = true }))
        {
            batch.TrySend([1]);
            batch.TrySend([2], out receipt);
        }

        pair.RunUntilQuiet();
        ReceiptUpdate[] updates = new ReceiptUpdate[4];
        int count = pair.Client.Peer.TakeUpdates(updates);

        Assert.That(count, Is.EqualTo(2));
        Assert.That(updates[1].Receipt.Id, Is.EqualTo(receipt.Id));
        Assert.That(updates[1].Receipt.Transfer, Is.EqualTo(TransferState.Received));
    }

    [Test]
    public void A_receipt_asked_for_in_the_middle_stands_behind_what_came_before()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendReceipt receipt;

        using (SendBatch batch = pair.Client.Peer.BeginBatch())
        {
            batch.TrySend([1]);
            batch.TrySend([2], out receipt);
            batch.TrySend([3]);
        }

        Assert.That(Received(pair), Is.EqualTo(new byte[][] { [1], [2], [3] }));
        Assert.That(pair.Client.Peer.StateOf(receipt.Id).Transfer, Is.EqualTo(TransferState.Received));
    }

    [Test]
    public void Lanes_of_other_modes_take_batches_too([Values(3, 4, 5, 6)] int lane)
    {
        LaneMode mode = (LaneMode)(lane - 2);
        MessagingConfig config = new()
        {
            LanePlan = LanePlan.Default.With(lane, new LaneOptions { Mode = mode }),
        };
        using SessionPair pair = SessionPair.Opened(config: config);
        SendStatus status = SendTwo(pair, new SendOptions { Lane = lane });

        List<byte[]> received = Received(pair);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(received, Has.Count.EqualTo(mode == LaneMode.UnorderedReliable || mode == LaneMode.Unreliable ? 2 : 1));
        Assert.That(received[^1], Is.EqualTo(new byte[] { 4 }), "Sequenced lanes drop what is older.");
    }

    [Test]
    public void The_leader_is_told_of_what_a_copy_has_sent([Values] bool oneByOne)
    {
        using SessionPair pair = SessionPair.Opened();
        SendBatch batch = pair.Client.Peer.BeginBatch(new SendOptions { NotifyReceived = oneByOne });
        SendBatch copy = batch;
        int before = pair.Client.Wakes;
        copy.TrySend(new byte[5_000]);

        batch.Dispose();

        Assert.That(pair.Client.Wakes, Is.GreaterThan(before));
    }

    // Who is refused waits for room, and room comes from the leader.
    [Test]
    public void The_leader_is_told_of_what_fills_the_lane_before_a_refusal([Values] bool oneByOne)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        using SendBatch batch = pair.Client.Peer.BeginBatch(new SendOptions { NotifyReceived = oneByOne });
        SendStatus status = SendStatus.Accepted;
        int before = pair.Client.Wakes;

        for (int step = 0; step < 1_000 && status == SendStatus.Accepted; step++)
        {
            status = batch.TrySend(new byte[5_000]);
        }

        Assert.That(status, Is.EqualTo(SendStatus.LaneFull));
        Assert.That(pair.Client.Wakes, Is.GreaterThan(before));
    }

    // R19: a lane keeps its batches' room for good, as rings keep what they grew to.
    [Test]
    public void A_batch_takes_no_memory_that_is_kept_for_rings_to_begin()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        pair.Client.Peer.TrySend([1]);
        List<byte[]> grown = [];

        while (pair.Client.Memory.TryRentToGrow(64 * 1024, isSent: true, out byte[] block)
            || pair.Client.Memory.TryRentToGrow(16 * 1024, isSent: true, out block))
        {
            grown.Add(block);
        }

        long before = pair.Client.Memory.Blocks;
        SendStatus status = SendTwo(pair, default);
        long after = pair.Client.Memory.Blocks;
        grown.ForEach(pair.Client.Memory.ReturnSent);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(after, Is.EqualTo(before));
    }

    [Test]
    public void A_lane_that_does_not_exist_is_the_callers_mistake()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        Assert.That(
            () => pair.Client.Peer.BeginBatch(new SendOptions { Lane = 999 }).Dispose(),
            Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void After_the_end_a_batch_is_refused_and_its_memory_goes_back()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendBatch open = pair.Client.Peer.BeginBatch();
        open.TrySend([1]);
        pair.End();

        SendStatus flushed = open.Flush();
        SendStatus sent = open.TrySend([2]);
        open.Dispose();
        SendBatch late = pair.Client.Peer.BeginBatch();
        SendStatus refused = late.TrySend([3]);
        late.Dispose();

        Assert.That(
            (flushed, sent, refused), Is.EqualTo((SendStatus.Closed, SendStatus.Closed, SendStatus.Closed)));
        Assert.That(pair.Client.Memory.Blocks, Is.Zero);
    }

    [Test]
    public void R17_a_batch_that_is_open_when_the_shutdown_begins_is_not_sent_any_more()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        using SendBatch batch = pair.Client.Peer.BeginBatch();
        batch.TrySend([1]);
        pair.Client.Session.BeginShutdown();

        SendStatus status = batch.Flush();

        Assert.That(status, Is.EqualTo(SendStatus.Closed));
        Assert.That(Received(pair), Is.Empty);
    }

    [Test]
    public void Counters_and_what_is_open_are_exact()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        using (SendBatch batch = pair.Client.Peer.BeginBatch())
        {
            for (int i = 0; i < 1_000; i++)
            {
                batch.TrySend(new byte[i % 50]);
            }
        }

        long before = pair.Client.Session.ReadOpen().UntransmittedMessages;
        int received = Received(pair).Count;
        MessageCounters sent = pair.Client.Peer.ReadCounters().Messages;
        MessageCounters read = pair.Server.Peer.ReadCounters().Messages;

        Assert.That(before, Is.EqualTo(1_000));
        Assert.That(received, Is.EqualTo(1_000));
        Assert.That((sent.MessagesSent, sent.BytesSent), Is.EqualTo((1_000, 24_500)));
        Assert.That(sent.TransfersReceived, Is.EqualTo(1_000));
        Assert.That((read.MessagesReceived, read.BytesReceived), Is.EqualTo((1_000, 24_500)));
    }

    // Goal: whatever stands between batches, and wherever an acknowledgement ends, each message is counted once.
    // Method: batches of drawn lengths, single and large messages and cancelled ones in between, on a path that loses.
    [Test]
    public void Each_message_is_counted_once_whatever_stands_between_batches([Range(1, 6)] int seed)
    {
        using SessionPair pair = SessionPair.Opened((ulong)seed, new PathModel { LossPpm = 30_000, MostDelaySteps = 5 });
        Prng draws = new((ulong)seed);
        Collector collector = new();
        List<byte[]> sent = [];
        int cancelled = 0;
        int single = 0;

        for (int round = 0; round < 120; round++)
        {
            SendDrawn(pair, ref draws, sent);
            single += pair.Client.Peer.TrySend(new byte[(int)draws.NextBelow(30)]) == SendStatus.Accepted ? 1 : 0;
            SendOptions options = new() { NotifyReceived = seed > 3 };
            SendStatus status = pair.Client.Peer.TrySend(new byte[40], options, out SendReceipt receipt);
            single += status == SendStatus.Accepted ? 1 : 0;
            cancelled += seed > 3 && status == SendStatus.Accepted && pair.Client.Peer.TryCancel(receipt.Id) ? 1 : 0;
            pair.Run((int)draws.NextBelow(4));
            pair.Server.Peer.Poll(ref collector, 200);
            pair.Client.Peer.TakeUpdates(new ReceiptUpdate[64]);
        }

        pair.RunUntil(() => pair.Server.Peer.Poll(ref collector, 1_000) == 0 && pair.Client.Peer.Flush(TimeSpan.Zero));
        MessageCounters counters = pair.Client.Peer.ReadCounters().Messages;

        Assert.That(counters.MessagesSent, Is.EqualTo(sent.Count + single));
        Assert.That(counters.TransfersCancelled, Is.EqualTo(cancelled));
        Assert.That(counters.TransfersReceived, Is.EqualTo(sent.Count + single - cancelled));
    }

    // Goal: two threads with a batch each, and one that sends single messages: each one's order holds.
    [Test]
    public void Threads_with_batches_and_without_send_on_one_lane_and_each_keeps_its_order()
    {
        const int Each = 20_000;
        using SessionPair pair = SessionPair.Opened(config: Small);
        Collector collector = new();
        Task[] writers = [.. Enumerable.Range(0, 3).Select(writer => Task.Run(() => Write(pair.Client.Peer, writer, Each)))];

        for (int step = 0; step < 1_000_000 && collector.Messages.Count < 3 * Each; step++)
        {
            pair.StepUnaudited();
            pair.Server.Peer.Poll(ref collector, 10_000);
        }

        Task.WaitAll(writers);

        for (int writer = 0; writer < writers.Length; writer++)
        {
            IEnumerable<int> numbers = collector.Messages
                .Select(message => BitConverter.ToInt32(message)).Where(number => number % 3 == writer);
            Assert.That(numbers, Is.EqualTo(Enumerable.Range(0, Each).Select(i => (i * 3) + writer)));
        }
    }

    private static void Write(Peer peer, int writer, int count)
    {
        int sent = 0;

        while (sent < count)
        {
            if (writer == 2)
            {
                sent += peer.TrySend(BitConverter.GetBytes((sent * 3) + writer)) == SendStatus.Accepted ? 1 : 0;
                continue;
            }

            using SendBatch batch = peer.BeginBatch();

            for (int i = 0; i < 500 && sent < count; i++)
            {
                if (batch.TrySend(BitConverter.GetBytes((sent * 3) + writer)) != SendStatus.Accepted)
                {
                    break;
                }

                sent++;
            }
        }
    }

    private static SendStatus SendTwo(SessionPair pair, SendOptions options)
    {
        using SendBatch batch = pair.Client.Peer.BeginBatch(options);
        SendStatus first = batch.TrySend([3]);
        SendStatus second = batch.TrySend([4]);
        return first == SendStatus.Accepted ? second : first;
    }

    private static bool IsRefusedByThrow(ref SendBatch batch)
    {
        try
        {
            batch.TrySend([9]);
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    private static void SendDrawn(SessionPair pair, ref Prng draws, List<byte[]> sent)
    {
        using SendBatch batch = pair.Client.Peer.BeginBatch();

        for (long left = draws.NextBelow(60); left > 0; left--)
        {
            int bytes = draws.NextChance(20_000) ? (int)draws.NextBelow(20_000) : (int)draws.NextBelow(130);
            byte[] message = LaneTests.Pattern(bytes, draws.NextUInt64());

            if (batch.TrySend(message) == SendStatus.Accepted)
            {
                sent.Add(message);
            }
        }
    }

    private static List<byte[]> Received(SessionPair pair)
    {
        Collector collector = new();
        pair.RunUntilQuiet();
        pair.Server.Peer.Poll(ref collector, int.MaxValue);
        pair.RunUntilQuiet();
        pair.Server.Peer.Poll(ref collector, int.MaxValue);
        return collector.Messages;
    }

    private sealed class Collector : IMessageHandler
    {
        internal List<byte[]> Messages { get; } = [];

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => Messages.Add(message.ToArray());
    }
}
