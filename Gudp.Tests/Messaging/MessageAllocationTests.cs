using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// The path of a message allocates nothing once warm. The connection's part is played by two hosts that keep nothing.
/// </summary>
[TestFixture]
[Category("Release")]
[NonParallelizable]
public sealed class MessageAllocationTests
{
    [TestCase(32, false, false)]
    [TestCase(32, true, false)]
    [TestCase(1_000, false, true)]
    [TestCase(10_000, true, true)]
    public void Sending_and_reading_allocates_nothing_once_warm(int bytes, bool receive, bool notify)
        => AssertNothingAllocated(LaneMode.OrderedReliable, bytes, receive, notify);

    [Test]
    public void Message_lanes_allocate_nothing_once_warm(
        [Values(LaneMode.UnorderedReliable, LaneMode.Unreliable)] LaneMode mode,
        [Values(32, 10_000)] int bytes,
        [Values] bool receive,
        [Values] bool notify)
        => AssertNothingAllocated(mode, bytes, receive, notify);

    // T23: the counter of allocated bytes stands still over a million messages.
    [TestCase(LaneMode.OrderedReliable)]
    [TestCase(LaneMode.UnorderedReliable)]
    [TestCase(LaneMode.Unreliable)]
    public void T23_A_million_messages_allocate_nothing(LaneMode mode)
        => AssertNothingAllocated(mode, bytes: 100, receive: false, notify: true, rounds: 250_000);

