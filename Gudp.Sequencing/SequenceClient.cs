using System;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing;

// The member's engine on a peer: commits go out when an advance is asked for, and the caller's thread takes in what
// the server answers while it waits for its grant. No thread of its own, no callback.
//
// Always true:
//   - one thread uses a client at a time; the engine is never touched by another one;
//   - a commit leaves once, in order; what a full lane refused is sent before the wait goes on.

/// <summary>
/// A member of a run: publishes at tags, asks to advance, and is granted when everything that could causally matter
/// has been delivered (lock-time section 23).
/// </summary>
/// <remarks>
/// One thread at a time. The blocking and the asynchronous calls do the same; both need the daemon of the endpoint to
/// run on a thread of its own.
/// </remarks>
public sealed partial class SequenceClient : IDisposable
{
    private readonly MemberEngine _engine;
    private readonly Peer _peer;
    private bool _isDisposed;

    private SequenceClient(MemberEngine engine, MemberOptions options, Peer peer)
    {
        _engine = engine;
        _options = options;
        _peer = peer;
    }

    /// <summary>Name in the roster.</summary>
    public string Name => _engine.Name;

    /// <summary>Place in the sorted roster.</summary>
    public int Ordinal => _engine.Ordinal;

    /// <summary>The tag of the last grant.</summary>
    public Tag Now => _engine.Now;

    /// <summary>The smallest tag a publication may have now: the promise, or now and the look-ahead.</summary>
    public Tag EarliestPublication => _engine.EarliestPublication;

    /// <summary>The first sequence point, with an empty batch; null until the run has started.</summary>
    public Grant? Start { get; private set; }

    /// <summary>Running digest of everything delivered to this member; equal in every execution of the run.</summary>
    public ulong Digest => _engine.Digest;

    /// <summary>Digest of the whole run; null until everybody has resigned and the server has said so.</summary>
    public ulong? RunDigest => _engine.RunDigest;

    /// <summary>The peer beneath: status and counters of the connection.</summary>
    public Peer Peer => _peer;

