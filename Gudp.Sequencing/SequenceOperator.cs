using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Links;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

// One question at a time on one connection: it is sent, and what comes is taken in until the answer is whole.
//
// Always true: one thread at a time uses an operator; a question that was given up is followed by another number, so a
// late answer is nobody's.

/// <summary>
/// Looks at a run, holds it, steps it and ends it without being a member (lock-time section 12). The run must let this
/// end operate: <see cref="SequencingConfig.Operators"/>.
/// </summary>
/// <remarks>
/// One thread at a time. The blocking and the asynchronous calls do the same; both need the daemon of the endpoint to
/// run on a thread of its own. Barriers belong to the operator's name and stay when it goes; each call but
/// <see cref="WhoBlocks"/> returns how the run stood right after it.
/// </remarks>
public sealed class SequenceOperator : IDisposable
{
    private readonly OperatorEngine _engine;
    private readonly Exchange _exchange;
    private bool _isDisposed;

    private SequenceOperator(string name, Peer peer)
    {
        _engine = new OperatorEngine(name);
        _exchange = new Exchange(peer, _engine);
    }

    /// <summary>Whose barriers these are.</summary>
    public string Name => _engine.Name;

    /// <summary>What was counted at this end. A copy; the operator's thread.</summary>
    public ClientCounters ReadCounters() => _engine.Tally.Read();

    /// <summary>The peer beneath: status and counters of the connection.</summary>
    public Peer Peer => _exchange.Peer;

