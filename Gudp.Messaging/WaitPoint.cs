using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>
/// Where user threads wait for a peer to change: one lock, one condition, one version that grows with every change.
/// </summary>
/// <remarks>
/// Any thread. A waiter reads the version, looks whether what it wants is there, and waits only while the version is
/// still the same; so no change between looking and waiting is missed.
/// </remarks>
/// <param name="watch">Lets a thread run the turns it waits for; null: it only sleeps.</param>
internal sealed class WaitPoint(ITurnWatch? watch = null) : IWaitPlace
{
    /// <summary>Memory that others give back is not signalled here: who lacks it looks again after a while.</summary>
    internal static readonly TimeSpan MemoryRecheck = TimeSpan.FromMilliseconds(20);

    // The platform's wait takes at most 2^31 milliseconds; waking early only looks once more.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly object _gate = new();
    private TaskCompletionSource? _signal;
    private long _version;
    private int _waiters;
    private int _watching;

    internal long Version => Volatile.Read(ref _version);

    /// <summary>Something changed. Takes the lock only if somebody waits.</summary>
    internal void Signal()
    {
        // A full fence between the change and looking for waiters; they put theirs between coming and looking.
        Interlocked.Increment(ref _version);

        if (Volatile.Read(ref _waiters) > 0)
        {
            WakeAll();
        }

        if (Volatile.Read(ref _watching) > 0)
        {
            watch!.Nudge();
        }
    }

    /// <summary>Blocks while the version is <paramref name="seen"/>.</summary>
    /// <returns>False: the time passed first.</returns>
    internal bool WaitPast(long seen, TimeSpan timeout)
    {
        if (watch is null)
        {
            return Park(seen, timeout);
        }

        // Before the look inside; see Signal.
        Interlocked.Increment(ref _watching);

        try
        {
            return watch.Wait(this, seen, timeout);
        }
        finally
        {
            Interlocked.Decrement(ref _watching);
        }
    }

    bool IWaitPlace.IsOver(long token) => Version != token;

    bool IWaitPlace.Park(long token, TimeSpan limit) => Park(token, limit);

    private bool Park(long seen, TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();

        lock (_gate)
        {
            Interlocked.Increment(ref _waiters);

            try
            {
                while (Version == seen)
                {
                    int milliseconds = NextMilliseconds(timeout - Stopwatch.GetElapsedTime(start));

                    if (milliseconds == 0)
                    {
                        return false;
                    }

                    Monitor.Wait(_gate, milliseconds);
                }

                return true;
            }
            finally
            {
                Interlocked.Decrement(ref _waiters);
            }
        }
    }

    /// <summary>Completes when the version is no longer <paramref name="seen"/>.</summary>
    internal Task WhenPast(long seen)
    {
        lock (_gate)
        {
            if (_signal is null)
            {
                // Continuations must not run on the leader's thread, inside a turn.
                _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Interlocked.Increment(ref _waiters);
                watch?.BeginTask();
            }

            Task signalled = _signal.Task;

            if (Version != seen)
            {
                CompleteSignal();
            }

            return signalled;
        }
    }

    /// <summary>
    /// As <see cref="WhenPast(long)"/>, or when <see cref="MemoryRecheck"/> is over, whichever comes first; completes also
    /// when cancelled, without an exception.
    /// </summary>
    internal Task WhenPastOrRecheck(long seen, CancellationToken cancellationToken)
        => Task.WhenAny(WhenPast(seen), Task.Delay(MemoryRecheck, cancellationToken));

    /// <summary>What to wait next of the time that is left, at most an hour; 0 once it is over.</summary>
    internal static int NextMilliseconds(TimeSpan left)
    {
        left = left < LongestWait ? left : LongestWait;

        // The system waits in whole milliseconds; rounding down would turn the last one into a busy loop.
        return left <= TimeSpan.Zero
            ? 0
            : (int)((left.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond);
    }

    private void WakeAll()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
            CompleteSignal();
        }
    }

    private void CompleteSignal()
    {
        if (_signal is { } signal)
        {
            _signal = null;
            Interlocked.Decrement(ref _waiters);
            watch?.EndTask();
            signal.SetResult();
        }
    }
}
