using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// More is given up, refused or waited for than an end remembers, and a peer that takes back what it said.
/// </summary>
[TestFixture]
public sealed class GiveUpLimitTests
{
    private static readonly SendOptions AskTaken = new() { NotifyTaken = true };

    // Goal: what is not settled yet is never forgotten, so that no message ends twice.
    [Test]
    public void D_10_6_Of_more_open_gaps_than_are_remembered_each_message_still_ends_once()
    {
        MessagingConfig config = new()
        {
            LaneRingBytes = 8 * 1024 * 1024,
            PeerMemoryBytes = 256 * 1024 * 1024,
            EndpointMemoryBytes = 256 * 1024 * 1024,
        };
        using SessionPair pair = SessionPair.Opened(config: config);
        Peer peer = pair.Client.Peer;
        pair.Server.RefusesAll = true;
        SendReceipt[] every = new SendReceipt[12_000];

        foreach (ref SendReceipt receipt in every.AsSpan())
        {
            peer.TrySend([1], default, out receipt);
        }

        MessageId[] odd = [.. every.Where((_, i) => i % 2 == 1).Select(receipt => receipt.Id)];
        MessageId[] cancelled = [.. odd.Where(peer.TryCancel)];
        MessageId[] twice = [.. cancelled.Where(peer.TryCancel)];
        pair.Server.RefusesAll = false;
        int read = 0;
        bool done = pair.RunUntil(() => (read += GiveUpTests.Read(pair.Server.Peer).Length)
            == every.Length - cancelled.Length);
        pair.RunUntilQuiet();
        MessageCounters counts = peer.ReadLane(1).Messages;

        Assert.That(cancelled, Has.Length.GreaterThan(1_000));
        Assert.That(twice, Is.Empty);
        Assert.That(done, Is.True, $"{read} read");
        Assert.That(counts.TransfersCancelled, Is.EqualTo(cancelled.Length));
        Assert.That(counts.TransfersReceived, Is.EqualTo(every.Length - cancelled.Length));
        Assert.That(counts.TransfersUnknown, Is.Zero);
    }

    // Goal: an end that is forgotten reads unknown, and never open again.
    [Test]
    public void D_10_6_A_take_that_expired_does_not_become_pending_again_when_it_is_forgotten()
    {
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        SendOptions hasty = AskTaken with { TakeTimeout = TimeSpan.FromMilliseconds(1) };
        ReceiptUpdate[] updates = new ReceiptUpdate[256];
        peer.TrySend([1], hasty, out SendReceipt first);
        int expired = 0;

        // Between any two a message that nobody asks about, so that no two are neighbours.
        while (expired < 5_000)
        {
            peer.TrySend([2], hasty, out _);
            peer.TrySend([3]);

            if (expired % 50 == 0 || peer.StateOf(first.Id).Take == TakeState.Pending)
            {
                pair.Run(5);
            }

            expired += peer.TakeUpdates(updates);
            pair.Step();
        }

        Assert.That(peer.StateOf(first.Id).Take, Is.EqualTo(TakeState.Unknown));
    }

    [Test]
    public void D_4_6_A_refusal_that_is_forgotten_does_not_become_pending_again()
    {
        using SessionPair pair = SessionPair.Opened();
        Peer peer = pair.Client.Peer;
        peer.TrySend([0], AskTaken, out SendReceipt first);
        peer.TrySend([1], AskTaken, out SendReceipt refused);
        pair.RunUntilQuiet();
        pair.Server.Peer.TryReceive(out ReceivedMessage held);

        // The first one is held, so what was taken ends before all of these.
        for (int i = 0; i < 600; i++)
        {
            bool refuse = i % 2 == 0;
            pair.RunUntil(() => pair.Server.Peer.TryReceive(out ReceivedMessage next) && Answer(next, refuse));
            pair.RunUntilQuiet();
            peer.TrySend([2], AskTaken);
        }

        TakeState forgotten = peer.StateOf(refused.Id).Take;
        TakeState open = peer.StateOf(first.Id).Take;
        held.Refuse();
        held.Dispose();
        pair.RunUntilQuiet();

        Assert.That(forgotten, Is.EqualTo(TakeState.Unknown));
        Assert.That(open, Is.EqualTo(TakeState.Unknown), "It may have been among them.");
        Assert.That(peer.StateOf(first.Id).Take, Is.EqualTo(open), "An end never changes.");
    }

    [Test]
    public void D_4_5_A_peer_that_has_taken_a_message_cannot_refuse_it_any_more()
    {
        using HandPeer hand = new();
        hand.Peer.TrySend([1], AskTaken, out SendReceipt receipt);
        hand.Peer.TrySend([2], AskTaken, out SendReceipt later);
        _ = hand.Written();

        hand.Take(HandFrames.Numbers(0x25, 1, receipt.Id.Value));
        TakeState before = hand.Peer.StateOf(receipt.Id).Take;
        _ = hand.Give(HandFrames.Numbers(0x2B, 1, later.Id.Value, 0, later.Id.Value - receipt.Id.Value));

        Assert.That(before, Is.EqualTo(TakeState.Taken));
        Assert.That(hand.Peer.StateOf(receipt.Id).Take, Is.EqualTo(TakeState.Taken), "An end never changes.");
        Assert.That(hand.Peer.StateOf(later.Id).Take, Is.EqualTo(TakeState.Refused));
    }

    // Goal: with the least of credit, claims open between messages that are given up, a reader that sleeps, and an end
    // in the middle, nothing stops for good, every end is counted once, and every block comes back.
    [Test]
    public void In_the_least_of_memory_every_message_has_one_end([Range(1, 12)] int seed, [Values] bool endsEarly)
        => new GiveUpStorm((ulong)seed).Run(endsEarly);

    private static bool Answer(ReceivedMessage message, bool refuse)
    {
        if (refuse)
        {
            message.Refuse();
        }

        message.Dispose();
        return true;
    }
}
