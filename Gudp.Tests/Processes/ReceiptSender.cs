using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.Processes;

/// <summary>A process that sends messages and writes down each one that it was told was taken.</summary>
internal static class ReceiptSender
{
    internal static void Run(int port, string journalPath)
    {
        MessagingConfig config = ReceiptTraffic.Config;
        using ReceiptJournal journal = new(journalPath);
        using Daemon daemon = new(config.Core);
        using MessageEndpoint endpoint = new(daemon, PeerAddress.LoopbackIPv4(0), config);
        daemon.Start();
        Peer peer = endpoint.Connect(PeerAddress.LoopbackIPv4(port));
        Dictionary<(int Lane, long Id), int> numbers = [];
        ReceiptUpdate[] updates = new ReceiptUpdate[64];
        bool goesOn = peer.WaitUntilOpen(ReceiptTraffic.Patience);

        for (int number = 0; goesOn && number < ReceiptTraffic.Messages; number++)
        {
            goesOn = ReceiptTraffic.TrySend(peer, number, Fetch, out SendReceipt receipt);
            numbers[(receipt.Id.Lane, receipt.Id.Value)] = number;
            Fetch();
        }

        // The last updates; whoever kills this process comes earlier or does not mind.
        while (goesOn && !peer.Status.IsFinal && numbers.Count > 0)
        {
            Fetch();
            peer.Flush(TimeSpan.FromMilliseconds(10));
        }

        void Fetch()
        {
            foreach (ReceiptUpdate update in updates.AsSpan(0, peer.TakeUpdates(updates)))
            {
                MessageId id = update.Receipt.Id;

                if (update.Receipt.Take == TakeState.Taken && numbers.Remove((id.Lane, id.Value), out int taken))
                {
                    journal.Write(taken);
                }
            }
        }
    }
}
