using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>What can be asked about messages that were sent, and how it is waited for.</summary>
[TestFixture]
public sealed class ReceiptQueryTests
{
    private static readonly SendOptions AskBoth = new() { NotifyReceived = true, NotifyTaken = true };

    [Test]
    public void M14_The_states_of_one_of_a_list_and_of_all_open_messages_agree()
    {
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        peer.TrySend([1], AskBoth, out SendReceipt taken);
        pair.RunUntilQuiet();
        _ = GiveUpTests.Read(pair.Server.Peer);
        pair.RunUntilQuiet();
        peer.TrySend([2], AskBoth, out SendReceipt received);
        pair.RunUntilQuiet();
        peer.TrySend([3], new SendOptions { NotifyReceived = true, Lane = 5 }, out SendReceipt queued);
        peer.TrySend([4], default, out SendReceipt withoutRecord);
        SendReceipt[] states = new SendReceipt[4];
        SendReceipt[] open = new SendReceipt[8];

        peer.StateOf([taken.Id, received.Id, queued.Id, withoutRecord.Id], states);
        int count = peer.CopyOpen(open);
        int cut = peer.CopyOpen(open.AsSpan(4, 1));

        Assert.That(
            states,
            Is.EqualTo(new[]
            {
                taken with { Transfer = TransferState.Received, Take = TakeState.Taken },
                received with { Transfer = TransferState.Received },
                queued,
                withoutRecord,
            }));
        Assert.That(open[..count], Is.EqualTo(new[] { states[1], states[2] }));
        Assert.That(cut, Is.EqualTo(1));
        Assert.That(() => peer.StateOf([taken.Id, queued.Id], new SendReceipt[1]), Throws.ArgumentException);
    }

    // The rule: true if everything up to the id is confirmed; false if it was never sent; else by its own state.
    [Test]
    public void M15_A_message_is_delivered_if_all_before_it_is_confirmed_and_never_if_it_was_not_sent()
    {
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        peer.TrySend([1], default, out SendReceipt first);
        peer.TrySend([2], default, out SendReceipt second);
        pair.RunUntilQuiet();
        pair.Server.RefusesAll = true;
        peer.TrySend([3], default, out SendReceipt third);
        pair.Run(3);
        MessageId never = new(first.Id.Incarnation, 1, third.Id.Value + 100);

        bool[] delivered = [IsDelivered(peer, first.Id), IsDelivered(peer, second.Id), IsDelivered(peer, third.Id)];
        bool neverSent = IsDelivered(peer, never);
        pair.Server.RefusesAll = false;
        pair.RunUntilQuiet();

        Assert.That(delivered, Is.EqualTo(new[] { true, true, false }));
        Assert.That(neverSent, Is.False);
        Assert.That(IsDelivered(peer, third.Id), Is.True);
    }

    [Test]
    public void M33_One_confirmed_offset_settles_all_asked_messages_before_it()
    {
        using SessionPair pair = SessionPair.Opened();
        SendReceipt[] receipts = new SendReceipt[100];

        for (int i = 0; i < receipts.Length; i++)
        {
            pair.Client.Peer.TrySend([(byte)i], AskBoth, out receipts[i]);
        }

        pair.RunUntilQuiet();
        _ = GiveUpTests.Read(pair.Server.Peer);
        pair.RunUntilQuiet();

        Assert.That(
            receipts.Select(receipt => pair.Client.Peer.StateOf(receipt.Id).Take), Is.All.EqualTo(TakeState.Taken));
    }

    [Test]
    public void M45_A_confirmation_is_repeated_until_it_is_known_to_have_arrived()
    {
        PathModel deaf = new() { LossPpm = 400_000, AckLossPpm = 400_000 };
        using SessionPair pair = SessionPair.Opened(seed: 3, deaf);
        SendReceipt[] receipts = new SendReceipt[50];

        for (int i = 0; i < receipts.Length; i++)
        {
            pair.Client.Peer.TrySend([(byte)i], AskBoth, out receipts[i]);
        }

        int read = 0;
        bool read50 = pair.RunUntil(() => (read += GiveUpTests.Read(pair.Server.Peer).Length) == 50);
        bool quiet = pair.RunUntilQuiet();

        Assert.That(read50 && quiet, Is.True);
        Assert.That(
            receipts.Select(receipt => pair.Client.Peer.StateOf(receipt.Id).Take), Is.All.EqualTo(TakeState.Taken));
    }