    /// <summary>Connects, joins, and waits until the run has started.</summary>
    /// <param name="endpoint">Without a sink; its daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="options">Who joins, and what it declares.</param>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <exception cref="TimeoutException">The run did not start in time.</exception>
    /// <exception cref="SequencingException">Refused: unknown or taken name, other configuration, lost connection.</exception>
    public static SequenceClient Join(
        MessageEndpoint endpoint, PeerAddress server, MemberOptions options, TimeSpan timeout)
    {
        SequenceClient client = Begin(endpoint, server, options);

        try
        {
            client.WaitForGrant(timeout);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The pump's way to join: connects and returns at once. <see cref="TryTakeGrant"/> hands out the start grant when
    /// the run has started, and a grant after each <see cref="RequestTo"/> or <see cref="RequestNext"/>.
    /// </summary>
    /// <param name="endpoint">Without a sink; the caller pumps its daemon, or the daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="options">Who joins, and what it declares.</param>
    public static SequenceClient Begin(MessageEndpoint endpoint, PeerAddress server, MemberOptions options)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(options);
        return new SequenceClient(new MemberEngine(options), options, endpoint.Connect(server));
    }

    /// <summary>As <see cref="Join"/>, without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before the run started.</exception>
    /// <exception cref="SequencingException">Refused: unknown or taken name, other configuration, lost connection.</exception>
    public static async Task<SequenceClient> JoinAsync(
        MessageEndpoint endpoint, PeerAddress server, MemberOptions options, CancellationToken cancellationToken = default)
    {
        SequenceClient client = Begin(endpoint, server, options);

        try
        {
            await client.WaitForGrantAsync(cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Buffers a message; it leaves with the next request to advance.</summary>
    /// <param name="channel">A channel this member declared to publish on.</param>
    /// <param name="payload">Copied.</param>
    /// <param name="at">Its arrival tag before the channel's latency; by default <see cref="EarliestPublication"/>.</param>
    /// <exception cref="SequencingException">
    /// <see cref="SequencingError.LookaheadViolation"/>, NotASender, UnknownChannel, NotDeclared, TooLarge; nothing was buffered.
    /// </exception>
    public void Publish(string channel, ReadOnlySpan<byte> payload, Tag? at = null)
        => Require(_engine.Publish(channel, payload, at), $"publishing on '{channel}' at {at ?? EarliestPublication}");

    /// <summary>Promises that nothing published later arrives below <paramref name="tag"/>; a lower promise is ignored.</summary>
    /// <exception cref="SequencingException">NotASender, or the tag is out of range.</exception>
    public void Promise(Tag tag) => Require(_engine.Promise(tag), $"promising {tag}");

    /// <summary>Changes the look-ahead from the next commit on; at least one round.</summary>
    /// <exception cref="SequencingException">NotASender, or the look-ahead is below one round.</exception>
    public void SetLookahead(Delay lookahead) => Require(_engine.SetLookahead(lookahead), $"a look-ahead of {lookahead}");

    /// <summary>Advances to exactly <paramref name="target"/>; everything on the way comes in one batch.</summary>
    /// <param name="timeout">How long to wait; the request stays with the server when it passes.</param>
    /// <exception cref="SequencingException">The request is not allowed, the server refused, or the connection ended.</exception>
    /// <exception cref="TimeoutException">Not granted in time: call <see cref="WaitForGrant"/> to go on waiting.</exception>
    public Grant AdvanceTo(Tag target, TimeSpan timeout)
    {
        Ask(AdvanceMode.To, target);
        return WaitForGrant(timeout);
    }

    /// <summary>Advances to <paramref name="until"/>, or to the first waking message before it.</summary>
    /// <param name="timeout">As for <see cref="AdvanceTo"/>.</param>
    /// <inheritdoc cref="AdvanceTo" path="/exception"/>
    public Grant Next(Tag until, TimeSpan timeout)
    {
        Ask(AdvanceMode.Next, until);
        return WaitForGrant(timeout);
    }

    /// <summary>Advances to the end of a time: everything that happens at it, in all its rounds.</summary>
    /// <param name="timeout">As for <see cref="AdvanceTo"/>.</param>
    /// <inheritdoc cref="AdvanceTo" path="/exception"/>
    public Grant EndOf(long time, TimeSpan timeout) => AdvanceTo(Tag.EndOf(time), timeout);

    /// <summary>As <see cref="AdvanceTo"/>, without holding a thread.</summary>
    public ValueTask<Grant> AdvanceToAsync(Tag target, CancellationToken cancellationToken = default)
    {
        Ask(AdvanceMode.To, target);
        return WaitForGrantAsync(cancellationToken);
    }

    /// <summary>As <see cref="Next"/>, without holding a thread.</summary>
    public ValueTask<Grant> NextAsync(Tag until, CancellationToken cancellationToken = default)
    {
        Ask(AdvanceMode.Next, until);
        return WaitForGrantAsync(cancellationToken);
    }

    /// <summary>As <see cref="EndOf"/>, without holding a thread.</summary>
    public ValueTask<Grant> EndOfAsync(long time, CancellationToken cancellationToken = default)
        => AdvanceToAsync(Tag.EndOf(time), cancellationToken);

    /// <summary>Asks to advance to exactly <paramref name="target"/> and returns at once.</summary>
    /// <exception cref="SequencingException">The request is not allowed.</exception>
    public void RequestTo(Tag target) => Ask(AdvanceMode.To, target);

    /// <summary>Asks to advance to <paramref name="until"/> or the first waking message, and returns at once.</summary>
    /// <exception cref="SequencingException">The request is not allowed.</exception>
    public void RequestNext(Tag until) => Ask(AdvanceMode.Next, until);

    /// <summary>Takes in what the server has sent and hands out the grant if it is there. Never waits.</summary>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    public bool TryTakeGrant([NotNullWhen(true)] out Grant? grant)
    {
        ThrowIfDisposed();
        WatchResumption();
        TrySendCommits();

        // Read first: what arrived before the end is then taken in before the end is told.
        bool hasEnded = _peer.Status.IsFinal;

        while (_peer.TryReceive(out ReceivedMessage message))
        {
            Take(message);
        }

        if (TryTake(out grant))
        {
            return true;
        }

        if (hasEnded)
        {
            GoOnAfterLoss();
        }

        return false;
    }

    /// <summary>Goes on waiting for the grant of a request that was made before.</summary>
    /// <param name="timeout">
    /// How long; zero only looks at what is there, <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.
    /// </param>
    /// <exception cref="TimeoutException">Still not granted. What was asked for stays asked for.</exception>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">Nothing was asked for, so no grant will ever come.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public Grant WaitForGrant(TimeSpan timeout)
    {
        ThrowIfDisposed();
        long start = Stopwatch.GetTimestamp();

        while (true)
        {
            WatchResumption();

            if (!TrySendCommits(timeout, start))
            {
                throw NotGranted(timeout);
            }

            if (TryTake(out Grant? grant))
            {
                return grant;
            }

            ThrowIfNothingAsked();

            if (!TryTakeIn(timeout, start))
            {
                throw NotGranted(timeout);
            }
        }
    }

    /// <summary>As <see cref="WaitForGrant"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Ends the wait; what was asked for stays asked for.</param>
    /// <exception cref="OperationCanceledException">Cancelled; wait again to go on.</exception>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">Nothing was asked for, so no grant will ever come.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async ValueTask<Grant> WaitForGrantAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();

        while (true)
        {
            WatchResumption();

            while (!TrySendCommits())
            {
                await _peer.WaitToSendAsync(cancellationToken).ConfigureAwait(false);
            }

            if (TryTake(out Grant? grant))
            {
                return grant;
            }

            ThrowIfNothingAsked();

            await TakeInAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Leaves the run: what was published still counts. Waits until the server has it.</summary>
    /// <param name="timeout">How long to wait for that; zero does not wait.</param>
    /// <returns>
    /// False if the time passed or the connection ended first: call again, or <see cref="WaitForEnd"/>, to go on.
    /// </returns>
    /// <exception cref="SequencingException">The member was not running.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public bool Resign(TimeSpan timeout)
    {
        ThrowIfDisposed();

        if (_engine.Phase != MemberPhase.Resigned)
        {
            Require(_engine.Resign(), "resigning");
        }

        long start = Stopwatch.GetTimestamp();
        return TrySendCommits(timeout, start) && _peer.Flush(Left(timeout, start));
    }

    /// <summary>After <see cref="Resign"/>: waits until everybody has resigned and the run's digest is known.</summary>
    /// <param name="timeout">
    /// How long; zero only looks at what is there, <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.
    /// </param>
    /// <returns>The run digest; null if the time passed or the connection ended first.</returns>
    /// <exception cref="SequencingException">The run was aborted, or the server refused the resignation.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ulong? WaitForEnd(TimeSpan timeout)
    {
        ThrowIfDisposed();
        long start = Stopwatch.GetTimestamp();

        while (RunDigest is null && TrySendCommits(timeout, start) && TryTakeIn(timeout, start))
        {
            ThrowIfFailed();
            WatchResumption();
        }

        return RunDigest;
    }

    /// <summary>
    /// Closes the connection. What the lane took still leaves, as <see cref="Peer.Close()"/> says; a member that did
    /// not resign before is lost to the run (its crash policy decides).
    /// </summary>
    public void Dispose()
    {
        _isDisposed = true;
        _peer.Dispose();
    }

    private static TimeSpan Left(TimeSpan timeout, long start)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return timeout;
        }

        TimeSpan left = timeout - Stopwatch.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Ask(AdvanceMode mode, Tag target)
        => Require(_engine.Request(mode, target), $"asking for {mode}({target})");

    /// <returns>False if the time passed first.</returns>
    private bool TrySendCommits(TimeSpan timeout, long start)
    {
        while (!TrySendCommits())
        {
            if (!_peer.WaitToSend(Left(timeout, start)))
            {
                return false;
            }
        }

        return true;
    }

    /// <returns>False if there is no room now for all that waits.</returns>
    private bool TrySendCommits()
    {
        _engine.Suspend(_options.IsDebugged());

        while (_engine.TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            SendStatus status = _peer.TrySend(message);

            switch (status)
            {
                case SendStatus.Accepted:
                    _engine.OnSent();
                    break;
                case SendStatus.Closed:
                    // Whoever receives next is told so, after what the server still said before the end.
                    return true;
                case SendStatus.TooLarge:
                    _engine.Fail(
                        SequencingError.TooLarge,
                        $"A commit of {message.Length} bytes is longer than MessagingConfig.MaxMessageBytes of an end.");
                    return true;
                default:
                    return false;
            }
        }

        return true;
    }

    private void Take(ReceivedMessage message)
    {
        using (message)
        {
            _engine.HandleMessage(message.Span);
        }
    }

    private bool TryTake([NotNullWhen(true)] out Grant? grant)
    {
        if (_engine.TryTakeGrant(out Grant taken))
        {
            grant = taken;
            Start ??= taken;
            return true;
        }

        grant = null;
        ThrowIfFailed();
        return false;
    }

    private void Require(SequencingError error, string doing)
    {
        ThrowIfDisposed();

        if (error != SequencingError.None)
        {
            ThrowIfFailed();
            throw new SequencingException(error, $"'{Name}' at {Now} when {doing}: {_engine.Allowed(error)}.");
        }
    }

    private void ThrowIfFailed()
    {
        if (_engine.Error != SequencingError.None)
        {
            throw new SequencingException(_engine.Error, _engine.ErrorDetail);
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    private void ThrowIfNothingAsked()
    {
        if (_engine.Phase is MemberPhase.Running or MemberPhase.Resigned)
        {
            throw new InvalidOperationException(
                $"Member '{Name}' at {Now} waits for a grant that it did not ask for; advance or request first.");
        }
    }

    private TimeoutException NotGranted(TimeSpan timeout)
        => new($"Member '{Name}' at {Now} was not granted within {timeout}.");

    private SequencingException Lost(string what)
        => new(SequencingError.ConnectionLost, $"Member '{Name}' at {Now}: {what}. {_peer.CloseReason}");
}
