using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;

namespace Gudp.Messaging;

/// <content>Receiving from all peers at once.</content>
public sealed partial class MessageEndpoint
{
    // So many messages of one peer before the turn of another that waits.
    private const int PollQuantum = 32;

    private bool _isReadAsOne;

    /// <summary>Whose messages wait to be read.</summary>
    internal ReadyPeers Ready { get; }

    /// <summary>Takes the next message of any peer, of one peer after the other (M12).</summary>
    /// <param name="from">Who sent it; null if there is none.</param>
    /// <param name="message">To be disposed (taken) or refused.</param>
    /// <returns>False if there is none now, or no memory to hand one out; see <see cref="Peer.TryReceive"/>.</returns>
    /// <remarks>
    /// Any thread, also beside readers of single peers: each message goes to one of them. Costs what is ready, not what
    /// is connected. Whoever receives from the endpoint need not accept peers: once all but one of
    /// <see cref="QueueConfig.PendingAccepts"/> wait for that, further ones are taken in without it, and the endpoint's
    /// end does not end those that still wait.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public bool TryReceive(out Peer? from, out ReceivedMessage message)
    {
        bool received = TryReceive(out from, out message, out bool lacksMemory);
        PassOn(lacksMemory);
        return received;
    }

    /// <summary>Waits for the next message of any peer.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="from">Who sent it; null if none came.</param>
    /// <param name="message">If received: to be disposed (taken) or refused.</param>
    /// <returns>
    /// <see cref="ReceiveStatus.Received"/>, <see cref="ReceiveStatus.TimedOut"/>, or
    /// <see cref="ReceiveStatus.Closed"/>: the endpoint was disposed, and nothing waits to be read.
    /// </returns>
    /// <remarks>In manual mode another thread must call <see cref="Daemon.ProcessIO"/> meanwhile.</remarks>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public ReceiveStatus Receive(TimeSpan timeout, out Peer? from, out ReceivedMessage message)
    {
        long start = Stopwatch.GetTimestamp();

        while (true)
        {
            // In this order: what arrived before the end is handed out before the end is told.
            long seen = Ready.Changes.Version;
            bool disposed = Volatile.Read(ref _isDisposed);

            if (TryReceive(out from, out message, out bool lacksMemory))
            {
                PassOn(lacksMemory);
                return ReceiveStatus.Received;
            }

            if (disposed)
            {
                return ReceiveStatus.Closed;
            }

            TimeSpan left = timeout == Timeout.InfiniteTimeSpan
                ? TimeSpan.MaxValue
                : timeout - Stopwatch.GetElapsedTime(start);
            bool rechecks = lacksMemory && left > WaitPoint.MemoryRecheck;

            if (!Ready.Changes.WaitPast(seen, rechecks ? WaitPoint.MemoryRecheck : left) && !rechecks)
            {
                PassOn(lacksMemory);
                return ReceiveStatus.TimedOut;
            }
        }
    }

    /// <summary>
    /// Hands out waiting messages of all peers in place, without a copy, on the caller's thread; each counts as taken
    /// when the handler returned from it.
    /// </summary>
    /// <param name="handler">Gets the messages.</param>
    /// <param name="budget">Most messages in this call, 1 or more.</param>
    /// <returns>How many were handed out.</returns>
    /// <remarks>
    /// Peers have their turn one after the other, each with at most 32 messages while others wait. Otherwise as
    /// <see cref="Peer.Poll"/>. With <see cref="Daemon.ProcessIO"/> and <see cref="Peer.TrySend(ReadOnlySpan{byte}, SendOptions)"/>
    /// it is all a loop needs: nothing allocates, and no thread of the library runs.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public int Poll<THandler>(ref THandler handler, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        ReadAsOne();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget);
        int count = 0;

        // A visit that finds nothing is bounded by who stood here at first; one that finds something, by the budget.
        for (int fruitless = Ready.Count; fruitless > 0 && count < budget && Ready.TryTake(out Peer? peer, out bool isLast);)
        {
            int most = isLast ? budget - count : Math.Min(PollQuantum, budget - count);
            int polled = PollOne(peer!, ref handler, most);
            count += polled;
            fruitless -= polled == 0 ? 1 : 0;
        }

