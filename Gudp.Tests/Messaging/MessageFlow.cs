using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// Sends numbered messages on one lane from the client to the server of a pair, asks for everything, reads as they come,
/// and keeps what it was told.
/// </summary>
internal sealed class MessageFlow(SessionPair pair, int lane, Prng draws, int mostBytes)
{
    private const int NumberBytes = 4;

    private readonly Dictionary<MessageId, SendReceipt> _receipts = [];

    /// <summary>The numbers of the messages that arrived, in that order.</summary>
    internal List<int> Received { get; } = [];

    /// <summary>Updates, each fact once.</summary>
    internal List<SendReceipt> Updates { get; } = [];

    /// <summary>True once all were sent and every one has both its ends.</summary>
    internal bool Run(int messages)
    {
        int sent = 0;
        return pair.RunUntil(() =>
        {
            for (int i = 0; i < 3 && sent < messages; i++)
            {
                sent += TrySend(sent) ? 1 : 0;
            }

            Read();
            FetchUpdates();
            return sent == messages && _receipts.Values.All(IsOver);
        });
    }

    internal int Ends(TransferState state) => _receipts.Values.Count(receipt => receipt.Transfer == state);

    internal int Ends(TakeState state) => _receipts.Values.Count(receipt => receipt.Take == state);

    private static bool IsOver(SendReceipt receipt)
        => receipt.Transfer is not (TransferState.Queued or TransferState.Sent) && receipt.Take != TakeState.Pending;

    private bool TrySend(int number)
    {
        byte[] message = LaneTests.Pattern(NumberBytes + (int)draws.NextBelow(mostBytes), (ulong)number);
        BitConverter.TryWriteBytes(message, number);
        SendOptions options = new() { Lane = lane, NotifyReceived = true, NotifyTaken = true };

        if (pair.Client.Peer.TrySend(message, options, out SendReceipt receipt) != SendStatus.Accepted)
        {
            return false;
        }

        _receipts.Add(receipt.Id, receipt);
        return true;
    }

    private void Read()
    {
        while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            int number = BitConverter.ToInt32(message.Span);
            byte[] expected = LaneTests.Pattern(message.Span.Length, (ulong)number);
            Assert.That(message.Span[NumberBytes..].SequenceEqual(expected.AsSpan(NumberBytes)), Is.True);
            Assert.That(message.Lane, Is.EqualTo(lane));
            Received.Add(number);
            message.Dispose();
        }
    }

    private void FetchUpdates()
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[32];
        int count = pair.Client.Peer.TakeUpdates(updates);

        foreach (ReceiptUpdate update in updates.AsSpan(0, count))
        {
            SendReceipt before = _receipts[update.Receipt.Id];
            Assert.That(update.Receipt, Is.Not.EqualTo(before), "An update tells something new.");
            Assert.That(IsOver(before), Is.False, "An end does not change.");
            Assert.That(pair.Client.Peer.StateOf(update.Receipt.Id), Is.EqualTo(update.Receipt).Or.Matches<SendReceipt>(IsOver));
            _receipts[update.Receipt.Id] = update.Receipt;
            Updates.Add(update.Receipt);
        }
    }
}
