using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Small messages that go again before anything is lost (D-11.3).</summary>
[TestFixture]
public sealed class RepeatTests
{
    private const int Lane = 3;

    [Test]
    public void A_lone_message_is_repeated_in_packets_of_its_own_and_received_once(
        [Values] LaneMode mode, [Values(1, 2, 3)] int repeats)
    {
        // Acks come later than the repeats go.
        using SessionPair pair = SessionPair.Opened(
            path: new PathModel { MostDelaySteps = 200, PatienceSteps = 1_000 }, config: With(mode, repeats));
        pair.Client.Peer.TrySend([1, 2], new SendOptions { Lane = Lane, NotifyReceived = true });

        pair.Run(600);
        ReceiptUpdate[] updates = new ReceiptUpdate[4];
        int told = pair.Client.Peer.TakeUpdates(updates);

        Assert.That(Repeats(pair), Is.InRange(1, repeats));
        Assert.That(pair.Client.Retransmits, Is.Zero);
        Assert.That(MessageLaneTests.Take(pair), Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(MessageLaneTests.Take(pair), Is.Null);
        Assert.That(told, Is.EqualTo(1));
        Assert.That(updates[0].Receipt.Transfer, Is.EqualTo(TransferState.Received));
    }

    [Test]
    public void One_lost_packet_costs_no_wait_for_its_loss([Values] LaneMode mode)
    {
        using SessionPair pair = SessionPair.Opened(config: With(mode, repeats: 1));
        SendOptions options = new() { Lane = Lane };
        byte[] lost = new byte[1_100];
        pair.Client.Peer.TrySend([1], options);

        // The first packet never arrives, and nobody hears of that.
        _ = pair.Client.Session.WriteFrames(pair.Client.NextNumber(), lost, pair.Now);
        pair.Client.Session.HandleTurnEnd(pair.Now);
        pair.Run(8);

        Assert.That(MessageLaneTests.Take(pair), Is.EqualTo(new byte[] { 1 }));
        Assert.That(pair.Client.Retransmits, Is.Zero);
    }

    [Test]
    public void What_is_acknowledged_in_time_is_not_repeated([Values] LaneMode mode)
    {
        using SessionPair pair = SessionPair.Opened(config: With(mode, repeats: 3));
        pair.Client.Peer.TrySend([1], new SendOptions { Lane = Lane });

        pair.Run(40);

        Assert.That(Repeats(pair), Is.Zero, "The acknowledgement was here within 5 ms.");
    }

    [Test]
    public void A_message_of_more_than_a_quarter_of_a_packet_is_not_repeated([Values] LaneMode mode)
    {
        using SessionPair pair = SessionPair.Opened(
            path: new PathModel { MostDelaySteps = 200, PatienceSteps = 1_000 }, config: With(mode, repeats: 3));
        pair.Client.Peer.TrySend(new byte[300], new SendOptions { Lane = Lane });

        pair.Run(600);

        Assert.That(Repeats(pair), Is.Zero);
    }

    // P14 in small: three losses in a hundred, a message every 10 ms.
    [Test]
    public void Repeats_save_almost_every_unreliable_message()
    {
        PathModel path = new() { LossPpm = 100_000, MostDelaySteps = 10, PatienceSteps = 50 };
        int without = Lost(repeats: 0);
        int with = Lost(repeats: 2);

        Assert.That(without, Is.InRange(60, 140));
        Assert.That(with, Is.LessThan(10));

        int Lost(int repeats)
        {
            using SessionPair pair = SessionPair.Opened(11, path, With(LaneMode.Unreliable, repeats));
            int arrived = 0;

            for (int i = 0; i < 1_000; i++)
            {
                pair.Client.Peer.TrySend(new byte[40], new SendOptions { Lane = Lane });
                pair.Run(10);
                arrived += MessageLaneTests.Take(pair) is not null ? 1 : 0;
            }

            pair.Run(40);
            return 1_000 - arrived - (MessageLaneTests.Take(pair) is not null ? 1 : 0);
        }
    }

    // D-8.5: found in review; a receipt that never ended, and a timer that fired every 5 ms for it.
    [Test]
    public void What_no_longer_fits_a_narrower_path_is_not_repeated_and_has_its_end(
        [Values(LaneMode.SequencedUnreliable, LaneMode.Unreliable)] LaneMode mode)
    {
        using SessionPair pair = SessionPair.Opened(
            path: new PathModel { FrameBytes = 8_000, LossPpm = 1_000_000 }, config: With(mode, repeats: 3));
        pair.Client.Peer.TrySend(
            new byte[1_500], new SendOptions { Lane = Lane, NotifyReceived = true }, out SendReceipt receipt);

        pair.Step();
        pair.Client.MaxFrameBytes = 1_100;
        pair.Run(100);

        Assert.That(pair.Client.Peer.StateOf(receipt.Id).Transfer, Is.EqualTo(TransferState.Expired));
        Assert.That(pair.Client.Session.NextDeadline, Is.EqualTo(Instant.Never).Or.GreaterThan(pair.Now));
    }

    private static long Repeats(SessionPair pair) => pair.Client.Peer.ReadLane(Lane).Messages.RepeatsWritten;

    private static MessagingConfig With(LaneMode mode, int repeats) => new()
    {
        LanePlan = LanePlan.Default.With(Lane, new LaneOptions { Mode = mode, Repeats = repeats }),
    };
}
