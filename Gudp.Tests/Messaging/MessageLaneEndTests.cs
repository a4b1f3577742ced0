using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>How messages of message lanes end: by time, attempts, cancellation, superseding, the connection's end.</summary>
[TestFixture]
public sealed class MessageLaneEndTests
{
    private const int Unordered = 3;
    private const int Sequenced = 4;
    private const int Unreliable = 2;

    private static readonly PathModel Dead = new() { LossPpm = 1_000_000 };

    private static readonly MessagingConfig Modes = new()
    {
        LaneRingBytes = 64 * 1024,
        LanePlan = LanePlan.Default
            .With(Unordered, new LaneOptions { Mode = LaneMode.UnorderedReliable })
            .With(Sequenced, new LaneOptions { Mode = LaneMode.SequencedReliable })
            .With(6, new LaneOptions { Mode = LaneMode.Unreliable, WhenFull = FullPolicy.DropOldest })
            .With(7, new LaneOptions { Mode = LaneMode.Unreliable, WhenFull = FullPolicy.DropNewest }),
    };

    private static readonly SendOptions AskBoth = new() { NotifyReceived = true, NotifyTaken = true };

    // M4
    [TestCase(Unordered)]
    [TestCase(Sequenced)]
    [TestCase(Unreliable)]
    public void M4_a_message_not_received_in_time_expires_with_its_take_state(int lane)
    {
        using SessionPair pair = SessionPair.Opened(path: Dead with { PatienceSteps = 1_000 }, config: Modes);
        SendOptions options = AskBoth with { Lane = lane, ReceiveTimeout = TimeSpan.FromMilliseconds(30) };
        pair.Client.Peer.TrySend([1], options, out SendReceipt receipt);

        pair.Run(29);
        SendReceipt before = pair.Client.Peer.StateOf(receipt.Id);
        pair.Run(3);
        SendReceipt after = pair.Client.Peer.StateOf(receipt.Id);

        Assert.That(before.Transfer, Is.EqualTo(TransferState.Sent));
        Assert.That(before.Take, Is.EqualTo(TakeState.Pending));
        Assert.That(after, Is.EqualTo(receipt with { Transfer = TransferState.Expired, Take = TakeState.Expired }));
        Assert.That(Updates(pair), Is.EqualTo(new[] { after }), "Two facts known together are one update.");
    }

    [Test]
    public void M4_a_message_not_taken_in_time_stays_received()
    {
        using SessionPair pair = SessionPair.Opened(config: Modes);
        SendOptions options = AskBoth with { Lane = Unordered, TakeTimeout = TimeSpan.FromMilliseconds(30) };
        pair.Client.Peer.TrySend([1], options, out SendReceipt receipt);

        pair.Run(20);
        SendReceipt[] first = Updates(pair);
        pair.Run(20);
        SendReceipt[] second = Updates(pair);
        pair.Server.Peer.TryReceive(out ReceivedMessage message);
        message.Dispose();
        pair.Run(20);

        Assert.That(first, Is.EqualTo(new[] { receipt with { Transfer = TransferState.Received } }));
        Assert.That(
            second,
            Is.EqualTo(new[] { receipt with { Transfer = TransferState.Received, Take = TakeState.Expired } }));
        Assert.That(Updates(pair), Is.Empty, "An end does not change.");
        Assert.That(pair.Client.Peer.StateOf(receipt.Id).Take, Is.EqualTo(TakeState.Expired));
    }

    [TestCase(1, 1)]
    [TestCase(3, 3)]
    public void A_message_is_given_up_when_its_attempts_are_lost(int most, int sent)
    {
        using SessionPair pair = SessionPair.Opened(path: Dead, config: Modes);
        SendOptions options = AskBoth with { Lane = Unordered, MaxAttempts = most };
        pair.Client.Peer.TrySend([1], options, out SendReceipt receipt);

        bool ended = pair.RunUntil(
            () => pair.Client.Peer.StateOf(receipt.Id).Transfer == TransferState.Expired, mostSteps: 500);

        Assert.That(ended, Is.True);
        Assert.That(pair.Client.Retransmits, Is.EqualTo(sent - 1));
    }

