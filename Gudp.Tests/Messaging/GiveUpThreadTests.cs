using System.Collections.Concurrent;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Threads that send, cancel and ask while the leader transmits, expires and settles.</summary>
[TestFixture]
public sealed class GiveUpThreadTests
{
    private const int Senders = 3;
    private const int PerSender = 1_500;
    private const int MostSteps = 2_000_000;

    // Goal: an end that any thread saw never changes, and every message has one.
    [Test]
    public void M14_An_end_that_a_thread_has_seen_is_the_end()
    {
        using SessionPair pair = SessionPair.Opened(7, new PathModel { LossPpm = 50_000, MostDelaySteps = 4 });
        ConcurrentBag<SendReceipt> seen = [];
        RentRing(pair.Client.Peer);
        Task[] senders = [.. Enumerable.Range(0, Senders).Select(i => Task.Run(() => Send(pair.Client.Peer, i, seen)))];
        int read = 0;

        for (int step = 0; step < MostSteps && !senders.All(sender => sender.IsCompleted); step++)
        {
            pair.StepUnaudited();
            read += GiveUpTests.Read(pair.Server.Peer).Length;
        }

        Task.WaitAll(senders);
        pair.RunUntilQuiet();
        read += GiveUpTests.Read(pair.Server.Peer).Length;
        pair.RunUntilQuiet();
        MessageCounters counts = pair.Client.Peer.ReadLane(1).Messages;
        SendReceipt[] changed = [.. seen.Where(receipt
            => receipt.Transfer is not (TransferState.Queued or TransferState.Sent)
                && pair.Client.Peer.StateOf(receipt.Id).Transfer != receipt.Transfer)];

        Assert.That(changed, Is.Empty);
        Assert.That(counts.MessagesSent, Is.EqualTo(Senders * PerSender));
        Assert.That(
            counts.TransfersReceived + counts.TransfersExpired + counts.TransfersCancelled,
            Is.EqualTo(Senders * PerSender));
        Assert.That(counts.TransfersCancelled, Is.Positive);
        Assert.That(read, Is.InRange(counts.TransfersReceived, Senders * PerSender));
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    // Goal: whoever cancels while the acknowledgement is coming in, a message has one end.
    [Test]
    public void M14_A_message_is_received_or_cancelled_and_never_both()
    {
        using SessionPair pair = SessionPair.Opened(3, new PathModel { PacketsPerStep = 4 });
        Peer peer = pair.Client.Peer;
        const int messages = 200_000;
        int cancelled = 0;
        RentRing(peer);
        Task sender = Task.Run(() =>
        {
            Queue<MessageId> open = new();

            for (int sent = 0; sent < messages;)
            {
                if (peer.TrySend([1], default, out SendReceipt receipt) == SendStatus.Accepted)
                {
                    sent++;
                    open.Enqueue(receipt.Id);
                }

                while (open.TryPeek(out MessageId oldest) && peer.StateOf(oldest).Transfer == TransferState.Received)
                {
                    _ = open.Dequeue();
                }

                // The one that is acknowledged next.
                cancelled += open.TryDequeue(out MessageId next) && peer.TryCancel(next) ? 1 : 0;
            }
        });

        while (!sender.IsCompleted)
        {
            pair.Step();
            _ = GiveUpTests.Read(pair.Server.Peer);
        }

        sender.Wait();
        pair.RunUntil(() => GiveUpTests.Read(pair.Server.Peer).Length == 0 && pair.Client.Session.IsFlushed());
        MessageCounters counts = peer.ReadLane(1).Messages;

        Assert.That(counts.TransfersCancelled, Is.EqualTo(cancelled));
        Assert.That(counts.TransfersReceived + counts.TransfersCancelled, Is.EqualTo(messages));
        Assert.That(counts.TransfersReceived, Is.Positive);
    }

    // The memory is counted while senders are inside: none of them may just be renting the lane's ring.
    private static void RentRing(Peer peer)
    {
        peer.TryClaim(1, default, out MessageClaim claim);
        claim.Abandon();
    }

    private static void Send(Peer peer, int sender, ConcurrentBag<SendReceipt> seen)
    {
        Prng draws = new Prng(5).Split((ulong)sender);
        byte[] message = new byte[400];
        SendOptions mortal = new() { ReceiveTimeout = TimeSpan.FromMilliseconds(3), MaxAttempts = 2 };

        for (int sent = 0; sent < PerSender;)
        {
            SendOptions options = draws.NextChance(300_000) ? mortal : default;
            int bytes = 1 + (int)draws.NextBelow(message.Length);

            if (peer.TrySend(message.AsSpan(0, bytes), options, out SendReceipt receipt) != SendStatus.Accepted)
            {
                Thread.Yield();
                continue;
            }

            sent++;
            seen.Add(peer.StateOf(receipt.Id));

            if (draws.NextChance(300_000))
            {
                bool cancelled = peer.TryCancel(receipt.Id);
                SendReceipt after = peer.StateOf(receipt.Id);
                seen.Add(after);
                Assert.That(!cancelled || after.Transfer == TransferState.Cancelled, Is.True);
            }
        }
    }
}
