using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>The credit of ids where hardly a message, or hardly a byte, goes with them.</summary>
[TestFixture]
public sealed class MessageCreditTests
{
    private const int Lane = 3;

    // More than the records a lane keeps.
    private const int Flood = 160_000;

    // More than the ids a lane starts with, between two turns.
    private const int FloodOfATurn = 8_000;

    // Found by measuring streams: every id of the first credit had been given up before a message was ever received.
    [Test]
    public void D_8_6_A_flood_of_newer_messages_lets_some_through_and_the_last_arrives()
    {
        using SessionPair pair = SessionPair.Opened(config: Config(LaneMode.SequencedReliable));
        List<int> received = [];
        byte[] message = new byte[4];
        int last = -1;

        for (int i = 0; i < Flood; i++)
        {
            BitConverter.TryWriteBytes(message, i);
            last = pair.Client.Peer.TrySend(message, new SendOptions { Lane = Lane }) == SendStatus.Accepted ? i : last;

            if (i % FloodOfATurn == FloodOfATurn - 1)
            {
                pair.Step();
                ReadAll(pair, received);
            }
        }

        int underFlood = received.Count;
        bool isThere = pair.RunUntil(() => ReadAll(pair, received) == last, mostSteps: 2_000);

        Assert.That(isThere, Is.True, "The last one accepted arrives.");
        Assert.That(underFlood, Is.GreaterThanOrEqualTo(5));
        Assert.That(received, Is.Ordered.Ascending);
    }

    [Test]
    public void D_9_5_Empty_messages_get_new_credit_as_others_do()
    {
        using SessionPair pair = SessionPair.Opened(config: Config(LaneMode.UnorderedReliable));
        int sent = 0;
        int received = 0;

        bool isDone = pair.RunUntil(
            () =>
            {
                while (sent < Flood && pair.Client.Peer.TrySend([], new SendOptions { Lane = Lane }) == SendStatus.Accepted)
                {
                    sent++;
                }

                for (; pair.Server.Peer.TryReceive(out ReceivedMessage message); received++)
                {
                    message.Dispose();
                }

                return received == Flood;
            },
            mostSteps: 2_000);

        Assert.That(isDone, Is.True, $"{received} of {sent} arrived.");
    }

    private static MessagingConfig Config(LaneMode mode) => new()
    {
        LanePlan = LanePlan.Default.With(Lane, new LaneOptions { Mode = mode }),
    };

    private static int ReadAll(SessionPair pair, List<int> received)
    {
        while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            received.Add(BitConverter.ToInt32(message.Span));
            message.Dispose();
        }

        return received.Count == 0 ? -1 : received[^1];
    }
}
