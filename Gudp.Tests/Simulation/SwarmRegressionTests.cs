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
}
