using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;

namespace Gudp.Messaging;

/// <content>The asynchronous face: the same queues, waited for without holding a thread.</content>
public sealed partial class Peer
{
    private ReadyPlace? _ready;

    /// <summary>The peer's place in the line of those that the endpoint's readers serve.</summary>
    internal ReadyPlace Ready
        => Volatile.Read(ref _ready) ?? Interlocked.CompareExchange(ref _ready, new ReadyPlace(this), null) ?? _ready;

    /// <summary>A message is here, but there was no memory to hand it out.</summary>
    internal bool LacksMemoryToRead
        => Session.LacksMemoryToRead || Home.FormerSession is { LacksMemoryToRead: true };

    /// <summary>As <see cref="WaitUntilOpen"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Ends the wait; the connection goes on.</param>
    /// <returns>False if the connection ended first.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask<bool> WaitUntilOpenAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            WaitPoint changes = Changes;
            long seen = changes.Version;
            MessageSession session = Session;
            bool isOver = IsOver(session);

            if (isOver || session.IsOpen)
            {
                return !isOver;
            }

            await changes.WhenPast(seen).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="Flush"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Ends the wait; what was accepted goes on.</param>
    /// <returns>False if the connection ended first.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask<bool> FlushAsync(CancellationToken cancellationToken = default)
    {
        MessageSession session = Session;

        while (true)
        {
            WaitPoint changes = Changes;
            long seen = changes.Version;

            if (session.IsFlushed())
            {
                return true;
            }

            if (session.HasEnded)
            {
                return false;
            }

            await changes.WhenPast(seen).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Queues one message, and waits for room while there is none.</summary>
    /// <param name="message">
    /// 0 bytes to the largest message; copied before the task completes, so leave it alone until then.
    /// </param>
    /// <param name="options">How it is sent.</param>
    /// <param name="cancellationToken">Ends the wait for room; a message that was accepted stays accepted.</param>
    /// <returns>
    /// The message's id and first states: it is queued. What becomes of it afterwards the receipt tells, see
    /// <see cref="SendOptions.NotifyReceived"/> and <see cref="StateOf(MessageId)"/>.
    /// </returns>
    /// <exception cref="MessageRefusedException">
    /// Waiting is of no use: the connection is final, the message is too large, or the peer has no such lane.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; the message was not queued.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    /// <remarks>
    /// Any thread. Where there is room it completes at once and allocates nothing. In manual mode another thread must
    /// call <see cref="Daemon.ProcessIO"/> while it waits; what follows the wait never runs inside a turn.
    /// </remarks>
    public async ValueTask<SendReceipt> SendAsync(
        ReadOnlyMemory<byte> message, SendOptions options = default, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // Read first: a refusal for want of a handshake that was done by then is the peer's last word.
            WaitPoint changes = Changes;
            long seen = changes.Version;
            MessageSession session = Session;
            bool wasOpen = session.IsOpen;
            SendStatus status = session.TrySend(message.Span, options, out MessageId id);

            if (status == SendStatus.Accepted)
            {
                return MessageSession.FirstReceipt(id);
            }

            if (status == SendStatus.TooLarge
                || (status == SendStatus.Closed && IsOver(session))
                || (status == SendStatus.NotOpen && wasOpen && !session.IsFinal))
            {
                throw new MessageRefusedException(status, message.Length, options.Lane);
            }

            // A pinned peer between two connections: the next one signals.
            await (status == SendStatus.Closed
                ? changes.WhenPast(seen).WaitAsync(cancellationToken)
                : WaitToSendAsync(cancellationToken).AsTask()).ConfigureAwait(false);
        }
    }

    /// <summary>All messages of this peer, as they come, until the connection is final and all was handed out.</summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>Each message is the caller's: to be disposed (taken) or refused.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; no message was lost.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    /// <remarks>
    /// Any number of enumerations may run at once; each message goes to one of them. What follows a wait never runs
    /// inside a turn.
    /// </remarks>
    public async IAsyncEnumerable<ReceivedMessage> ReceiveAllAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await ReceiveAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            yield return message;
        }
    }
}
