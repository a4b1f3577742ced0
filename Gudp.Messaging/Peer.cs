using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <summary>The other end of a connection, as sender and receiver of messages.</summary>
/// <remarks>
/// Any thread may call any member, except where a member says otherwise. Nothing here blocks but the members with a
/// time-out; in manual mode another thread must call <see cref="Daemon.ProcessIO"/> while they wait. What is sent
/// before the handshake is done waits; see <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>.
/// </remarks>
public sealed class Peer : IDisposable
{
    // Memory that another peer gives back is not signalled to this one: look again after a while.
    private static readonly TimeSpan MemoryRecheck = TimeSpan.FromMilliseconds(20);

    private static long _lastId;

    private readonly MessageSession _session;

    internal Peer(MessageSession session)
    {
        _session = session;
        Id = new PeerId(Interlocked.Increment(ref _lastId));
    }

    /// <summary>Names the peer within this process.</summary>
    public PeerId Id { get; }

    /// <summary>The connection under it, for its counters and its path.</summary>
    public Connection Connection => _session.Connection;

    /// <summary>The peer's address and port.</summary>
    public PeerAddress RemoteAddress => Connection.RemoteAddress;

    /// <summary>How the connection stands: one atomic read.</summary>
    public ConnectionStatus Status => Connection.Status;

    /// <summary>Why it ended; null while it has not.</summary>
    public CloseReason? CloseReason => Connection.CloseReason;

    /// <summary>For the application's own use.</summary>
    public object? Tag { get; set; }

    /// <summary>The longest unreliable message that fits one packet now, in bytes.</summary>
    public int MaxUnreliableBytes => _session.MaxUnreliableBytes;

    /// <summary>Waits until the handshake is done.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False if the time passed or the connection ended first.</returns>
    public bool WaitUntilOpen(TimeSpan timeout)
    {
        Wait wait = new(_session.Changes, timeout);

        while (true)
        {
            long seen = wait.Look();

            if (_session.IsFinal || _session.IsOpen)
            {
                return !_session.IsFinal;
            }

            if (!wait.TryWait(seen))
            {
                return false;
            }
        }
    }

    /// <summary>Queues one message. Never blocks, never throws for a full or closed connection.</summary>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="options">How it is sent.</param>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; or
    /// <see cref="SendStatus.LaneFull"/>: the lane's ring (MessagingConfig.LaneRingBytes) has no room until the network
    /// has carried more of it, or more updates were asked for than <see cref="TakeUpdates"/> has fetched;
    /// <see cref="SendStatus.NoCredit"/>: the same, and the peer's application does not read;
    /// <see cref="SendStatus.PeerFull"/>: no memory within MessagingConfig.PeerMemoryBytes;
    /// <see cref="SendStatus.DaemonFull"/>: none within MessagingConfig.EndpointMemoryBytes;
    /// <see cref="SendStatus.TooLarge"/>: longer than this end or the peer allows, or an unreliable one longer than
    /// <see cref="MaxUnreliableBytes"/>;
    /// <see cref="SendStatus.NotOpen"/>: longer than 64 KB before the handshake is done, or a lane the peer does not
    /// have;
    /// <see cref="SendStatus.Closed"/>: the connection is final.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such ordered lane (MessagingConfig.Lanes).</exception>
    public SendStatus TrySend(ReadOnlySpan<byte> message, SendOptions options = default)
        => _session.TrySend(message, options, out _);

    /// <summary>As <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>, and tells the message's receipt.</summary>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="receipt">If accepted: the message's id and first states.</param>
    public SendStatus TrySend(ReadOnlySpan<byte> message, SendOptions options, out SendReceipt receipt)
    {
        SendStatus status = _session.TrySend(message, options, out MessageId id);
        receipt = MessageSession.FirstReceipt(id);
        return status;
    }