    /// <summary>Begins to connect to a server, and returns at once.</summary>
    /// <param name="endpoint">Without a sink; its daemon runs. Not one that members of the same server use.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="name">Whose barriers these are, 1 to 255 bytes of UTF-8; the same name may come again later.</param>
    public static SequenceOperator Connect(MessageEndpoint endpoint, PeerAddress server, string name = "operator")
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        CheckName(name);
        return new SequenceOperator(name, endpoint.Connect(server));
    }

    /// <summary>As <see cref="Connect"/>, over a connection that is there already.</summary>
    /// <param name="peer">To a sequence server; nobody else receives from it. Disposed with the operator.</param>
    /// <param name="name">Whose barriers these are.</param>
    public static SequenceOperator Over(Peer peer, string name = "operator")
    {
        ArgumentNullException.ThrowIfNull(peer);
        CheckName(name);
        return new SequenceOperator(name, peer);
    }

    private static void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            System.Text.Encoding.UTF8.GetByteCount(name), Config.SequencingRules.MaxNameBytes, nameof(name));
    }

    /// <summary>How the run stands.</summary>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="SequencingException">
    /// <see cref="SequencingError.NotAllowed"/>, or <see cref="SequencingError.ConnectionLost"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The operator was disposed.</exception>
    public RunStatus Status(TimeSpan timeout)
    {
        _engine.AskStatus();
        return AskStatus(timeout);
    }

    /// <summary>As <see cref="Status"/>, without holding a thread.</summary>
    /// <inheritdoc cref="Status" path="/exception"/>
    public Task<RunStatus> StatusAsync(CancellationToken cancellationToken = default)
    {
        _engine.AskStatus();
        return AskStatusAsync(cancellationToken);
    }

    /// <summary>Who keeps members waiting: for each a chain to the root.</summary>
    /// <param name="member">Null: all that wait.</param>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>None if nobody waits, or nobody has that name.</returns>
    /// <inheritdoc cref="Status" path="/exception"/>
    public IReadOnlyList<WaitReport> WhoBlocks(string? member, TimeSpan timeout)
    {
        _engine.AskWhoBlocks(member ?? "");
        WaitForAnswer(timeout);
        return _engine.Waits;
    }

    /// <summary>As <see cref="WhoBlocks"/>, without holding a thread.</summary>
    /// <inheritdoc cref="Status" path="/exception"/>
    public async Task<IReadOnlyList<WaitReport>> WhoBlocksAsync(
        string? member, CancellationToken cancellationToken = default)
    {
        _engine.AskWhoBlocks(member ?? "");
        await WaitForAnswerAsync(cancellationToken).ConfigureAwait(false);
        return _engine.Waits;
    }

    /// <summary>
    /// Grants nobody at <paramref name="barrier"/> or above until it is moved or cleared; grants that were given stay. The
    /// smallest barrier of all operators counts. It delays and changes nothing else.
    /// </summary>
    /// <param name="barrier">Takes the place of this operator's last one.</param>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <inheritdoc cref="Status" path="/exception"/>
    public RunStatus SetBarrier(Tag barrier, TimeSpan timeout)
    {
        _engine.Hold(BarrierAction.Set, barrier, 0);
        return AskStatus(timeout);
    }

    /// <summary>As <see cref="SetBarrier"/>, without holding a thread.</summary>
    /// <inheritdoc cref="Status" path="/exception"/>
    public Task<RunStatus> SetBarrierAsync(Tag barrier, CancellationToken cancellationToken = default)
    {
        _engine.Hold(BarrierAction.Set, barrier, 0);
        return AskStatusAsync(cancellationToken);
    }

    /// <summary>Takes this operator's barrier away, and the steps it asked for.</summary>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <inheritdoc cref="Status" path="/exception"/>
    public RunStatus ClearBarrier(TimeSpan timeout)
    {
        _engine.Hold(BarrierAction.Clear, Tag.Zero, 0);
        return AskStatus(timeout);
    }

    /// <summary>As <see cref="ClearBarrier"/>, without holding a thread.</summary>
    /// <inheritdoc cref="Status" path="/exception"/>
    public Task<RunStatus> ClearBarrierAsync(CancellationToken cancellationToken = default)
    {
        _engine.Hold(BarrierAction.Clear, Tag.Zero, 0);
        return AskStatusAsync(cancellationToken);
    }

    /// <summary>
    /// Lets the next tag pass at which anybody can be granted, and holds again: a step of the whole run. Without a barrier
    /// the run is held where it is first. A step that nobody is ready for waits until somebody is.
    /// </summary>
    /// <param name="steps">How many tags; 1 or more.</param>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <inheritdoc cref="Status" path="/exception"/>
    public RunStatus Step(long steps, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        _engine.Hold(BarrierAction.Step, Tag.Zero, Math.Min(steps, Barriers.MaxSteps));
        return AskStatus(timeout);
    }

    /// <summary>As <see cref="Step"/>, without holding a thread.</summary>
    /// <inheritdoc cref="Status" path="/exception"/>
    public Task<RunStatus> StepAsync(long steps = 1, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        _engine.Hold(BarrierAction.Step, Tag.Zero, Math.Min(steps, Barriers.MaxSteps));
        return AskStatusAsync(cancellationToken);
    }

    /// <summary>
    /// Ends the run for everybody at a tag above all grants given; the grant there is final. It comes from outside and
    /// changes the history: the run is marked as influenced.
    /// </summary>
    /// <param name="at">Null: as early as possible.</param>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="SequencingException">
    /// <see cref="SequencingError.PastTag"/>: somebody is beyond; NotAllowed, or ConnectionLost.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The operator was disposed.</exception>
    public RunStatus Stop(Tag? at, TimeSpan timeout)
    {
        _engine.Stop(at);
        return AskStatus(timeout);
    }

    /// <summary>As <see cref="Stop"/>, without holding a thread.</summary>
    /// <inheritdoc cref="Stop" path="/exception"/>
    public Task<RunStatus> StopAsync(Tag? at = null, CancellationToken cancellationToken = default)
    {
        _engine.Stop(at);
        return AskStatusAsync(cancellationToken);
    }

    /// <summary>Lets a run start that <see cref="SequencingConfig.StartsOnCommand"/>.</summary>
    /// <param name="timeout">For all of it; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <inheritdoc cref="Status" path="/exception"/>
    public RunStatus Start(TimeSpan timeout)
    {
        _engine.Start();
        return AskStatus(timeout);
    }

    /// <summary>As <see cref="Start"/>, without holding a thread.</summary>
    /// <inheritdoc cref="Status" path="/exception"/>
    public Task<RunStatus> StartAsync(CancellationToken cancellationToken = default)
    {
        _engine.Start();
        return AskStatusAsync(cancellationToken);
    }

    /// <summary>Closes the connection. Barriers stay; see <see cref="ClearBarrier"/>.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Peer.Dispose();
    }

    private RunStatus AskStatus(TimeSpan timeout)
    {
        WaitForAnswer(timeout);
        return _engine.Status!;
    }

    private async Task<RunStatus> AskStatusAsync(CancellationToken cancellationToken)
    {
        await WaitForAnswerAsync(cancellationToken).ConfigureAwait(false);
        return _engine.Status!;
    }

    private void WaitForAnswer(TimeSpan timeout)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        long start = TimeProvider.System.GetTimestamp();

        while (!_engine.IsAnswered)
        {
            if (!_exchange.TryStep(timeout, start))
            {
                throw NotAnswered(timeout);
            }
        }

        ThrowIfRefused();
    }

    private async Task WaitForAnswerAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        while (!_engine.IsAnswered)
        {
            await _exchange.StepAsync(cancellationToken).ConfigureAwait(false);
        }

        ThrowIfRefused();
    }

    private void ThrowIfRefused()
    {
        if (_engine.Error != SequencingError.None)
        {
            throw new SequencingException(_engine.Error, _engine.ErrorDetail);
        }
    }

    private TimeoutException NotAnswered(TimeSpan timeout)
        => new($"The server has not answered operator '{Name}' within {timeout}.");
}
