using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Links;

namespace Gudp.Sequencing;

/// <content>
/// The way back: after a lost connection within <see cref="MemberOptions.ResumeFor"/>, and from a ticket after the
/// process was killed. While a session is taken up, the peer is pinned, so that its daemon dials again and again;
/// whenever another connection takes the place of the one the hello left on, the hello is said again.
/// </content>
public sealed partial class SequenceClient
{
    // A connection that came up while the client waited is noticed after so long at most.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly MemberOptions _options;
    private long? _lostAt;
    private int _incarnation;

    /// <summary>The connection was lost, and the client tries to take its session up again.</summary>
    public bool IsResuming => _lostAt is not null;

    /// <summary>How often the session was taken up after a lost connection.</summary>
    public int Resumptions { get; private set; }

    /// <summary>Goes on for a process that died at the ticket's sequence point, and waits until the server agrees.</summary>
    /// <param name="endpoint">Without a sink; its daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="ticket">The last one the process saved.</param>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="options">
    /// What a ticket does not hold, of this process: <see cref="MemberOptions.MaxBatchBytes"/>,
    /// <see cref="MemberOptions.Recording"/> and <see cref="MemberOptions.ResumeFor"/>; the rest of them is the ticket's, and
    /// not looked at. Those the member joined with will do. Null: the defaults.
    /// </param>
    /// <returns>
    /// A client at the ticket's sequence point: what the process said after it is said again, what counts already counts
    /// once. <see cref="Start"/> is null.
    /// </returns>
    /// <exception cref="ArgumentException">The options are another member's.</exception>
    /// <exception cref="TimeoutException">The server did not answer in time.</exception>
    /// <exception cref="SequencingException">
    /// <see cref="SequencingError.StaleEpoch"/>: the member was taken out of the run, join anew.
    /// <see cref="SequencingError.WrongSequence"/>: the ticket is more than one grant old.
    /// </exception>
    public static SequenceClient Resume(
        MessageEndpoint endpoint, PeerAddress server, ResumeTicket ticket, TimeSpan timeout, MemberOptions? options = null)
        => Started(BeginResume(endpoint, server, ticket, options), client => client.WaitUntilResumed(timeout));

    /// <summary>
    /// The pump's way to resume: returns at once. The client is at the ticket's sequence point; what is said there leaves
    /// when the server has agreed.
    /// </summary>
    /// <param name="endpoint">Without a sink; the caller pumps its daemon, or the daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="ticket">The last one the process saved.</param>
    /// <param name="options">As for <see cref="Resume"/>.</param>
    /// <exception cref="ArgumentException">The options are another member's.</exception>
    public static SequenceClient BeginResume(
        MessageEndpoint endpoint, PeerAddress server, ResumeTicket ticket, MemberOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(ticket);
        MemberOptions resumed = MemberOptions.From(ticket, options);
        MemberEngine engine = new(ticket, resumed);
        return Greeting(new SequenceClient(engine, resumed, new PeerLink(endpoint.Connect(server))));
    }

    /// <summary>As <see cref="Resume"/>, without holding a thread.</summary>
    /// <param name="endpoint">Without a sink; its daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="ticket">The last one the process saved.</param>
    /// <param name="cancellationToken">Ends the wait, and the client.</param>
    /// <inheritdoc cref="Resume" path="/exception"/>
    public static Task<SequenceClient> ResumeAsync(
        MessageEndpoint endpoint, PeerAddress server, ResumeTicket ticket, CancellationToken cancellationToken = default)
        => ResumeAsync(endpoint, server, ticket, null, cancellationToken);

    /// <summary>As <see cref="Resume"/>, without holding a thread.</summary>
    /// <param name="endpoint">Without a sink; its daemon runs.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="ticket">The last one the process saved.</param>
    /// <param name="options">As for <see cref="Resume"/>.</param>
    /// <param name="cancellationToken">Ends the wait, and the client.</param>
    /// <inheritdoc cref="Resume" path="/exception"/>
    public static Task<SequenceClient> ResumeAsync(
        MessageEndpoint endpoint,
        PeerAddress server,
        ResumeTicket ticket,
        MemberOptions? options,
        CancellationToken cancellationToken = default)
        => StartedAsync(
            BeginResume(endpoint, server, ticket, options), client => client.WaitUntilResumedAsync(cancellationToken));

    /// <summary>
    /// What another process needs to go on from here if this one dies; to be saved together with the application's own
    /// state.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// Something was said since the last grant, or there was none yet: only what stands at a sequence point can be saved.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ResumeTicket CreateTicket()
    {
        ThrowIfDisposed();

        if (!_engine.IsAtSequencePoint)
        {
            throw new InvalidOperationException(
                $"Member '{Name}' at {Now}: a ticket is taken after a grant and before anything is said.");
        }

        return _engine.CreateTicket();
    }

