using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;

namespace Gudp.Messaging;

/// <content>Receiving.</content>
public sealed partial class Peer
{
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
        return Home.TryReceiveHere(out message);
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
        Wait wait = new(timeout);

        while (true)
        {
            // In this order: what arrived before the end is handed out before the end is told.
            long seen = wait.Look(this);
            Peer home = Home;
            MessageSession session = home.Session;
            bool ended = home.IsOver(session);

            if (home.TryReceiveHere(out message))
            {
                return ReceiveStatus.Received;
            }

            if (ended && home.TryTellClosed(session))
            {
                return ReceiveStatus.Closed;
            }

            if (!(home.LacksMemoryToRead ? wait.TryWait(seen, WaitPoint.MemoryRecheck) : wait.TryWait(seen)))
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
            WaitPoint changes = Changes;
            long seen = changes.Version;
            Peer home = Home;
            MessageSession session = home.Session;
            bool ended = home.IsOver(session);

            if (home.TryReceiveHere(out ReceivedMessage message))
            {
                return message;
            }

            if (ended && home.TryTellClosed(session))
            {
                return null;
            }

            Task change = home.LacksMemoryToRead
                ? changes.WhenPastOrRecheck(seen, cancellationToken)
                : changes.WhenPast(seen);

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
        Peer home = Home;
        MessageSession session = home.Session;
        int count = 0;

        if (Volatile.Read(ref home._former) is { } former)
        {
            count = former.Poll(ref handler, budget);
            home.DropIfDrained(former);

            if (former.HasUnread)
            {
                return count;
            }
        }

        count += count == budget ? 0 : session.Poll(ref handler, budget - count);
        home.LeaveIfOver(session);
        return count;
    }

    // What is left of the ended session comes before anything of the present one.
    private bool TryReceiveHere(out ReceivedMessage message)
    {
        MessageSession session = Session;

        if (Volatile.Read(ref _former) is { } former)
        {
            bool received = former.TryReceive(out message);
            DropIfDrained(former);

            // Also when it cannot be read just now, for want of memory or because another thread polls it (I8).
            if (received || former.HasUnread)
            {
                return received;
            }
        }

        if (session.TryReceive(out message))
        {
            return true;
        }

        LeaveIfOver(session);
        return false;
    }

    // The application is told once that all is over: who comes back afterwards is accepted anew.
    private bool TryTellClosed(MessageSession session) => _table is null || _table.TryTellClosed(this, session);

    private void ThrowIfSink()
    {
        if (Session.HasSink)
        {
            throw new InvalidOperationException(
                "This endpoint's messages go to its sink; make the endpoint without one to receive or poll.");
        }
    }
}
