using System;

namespace Gudp.Messaging;

/// <content>What became of messages that were sent.</content>
public sealed partial class Peer
{
    /// <summary>What is known of a message now (M14). Unknown ids read as messages not sent yet.</summary>
    /// <param name="id">From a receipt of this peer.</param>
    public SendReceipt StateOf(MessageId id) => _session.StateOf(id);

    /// <summary>Fetches the updates that were asked for and have become true since the last call (M13).</summary>
    /// <param name="updates">Filled from its start; per lane in the order of the messages.</param>
    /// <returns>How many; call again while the span was filled.</returns>
    public int TakeUpdates(Span<ReceiptUpdate> updates) => _session.TakeUpdates(updates);
}
