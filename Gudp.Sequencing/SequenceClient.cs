using System;
using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Links;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing;

// The member's engine on a link: commits go out when an advance is asked for, and the caller's thread takes in what
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
/// <para>
/// What a member says (publications, promises, roles and the rest) is kept until it next asks to advance or resigns, and
/// leaves with that as one commit: until then nobody is told, and whom it holds up goes on waiting.
/// </para>
/// </remarks>
public sealed partial class SequenceClient : IDisposable
{
    // A text that surely fits is encoded on the stack.
    private const int ShortTextBytes = 512;

    private readonly MemberEngine _engine;
    private readonly IMemberLink _link;
    private volatile bool _isDisposed;

    internal SequenceClient(MemberEngine engine, MemberOptions options, IMemberLink link)
    {
        _engine = engine;
        _options = options;
        _link = link;
    }

    /// <summary>Has control: it may publish and ask.</summary>
    internal bool IsRunning => _engine.Phase == MemberPhase.Running;

    /// <summary>The last grant was final.</summary>
    internal bool IsFinal => _engine.IsFinal;

    /// <summary>What it declared.</summary>
    internal MemberOptions Options => _options;

    /// <summary>Sends what is there to send, as far as there is room.</summary>
    internal void SendCommits() => TrySendCommits();

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

    /// <summary>
    /// Running digest of everything this member has said in its commits, without what it was told and without the
    /// configuration (lock-time section 7.1). Compare it with that of the same member in another execution: equal digests of
    /// commits and unequal <see cref="Digest"/>s mean that the member did the same and was given something else; unequal
    /// ones, that it behaved differently. What is buffered counts once it leaves.
    /// </summary>
    public ulong CommitDigest => _engine.CommitDigest;

    /// <summary>Digest of the whole run; null until everybody has resigned and the server has said so.</summary>
    public ulong? RunDigest => _engine.RunDigest;

    /// <summary>What was counted at this end. A copy; the client's thread.</summary>
    public ClientCounters ReadCounters() => _engine.Tally.Read();

    /// <summary>The peer beneath: status and counters of the connection.</summary>
    /// <exception cref="InvalidOperationException">The member is in a <see cref="SequenceHost"/>: nothing is beneath.</exception>
    public Peer Peer => _link is PeerLink link
        ? link.Peer
        : throw new InvalidOperationException($"Member '{Name}' is in the process of its server and has no connection.");

    /// <summary>Connects, joins, and waits until the run has started.</summary>
    /// <param name="endpoint">Without a sink; its daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="options">Who joins, and what it declares.</param>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <exception cref="TimeoutException">The run did not start in time.</exception>
    /// <exception cref="SequencingException">Refused: unknown or taken name, other configuration, lost connection.</exception>
    public static SequenceClient Join(
        MessageEndpoint endpoint, PeerAddress server, MemberOptions options, TimeSpan timeout)
        => Started(Begin(endpoint, server, options), client => client.WaitForGrant(timeout));