    // D-8.4
    [TestCase(Unordered)]
    [TestCase(Sequenced)]
    public void What_was_given_up_after_it_went_out_is_skipped_and_counted_at_both_ends(int lane)
    {
        PathModel path = new() { LossPpm = 300_000, MostDelaySteps = 4 };
        using SessionPair pair = SessionPair.Opened(3, path, Modes);
        byte[] message = new byte[3_000];
        HashSet<MessageId> ids = [];

        for (int i = 0; i < 300; i++)
        {
            TimeSpan timeout = TimeSpan.FromMilliseconds(1 + (i % 7 * 4));
            SendOptions options = new() { Lane = lane, ReceiveTimeout = timeout };

            if (pair.Client.Peer.TrySend(message, options, out SendReceipt receipt) == SendStatus.Accepted)
            {
                ids.Add(receipt.Id);
            }

            pair.Step();
            _ = MessageLaneTests.Take(pair);
        }

        // Each invariant of the credits is asserted at every turn's end; what is left is that it goes on for ever.
        bool quiet = pair.RunUntil(() => MessageLaneTests.Take(pair) is null && pair.Client.IsQuiet && pair.Server.IsQuiet);
        pair.Client.Peer.TrySend([7], new SendOptions { Lane = lane });
        pair.RunUntilQuiet();

        Assert.That(quiet, Is.True);
        Assert.That(MessageLaneTests.Take(pair), Is.EqualTo(new byte[] { 7 }));
        Assert.That(ids.Select(id => pair.Client.Peer.StateOf(id).Transfer), Has.Some.EqualTo(TransferState.Expired));
        Assert.That(ids, Has.Count.GreaterThan(200));
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    [Test]
    public void A_message_is_cancelled_as_long_as_that_changes_anything([Values(Unordered, Sequenced, Unreliable)] int lane)
    {
        using SessionPair pair = SessionPair.Opened(path: new PathModel { PacketsPerStep = 4 }, config: Modes);
        SendOptions options = AskBoth with { Lane = lane };
        pair.Client.Peer.TrySend(new byte[40_000], options, out SendReceipt partly);
        pair.Run(3);
        bool early = pair.Client.Session.TryCancel(partly.Id);
        pair.Client.Peer.TrySend([1], options, out SendReceipt whole);
        pair.Run(1);
        bool late = pair.Client.Session.TryCancel(whole.Id);
        pair.RunUntilQuiet();

        Assert.That(early, Is.True);
        Assert.That(late, Is.EqualTo(lane != Unreliable), "What goes out once is not sent again anyway.");
        Assert.That(
            pair.Client.Peer.StateOf(partly.Id),
            Is.EqualTo(partly with { Transfer = TransferState.Cancelled, Take = TakeState.Expired }));
        Assert.That(
            pair.Client.Peer.StateOf(whole.Id).Transfer,
            Is.EqualTo(late ? TransferState.Cancelled : TransferState.Received));
        Assert.That(MessageLaneTests.Take(pair), Is.EqualTo(new byte[] { 1 }), "It was on its way.");
        Assert.That(MessageLaneTests.Take(pair), Is.Null);
    }

    // D-8.6, D-8.2
    [Test]
    public void Only_the_newest_of_what_waits_on_a_sequenced_lane_goes_out()
    {
        using SessionPair pair = SessionPair.Opened(config: Modes);
        SendOptions options = new() { Lane = Sequenced };

        SendStatus status = SendStatus.Accepted;
        int accepted = 0;

        // Until the ids of the lane's first credit are used up.
        for (; status == SendStatus.Accepted; accepted += status == SendStatus.Accepted ? 1 : 0)
        {
            status = pair.Client.Peer.TrySend(BitConverter.GetBytes(accepted), options);
        }

        bool quiet = pair.RunUntilQuiet(500);

        Assert.That(status, Is.EqualTo(SendStatus.NoCredit));
        Assert.That(quiet, Is.True);
        Assert.That(MessageLaneTests.Take(pair), Is.EqualTo(BitConverter.GetBytes(accepted - 1)));
        Assert.That(MessageLaneTests.Take(pair), Is.Null);
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    [Test]
    public void The_end_of_the_connection_tells_what_may_have_arrived_from_what_cannot_have()
    {
        SessionPair pair = SessionPair.Opened(path: Dead with { PacketsPerStep = 1 }, config: Modes);
        SendOptions options = AskBoth with { Lane = Unordered };
        pair.Client.Peer.TrySend(new byte[1_000], options, out SendReceipt sent);
        pair.Client.Peer.TrySend(new byte[1_000], options, out SendReceipt queued);
        pair.Step();

        pair.Dispose();

        SendReceipt[] ends =
        [
            sent with { Transfer = TransferState.Unknown, Take = TakeState.Unknown },
            queued with { Transfer = TransferState.Cancelled, Take = TakeState.Unknown },
        ];
        Assert.That(Updates(pair), Is.EqualTo(ends));
        Assert.That(ends.Select(end => pair.Client.Peer.StateOf(end.Id)), Is.EqualTo(ends));
    }

    // R2
    [TestCase(6, 999)]
    [TestCase(7, 0)]
    public void R2_a_full_lane_drops_what_its_policy_says_and_tells(int lane, int kept)
    {
        MessagingConfig config = Modes with { DatagramQueueBytes = 128 * 1024 };
        using SessionPair pair = new(config: config);
        List<SendReceipt> receipts = [];

        for (int i = 0; i < 1_000; i++)
        {
            byte[] message = new byte[1_000];
            BitConverter.TryWriteBytes(message, i);
            SendStatus status = pair.Client.Peer.TrySend(
                message, new SendOptions { Lane = lane, NotifyReceived = true }, out SendReceipt receipt);
            Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            receipts.Add(receipt);
        }

        int dropped = receipts.Count(receipt => StateOf(receipt) == TransferState.Expired);

        Assert.That(dropped, Is.EqualTo(1_000 - (128 * 1024 / 1_000)));
        Assert.That(StateOf(receipts[kept]), Is.EqualTo(TransferState.Queued));
        Assert.That(StateOf(receipts[999 - kept]), Is.EqualTo(TransferState.Expired));

        TransferState StateOf(SendReceipt receipt) => pair.Client.Peer.StateOf(receipt.Id).Transfer;
    }

    [Test]
    public void What_is_sent_before_the_handshake_goes_after_it([Values(Unordered, Sequenced, Unreliable)] int lane)
    {
        using SessionPair pair = new(config: Modes);

        SendStatus status = pair.Client.Peer.TrySend([5], new SendOptions { Lane = lane });
        pair.Open(Modes);
        pair.RunUntilQuiet();

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(MessageLaneTests.Take(pair), Is.EqualTo(new byte[] { 5 }));
    }

    // D-8.7
    [Test]
    public void The_ends_of_older_messages_are_remembered_for_a_while()
    {
        using SessionPair pair = SessionPair.Opened(config: Modes);
        SendOptions options = new() { Lane = Unordered };
        pair.Client.Peer.TrySend([1], options with { NotifyTaken = true }, out SendReceipt first);
        pair.RunUntilQuiet();
        _ = MessageLaneTests.Take(pair);
        pair.RunUntilQuiet();
        _ = Updates(pair);

        SendReceipt soon = Send(16_000);
        SendReceipt late = Send(1_000);

        Assert.That(soon, Is.EqualTo(first with { Transfer = TransferState.Received, Take = TakeState.Taken }));
        Assert.That(late, Is.EqualTo(first with { Transfer = TransferState.Unknown, Take = TakeState.Unknown }));

        SendReceipt Send(int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                SendStatus status = pair.Client.Peer.TrySend([2], options);
                Assert.That(status, Is.EqualTo(SendStatus.Accepted));

                if (i % 100 == 99)
                {
                    pair.Run(4);

                    while (MessageLaneTests.Take(pair) is not null)
                    {
                        // Read for the credit.
                    }
                }
            }

            pair.RunUntilQuiet();
            return pair.Client.Peer.StateOf(first.Id);
        }
    }

    // D-8.8, M45
    [Test]
    public void M45_answers_held_by_the_receiver_go_back_to_nothing()
    {
        PathModel path = new() { LossPpm = 200_000, AckLossPpm = 200_000, MostDelaySteps = 3 };
        using SessionPair pair = SessionPair.Opened(5, path, Modes);
        MessageFlow flow = new(pair, Unordered, new Prng(5), mostBytes: 200);

        bool done = flow.Run(500);
        pair.Run(200);
        bool quiet = pair.RunUntilQuiet();

        Assert.That(done && quiet, Is.True);
        Assert.That(flow.Ends(TakeState.Taken), Is.EqualTo(500));
        Assert.That(pair.Client.SettledFrames, Is.Not.Empty);
        Assert.That(pair.Client.SettledFrames[^1], Is.EqualTo((Unordered, 500L)));
    }

    // D-13.2
    [Test]
    public void Of_any_number_sent_between_two_turns_a_lane_that_drops_the_oldest_accepts_all()
    {
        const int Count = 40_000;
        using SessionPair pair = new(config: Modes);
        int accepted = 0;

        for (int i = 0; i < Count; i++)
        {
            SendStatus status = pair.Client.Peer.TrySend(BitConverter.GetBytes(i), new SendOptions { Lane = 6 });
            accepted += status == SendStatus.Accepted ? 1 : 0;
        }

        pair.Open(Modes);
        byte[] last = [];

        for (int i = 0; i < 2_000 && !pair.Client.IsQuiet; i++)
        {
            pair.Step();

            while (MessageLaneTests.Take(pair) is { } message)
            {
                last = message;
            }
        }

        Assert.That(accepted, Is.EqualTo(Count));
        Assert.That(last, Is.EqualTo(BitConverter.GetBytes(Count - 1)));
    }

    // D-8.8
    [Test]
    public void A_take_that_timed_out_is_settled_soon_though_nothing_else_is_sent()
    {
        using SessionPair pair = SessionPair.Opened(config: Modes);
        SendOptions options = AskBoth with { Lane = Unordered, TakeTimeout = TimeSpan.FromMilliseconds(60) };
        pair.Client.Peer.TrySend([1], options);

        pair.Run(59);
        int before = pair.Client.SettledFrames.Count;
        pair.Run(40);

        Assert.That(before, Is.Zero);
        Assert.That(pair.Client.SettledFrames, Is.EqualTo(new[] { (Unordered, 1L) }));
    }

    private static SendReceipt[] Updates(SessionPair pair)
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[64];
        int count = pair.Client.Peer.TakeUpdates(updates);
        return [.. updates[..count].Select(update => update.Receipt)];
    }
}
