using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>What seeds of the swarm have found in the message layer, as cases of their own.</summary>
[TestFixture]
public sealed class SwarmRegressionTests
{
    // Seed 2: the refusal arrived before any acknowledgement of what was refused.
    [Test]
    public void A_refusal_implies_that_the_message_was_received()
    {
        PathModel withoutAcks = new() { AckLossPpm = 1_000_000, PatienceSteps = 10_000 };
        using SessionPair pair = SessionPair.Opened(path: withoutAcks);
        pair.Client.Peer.TrySend([1], new SendOptions { NotifyTaken = true }, out SendReceipt receipt);
        ReceivedMessage message = default;
        pair.RunUntil(() => pair.Server.Peer.TryReceive(out message));

        message.Refuse();
        pair.Run(100);

        Assert.That(
            pair.Client.Peer.StateOf(receipt.Id),
            Is.EqualTo(receipt with { Transfer = TransferState.Received, Take = TakeState.Refused }));
    }

    // Mixed seed 24: it waited for ever for repeats that a newer message had made pointless.
    [Test]
    public void An_outdated_message_whose_repeats_will_not_go_ends_when_its_packet_is_lost()
    {
        LaneOptions sequenced = new() { Mode = LaneMode.SequencedReliable, Repeats = 3 };
        MessagingConfig config = new() { LanePlan = LanePlan.Default.With(3, sequenced) };
        PathModel dark = new() { LossPpm = 1_000_000 };
        using SessionPair pair = SessionPair.Opened(path: dark, config: config);
        pair.Client.Peer.TrySend([1], new SendOptions { Lane = 3 }, out SendReceipt older);
        pair.Step();

        pair.Client.Peer.TrySend([2], new SendOptions { Lane = 3 });
        pair.Run(100);

        Assert.That(pair.Client.Peer.StateOf(older.Id).Transfer, Is.EqualTo(TransferState.Expired));
    }
}
