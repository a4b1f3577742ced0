using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>What becomes of messages that were sent: receipts, time-outs, cancellation.</content>
internal sealed partial class MessageSession
{
    // 2^64 over the golden ratio.
    private const ulong SaltSpread = 0x9E37_79B9_7F4A_7C15;

    // Handed to a sink at a time.
    private const int MostReceiptsAtOnce = 16;

    private int _hasCancelled;

    /// <summary>What every message starts with.</summary>
    internal static SendReceipt FirstReceipt(MessageId id)
        => new(id, TransferState.Queued, id.AsksTaken ? TakeState.Pending : TakeState.NotAsked);

    /// <summary>Any thread.</summary>
    internal SendReceipt StateOf(MessageId id)
    {
        // Read first: what was settled before the end is then seen as settled.
        bool ended = HasEnded;
        return SendLaneOf(id.Lane).StateOf(id, ended);
    }

    /// <summary>Any thread. As <see cref="SendLane.CopyOpen"/>, lane by lane.</summary>
    internal int CopyOpen(Span<SendReceipt> receipts)
    {
        bool ended = HasEnded;
        int count = 0;

        for (int number = _sendLanesInUse.Next(0);
            number >= 0 && count < receipts.Length;
            number = _sendLanesInUse.Next(number + 1))
        {
            count += SendLaneAt(number).CopyOpen(receipts[count..], ended);
        }

        foreach (ref SendReceipt receipt in receipts[..count])
        {
            receipt = Named(receipt);
        }

        return count;
    }

    /// <summary>Any thread. See <see cref="SendLane.TryCancel"/>.</summary>
    internal bool TryCancel(MessageId id)
    {
        if (HasEnded || !SendLaneOf(id.Lane).TryCancel(id))
        {
            return false;
        }

        Volatile.Write(ref _hasCancelled, 1);
        _host.Wake();
        SignalChange();
        return true;
    }

    /// <summary>Any thread. A waiter has seen how far the message came.</summary>
    internal void HandTold(in SendReceipt seen)
    {
        bool isOpen = seen.Transfer is TransferState.Queued or TransferState.Sent;
        bool isPending = seen.Take is TakeState.NotAsked or TakeState.Pending;
        ReceiptWish told = (isOpen ? ReceiptWish.None : ReceiptWish.Received)
            | (isPending ? ReceiptWish.None : ReceiptWish.Taken);

        if (SendLaneOf(seen.Id.Lane).HandTold(seen.Id, told))
        {
            Changes.Signal();
        }
    }

    /// <summary>Any thread.</summary>
    internal int TakeUpdates(Span<ReceiptUpdate> updates)
    {
        bool roomCameFree = false;
        int count = TakeUpdates(updates, ref roomCameFree);

        if (roomCameFree)
        {
            SignalChange();
        }

        return count;
    }

    private int TakeUpdates(Span<ReceiptUpdate> updates, ref bool roomCameFree)
    {
        // Read first: what was settled before the end is then seen as settled.
        bool ended = HasEnded;
        int count = 0;

        for (int number = _sendLanesInUse.Next(0);
            number >= 0 && count < updates.Length;
            number = _sendLanesInUse.Next(number + 1))
        {
            count += SendLaneAt(number).TakeUpdates(updates[count..], ended, ref roomCameFree);
        }

        foreach (ref ReceiptUpdate update in updates[..count])
        {
            update = new ReceiptUpdate(Named(update.Receipt));
        }

        return count;
    }

    // True if a sender that was refused for too many open updates may ask again.
    private bool HandReceipts(GuardedSink sink, Instant now)
    {
        Span<ReceiptUpdate> updates = stackalloc ReceiptUpdate[MostReceiptsAtOnce];
        bool roomCameFree = false;

        for (int count = updates.Length; count == updates.Length;)
        {
            count = TakeUpdates(updates, ref roomCameFree);

            foreach (ReceiptUpdate update in updates[..count])
            {
                sink.HandleReceipt(Peer, update, now);
            }
        }

        return roomCameFree;
    }

    // One for each lane of each session; far from one another, so that a changed id names no place by chance.
    private ulong SaltOf(int lane)
        => (EndpointSalt ^ ((ulong)Incarnation << 8) ^ (ulong)lane) * SaltSpread;

    // A lane does not know which of the peer's connections it belongs to.
    private SendReceipt Named(SendReceipt receipt) => receipt with { Id = receipt.Id with { Incarnation = Incarnation } };
}
