using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class CreditTests
{
    private static readonly MessagingConfig Small = new()
    {
        LaneRingBytes = 64 * 1024,
        Lanes = 8,
        MaxMessageBytes = 1024 * 1024,
        PeerMemoryBytes = 8 * 1024 * 1024,
    };

    private static readonly byte[] Kilobyte = LaneTests.Pattern(1_024, 1);

    // D-3.1
    [Test]
    public void A_reader_that_does_not_read_stops_the_sender_which_learns_why()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        int accepted = FillUntilRefused(pair, lane: 1, out SendStatus refusal);
        int left = pair.RunUntilQuiet() ? CountWaiting(pair) : -1;

        Assert.That(refusal, Is.EqualTo(SendStatus.NoCredit));
        Assert.That(accepted, Is.EqualTo(2 * 64 * 1024 / 1_026), "One ring waits at each end.");
        Assert.That(left, Is.EqualTo(accepted));
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    // D-3.4
    [Test]
    public void A_sender_without_credit_says_once_at_which_limit_it_is_blocked()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        FillUntilRefused(pair, lane: 1, out _);
        pair.RunUntilQuiet();

        Assert.That(pair.Client.BlockedFrames, Is.EqualTo(new[] { (1, (long)Small.LaneRingBytes) }));
    }

    [Test]
    public void A_full_lane_does_not_stop_another_lane_nor_unreliable_messages()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        FillUntilRefused(pair, lane: 1, out _);
        pair.RunUntilQuiet();

        SendStatus[] statuses =
        [
            pair.Client.Peer.TrySend([0], new SendOptions { Lane = 0 }),
            pair.Client.Peer.TrySend([3], new SendOptions { Lane = 3 }),
            pair.Client.Peer.TrySend([2], new SendOptions { Lane = SendOptions.UnreliableLane }),
        ];
        pair.RunUntilQuiet();
        LaneCounter counter = new();
        pair.Server.Peer.Poll(ref counter, 10_000);

        Assert.That(statuses, Is.All.EqualTo(SendStatus.Accepted));
        Assert.That(counter.Lanes.Distinct().Order(), Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(counter.Lanes[0], Is.Zero, "The control lane is read first.");
    }

    [Test]
    public void Reading_lets_the_sender_go_on()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        FillUntilRefused(pair, lane: 1, out _);
        pair.RunUntilQuiet();
        LaneCounter counter = new();

        pair.Server.Peer.Poll(ref counter, 1_000);
        bool quiet = pair.RunUntilQuiet();
        SendStatus status = pair.Client.Peer.TrySend(Kilobyte);

        Assert.That(quiet, Is.True);
        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
    }

    [Test]
    public void Every_lane_half_full_of_half_arrived_messages_still_completes()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        int[] lanes = [0, 1, 3, 4, 5, 6, 7];
        int sent = 0;

        foreach (int lane in lanes)
        {
            for (int i = 0; i < 5; i++)
            {
                SendStatus status = pair.Client.Peer.TrySend(
                    LaneTests.Pattern(100_000, (ulong)lane), new SendOptions { Lane = lane });
                sent += status == SendStatus.Accepted ? 1 : 0;
                Assert.That(status, Is.EqualTo(SendStatus.Accepted).Or.EqualTo(SendStatus.LaneFull));
            }
        }

        LaneCounter counter = new();
        bool done = pair.RunUntil(() =>
        {
            pair.Server.Peer.Poll(ref counter, 2);
            return counter.Lanes.Count == sent;
        });

        Assert.That(sent, Is.GreaterThanOrEqualTo(3 * lanes.Length), "As many as each lane's share allows (D-3.7).");
        Assert.That(done, Is.True, "No deadlock by credit (R19).");
        Assert.That(pair.RunUntilQuiet(), Is.True);
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    [Test]
    public void A_refused_sender_is_signalled_once_when_room_is_free()
    {
        RecordingSink sink = new();
        using SessionPair pair = SessionPair.Opened(config: Small, clientSink: sink);
        FillUntilRefused(pair, lane: 1, out _);
        pair.RunUntilQuiet();
        int before = sink.Changes.Count(change => change == PeerChange.Writable);
        bool waitsInVain = pair.Client.Peer.WaitToSend(TimeSpan.Zero);

        LaneCounter counter = new();
        pair.Server.Peer.Poll(ref counter, 1_000);
        pair.RunUntilQuiet();
        bool waits = pair.Client.Peer.WaitToSend(TimeSpan.Zero);

        Assert.That(waitsInVain, Is.False);
        Assert.That(waits, Is.True);
        Assert.That(sink.Changes.Count(change => change == PeerChange.Writable), Is.EqualTo(before + 1));
    }

    [Test]
    public void D_3_7_Large_messages_are_refused_by_the_lanes_share_of_the_budget_and_leave_no_trace()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        byte[] large = LaneTests.Pattern(1024 * 1024, 5);
        int accepted = 0;
        SendStatus status;

        while ((status = pair.Client.Peer.TrySend(large)) == SendStatus.Accepted)
        {
            accepted++;
        }

        int received = 0;
        bool done = pair.RunUntil(() =>
        {
            if (pair.Server.Peer.TryReceive(out ReceivedMessage message))
            {
                Assert.That(message.Span.SequenceEqual(large), Is.True);
                message.Dispose();
                received++;
            }

            return received == accepted;
        });

        pair.RunUntilQuiet();

        Assert.That(status, Is.EqualTo(SendStatus.LaneFull));
        Assert.That(accepted, Is.EqualTo(1), "Half of what is left to send leaves a largest message to others.");
        Assert.That(done, Is.True);
        Assert.That(pair.Client.Peer.TrySend(large), Is.EqualTo(SendStatus.Accepted));
    }

    [TestCase(64 * 1024, SendStatus.Accepted)]
    [TestCase((64 * 1024) + 1, SendStatus.NotOpen)]
    [TestCase((1024 * 1024) + 1, SendStatus.TooLarge)]
    public void Before_the_handshake_only_what_every_peer_takes_is_accepted(int bytes, SendStatus expected)
    {
        using SessionPair pair = new(config: Small);

        SendStatus status = pair.Client.Peer.TrySend(new byte[bytes]);

        Assert.That(status, Is.EqualTo(expected));
    }

    [Test]
    public void A_lane_the_peer_does_not_have_is_not_open()
    {
        using SessionPair pair = new(config: Small);
        pair.Client.Session.HandleOpened(MessageSession.ParametersOf(Small with { Lanes = 4 }), pair.Now);

        SendStatus there = pair.Client.Peer.TrySend([1], new SendOptions { Lane = 3 });
        SendStatus beyond = pair.Client.Peer.TrySend([1], new SendOptions { Lane = 4 });

        Assert.That(there, Is.EqualTo(SendStatus.Accepted));
        Assert.That(beyond, Is.EqualTo(SendStatus.NotOpen));
    }

    [TestCase(-1)]
    [TestCase(8)]
    public void A_lane_that_cannot_be_is_the_callers_mistake(int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        Assert.Throws<ArgumentOutOfRangeException>(
            () => pair.Client.Peer.TrySend([1], new SendOptions { Lane = lane }));
    }

    private static int FillUntilRefused(SessionPair pair, int lane, out SendStatus refusal)
    {
        int accepted = 0;
        int refusals = 0;
        refusal = SendStatus.Accepted;

        while (refusals < 5)
        {
            SendStatus status = pair.Client.Peer.TrySend(Kilobyte, new SendOptions { Lane = lane });
            accepted += status == SendStatus.Accepted ? 1 : 0;

            if (status != SendStatus.Accepted)
            {
                refusals++;
                refusal = status;
                pair.RunUntilQuiet();
            }
        }

        return accepted;
    }

    private static int CountWaiting(SessionPair pair)
    {
        LaneCounter counter = new();

        while (pair.Server.Peer.Poll(ref counter, 1_000) > 0)
        {
            pair.RunUntilQuiet();
        }

        return counter.Lanes.Count;
    }

    private sealed class LaneCounter : IMessageHandler
    {
        internal List<int> Lanes { get; } = [];

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => Lanes.Add(lane);
    }
}
