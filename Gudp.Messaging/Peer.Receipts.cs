using System;
using System.Threading;
using System.Threading.Tasks;

namespace Gudp.Messaging;

/// <content>What became of messages that were sent.</content>
public sealed partial class Peer
{
    /// <summary>What is known of a message now (M14). Unknown ids read as messages not sent yet.</summary>
    /// <param name="id">
    /// From a receipt of this peer. Of the connection before the present one it is known while
    /// <see cref="TakeUpdates"/> has updates of it or messages of it wait or are held; after that, and of any earlier one, all
    /// states read unknown.
    /// </param>
    public SendReceipt StateOf(MessageId id)
        => Home.SessionOf(id.Incarnation) is { } session
            ? session.StateOf(id)
            : new SendReceipt(id, TransferState.Unknown, id.AsksTaken ? TakeState.Unknown : TakeState.NotAsked);

    /// <summary>As <see cref="StateOf(MessageId)"/>, of several messages (M14).</summary>
    /// <param name="ids">From receipts of this peer.</param>
    /// <param name="receipts">At least as many; filled in the same order. Each is true, not all at one moment.</param>
    /// <exception cref="ArgumentException">There is room for fewer receipts than there are ids.</exception>
    public void StateOf(ReadOnlySpan<MessageId> ids, Span<SendReceipt> receipts)
    {
        if (receipts.Length < ids.Length)
        {
            throw new ArgumentException(
                $"There are {ids.Length} ids, but only {receipts.Length} places.", nameof(receipts));
        }

        for (int i = 0; i < ids.Length; i++)
        {
            receipts[i] = StateOf(ids[i]);
        }
    }

    /// <summary>
    /// The messages to this peer of which something is not decided (M14): that have a record, are Queued or Sent, or
    /// Pending.
    /// </summary>
    /// <param name="receipts">
    /// Filled from its start, lane by lane, on each the oldest first. A lane has at most 4096 records.
    /// </param>
    /// <returns>How many; if the span was filled there may be more.</returns>
    /// <remarks>
    /// Any thread. A message has a record if it was sent with <see cref="SendOptions.NotifyReceived"/>,
    /// <see cref="SendOptions.NotifyTaken"/>, <see cref="SendOptions.ReceiveTimeout"/> or
    /// <see cref="SendOptions.MaxAttempts"/>; on lanes of other modes than ordered reliable every message has one until
    /// it has its end. Open claims are not messages yet. Only of the present connection: when one ends, so do its
    /// messages.
    /// </remarks>
    public int CopyOpen(Span<SendReceipt> receipts) => Home.Session.CopyOpen(receipts);

    /// <summary>Gives a message up that the peer's library is not known to have.</summary>
    /// <param name="id">
    /// From a receipt of this peer. On an ordered reliable lane one that was put together or changed is not known.
    /// </param>
    /// <returns>
    /// True: it is <see cref="TransferState.Cancelled"/>, and if it was asked its take is
    /// <see cref="TakeState.Expired"/>; nothing of it is transmitted from now on. What was transmitted before may
    /// arrive nevertheless. False: it has its end already, or is not known; or, rarely, so many messages are being given
    /// up that the peer could not keep up, and it is worth trying again. On the unreliable modes also: all of it was
    /// transmitted.
    /// </returns>
    /// <remarks>Any thread. The update that was asked for comes as of any other end.</remarks>
    public bool TryCancel(MessageId id) => Home.SessionOf(id.Incarnation) is { } session && session.TryCancel(id);

    /// <summary>Waits until it is decided whether the peer's library has a message (M1).</summary>
    /// <param name="id">From a receipt of this peer.</param>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="receipt">What is known then.</param>
    /// <returns>False: the time passed first.</returns>
    /// <remarks>
    /// Any thread but one that drives the daemon; in manual mode another thread must call
    /// <see cref="Gudp.Core.Daemon.ProcessIO"/> meanwhile. Nothing needs to be asked for when sending. What the receipt
    /// tells counts as told: <see cref="TakeUpdates"/> does not hand it out again.
    /// </remarks>
    public bool WaitForReceived(MessageId id, TimeSpan timeout, out SendReceipt receipt)
        => WaitFor(id, timeout, forTake: false, out receipt);

