using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.Processes;

/// <summary>A process that takes messages: it writes down each one before it says that it took it.</summary>
internal static class ReceiptReceiver
{
    internal static void Run(string journalPath)
    {
        MessagingConfig config = ReceiptTraffic.Config;
        using ReceiptJournal journal = new(journalPath);
        using Daemon daemon = new(config.Core);
        using MessageEndpoint endpoint = new(daemon, PeerAddress.LoopbackIPv4(0), config);
        daemon.Start();
        endpoint.Listen();
        Console.WriteLine($"listening on port {endpoint.LocalAddress.Port}");

        if (endpoint.Accept(ReceiptTraffic.Patience) is not { } peer)
        {
            return;
        }

        while (peer.Receive(ReceiptTraffic.Patience, out ReceivedMessage message) == ReceiveStatus.Received)
        {
            journal.Write(ReceiptTraffic.Read(message.Lane, message.Span));
            message.Dispose();
        }
    }
}