    /// <summary>
    /// The pump's way to join: connects, says hello and returns at once. <see cref="TryTakeGrant"/> hands out the start grant when
    /// the run has started, and a grant after each <see cref="RequestTo"/> or <see cref="RequestNext"/>.
    /// </summary>
    /// <param name="endpoint">Without a sink; the caller pumps its daemon, or the daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="options">Who joins, and what it declares.</param>
    public static SequenceClient Begin(MessageEndpoint endpoint, PeerAddress server, MemberOptions options)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(options);
        return Greeting(new SequenceClient(new MemberEngine(options), options, new PeerLink(endpoint.Connect(server))));
    }

    /// <summary>As <see cref="Join"/>, without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before the run started.</exception>
    /// <exception cref="SequencingException">Refused: unknown or taken name, other configuration, lost connection.</exception>
    public static Task<SequenceClient> JoinAsync(
        MessageEndpoint endpoint, PeerAddress server, MemberOptions options, CancellationToken cancellationToken = default)
        => StartedAsync(
            Begin(endpoint, server, options), client => client.WaitForGrantAsync(cancellationToken).AsTask());

    /// <summary>Buffers a message; it leaves with the next request to advance.</summary>
    /// <param name="channel">A channel this member declared to publish on.</param>
    /// <param name="payload">Copied.</param>
    /// <param name="at">Its arrival tag before the channel's latency; by default <see cref="EarliestPublication"/>.</param>
    /// <exception cref="SequencingException">
    /// <see cref="SequencingError.LookaheadViolation"/>, NotASender, UnknownChannel, NotDeclared, TooLarge; nothing was buffered.
    /// </exception>
    public void Publish(string channel, ReadOnlySpan<byte> payload, Tag? at = null)
    {
        if (IsRefused(_engine.Publish(channel, payload, at), out SequencingError error))
        {
            throw Refused(error, $"publishing on '{channel}' at {at ?? EarliestPublication}");
        }
    }

    /// <summary>As the other one, with a text as UTF-8.</summary>
    /// <param name="channel">A channel this member declared to publish on.</param>
    /// <param name="text">Lone surrogates become U+FFFD.</param>
    /// <param name="at">Its arrival tag before the channel's latency; by default <see cref="EarliestPublication"/>.</param>
    /// <inheritdoc cref="Publish(string, ReadOnlySpan{byte}, Tag?)" path="/exception"/>
    public void Publish(string channel, string text, Tag? at = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = most > ShortTextBytes ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> payload = rented ?? stackalloc byte[ShortTextBytes];
        Publish(channel, payload[..Encoding.UTF8.GetBytes(text, payload)], at);

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>
    /// Promises that nothing published later arrives below <paramref name="tag"/>; a lower promise is ignored. Leaves with
    /// the next request to advance.
    /// </summary>
    /// <exception cref="SequencingException">NotASender, or the tag is out of range.</exception>
    public void Promise(Tag tag)
    {
        if (IsRefused(_engine.Promise(tag), out SequencingError error))
        {
            throw Refused(error, $"promising {tag}");
        }
    }

    /// <summary>Changes the look-ahead from the next commit on; at least one round.</summary>
    /// <exception cref="SequencingException">NotASender, or the look-ahead is below one round.</exception>
    public void SetLookahead(Delay lookahead) => Require(_engine.SetLookahead(lookahead), $"a look-ahead of {lookahead}");

    /// <summary>Takes in what the server has sent and hands out the grant if it is there. Never waits.</summary>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    public bool TryTakeGrant([NotNullWhen(true)] out Grant? grant)
    {
        bool hasEnded = TakeInAll();

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
        long start = _options.Clock.GetTimestamp();

        while (true)
        {
            SendBefore(timeout, start);

            if (TryTake(out Grant? grant))
            {
                return grant;
            }

            TakeInBefore(timeout, start);
        }
    }

    /// <summary>As <see cref="WaitForGrant"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Ends the wait; what was asked for stays asked for.</param>
    /// <exception cref="OperationCanceledException">Cancelled; wait again to go on.</exception>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">Nothing was asked for, so no grant will ever come.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Grant> WaitForGrantAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();

        while (true)
        {
            WatchResumption();

            while (!TrySendCommits())
            {
                await _link.WaitToSendAsync(cancellationToken).ConfigureAwait(false);
            }

            if (TryTake(out Grant? grant))
            {
                return grant;
            }

            ThrowIfNothingAsked();

            await TakeInAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Closes the connection. What the lane took still leaves, as <see cref="Peer.Close()"/> says; a member that did
    /// not resign before is lost to the run (its crash policy decides).
    /// </summary>
    public void Dispose()
    {
        _isDisposed = true;
        _link.Dispose();
        EndRecord();
    }

    // The others wait for this member from now on, whatever its application does next.
    private static SequenceClient Greeting(SequenceClient client)
    {
        client.TrySendCommits();
        return client;
    }

    /// <summary>A client whose beginning comes to nothing is nobody's.</summary>
    private static SequenceClient Started(SequenceClient client, Action<SequenceClient> wait)
    {
        try
        {
            wait(client);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static async Task<SequenceClient> StartedAsync(SequenceClient client, Func<SequenceClient, Task> wait)
    {
        try
        {
            await wait(client).ConfigureAwait(false);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <returns>Whether nothing more will come.</returns>
    private bool TakeInAll()
    {
        ThrowIfDisposed();
        WatchResumption();
        TrySendCommits();

        // Read first: what arrived before the end is then taken in before the end is told.
        bool hasEnded = _link.IsClosed;

        while (_link.TryReceive(_engine))
        {
        }

        return hasEnded;
    }

    private void SendBefore(TimeSpan timeout, long start)
    {
        WatchResumption();

        if (!TrySendCommits(timeout, start))
        {
            throw NotGranted(timeout);
        }
    }

    private void TakeInBefore(TimeSpan timeout, long start)
    {
        ThrowIfNothingAsked();

        if (!TryTakeIn(timeout, start))
        {
            throw NotGranted(timeout);
        }
    }

    private TimeSpan Left(TimeSpan timeout, long start) => TimeLeft.Of(timeout, start, _options.Clock);

    /// <returns>False if the time passed first.</returns>
    private bool TrySendCommits(TimeSpan timeout, long start)
    {
        while (!TrySendCommits())
        {
            if (!_link.WaitToSend(Left(timeout, start)))
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
            SendStatus status = _link.TrySend(message);

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

    private bool TryTake([NotNullWhen(true)] out Grant? grant)
    {
        if (_engine.TryTakeGrant(out Grant taken))
        {
            grant = taken;
            Start ??= taken;
            Record(taken);
            return true;
        }

        grant = null;
        ThrowIfFailed();
        return false;
    }

    /// <param name="error">None, or why it was refused.</param>
    /// <param name="doing">What was asked for.</param>
    /// <param name="power">What has to be declared for it; null if it is a channel.</param>
    private void Require(SequencingError error, string doing, string? power = null)
    {
        if (IsRefused(error, out _))
        {
            throw Refused(error, doing, error == SequencingError.NotDeclared ? power : null);
        }
    }

    /// <summary>Apart from <see cref="Refused"/>, so that a call that is not refused makes no text.</summary>
    private bool IsRefused(SequencingError given, out SequencingError error)
    {
        ThrowIfDisposed();
        error = given;

        if (given == SequencingError.None)
        {
            return false;
        }

        _engine.Tally.Refuse(given);
        return true;
    }

    private SequencingException Refused(SequencingError error, string doing, string? power = null)
    {
        ThrowIfFailed();
        string allowed = power is null ? _engine.Allowed(error) : $"that needs to be declared: {power}";
        return new SequencingException(error, $"'{Name}' at {Now} when {doing}: {allowed}.");
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
    {
        _engine.Tally.Refuse(SequencingError.ConnectionLost);
        return new SequencingException(
            SequencingError.ConnectionLost, $"Member '{Name}' at {Now}: {what}. {_link.CloseReason}");
    }
}
