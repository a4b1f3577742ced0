using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing;

/// <content>Asking to advance (lock-time 3.4), in the blocking, the asynchronous and the pump's form.</content>
public sealed partial class SequenceClient
{
    /// <summary>Advances to exactly <paramref name="target"/>; everything on the way comes in one batch.</summary>
    /// <param name="target">Where to; <see cref="Now"/> is allowed and comes at once.</param>
    /// <param name="timeout">How long to wait; the request stays with the server when it passes.</param>
    /// <param name="grid">If given, the first of its times that is not before the target.</param>
    /// <exception cref="SequencingException">The request is not allowed, the server refused, or the connection ended.</exception>
    /// <exception cref="TimeoutException">Not granted in time: call <see cref="WaitForGrant"/> to go on waiting.</exception>
    public Grant AdvanceTo(Tag target, TimeSpan timeout, Grid grid = default)
    {
        Ask(AdvanceMode.To, target, grid);
        return WaitForGrant(timeout);
    }

    /// <summary>Advances to <paramref name="until"/>, or to the first waking message before it.</summary>
    /// <param name="until">As far as the member wants to go without a message.</param>
    /// <param name="timeout">As for <see cref="AdvanceTo"/>.</param>
    /// <param name="grid">If given, grants come at its times only: the first one not before the message.</param>
    /// <inheritdoc cref="AdvanceTo" path="/exception"/>
    public Grant Next(Tag until, TimeSpan timeout, Grid grid = default)
    {
        Ask(AdvanceMode.Next, until, grid);
        return WaitForGrant(timeout);
    }

    /// <summary>Advances to the end of a time: everything that happens at it, in all its rounds.</summary>
    /// <param name="time">Ticks.</param>
    /// <param name="timeout">As for <see cref="AdvanceTo"/>.</param>
    /// <inheritdoc cref="AdvanceTo" path="/exception"/>
    public Grant EndOf(long time, TimeSpan timeout) => AdvanceTo(Tag.EndOf(time), timeout);

    /// <summary>As <see cref="AdvanceTo"/>, without holding a thread.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for stays asked for.</param>
    /// <inheritdoc cref="WaitForGrantAsync" path="/exception"/>
    public ValueTask<Grant> AdvanceToAsync(Tag target, CancellationToken cancellationToken = default)
        => AdvanceToAsync(target, default, cancellationToken);

    /// <summary>As <see cref="AdvanceTo"/> on a grid, without holding a thread.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="grid">Which times are allowed; the first of them that is not before the target.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for stays asked for.</param>
    /// <inheritdoc cref="WaitForGrantAsync" path="/exception"/>
    public ValueTask<Grant> AdvanceToAsync(Tag target, Grid grid, CancellationToken cancellationToken = default)
    {
        Ask(AdvanceMode.To, target, grid);
        return WaitForGrantAsync(cancellationToken);
    }

    /// <summary>As <see cref="Next"/>, without holding a thread.</summary>
    /// <param name="until">As far as the member wants to go without a message.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for stays asked for.</param>
    /// <inheritdoc cref="WaitForGrantAsync" path="/exception"/>
    public ValueTask<Grant> NextAsync(Tag until, CancellationToken cancellationToken = default)
        => NextAsync(until, default, cancellationToken);

    /// <summary>As <see cref="Next"/> on a grid, without holding a thread.</summary>
    /// <param name="until">As far as the member wants to go without a message.</param>
    /// <param name="grid">Which times are allowed; the first of them that is not before the message.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for stays asked for.</param>
    /// <inheritdoc cref="WaitForGrantAsync" path="/exception"/>
    public ValueTask<Grant> NextAsync(Tag until, Grid grid, CancellationToken cancellationToken = default)
    {
        Ask(AdvanceMode.Next, until, grid);
        return WaitForGrantAsync(cancellationToken);
    }

    /// <summary>As <see cref="EndOf"/>, without holding a thread.</summary>
    /// <param name="time">Ticks.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for stays asked for.</param>
    /// <inheritdoc cref="WaitForGrantAsync" path="/exception"/>
    public ValueTask<Grant> EndOfAsync(long time, CancellationToken cancellationToken = default)
        => AdvanceToAsync(Tag.EndOf(time), cancellationToken);

    /// <summary>
    /// Asks to advance to exactly <paramref name="target"/> and returns at once; <see cref="TryTakeGrant"/> has the grant.
    /// </summary>
    /// <remarks>
    /// The commit, and all of it that was said before, leaves in this call. What cannot leave without waiting (the lane is
    /// full, the session is not taken up again yet) leaves with the client's next call that sends or receives.
    /// </remarks>
    /// <param name="target">Where to.</param>
    /// <param name="grid">If given, the first of its times that is not before the target.</param>
    /// <exception cref="SequencingException">
    /// The request is not allowed; or it was made, and the lost session could not be taken up again.
    /// </exception>
    public void RequestTo(Tag target, Grid grid = default) => AskAndSend(AdvanceMode.To, target, grid);

    /// <summary>
    /// Asks to advance to <paramref name="until"/> or the first waking message, and returns at once;
    /// <see cref="TryTakeGrant"/> has the grant.
    /// </summary>
    /// <inheritdoc cref="RequestTo" path="/remarks"/>
    /// <param name="until">As far as the member wants to go without a message.</param>
    /// <param name="grid">If given, grants come at its times only: the first one not before the message.</param>
    /// <inheritdoc cref="RequestTo" path="/exception"/>
    public void RequestNext(Tag until, Grid grid = default) => AskAndSend(AdvanceMode.Next, until, grid);

    private void AskAndSend(AdvanceMode mode, Tag target, in Grid grid)
    {
        Ask(mode, target, grid);
        WatchResumption();
        TrySendCommits();
    }

    private void Ask(AdvanceMode mode, Tag target, in Grid grid)
    {
        if (IsRefused(_engine.Request(mode, target, grid), out SequencingError error))
        {
            throw Refused(error, $"asking for {mode}({target})");
        }
    }
}
