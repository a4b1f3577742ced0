using System;

namespace Gudp.Core;

/// <summary>
/// Lets a thread that has to wait do the waiting for the whole daemon: it sits in the kernel itself and runs the turn that
/// brings what it waits for, so that no second thread has to wake it. For layers that have waits of their own.
/// </summary>
/// <remarks>
/// Any thread. Without a daemon's thread (<see cref="Daemon.ProcessIO"/>), and while several threads wait, a wait is what
/// the place's own <see cref="IWaitPlace.Park"/> makes of it.
/// </remarks>
public interface ITurnWatch
{
    /// <summary>
    /// Blocks until the place says that the wait is over, or the time is. What was published for sending leaves first,
    /// as far as it may.
    /// </summary>
    /// <param name="place">Where the caller waits.</param>
    /// <param name="token">Handed to the place: what this wait is about.</param>
    /// <param name="limit">How long; zero or less only looks.</param>
    /// <returns>True: over. False: the time passed first.</returns>
    bool Wait(IWaitPlace place, long token, TimeSpan limit);

    /// <summary>
    /// Whoever is in <see cref="Wait"/> looks at its place again. To be called after something changed that a place
    /// reads, with a full fence between the change and this call; costs a read while nobody waits in the kernel.
    /// </summary>
    void Nudge();

    /// <summary>
    /// A task waits, which has no thread to sit in the kernel: until <see cref="EndTask"/> the daemon's thread does.
    /// </summary>
    void BeginTask();

    /// <summary>The task of <see cref="BeginTask"/> waits no more.</summary>
    void EndTask();
}

/// <summary>Where threads of one kind wait: a condition, and a way to sleep until it is met.</summary>
public interface IWaitPlace
{
    /// <summary>What the wait is about has happened. Any thread, also inside a turn; must not block.</summary>
    /// <param name="token">As given to <see cref="ITurnWatch.Wait"/>.</param>
    bool IsOver(long token);

    /// <summary>Sleeps until <see cref="IsOver"/>, as if there were no watch: somebody else runs the turns.</summary>
    /// <param name="token">As given to <see cref="ITurnWatch.Wait"/>.</param>
    /// <param name="limit">How long; zero or less only looks.</param>
    /// <returns>True: over. False: the time passed first.</returns>
    bool Park(long token, TimeSpan limit);
}