    /// <summary>Takes room for one ordered message that the caller then writes in place: one copy less.</summary>
    /// <param name="length">Bytes of the message, 0 to the largest message.</param>
    /// <param name="options">How it is sent; only <see cref="Delivery.OrderedReliable"/>.</param>
    /// <param name="claim">If accepted: to be committed or abandoned.</param>
    /// <returns>As <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative length, or no such ordered lane.</exception>
    /// <exception cref="ArgumentException">The options ask for an unreliable message.</exception>
    public SendStatus TryClaim(int length, SendOptions options, out MessageClaim claim)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);

        if (options.Delivery != Delivery.OrderedReliable)
        {
            throw new ArgumentException("Only ordered messages are claimed; send an unreliable one.", nameof(options));
        }

        SendLane lane = _session.SendLaneOf(options.Lane);

        if (_session.IsFinal)
        {
            claim = default;
            return SendStatus.Closed;
        }

        ReceiptWish wish = MessageSession.WishOf(options);
        SendStatus status = lane.TryClaim(length, wish, out long index, out Memory<byte> room, out byte[]? block);

        claim = status == SendStatus.Accepted
            ? new MessageClaim(_session, lane, room, block, index, wish)
            : default;

        // A claim shows nothing to the leader yet; only a refusal is remembered.
        return status == SendStatus.Accepted ? status : _session.Conclude(status);
    }

    /// <summary>After a refused send: waits for the one signal that room became free.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>
    /// True if it is worth trying again (at once, if nothing was refused); also when the connection ended, which the
    /// next send tells. False if the time passed first.
    /// </returns>
    public bool WaitToSend(TimeSpan timeout)
    {
        Wait wait = new(_session.Changes, timeout);

        while (true)
        {
            long seen = wait.Look();

            if (!_session.IsSendRefused() || _session.IsFinal)
            {
                return true;
            }

            if (!wait.TryWait(seen, MemoryRecheck))
            {
                return false;
            }

            _session.ForgetMemoryRefusal();
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
            long seen = _session.Changes.Version;

            if (!_session.IsSendRefused() || _session.IsFinal)
            {
                return;
            }

            Task recheck = Task.Delay(MemoryRecheck, cancellationToken);
            await Task.WhenAny(_session.Changes.WhenPast(seen), recheck).ConfigureAwait(false);
            _session.ForgetMemoryRefusal();
        }
    }

    /// <summary>Takes the next message, from the control lane first, then from the other lanes in turn.</summary>
    /// <param name="message">To be disposed (taken) or refused.</param>
    /// <returns>
    /// False if there is none now; also while 1024 messages whose senders asked to know are held, or the messages held
    /// use up MessagingConfig.PeerMemoryBytes.
    /// </returns>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public bool TryReceive(out ReceivedMessage message)
    {
        ThrowIfSink();
        return _session.TryReceive(out message);
    }

    /// <summary>Waits for the next message.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="message">If received: to be disposed (taken) or refused.</param>
    /// <returns>
    /// <see cref="ReceiveStatus.Received"/>, <see cref="ReceiveStatus.TimedOut"/>, or
    /// <see cref="ReceiveStatus.Closed"/>: the connection is final and everything received was handed out.
    /// </returns>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public ReceiveStatus Receive(TimeSpan timeout, out ReceivedMessage message)
    {
        ThrowIfSink();
        Wait wait = new(_session.Changes, timeout);

        while (true)
        {
            // In this order: what arrived before the end is handed out before the end is told.
            long seen = wait.Look();
            bool ended = _session.IsFinal;

            if (_session.TryReceive(out message))
            {
                return ReceiveStatus.Received;
            }

            if (ended)
            {
                return ReceiveStatus.Closed;
            }

            if (!(_session.LacksMemoryToRead ? wait.TryWait(seen, MemoryRecheck) : wait.TryWait(seen)))
            {
                return ReceiveStatus.TimedOut;
            }
        }
    }

    /// <summary>Waits for the next message without holding a thread.</summary>
    /// <returns>
    /// The message, to be disposed or refused; null once the connection is final and all was handed out.
    /// </returns>
    /// <exception cref="OperationCanceledException">Cancelled; no message was lost.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public async ValueTask<ReceivedMessage?> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfSink();

        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long seen = _session.Changes.Version;
            bool ended = _session.IsFinal;

            if (_session.TryReceive(out ReceivedMessage message))
            {
                return message;
            }

            if (ended)
            {
                return null;
            }

            Task change = _session.Changes.WhenPast(seen);

            if (_session.LacksMemoryToRead)
            {
                change = Task.WhenAny(change, Task.Delay(MemoryRecheck, cancellationToken));
            }

            await change.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Hands out waiting messages in place, without a copy, on the caller's thread; each counts as taken when the
    /// handler returned from it.
    /// </summary>
    /// <param name="handler">Gets the messages.</param>
    /// <param name="budget">Most messages in this call.</param>
    /// <returns>How many were handed out.</returns>
    /// <remarks>
    /// One thread per lane at a time: a lane that another thread polls is passed over. The handler may send, but finds
    /// nothing to receive on the lane it is called for.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public int Poll<THandler>(ref THandler handler, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        ThrowIfSink();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget);
        return _session.Poll(ref handler, budget);
    }

    /// <summary>What is known of a message now (M14). Unknown ids read as messages not sent yet.</summary>
    /// <param name="id">From a receipt of this peer.</param>
    public SendReceipt StateOf(MessageId id) => _session.StateOf(id);

    /// <summary>Fetches the updates that were asked for and have become true since the last call (M13).</summary>
    /// <param name="updates">Filled from its start; per lane in the order of the messages.</param>
    /// <returns>How many; call again while the span was filled.</returns>
    public int TakeUpdates(Span<ReceiptUpdate> updates) => _session.TakeUpdates(updates);

    /// <summary>
    /// Waits until everything accepted so far is received by the peer; unreliable messages: until transmitted.
    /// </summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False if the time passed, or the connection ended, first.</returns>
    public bool Flush(TimeSpan timeout)
    {
        Wait wait = new(_session.Changes, timeout);

        while (true)
        {
            long seen = wait.Look();

            if (_session.IsFlushed())
            {
                return true;
            }

            if (_session.HasEnded || !wait.TryWait(seen))
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Ends the connection: final here at once. What was accepted still goes out, as far as the peer's credit and
    /// <see cref="ConnectionConfig.LingerTimeout"/> allow, then the peer is told; <see cref="Flush"/> first to be sure.
    /// </summary>
    public void Close() => Close(Gudp.Core.CloseReason.ByApplication);

    /// <summary>Ends the connection with a reason for the peer.</summary>
    /// <param name="reason">Code and detail.</param>
    public void Close(CloseReason reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        _session.Close(reason);
    }

    /// <summary>
    /// Ends the connection and gives up what was not read. Messages still held stay valid until disposed.
    /// </summary>
    public void Dispose()
    {
        Close();
        _session.Discard();
    }

    private void ThrowIfSink()
    {
        if (_session.HasSink)
        {
            throw new InvalidOperationException(
                "This endpoint's messages go to its sink; make the endpoint without one to receive or poll.");
        }
    }

    /// <summary>One wait with one deadline, however often it looks again.</summary>
    private readonly struct Wait(WaitPoint changes, TimeSpan timeout)
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        internal long Look() => changes.Version;

        internal bool TryWait(long seen) => changes.WaitPast(seen, Left);

        /// <summary>As above, but comes back after a step even if nothing changed.</summary>
        internal bool TryWait(long seen, TimeSpan step)
        {
            TimeSpan left = Left;
            bool changed = changes.WaitPast(seen, left < step ? left : step);
            return changed || left > step;
        }

        private TimeSpan Left
            => timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout - Stopwatch.GetElapsedTime(_start);
    }
}
