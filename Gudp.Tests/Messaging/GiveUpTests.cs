using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Ordered messages that are given up: by time, by attempts, or by their sender (D-10).</summary>
[TestFixture]
public sealed class GiveUpTests
{
    private static readonly SendOptions Mortal = new()
    {
        NotifyReceived = true,
        NotifyTaken = true,
        ReceiveTimeout = TimeSpan.FromMilliseconds(20),
    };

    [Test]
    public void M4_A_message_not_received_in_time_is_expired_and_the_later_ones_pass_over_it()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Server.RefusesAll = true;
        pair.Client.Peer.TrySend([1], Mortal, out SendReceipt mortal);
        pair.Client.Peer.TrySend([2], default, out SendReceipt lasting);

        pair.Run(15);
        SendReceipt inTime = pair.Client.Peer.StateOf(mortal.Id);
        pair.Run(15);
        SendReceipt late = pair.Client.Peer.StateOf(mortal.Id);
        ReceiptUpdate[] updates = new ReceiptUpdate[4];
        int told = pair.Client.Peer.TakeUpdates(updates);
        pair.Server.RefusesAll = false;
        pair.RunUntilQuiet();

        Assert.That(inTime.Transfer, Is.EqualTo(TransferState.Sent));
        Assert.That(late, Is.EqualTo(new SendReceipt(mortal.Id, TransferState.Expired, TakeState.Expired)));
        Assert.That(updates[..told], Is.EqualTo(new[] { new ReceiptUpdate(late) }), "One update tells both facts.");
        Assert.That(Read(pair.Server.Peer), Is.EqualTo(new byte[] { 2 }));
        Assert.That(pair.Client.Peer.StateOf(lasting.Id).Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(pair.Client.Peer.StateOf(mortal.Id), Is.EqualTo(late), "An end never changes.");
        Assert.That(pair.Client.Peer.TakeUpdates(updates), Is.Zero);
    }

