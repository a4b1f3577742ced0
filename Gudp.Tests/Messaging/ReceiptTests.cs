using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class ReceiptTests
{
    private static readonly SendOptions AskBoth = new() { NotifyReceived = true, NotifyTaken = true };

    [Test]
    public void A_message_is_queued_then_sent_then_received_then_taken()
    {
        using SessionPair pair = SessionPair.Opened();
        SendStatus status = pair.Client.Peer.TrySend([1, 2, 3], AskBoth, out SendReceipt receipt);
        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(receipt.Transfer, Is.EqualTo(TransferState.Queued));
        Assert.That(receipt.Take, Is.EqualTo(TakeState.Pending));
        Assert.That(pair.Client.Peer.StateOf(receipt.Id), Is.EqualTo(receipt));

        pair.Step();
        SendReceipt sent = pair.Client.Peer.StateOf(receipt.Id);
        pair.RunUntilQuiet();
        SendReceipt received = pair.Client.Peer.StateOf(receipt.Id);
        bool handed = pair.Server.Peer.TryReceive(out ReceivedMessage message);
        pair.RunUntilQuiet();
        SendReceipt held = pair.Client.Peer.StateOf(receipt.Id);
        message.Dispose();
        pair.RunUntilQuiet();
        SendReceipt taken = pair.Client.Peer.StateOf(receipt.Id);

        Assert.That(sent.Transfer, Is.EqualTo(TransferState.Sent));
        Assert.That(received, Is.EqualTo(receipt with { Transfer = TransferState.Received }));
        Assert.That(handed, Is.True);
        Assert.That(held, Is.EqualTo(received), "A message that is held is not taken.");
        Assert.That(taken, Is.EqualTo(received with { Take = TakeState.Taken }));
    }

    [Test]
    public void Updates_come_once_each_and_received_before_taken()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1], AskBoth, out SendReceipt first);
        pair.Client.Peer.TrySend([2], new SendOptions { NotifyTaken = true }, out SendReceipt second);
        pair.Client.Peer.TrySend([3], new SendOptions { NotifyReceived = true }, out SendReceipt third);
        pair.Client.Peer.TrySend([4]);

        pair.RunUntilQuiet();
        SendReceipt[] beforeReading = Updates(pair.Client.Peer);
        ReadAll(pair.Server.Peer);
        pair.RunUntilQuiet();
        SendReceipt[] afterReading = Updates(pair.Client.Peer);

        Assert.That(beforeReading, Is.EqualTo(new[]
        {
            first with { Transfer = TransferState.Received },
            third with { Transfer = TransferState.Received },
        }));
        Assert.That(afterReading, Is.EqualTo(new[]
        {
            first with { Transfer = TransferState.Received, Take = TakeState.Taken },
            second with { Transfer = TransferState.Received, Take = TakeState.Taken },
        }));
        Assert.That(Updates(pair.Client.Peer), Is.Empty);
    }

    [Test]
    public void A_message_not_asked_about_is_never_reported_as_taken()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1], default, out SendReceipt receipt);

        ReadAllWhenArrived(pair);

        Assert.That(
            pair.Client.Peer.StateOf(receipt.Id),
            Is.EqualTo(new SendReceipt(receipt.Id, TransferState.Received, TakeState.NotAsked)));
    }

    [Test]
    public void A_refused_message_is_reported_as_refused_and_its_neighbours_as_taken()
    {
        using SessionPair pair = SessionPair.Opened();
        SendReceipt[] receipts = new SendReceipt[5];

        for (int i = 0; i < receipts.Length; i++)
        {
            pair.Client.Peer.TrySend([], AskBoth, out receipts[i]);
        }

        pair.RunUntilQuiet();

        for (int i = 0; pair.Server.Peer.TryReceive(out ReceivedMessage message); i++)
        {
            if (i is 1 or 2)
            {
                message.Refuse();
            }

            message.Dispose();
        }

        pair.RunUntilQuiet();
        TakeState[] states = [.. receipts.Select(receipt => pair.Client.Peer.StateOf(receipt.Id).Take)];

        Assert.That(states, Is.EqualTo(new[]
        {
            TakeState.Taken, TakeState.Refused, TakeState.Refused, TakeState.Taken, TakeState.Taken,
        }));
    }

    [Test]
    public void The_taken_offset_waits_for_the_lowest_message_held()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1], AskBoth, out SendReceipt first);
        pair.Client.Peer.TrySend([2], AskBoth, out SendReceipt second);
        pair.RunUntilQuiet();
        pair.Server.Peer.TryReceive(out ReceivedMessage lower);
        pair.Server.Peer.TryReceive(out ReceivedMessage higher);

        higher.Dispose();
        pair.RunUntilQuiet();
        TakeState whileHeld = pair.Client.Peer.StateOf(second.Id).Take;
        lower.Dispose();
        pair.RunUntilQuiet();

        Assert.That(whileHeld, Is.EqualTo(TakeState.Pending));
        Assert.That(pair.Client.Peer.StateOf(first.Id).Take, Is.EqualTo(TakeState.Taken));
        Assert.That(pair.Client.Peer.StateOf(second.Id).Take, Is.EqualTo(TakeState.Taken));
    }

    [Test]
    public void A_handler_that_throws_keeps_the_message()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1], AskBoth, out SendReceipt receipt);
        pair.RunUntilQuiet();
        ThrowingHandler handler = default;

        Assert.Throws<InvalidDataException>(() => pair.Server.Peer.Poll(ref handler, 1));
        pair.RunUntilQuiet();
        TakeState afterThrow = pair.Client.Peer.StateOf(receipt.Id).Take;
        int again = ReadAll(pair.Server.Peer);
        pair.RunUntilQuiet();

        Assert.That(afterThrow, Is.EqualTo(TakeState.Pending));
        Assert.That(again, Is.EqualTo(1));
        Assert.That(pair.Client.Peer.StateOf(receipt.Id).Take, Is.EqualTo(TakeState.Taken));
    }

    [Test]
    public void Disposing_twice_or_through_a_copy_settles_once()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1], AskBoth);
        pair.Client.Peer.TrySend([2], AskBoth);
        pair.RunUntilQuiet();
        pair.Server.Peer.TryReceive(out ReceivedMessage first);
        ReceivedMessage copy = first;

        first.Dispose();
        pair.Server.Peer.TryReceive(out ReceivedMessage second);
        copy.Refuse();
        first.Dispose();

        Assert.That(second.Span.ToArray(), Is.EqualTo(new byte[] { 2 }));
        Assert.Throws<ObjectDisposedException>(() => _ = copy.Memory);
        second.Dispose();
    }

    [Test]
    public void At_the_end_unfinished_messages_end_as_cancelled_or_unknown()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1], AskBoth, out SendReceipt received);
        pair.RunUntilQuiet();
        pair.Server.RefusesAll = true;
        pair.Client.Peer.TrySend([2], AskBoth, out SendReceipt inFlight);
        pair.Step();
        pair.Client.Peer.TrySend([3], AskBoth, out SendReceipt queued);
        Updates(pair.Client.Peer);

        pair.End();
        SendReceipt[] last = Updates(pair.Client.Peer);

        SendReceipt[] expected =
        [
            inFlight with { Transfer = TransferState.Unknown, Take = TakeState.Unknown },
            queued with { Transfer = TransferState.Cancelled, Take = TakeState.Unknown },
            received with { Transfer = TransferState.Received, Take = TakeState.Unknown },
        ];
        Assert.That(last, Is.EqualTo(expected));
        Assert.That(pair.Client.Peer.TrySend([4]), Is.EqualTo(SendStatus.Closed));
    }

    [Test]
    public void What_was_received_stays_readable_after_the_end_and_then_it_is_closed()
    {
        using SessionPair pair = SessionPair.Opened();
        pair.Client.Peer.TrySend([1]);
        pair.Client.Peer.TrySend([2], new SendOptions { Lane = SendOptions.UnreliableLane });
        pair.RunUntilQuiet();

        pair.End();
        int read = ReadAll(pair.Server.Peer);
        ReceiveStatus afterwards = pair.Server.Peer.Receive(TimeSpan.Zero, out _);

        Assert.That(read, Is.EqualTo(2));
        Assert.That(afterwards, Is.EqualTo(ReceiveStatus.Closed));
    }

    [Test]
    public void Updates_nobody_fetches_refuse_further_ones_until_they_are_fetched()
    {
        using SessionPair pair = SessionPair.Opened();
        SendOptions ask = new() { NotifyReceived = true };
        int accepted = 0;

        while (pair.Client.Peer.TrySend([], ask) == SendStatus.Accepted)
        {
            accepted++;
        }

        pair.RunUntilQuiet();
        SendStatus stillFull = pair.Client.Peer.TrySend([], ask);
        SendStatus withoutAsking = pair.Client.Peer.TrySend([]);
        bool waitsInVain = pair.Client.Peer.WaitToSend(TimeSpan.Zero);
        int fetched = pair.Client.Peer.TakeUpdates(new ReceiptUpdate[100]);
        bool waits = pair.Client.Peer.WaitToSend(TimeSpan.Zero);
        SendStatus again = pair.Client.Peer.TrySend([], ask);

        Assert.That(accepted, Is.EqualTo(4_096));
        Assert.That(stillFull, Is.EqualTo(SendStatus.UpdatesFull));
        Assert.That(withoutAsking, Is.EqualTo(SendStatus.Accepted));
        Assert.That(waitsInVain, Is.False);
        Assert.That(fetched, Is.EqualTo(100));
        Assert.That(waits, Is.True);
        Assert.That(again, Is.EqualTo(SendStatus.Accepted));
    }

    // Goal: receipts never run ahead of the truth and never backwards, whatever the path does.
    [Test]
    public void Receipts_only_move_forward_and_taken_implies_read([Range(1, 10)] int seed)
    {
        PathModel rough = new() { LossPpm = 150_000, DuplicatePpm = 50_000, AckLossPpm = 100_000, MostDelaySteps = 6 };
        using SessionPair pair = SessionPair.Opened((ulong)seed, rough);
        Prng draws = new Prng((ulong)seed).Split(7);
        List<SendReceipt> sent = [];
        int read = 0;
        int refused = 0;
        HashSet<int> refusedIndices = [];

        for (int step = 0; step < 3_000 && (sent.Count < 200 || read < 200 || !pair.Client.IsQuiet); step++)
        {
            if (sent.Count < 200 && draws.NextChance(300_000))
            {
                SendStatus status = pair.Client.Peer.TrySend(
                    LaneTests.Pattern((int)draws.NextBelow(4_000), 1), AskBoth, out SendReceipt receipt);
                Assert.That(status, Is.EqualTo(SendStatus.Accepted));
                sent.Add(receipt);
            }

            if (draws.NextChance(200_000) && pair.Server.Peer.TryReceive(out ReceivedMessage message))
            {
                if (draws.NextChance(200_000))
                {
                    refused++;
                    refusedIndices.Add(read);
                    message.Refuse();
                }

                message.Dispose();
                read++;
            }

            pair.Step();

            for (int i = 0; i < sent.Count; i++)
            {
                SendReceipt now = pair.Client.Peer.StateOf(sent[i].Id);
                Assert.That(now.Transfer, Is.GreaterThanOrEqualTo(sent[i].Transfer), "Transfer only moves forward.");
                Assert.That(now.Take, Is.GreaterThanOrEqualTo(sent[i].Take), "Take only moves forward.");
                Assert.That(now.Take != TakeState.Taken || i < read, Is.True, "Taken implies read.");
                Assert.That(
                    now.Take is TakeState.Pending or TakeState.Refused || now.Transfer == TransferState.Received,
                    Is.True,
                    "Taken implies received.");
                Assert.That(now.Take != TakeState.Refused || refusedIndices.Contains(i), Is.True);
                sent[i] = now;
            }
        }

        pair.RunUntilQuiet();
        Assert.That(read, Is.EqualTo(200));
        Assert.That(
            sent.Count(receipt => pair.Client.Peer.StateOf(receipt.Id).Take == TakeState.Refused), Is.EqualTo(refused));
        Assert.That(
            sent.Count(receipt => pair.Client.Peer.StateOf(receipt.Id).Take == TakeState.Taken),
            Is.EqualTo(200 - refused));
    }

    private static void ReadAllWhenArrived(SessionPair pair)
    {
        pair.RunUntilQuiet();
        ReadAll(pair.Server.Peer);
        pair.RunUntilQuiet();
    }

    private static int ReadAll(Peer peer)
    {
        int read = 0;

        for (; peer.TryReceive(out ReceivedMessage message); read++)
        {
            message.Dispose();
        }

        return read;
    }

    private static SendReceipt[] Updates(Peer peer)
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[64];
        int count = peer.TakeUpdates(updates);
        return [.. updates.Take(count).Select(update => update.Receipt)];
    }

    private readonly struct ThrowingHandler : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => throw new InvalidDataException("The application cannot read this.");
    }
}
