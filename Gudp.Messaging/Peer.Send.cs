using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>Sending.</content>
public sealed partial class Peer
{
    /// <summary>
    /// The longest message of an unreliable lane, in bytes: <see cref="MessagingConfig.MaxUnreliableBytes"/>, or what
    /// the peer takes if that is less.
    /// </summary>
    public int MaxUnreliableBytes => Session.MaxUnreliableBytes;

    /// <summary>
    /// The longest message that goes in one packet now, in bytes. A longer one goes in parts: an unreliable one is then
    /// lost if one of them is.
    /// </summary>
    public int MaxUndividedBytes => Session.MaxUndividedBytes;

    /// <summary>Queues one message. Never blocks, never throws for a full or closed connection.</summary>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="options">How it is sent.</param>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; or
    /// <see cref="SendStatus.LaneFull"/>: the lane's queue (MessagingConfig.LaneRingBytes; of unreliable modes
    /// DatagramQueueBytes; 16,384 messages) has no room until the network has carried more of it;
    /// <see cref="SendStatus.UpdatesFull"/>: more updates were asked for than <see cref="TakeUpdates"/> has fetched;
    /// <see cref="SendStatus.NoCredit"/>: the same, and the peer's application does not read;
    /// <see cref="SendStatus.PeerFull"/>: no memory within MessagingConfig.PeerMemoryBytes;
    /// <see cref="SendStatus.DaemonFull"/>: none within MessagingConfig.EndpointMemoryBytes;
    /// <see cref="SendStatus.TooLarge"/>: longer than this end or the peer allows, or an unreliable one longer than
    /// <see cref="MaxUnreliableBytes"/>;
    /// <see cref="SendStatus.NotOpen"/>: longer than 64 KB before the handshake is done, or a lane the peer does not
    /// have, or the connection of a pinned peer has ended and it is about to be dialled again;
    /// <see cref="SendStatus.Closed"/>: the connection is final, and the peer is not pinned.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    public SendStatus TrySend(ReadOnlySpan<byte> message, SendOptions options = default)
        => Session.TrySend(message, options, out _);

    /// <summary>As <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>, and tells the message's receipt.</summary>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="receipt">If accepted: the message's id and first states.</param>
    public SendStatus TrySend(ReadOnlySpan<byte> message, SendOptions options, out SendReceipt receipt)
    {
        SendStatus status = Session.TrySend(message, options, out MessageId id);
        receipt = MessageSession.FirstReceipt(id);
        return status;
    }

    /// <summary>Queues several messages one after the other: the lane is taken once, so no other comes between.</summary>
    /// <param name="messages">Each 0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="options">How all are sent.</param>
    /// <param name="results">
    /// What became of each, as of <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>; at least as many. When there is
    /// no room for one message, the later ones are not tried and get the same status.
    /// </param>
    /// <returns>How many were accepted.</returns>
    /// <exception cref="ArgumentException">There are fewer results than messages.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    /// <remarks>Any thread; never blocks. Others that send on the lane wait meanwhile.</remarks>
    public int TrySend(
        ReadOnlySpan<ReadOnlyMemory<byte>> messages, in SendOptions options, Span<SendResult> results)
    {
        if (results.Length < messages.Length)
        {
            throw new ArgumentException(
                $"There are {messages.Length} messages, but only {results.Length} places.", nameof(results));
        }

        return Session.TrySendAll(messages, options, results);
    }

    /// <summary>Begins to send many messages on one lane: each costs a fraction of a single send.</summary>
    /// <param name="options">How all are sent.</param>
    /// <returns>To be disposed: that hands over what it has collected.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    /// <remarks>
    /// Any thread; the batch is that thread's. It belongs to the present connection: on a closed one, and after the
    /// connection has ended, its sends are refused.
    /// </remarks>
    public SendBatch BeginBatch(in SendOptions options = default) => new(Session, options);

    /// <summary>Takes room for one message that the caller then writes in place: one copy less.</summary>
    /// <param name="length">Bytes of the message, 0 to the largest message.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="claim">If accepted: to be committed or abandoned.</param>
    /// <returns>As <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative length, or no such lane.</exception>
    public SendStatus TryClaim(int length, SendOptions options, out MessageClaim claim)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);

        MessageSession session = Session;
        SendLane lane = session.SendLaneOf(options.Lane);

        if (session.IsFinal)
        {
            claim = default;
            return session.Conclude(SendStatus.Closed, lane);
        }

        SendStatus status = lane.TryClaim(length, options, out LaneClaim room);
        claim = status == SendStatus.Accepted ? new MessageClaim(session, lane, room) : default;

        // A claim shows nothing to the leader yet; only a refusal is remembered.
        return status == SendStatus.Accepted ? status : session.Conclude(status, lane);
    }

    /// <summary>After a refused send: waits for the one signal that room became free.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>
    /// True if it is worth trying again (at once, if nothing was refused); also when the connection ended and no other
    /// is to come, which the next send tells. False if the time passed first.
    /// </returns>
    public bool WaitToSend(TimeSpan timeout)
    {
        Wait wait = new(timeout);

        while (true)
        {
            long seen = wait.Look(this);
            MessageSession session = Session;

            if (!session.IsSendRefused())
            {
                return true;
            }

            if (!wait.TryWait(seen, WaitPoint.MemoryRecheck))
            {
                return false;
            }

            session.ForgetMemoryRefusal();
        }
    }

    /// <summary>As <see cref="WaitToSend"/>, without holding a thread; also returns when the connection ended.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask WaitToSendAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            WaitPoint changes = Changes;
            long seen = changes.Version;
            MessageSession session = Session;

            if (!session.IsSendRefused())
            {
                return;
            }

            await changes.WhenPastOrRecheck(seen, cancellationToken).ConfigureAwait(false);
            session.ForgetMemoryRefusal();
        }
    }
}