    [Test]
    public async Task M1_M2_A_wait_ends_with_the_state_it_was_for()
    {
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        peer.TrySend([1], AskBoth, out SendReceipt receipt);
        ValueTask<SendReceipt> received = peer.WaitForReceivedAsync(receipt.Id);
        ValueTask<SendReceipt> taken = peer.WaitForTakenAsync(receipt.Id);
        bool early = received.IsCompleted || taken.IsCompleted;
        bool tooEarly = peer.WaitForReceived(receipt.Id, TimeSpan.Zero, out SendReceipt queued);

        pair.RunUntilQuiet();
        SendReceipt atReceived = await received;
        bool stillOpen = !taken.IsCompleted;
        _ = GiveUpTests.Read(pair.Server.Peer);
        pair.RunUntilQuiet();
        SendReceipt atTaken = await taken;
        bool late = peer.WaitForTaken(receipt.Id, TimeSpan.Zero, out SendReceipt end);

        Assert.That(early || tooEarly, Is.False);
        Assert.That(queued, Is.EqualTo(receipt));
        Assert.That(atReceived.Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(stillOpen, Is.True);
        Assert.That(atTaken.Take, Is.EqualTo(TakeState.Taken));
        Assert.That(late, Is.True);
        Assert.That(end, Is.EqualTo(atTaken));
    }

    [Test]
    public async Task A_wait_ends_with_the_connection_a_cancellation_or_the_token()
    {
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        pair.Server.RefusesAll = true;
        peer.TrySend([1], AskBoth, out SendReceipt cut);
        peer.TrySend([2], AskBoth, out SendReceipt cancelled);
        using CancellationTokenSource source = new();
        ValueTask<SendReceipt> givenUp = peer.WaitForTakenAsync(cut.Id, source.Token);
        ValueTask<SendReceipt> ended = peer.WaitForTakenAsync(cut.Id);
        ValueTask<SendReceipt> called = peer.WaitForReceivedAsync(cancelled.Id);
        pair.Step();

        await source.CancelAsync();
        bool byHand = peer.TryCancel(cancelled.Id);
        SendReceipt afterCancel = await called;
        pair.End();
        SendReceipt afterEnd = await ended;

        Assert.That(async () => await givenUp, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(byHand, Is.True);
        Assert.That(afterCancel.Transfer, Is.EqualTo(TransferState.Cancelled));
        Assert.That(afterEnd, Is.EqualTo(cut with { Transfer = TransferState.Unknown, Take = TakeState.Unknown }));
    }

    [Test]
    public void M3_Nothing_is_told_or_waited_for_that_was_not_asked()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1], default, out SendReceipt receipt);
        pair.RunUntilQuiet();

        Assert.That(pair.Client.Peer.TakeUpdates(new ReceiptUpdate[4]), Is.Zero);
        Assert.That(() => pair.Client.Peer.WaitForTaken(receipt.Id, TimeSpan.Zero, out _), Throws.ArgumentException);
        Assert.That(() => new SendOptions { ReceiveTimeout = TimeSpan.FromTicks(-1) },
            Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new SendOptions { MaxAttempts = 256 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void M5_A_batch_is_a_beginning_without_gaps_and_wakes_the_daemon_once()
    {
        MessagingConfig narrow = new() { LaneRingBytes = 64 * 1024, MaxMessageBytes = 64 * 1024 };
        using SessionPair pair = SessionPair.Opened(config: narrow);
        ReadOnlyMemory<byte>[] messages = [.. Enumerable.Range(0, 20).Select(i => (ReadOnlyMemory<byte>)Filled(i))];
        SendResult[] results = new SendResult[20];
        int wakes = pair.Client.Wakes;

        int accepted = pair.Client.Peer.TrySend(messages, AskBoth, results);
        int woken = pair.Client.Wakes - wakes;
        pair.RunUntilQuiet();
        byte[] read = GiveUpTests.Read(pair.Server.Peer);

        Assert.That(accepted, Is.InRange(10, 19));
        Assert.That(woken, Is.EqualTo(1));
        Assert.That(results[..accepted].Select(result => result.Status), Is.All.EqualTo(SendStatus.Accepted));
        Assert.That(results[accepted..].Select(result => result.Status), Is.All.EqualTo(SendStatus.LaneFull));
        Assert.That(read, Is.EqualTo(Enumerable.Range(0, accepted).Select(i => (byte)i)));
        Assert.That(
            results[..accepted].Select(result => pair.Client.Peer.StateOf(result.Receipt.Id).Transfer),
            Is.All.EqualTo(TransferState.Received));
    }

    // Goal: by reference, in order with what is copied, each given back exactly once, and many at a time.
    [Test]
    public void M26_A_thousand_shared_payloads_stand_in_an_ordered_lane_and_all_come_back()
    {
        using SessionPair pair = SessionPair.Opened();
        MessageMemory memory = pair.Client.Session.Memory;
        List<SendReceipt> sent = [];

        for (int i = 0; i < 1_000; i++)
        {
            Assert.That(memory.TryRentShared(300 + i, out SharedBlock? block), Is.EqualTo(SendStatus.Accepted));
            block!.Span.Fill((byte)i);
            SendStatus status = pair.Client.Session.TrySend(block, default, out MessageId id);
            block.Release();
            Assert.That(status, Is.EqualTo(SendStatus.Accepted), $"{i}");
            sent.Add(MessageSession.FirstReceipt(id));
            pair.Client.Peer.TrySend([(byte)i]);
        }

        bool cancelled = pair.Client.Peer.TryCancel(sent[500].Id);
        pair.RunUntilQuiet();
        byte[] read = GiveUpTests.Read(pair.Server.Peer);
        pair.RunUntilQuiet();

        Assert.That(cancelled, Is.True);
        Assert.That(read, Is.EqualTo(Enumerable.Range(0, 2_000).Where(i => i != 1_000).Select(i => (byte)(i / 2))));
    }

    private static byte[] Filled(int number)
    {
        byte[] message = new byte[4_000];
        message.AsSpan().Fill((byte)number);
        return message;
    }

    private static bool IsDelivered(Peer peer, MessageId id) => peer.StateOf(id).Transfer == TransferState.Received;
}
