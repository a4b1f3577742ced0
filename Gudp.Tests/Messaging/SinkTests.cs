using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class SinkTests
{
    [Test]
    public void A_sink_gets_everything_in_order_under_loss([Range(1, 10)] int seed)
    {
        PathModel rough = new() { LossPpm = 150_000, DuplicatePpm = 50_000, MostDelaySteps = 5 };
        RecordingSink sink = new();
        using SessionPair pair = SessionPair.Opened((ulong)seed, rough, serverSink: sink);
        Prng draws = new Prng((ulong)seed).Split(1);
        List<byte[]> sent = [];

        for (int i = 0; i < 200; i++)
        {
            byte[] message = LaneTests.Pattern((int)draws.NextBelow(i % 50 == 0 ? 400_000 : 2_000), (ulong)i);
            SendStatus status = pair.Client.Peer.TrySend(message, new SendOptions { NotifyTaken = true });
            Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            sent.Add(message);
            pair.Step();
        }

        bool quiet = pair.RunUntilQuiet();
        ReceiptUpdate[] updates = new ReceiptUpdate[300];
        int taken = pair.Client.Peer.TakeUpdates(updates);

        Assert.That(quiet, Is.True);
        Assert.That(sink.Messages.Select(message => message.Content), Is.EqualTo(sent));
        Assert.That(updates.Take(taken).All(update => update.Receipt.Take == TakeState.Taken), Is.True);
        Assert.That(taken, Is.EqualTo(200));
    }

    [Test]
    public void With_a_sink_nobody_else_may_read()
    {
        using SessionPair pair = SessionPair.Opened(serverSink: new RecordingSink());

        Assert.Throws<InvalidOperationException>(() => pair.Server.Peer.TryReceive(out _));
    }

    [Test]
    public void A_sink_hears_the_opening_and_at_the_end_the_last_receipts_before_the_close()
    {
        RecordingSink sink = new();
        SessionPair pair = SessionPair.Opened(clientSink: sink);
        pair.Client.Peer.TrySend([1], new SendOptions { NotifyReceived = true });

        pair.Dispose();

        Assert.That(sink.Changes, Is.EqualTo(new[] { PeerChange.Opened, PeerChange.Closed }));
        Assert.That(sink.Receipts.Select(receipt => receipt.Transfer), Is.EqualTo(new[] { TransferState.Cancelled }));
    }
}