    private static void AssertNothingAllocated(
        LaneMode mode, int bytes, bool receive, bool notify, int rounds = 1_000)
    {
        QuietPair pair = new(mode);
        byte[] message = new byte[bytes];
        SendOptions options = new()
        {
            Lane = QuietPair.Lane,
            NotifyReceived = notify,
            NotifyTaken = notify,
            ReceiveTimeout = TimeSpan.FromSeconds(notify && mode != LaneMode.OrderedReliable ? 5 : 0),
        };
        Exchange(pair, message, options, receive, rounds: 3_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = Exchange(pair, message, options, receive, rounds);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(read, Is.EqualTo(4 * rounds));
        Assert.That(allocated, Is.Zero, "Something on the path of a message allocates; profile this test to find it.");
    }

    // Their places were once made as they were first met, 40 B a message until 4096 had been sent.
    [Test]
    public void Messages_beside_the_ring_allocate_nothing_after_the_first_few()
    {
        QuietPair pair = new(LaneMode.OrderedReliable, ringBytes: 64 * 1024);
        byte[] message = new byte[17_000];
        SendOptions options = new() { Lane = QuietPair.Lane };
        Exchange(pair, message, options, receive: false, rounds: 256, atATime: 1);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = Exchange(pair, message, options, receive: false, rounds: 6_000, atATime: 1);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(read, Is.EqualTo(6_000), "More than there are places.");
        Assert.That(allocated, Is.Zero);
    }

    // Their records leave in order: behind a lost packet they pile up beyond what the queue takes. The ring of records,
    // at a power of two exactly full with the queue, doubled then, at some time in the steady state.
    [Test]
    public void Messages_that_ended_behind_a_lost_packet_allocate_nothing_in_a_lane_that_was_full_once()
    {
        QuietPair pair = new(LaneMode.UnorderedReliable, ringBytes: 64 * 1024);
        byte[] message = new byte[64];

        for (int i = 0; i < 10; i++)
        {
            SendUntilFull(pair, message);
            pair.LosesNext = true;
            Drain(pair);
            pair.TellLost();
            Drain(pair);
        }

        int full = SendUntilFull(pair, message);
        pair.LosesNext = true;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Drain(pair);
        int more = SendUntilFull(pair, message, most: 400);

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That((full, more), Is.EqualTo((1_024, 400)));
        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void Sending_with_receipts_time_outs_and_limits_allocates_nothing_once_warm()
    {
        QuietPair pair = new(LaneMode.OrderedReliable);
        byte[] message = new byte[200];
        SendOptions options = new()
        {
            NotifyReceived = true,
            NotifyTaken = true,
            ReceiveTimeout = TimeSpan.FromSeconds(1),
            TakeTimeout = TimeSpan.FromSeconds(2),
            MaxAttempts = 5,
        };
        Exchange(pair, message, options, receive: true, rounds: 3_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = Exchange(pair, message, options, receive: true, rounds: 1_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(read, Is.EqualTo(4_000));
        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void A_batch_allocates_nothing_once_warm(
        [Values(LaneMode.OrderedReliable, LaneMode.UnorderedReliable)] LaneMode mode, [Values(32, 256, 10_000)] int bytes)
    {
        QuietPair pair = new(mode);
        byte[] message = new byte[bytes];
        ExchangeInBatches(pair, message, rounds: 3_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = ExchangeInBatches(pair, message, rounds: 1_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(read, Is.EqualTo(20_000));
        Assert.That(allocated, Is.Zero);
    }

    private static int ExchangeInBatches(QuietPair pair, byte[] message, int rounds)
    {
        Counter counter = default;

        for (int round = 0; round < rounds; round++)
        {
            using (SendBatch batch = pair.Client.Peer.BeginBatch(new SendOptions { Lane = QuietPair.Lane }))
            {
                for (int i = 0; i < 20; i++)
                {
                    batch.TrySend(message);
                }
            }

            pair.Turn();
            pair.Server.Peer.Poll(ref counter, 32);
            pair.Turn();
        }

        return counter.Count;
    }

    private static int Exchange(
        QuietPair pair, byte[] message, SendOptions options, bool receive, int rounds, int atATime = 4)
    {
        Counter counter = default;
        Span<ReceiptUpdate> updates = stackalloc ReceiptUpdate[16];

        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < atATime; i++)
            {
                SendStatus status = pair.Client.Peer.TrySend(message, options);

                if (status != SendStatus.Accepted)
                {
                    Assert.Fail($"Refused: {status}.");
                }
            }

            pair.Turn();

            if (!receive)
            {
                pair.Server.Peer.Poll(ref counter, 16);
            }

            while (receive && pair.Server.Peer.TryReceive(out ReceivedMessage received))
            {
                counter.Count++;
                received.Dispose();
            }

            pair.Turn();
            pair.Client.Peer.TakeUpdates(updates);
        }

        return counter.Count;
    }

    private static int SendUntilFull(QuietPair pair, byte[] message, int most = int.MaxValue)
    {
        SendOptions options = new() { Lane = QuietPair.Lane };
        int sent = 0;

        while (sent < most && pair.Client.Peer.TrySend(message, options) == SendStatus.Accepted)
        {
            sent++;
        }

        return sent;
    }

    private static void Drain(QuietPair pair)
    {
        Counter counter = default;

        do
        {
            pair.Turn();
        }
        while (pair.Server.Peer.Poll(ref counter, 64) > 0);
    }

    private struct Counter : IMessageHandler
    {
        internal int Count;

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => Count++;
    }

    /// <summary>Two sessions joined directly: each packet arrives and is acknowledged at once.</summary>
    private sealed class QuietPair
    {
        internal const int Lane = 3;

        private readonly byte[] _packet = new byte[1_100];
        private long _number;
        private PacketNumber _lost;

        internal QuietPair(LaneMode mode, int? ringBytes = null)
        {
            MessagingConfig config = new()
            {
                LaneRingBytes = ringBytes ?? default(MessagingConfig).LaneRingBytes,
                LanePlan = LanePlan.Default.With(Lane, new LaneOptions { Mode = mode, Repeats = 1 }),
            };
            Client = new MessageSession(new QuietHost(), config, new MessageMemory(1 << 28), sink: null);
            Server = new MessageSession(new QuietHost(), config, new MessageMemory(1 << 28), sink: null);
            Client.HandleOpened(MessageSession.ParametersOf(default), default);
            Server.HandleOpened(MessageSession.ParametersOf(default), default);
        }

        internal MessageSession Client { get; }

        internal MessageSession Server { get; }

        /// <summary>The next packet does not arrive, and nobody notices before <see cref="TellLost"/>.</summary>
        internal bool LosesNext { get; set; }

        internal void TellLost() => Client.HandleLost(_lost, default);

        internal void Turn()
        {
            Move(Client, Server);
            Move(Server, Client);
        }

        private void Move(MessageSession from, MessageSession to)
        {
            while (from.HasDataToSend)
            {
                PacketNumber number = new(_number++);
                int bytes = from.WriteFrames(number, _packet, default);

                if (LosesNext)
                {
                    LosesNext = false;
                    _lost = number;
                    continue;
                }

                PayloadVerdict verdict = to.HandleFrames(number, _packet.AsSpan(0, bytes), default);

                if (verdict == PayloadVerdict.Held)
                {
                    from.HandleAcked(number, default);
                    from.HandleAckEnd(default);
                }
                else
                {
                    from.HandleLost(number, default);
                }
            }

            from.HandleTurnEnd(default);
            to.HandleTurnEnd(default);
        }
    }

    private sealed class QuietHost : ISessionHost
    {
        public int MaxFrameBytes => 1_100;

        public bool IsFinal => false;

        public Connection Connection => throw new NotSupportedException("There is no connection.");

        public void Wake()
        {
        }

        public void Close(CloseReason reason)
        {
        }

        public void CountRetransmit(int pieces)
        {
        }

        public void AcceptForSink()
        {
        }
    }
}
