// Threads and tasks that wait for a status word to change.
//
// A writer changes the word (an interlocked operation, so a full fence) and then looks whether anybody waits. A waiter
// says that it waits (a full fence too) and then looks at the word. So either the waiter sees the change, or the writer
// sees the waiter; and since it then needs the lock, it wakes it only after it has really gone to sleep. Nothing is
// lost and, while nobody waits, nothing but one read is paid.
//
// Always true: _waiters counts the threads inside Wait, plus one while a task is out.
using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core.Buffers;

namespace Gudp.Core;

/// <summary>Where those wait who want to know when a <see cref="StatusWord"/> changes. Any thread.</summary>
internal sealed class StatusWaiters : IWaitPlace
{
    private const int MaskShift = 32;

    private readonly object _gate = new();
    private readonly StatusWord _word;
    private readonly ITurnWatch? _watch;
    private TaskCompletionSource? _signal;
    private int _waiters;
    private int _watching;

    /// <param name="word">Whose changes are waited for.</param>
    /// <param name="watch">Lets a thread run the turns it waits for; null: it only sleeps.</param>
    internal StatusWaiters(StatusWord word, ITurnWatch? watch)
    {
        _word = word;
        _watch = watch;
    }

    /// <summary>The word has just been changed by an interlocked operation.</summary>
    internal void Signal()
    {
        if (Volatile.Read(ref _waiters) > 0)
        {
            WakeAll();
        }

        if (Volatile.Read(ref _watching) > 0)
        {
            _watch!.Nudge();
        }
    }

    /// <summary>See <see cref="StatusWord.WaitForChange"/>.</summary>
    internal bool Wait(StatusMask mask, ConnectionStatus since, TimeSpan timeout, out ConnectionStatus now)
    {
        if (_watch is null)
        {
            return Park(mask, since, timeout, out now);
        }

        Interlocked.Increment(ref _watching);

        try
        {
            _watch.Wait(this, ((long)mask << MaskShift) | since.Word, new WaitLimit(timeout).Left);
        }
        finally
        {
            Interlocked.Decrement(ref _watching);
        }

        now = _word.Read();
        return StatusWord.HasChanged(mask, since, now);
    }

    bool IWaitPlace.IsOver(long token) => StatusWord.HasChanged(MaskIn(token), SinceIn(token), _word.Read());

    bool IWaitPlace.Park(long token, TimeSpan limit) => Park(MaskIn(token), SinceIn(token), limit, out _);

    private static StatusMask MaskIn(long token) => (StatusMask)(token >> MaskShift);

    private static ConnectionStatus SinceIn(long token) => new((uint)token);

    private bool Park(StatusMask mask, ConnectionStatus since, TimeSpan timeout, out ConnectionStatus now)
    {
        WaitLimit limit = new(timeout);

        lock (_gate)
        {
            Interlocked.Increment(ref _waiters);

            try
            {
                while (true)
                {
                    now = _word.Read();

                    if (StatusWord.HasChanged(mask, since, now))
                    {
                        return true;
                    }

                    int milliseconds = limit.NextMilliseconds;

                    if (milliseconds == 0)
                    {
                        return false;
                    }

                    Monitor.Wait(_gate, milliseconds);
                }
            }
            finally
            {
                Interlocked.Decrement(ref _waiters);
            }
        }
    }

    /// <summary>Completes at the next change; whoever asks looks at the word after asking.</summary>
    internal Task WhenSignalled()
    {
        lock (_gate)
        {
            if (_signal is null)
            {
                // Continuations must not run on the leader's thread, inside a turn.
                _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Interlocked.Increment(ref _waiters);
                _watch?.BeginTask();
            }

            return _signal.Task;
        }
    }

    private void WakeAll()
    {
        TaskCompletionSource? signal;

        lock (_gate)
        {
            Monitor.PulseAll(_gate);
            signal = _signal;
            _signal = null;

            if (signal is not null)
            {
                Interlocked.Decrement(ref _waiters);
                _watch?.EndTask();
            }
        }

        signal?.SetResult();
    }
}