    /// <summary>
    /// Admits a member that is not in the roster, as a sponsor (lock-time 8.2): it joins at its
    /// <see cref="MemberDeclaration.Join"/>, in every execution. Leaves with the next request to advance.
    /// </summary>
    /// <param name="declaration">
    /// All it may do; its hello must say the same, <see cref="MemberDeclaration.Join"/> included. The join is as an arrival:
    /// at <see cref="EarliestPublication"/> or later. The name must be free at that tag, or the admission comes to
    /// nothing; one that has resigned may be admitted again, as a new member.
    /// </param>
    /// <exception cref="SequencingException">
    /// <see cref="SequencingError.NotDeclared"/>: this member is no sponsor.
    /// <see cref="SequencingError.LookaheadViolation"/>: the join is too early, or the declaration breaks a rule.
    /// </exception>
    public void Admit(MemberDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        Require(
            _engine.Admit(declaration),
            $"admitting '{declaration.Name}' at {declaration.Join}",
            $"{nameof(MemberDeclaration.MaySponsor)}, and nobody is admitted with {nameof(MemberDeclaration.MayStop)}");
    }

    // These say that another connection would meet the same end, or that somebody else has the session now.
    private static bool IsWorthAnother(CloseReason? reason)
        => reason?.Code is not (CloseCode.CreditExceeded or CloseCode.MessageTooLarge or CloseCode.Superseded);

    private void WaitUntilResumed(TimeSpan timeout)
    {
        long start = _options.Clock.GetTimestamp();

        while (_engine.AwaitsWelcome)
        {
            WatchResumption();

            if (!TrySendCommits(timeout, start) || !TryTakeIn(timeout, start))
            {
                throw new TimeoutException($"Member '{Name}' at {Now} was not taken up again within {timeout}.");
            }

            ThrowIfFailed();
        }
    }

    private async Task WaitUntilResumedAsync(CancellationToken cancellationToken)
    {
        while (_engine.AwaitsWelcome)
        {
            WatchResumption();
            TrySendCommits();
            await TakeInAsync(cancellationToken).ConfigureAwait(false);
            ThrowIfFailed();
        }
    }

    /// <summary>Takes in one message, or sees to a lost connection.</summary>
    /// <returns>False if the time passed first.</returns>
    private bool TryTakeIn(TimeSpan timeout, long start)
    {
        TimeSpan left = Left(timeout, start);
        bool isShort = IsResuming && (left == Timeout.InfiniteTimeSpan || left > Look);
        ReceiveStatus status = _link.Receive(_engine, isShort ? Look : left);

        if (status == ReceiveStatus.Closed)
        {
            GoOnAfterLoss();
        }

        return status != ReceiveStatus.TimedOut || isShort;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask TakeInAsync(CancellationToken cancellationToken)
    {
        if (IsResuming)
        {
            await TakeInForAWhileAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        if (!await _link.ReceiveAsync(_engine, cancellationToken).ConfigureAwait(false))
        {
            GoOnAfterLoss();
        }
    }

    private async ValueTask TakeInForAWhileAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource whole = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        whole.CancelAfter(Look);

        try
        {
            await _link.ReceiveAsync(_engine, whole.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Only this look is over; whoever called goes on.
        }
    }

    /// <summary>The connection has ended, and all that came by it was taken in.</summary>
    /// <exception cref="SequencingException">There is no way back.</exception>
    private void GoOnAfterLoss()
    {
        ThrowIfDisposed();
        ThrowIfFailed();

        if (!_engine.IsWelcome || _options.ResumeFor <= TimeSpan.Zero || !IsWorthAnother(_link.CloseReason)
            || !_engine.TryResume())
        {
            _link.Unpin();
            throw Lost("the connection to the server ended");
        }

        _lostAt ??= _options.Clock.GetTimestamp();
        _link.Pin();
        _incarnation = _link.Incarnation;
    }

    /// <summary>While a session is taken up: whether it was, and whether the hello is on the present connection.</summary>
    /// <exception cref="SequencingException">It took too long.</exception>
    private void WatchResumption()
    {
        if (_lostAt is not long lostAt)
        {
            return;
        }

        if (!_engine.AwaitsWelcome)
        {
            // In this order: a connection that broke meanwhile was dialled again, and its number is another one.
            _link.Unpin();

            if (_link.Incarnation == _incarnation)
            {
                _lostAt = null;
                Resumptions++;
                return;
            }
        }

        if (_options.Clock.GetElapsedTime(lostAt) >= _options.ResumeFor)
        {
            _link.Unpin();
            throw Lost($"the session could not be taken up within {_options.ResumeFor}");
        }

        // Also one that nobody could dial, which leaves a pinned peer closed.
        if (_link.Incarnation != _incarnation || !_link.IsPinned)
        {
            GoOnAfterLoss();
        }
    }
}