        return count;
    }

    /// <summary>
    /// All messages of all peers, as they come, until the endpoint is disposed and all that waited was handed out.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>Each message is the caller's: to be disposed (taken) or refused.</returns>
    /// <remarks>
    /// Any number of enumerations may run at once; each message goes to one of them. What follows a wait never runs
    /// inside a turn.
    /// </remarks>
    /// <exception cref="OperationCanceledException">Cancelled; no message was lost.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public IAsyncEnumerable<(Peer From, ReceivedMessage Message)> ReceiveAllAsync(
        CancellationToken cancellationToken = default)
        => ReceiveAllAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>
    /// As <see cref="ReceiveAllAsync(CancellationToken)"/>, and ends by itself when the time is over: for gathering
    /// answers.
    /// </summary>
    /// <param name="timeout">
    /// How long in all, from the first step on; <see cref="Timeout.InfiniteTimeSpan"/> for ever, at most 49 days.
    /// </param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>Each message is the caller's: to be disposed (taken) or refused.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; no message was lost.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has a sink, which takes all messages.</exception>
    public async IAsyncEnumerable<(Peer From, ReceivedMessage Message)> ReceiveAllAsync(
        TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        bool lacksMemory = false;

        while (!limit.IsCancellationRequested)
        {
            long seen = Ready.Changes.Version;
            bool disposed = Volatile.Read(ref _isDisposed);

            if (TryReceive(out Peer? from, out ReceivedMessage message, out lacksMemory))
            {
                // Its taker may be long, or not come back.
                PassOn(lacksMemory);
                yield return (from!, message);
            }
            else if (disposed)
            {
                break;
            }
            else
            {
                await WhenPastOrOver(seen, lacksMemory, limit.Token).ConfigureAwait(false);
            }
        }

        PassOn(lacksMemory);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Waits for the next peer that connects, without holding a thread. Begins to listen.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The peer, open, to be disposed; null if the endpoint or its daemon has ended.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; no peer was lost.</exception>
    /// <remarks>What follows the wait never runs inside a turn.</remarks>
    public async ValueTask<Peer?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        Listen();
        return await _endpoint.AcceptAsync(cancellationToken).ConfigureAwait(false) is { } connection
            ? PeerOf(connection)
            : null;
    }

    /// <summary>All peers that connect, as they come, until the endpoint or its daemon has ended.</summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>Each peer is open and the caller's, to be disposed.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; no peer was lost.</exception>
    public async IAsyncEnumerable<Peer> AcceptAllAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await AcceptAsync(cancellationToken).ConfigureAwait(false) is { } peer)
        {
            yield return peer;
        }
    }

    private bool TryReceive(out Peer? from, out ReceivedMessage message, out bool lacksMemory)
    {
        ReadAsOne();
        lacksMemory = false;

        for (int left = Ready.Count; left > 0 && Ready.TryTake(out from); left--)
        {
            if (from!.TryReceive(out message))
            {
                // There may be more, after the others' turn.
                Ready.Add(from);
                return true;
            }

            if (from.LacksMemoryToRead)
            {
                lacksMemory = true;
                Ready.PutBack(from);
            }
        }

        from = null;
        message = default;
        return false;
    }

    // Who looks after a peer that lacks memory, and goes, leaves it to another reader that waits.
    private void PassOn(bool lacksMemory)
    {
        if (lacksMemory)
        {
            Ready.Changes.Signal();
        }
    }

    // Comes back without an exception when cancelled.
    private async Task WhenPastOrOver(long seen, bool lacksMemory, CancellationToken over)
    {
        Task change = lacksMemory ? Ready.Changes.WhenPastOrRecheck(seen, over) : Ready.Changes.WhenPast(seen);

        await change.WaitAsync(over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private int PollOne<THandler>(Peer peer, ref THandler handler, int budget)
        where THandler : IMessageHandler, allows ref struct
    {
        int polled = budget;

        try
        {
            polled = peer.Poll(ref handler, budget);
            return polled;
        }
        finally
        {
            // Also when the handler threw: its message is still there.
            if (polled == budget || peer.LacksMemoryToRead)
            {
                Ready.Add(peer);
            }
        }
    }

    /// <summary>Leader only. Whether a peer that opens now must not wait to be accepted, since nobody may do so.</summary>
    internal bool TakesInByItself => Volatile.Read(ref _isReadAsOne)
        && _endpoint.WaitingToBeAccepted >= _config.Core.Connections.Queues.PendingAccepts - 1;

    private void ReadAsOne()
    {
        if (!Volatile.Read(ref _isReadAsOne))
        {
            ThrowIfSink();
            Volatile.Write(ref _isReadAsOne, true);
        }
    }

    // Who reads the endpoint has had those that nobody accepted all the same: they live on. Else they end here and not in
    // Core, which knows only the connection they came with, and not the one they may have by now.
    private void LeaveUnaccepted()
    {
        // Asking an endpoint that never listened would make it listen.
        while (_endpoint.WaitingToBeAccepted > 0 && _endpoint.TryAccept(out Connection? connection))
        {
            if (!Volatile.Read(ref _isReadAsOne))
            {
                PeerOf(connection!).Dispose();
            }
        }
    }

    private void ThrowIfSink()
    {
        if (_sink is not null)
        {
            throw new InvalidOperationException(
                "This endpoint's messages go to its sink; make the endpoint without one to receive or poll.");
        }
    }
}