    /// <summary>Waits until it is decided whether the peer's application took a message (M2).</summary>
    /// <param name="id">From a receipt of this peer, sent with <see cref="SendOptions.NotifyTaken"/>.</param>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="receipt">What is known then.</param>
    /// <returns>False: the time passed first.</returns>
    /// <exception cref="ArgumentException">It was not asked for, so it will never be known.</exception>
    /// <remarks>As <see cref="WaitForReceived"/>.</remarks>
    public bool WaitForTaken(MessageId id, TimeSpan timeout, out SendReceipt receipt)
    {
        ThrowIfNotAsked(id);
        return WaitFor(id, timeout, forTake: true, out receipt);
    }

    /// <summary>As <see cref="WaitForReceived"/>, without holding a thread.</summary>
    /// <param name="id">From a receipt of this peer.</param>
    /// <param name="cancellationToken">Ends the wait; the message goes on.</param>
    /// <returns>The receipt, whose transfer has its end.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ValueTask<SendReceipt> WaitForReceivedAsync(MessageId id, CancellationToken cancellationToken = default)
        => WaitForAsync(id, forTake: false, cancellationToken);

    /// <summary>As <see cref="WaitForTaken"/>, without holding a thread.</summary>
    /// <param name="id">From a receipt of this peer, sent with <see cref="SendOptions.NotifyTaken"/>.</param>
    /// <param name="cancellationToken">Ends the wait; the message goes on.</param>
    /// <returns>The receipt, whose take has its end.</returns>
    /// <exception cref="ArgumentException">It was not asked for, so it will never be known.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ValueTask<SendReceipt> WaitForTakenAsync(MessageId id, CancellationToken cancellationToken = default)
    {
        ThrowIfNotAsked(id);
        return WaitForAsync(id, forTake: true, cancellationToken);
    }

    /// <summary>Fetches the updates that were asked for and have become true since the last call (M13).</summary>
    /// <param name="updates">
    /// Filled from its start; per lane in the order of the messages, but that messages which were given up, and takes
    /// that were not waited for, do not wait for earlier messages and come first.
    /// </param>
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

    private static bool IsDecided(in SendReceipt receipt, bool forTake)
        => forTake ? receipt.Take != TakeState.Pending
            : receipt.Transfer is not (TransferState.Queued or TransferState.Sent);

    private static void ThrowIfNotAsked(MessageId id)
    {
        if (!id.AsksTaken)
        {
            throw new ArgumentException("Only of messages sent with NotifyTaken it becomes known.", nameof(id));
        }
    }

    private bool WaitFor(MessageId id, TimeSpan timeout, bool forTake, out SendReceipt receipt)
    {
        Wait wait = new(timeout);

        while (true)
        {
            long seen = wait.Look(this);
            receipt = StateOf(id);

            if (IsDecided(receipt, forTake))
            {
                HandTold(receipt);
                return true;
            }

            if (!wait.TryWait(seen))
            {
                return false;
            }
        }
    }

    // Who only waits never fetches updates: they must not fill the lane.
    private void HandTold(in SendReceipt receipt) => Home.SessionOf(receipt.Id.Incarnation)?.HandTold(receipt);

    private async ValueTask<SendReceipt> WaitForAsync(MessageId id, bool forTake, CancellationToken cancellationToken)
    {
        while (true)
        {
            WaitPoint changes = Changes;
            long seen = changes.Version;
            SendReceipt receipt = StateOf(id);

            if (IsDecided(receipt, forTake))
            {
                HandTold(receipt);
                return receipt;
            }

            await changes.WhenPast(seen).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
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
