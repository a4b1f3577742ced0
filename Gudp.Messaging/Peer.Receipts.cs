using System;
using System.Threading;

namespace Gudp.Messaging;

/// <content>What became of messages that were sent.</content>
public sealed partial class Peer
{
    /// <summary>What is known of a message now (M14). Unknown ids read as messages not sent yet.</summary>
    /// <param name="id">
    /// From a receipt of this peer. Of the connection before the present one it is known while
    /// <see cref="TakeUpdates"/> has updates of it or messages of it wait; after that, and of any earlier one, all
    /// states read unknown.
    /// </param>
    public SendReceipt StateOf(MessageId id)
        => Home.SessionOf(id.Incarnation) is { } session
            ? session.StateOf(id)
            : new SendReceipt(id, TransferState.Unknown, id.AsksTaken ? TakeState.Unknown : TakeState.NotAsked);

    /// <summary>Fetches the updates that were asked for and have become true since the last call (M13).</summary>
    /// <param name="updates">Filled from its start; per lane in the order of the messages.</param>
    /// <returns>How many; call again while the span was filled.</returns>
    public int TakeUpdates(Span<ReceiptUpdate> updates)
    {
        Peer home = Home;
        MessageSession session = home.Session;
        int count = 0;

        if (Volatile.Read(ref home._former) is { } former)
        {
            count = former.TakeUpdates(updates);
            home.DropIfDrained(former);
        }

        return count + session.TakeUpdates(updates[count..]);
    }

    /// <summary>The session that number belongs to; null if it is forgotten.</summary>
    private MessageSession? SessionOf(int incarnation)
    {
        // In this order: the present session becomes the former before there is another present one.
        MessageSession session = Session;

        return session.Incarnation == incarnation ? session
            : Volatile.Read(ref _former) is { } former && former.Incarnation == incarnation ? former
            : null;
    }
}
