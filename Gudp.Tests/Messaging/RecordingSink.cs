using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.Messaging;

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingSink : IMessageSink
{
    internal List<(int Lane, byte[] Content)> Messages { get; } = [];

    internal List<PeerChange> Changes { get; } = [];

    internal List<SendReceipt> Receipts { get; } = [];

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        => Messages.Add((lane, message.ToArray()));

    public void HandlePeer(Peer peer, PeerChange change, Instant now) => Changes.Add(change);

    public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now) => Receipts.Add(update.Receipt);
}