    [Test]
    public void M4_A_take_not_waited_for_any_longer_is_expired_and_stays_so()
    {
        using SessionPair pair = SessionPair.Opened();
        SendOptions options = new() { NotifyTaken = true, TakeTimeout = TimeSpan.FromMilliseconds(20) };
        pair.Client.Peer.TrySend([1], options, out SendReceipt receipt);

        pair.Run(10);
        SendReceipt inTime = pair.Client.Peer.StateOf(receipt.Id);
        pair.Run(20);
        SendReceipt late = pair.Client.Peer.StateOf(receipt.Id);
        byte[] read = Read(pair.Server.Peer);
        pair.RunUntilQuiet();

        Assert.That(inTime.Take, Is.EqualTo(TakeState.Pending));
        Assert.That(late, Is.EqualTo(receipt with { Transfer = TransferState.Received, Take = TakeState.Expired }));
        Assert.That(read, Is.EqualTo(new byte[] { 1 }), "The message is not called back.");
        Assert.That(pair.Client.Peer.StateOf(receipt.Id), Is.EqualTo(late));
        Assert.That(Updates(pair.Client.Peer), Is.EqualTo(new[] { late }));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void D_10_3_A_message_is_given_up_when_its_last_attempt_was_lost(int attempts)
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Server.RefusesAll = true;
        pair.Client.Peer.TrySend([1], new SendOptions { MaxAttempts = attempts }, out SendReceipt limited);

        // Each attempt is lost after 16 steps.
        pair.Run((16 * attempts) - 4);
        TransferState before = pair.Client.Peer.StateOf(limited.Id).Transfer;
        pair.Run(12);
        pair.Server.RefusesAll = false;
        pair.Client.Peer.TrySend([2]);
        pair.RunUntilQuiet();

        Assert.That(before, Is.EqualTo(TransferState.Sent));
        Assert.That(pair.Client.Peer.StateOf(limited.Id).Transfer, Is.EqualTo(TransferState.Expired));
        Assert.That(Read(pair.Server.Peer), Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public void A_message_is_cancelled_whether_it_was_sent_or_not_and_only_once()
    {
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        peer.TrySend([1], default, out SendReceipt received);
        pair.RunUntilQuiet();
        pair.Server.RefusesAll = true;
        peer.TrySend([2], default, out SendReceipt sent);
        pair.Step();
        peer.TrySend([3], Mortal, out SendReceipt queued);
        peer.TrySend([4]);

        bool[] cancelled = [peer.TryCancel(received.Id), peer.TryCancel(sent.Id), peer.TryCancel(queued.Id)];
        bool again = peer.TryCancel(sent.Id);
        pair.Server.RefusesAll = false;
        pair.RunUntilQuiet();

        Assert.That(cancelled, Is.EqualTo(new[] { false, true, true }));
        Assert.That(again, Is.False);
        Assert.That(Read(pair.Server.Peer), Is.EqualTo(new byte[] { 1, 4 }));
        Assert.That(peer.StateOf(sent.Id).Transfer, Is.EqualTo(TransferState.Cancelled));
        Assert.That(peer.StateOf(queued.Id).Take, Is.EqualTo(TakeState.Expired));
        Assert.That(peer.TryCancel(new MessageId(received.Id.Incarnation, 1, 1_000)), Is.False, "Never sent.");
    }

    // Goal: only a place that is a message's is given up; any other would end the connection (D-2.4).
    [Test]
    public void An_id_that_was_changed_or_taken_to_another_lane_cancels_nothing([Values] bool isNoted)
    {
        const int OtherLane = 3;
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        SendOptions options = new() { NotifyReceived = isNoted };
        pair.Server.RefusesAll = true;
        peer.TrySend(new byte[20], options);
        peer.TrySend(new byte[30], options, out SendReceipt second);
        peer.TrySend(new byte[40], options);
        peer.TrySend(new byte[200], options with { Lane = OtherLane });
        pair.Step();

        bool changed = Enumerable.Range(0, 100).Any(value
            => value != second.Id.Value && peer.TryCancel(second.Id with { Value = value }));
        bool moved = Enumerable.Range(0, 300).Any(value
            => peer.TryCancel(second.Id with { Lane = OtherLane, Value = value }));
        bool own = peer.TryCancel(second.Id);
        pair.Server.RefusesAll = false;
        pair.RunUntilQuiet();

        Assert.That(changed, Is.False);
        Assert.That(moved, Is.False);
        Assert.That(own, Is.True);
        Assert.That(pair.Server.Violations, Is.Empty);
        Assert.That(Read(pair.Server.Peer), Has.Length.EqualTo(3));
    }

    [Test]
    public void D_10_4_A_message_longer_than_all_credit_is_given_up_in_parts_and_its_memory_comes_back_at_once()
    {
        MessagingConfig config = new() { LaneRingBytes = 64 * 1024, MaxMessageBytes = 4 * 1024 * 1024 };
        using SessionPair pair = SessionPair.Opened(config: config);
        Peer peer = pair.Client.Peer;
        peer.TrySend(new byte[3 * 1024 * 1024], default, out SendReceipt large);
        peer.TrySend([2]);
        pair.Run(5);
        _ = pair.Server.Peer.TryReceive(out _);
        pair.Run(3);
        long before = pair.Client.Memory.UsedBytes;

        bool cancelled = peer.TryCancel(large.Id);
        pair.Step();
        long after = pair.Client.Memory.UsedBytes;
        byte[] read = [];
        bool passed = pair.RunUntil(() => (read = Read(pair.Server.Peer)).Length > 0);

        Assert.That(cancelled, Is.True);
        Assert.That(before - after, Is.GreaterThanOrEqualTo(3 * 1024 * 1024));
        Assert.That(passed, Is.True, "The lane goes on behind it.");
        Assert.That(read, Is.EqualTo(new byte[] { 2 }));
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    // Goal: neither end's list of skips overflows, and the lane never stops for good.
    [Test]
    public void D_10_5_Thousands_of_skips_before_a_reader_who_sleeps_close_nothing_and_pass_when_it_wakes()
    {
        MessagingConfig config = new() { LaneRingBytes = 64 * 1024 };
        using SessionPair pair = SessionPair.Opened(config: config);
        Peer peer = pair.Client.Peer;
        List<SendReceipt> every = [];
        int cancelled = 0;
        int read = 0;

        for (int round = 0; round < 40; round++)
        {
            for (int i = 0; i < 100; i++)
            {
                if (peer.TrySend([(byte)i], default, out SendReceipt receipt) != SendStatus.Accepted)
                {
                    break;
                }

                every.Add(receipt);
                cancelled += i % 2 == 1 && peer.TryCancel(receipt.Id) ? 1 : 0;
            }

            pair.Run(3);
            read += round % 10 == 9 ? Read(pair.Server.Peer).Length : 0;
        }

        bool done = pair.RunUntil(() => (read += Read(pair.Server.Peer).Length) == every.Count - cancelled);

        Assert.That(done, Is.True, $"{read} read, {cancelled} cancelled of {every.Count}.");
        Assert.That(cancelled, Is.GreaterThan(128));
        Assert.That(pair.Server.Violations, Is.Empty);
        Assert.That(pair.Server.Refusals, Is.Zero);
    }

    // Goal: the receiver tells of skips that its reader has passed also if few bytes were read since it last did.
    [Test]
    public void D_10_5_A_lane_whose_skips_were_all_passed_takes_abandoned_claims_again()
    {
        MessagingConfig config = new() { LaneRingBytes = 64 * 1024 };
        using SessionPair pair = SessionPair.Opened(config: config);
        Peer peer = pair.Client.Peer;
        int cancelled = 0;

        for (int i = 0; i < 300; i++)
        {
            peer.TrySend([1], default, out SendReceipt receipt);
            pair.Client.Peer.TrySend([2]);
            cancelled += peer.TryCancel(receipt.Id) ? 1 : 0;
            pair.Run(4);
        }

        // One message is read and told of, then all others.
        _ = pair.Server.Peer.TryReceive(out ReceivedMessage one);
        one.Dispose();
        pair.RunUntilQuiet();
        _ = Read(pair.Server.Peer);
        pair.RunUntilQuiet();

        for (int i = 0; i < 20; i++)
        {
            peer.TryClaim(10, default, out MessageClaim claim);
            peer.TrySend([3]);
            claim.Abandon();
            pair.Run(4);
        }

        pair.Run(200);
        byte[] read = Read(pair.Server.Peer);

        Assert.That(cancelled, Is.InRange(100, 200), "More the peer does not keep.");
        Assert.That(read, Has.Length.EqualTo(20), $"{pair.Client}; {pair.Server}");
    }

    // Goal: whatever the path does and whenever messages are given up, what is read is what was sent and not given up
    // in vain, in order; every state only moves forward; every update comes once; and the counts of ends add up.
    [Test]
    public void M13_Ends_are_final_and_the_stream_stays_whole_whatever_is_given_up([Range(1, 20)] int seed)
    {
        GiveUpTraffic traffic = new((ulong)seed);

        traffic.Run();

        traffic.AssertTrue();
    }

    internal static byte[] Read(Peer peer)
    {
        List<byte> first = [];

        while (peer.TryReceive(out ReceivedMessage message))
        {
            first.Add(message.Span[0]);
            message.Dispose();
        }

        return [.. first];
    }

    private static SendReceipt[] Updates(Peer peer)
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[64];
        return [.. updates.Take(peer.TakeUpdates(updates)).Select(update => update.Receipt)];
    }
}
