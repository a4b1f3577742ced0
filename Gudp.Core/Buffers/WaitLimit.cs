using System;
using System.Diagnostics;
using System.Threading;

namespace Gudp.Core.Buffers;

/// <summary>
/// How long a user's thread still waits. Takes every time-out: <see cref="Timeout.InfiniteTimeSpan"/> and what no
/// system call takes, such as <see cref="TimeSpan.MaxValue"/>, are as good as for ever; less than zero only looks.
/// </summary>
internal readonly struct WaitLimit
{
    // The platform's wait takes at most 2^31 milliseconds; waking early only looks once more.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly TimeSpan _timeout;
    private readonly long _start;

    /// <summary>The time runs from now.</summary>
    internal WaitLimit(TimeSpan timeout)
    {
        _timeout = timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue
            : timeout < TimeSpan.Zero ? TimeSpan.Zero
            : timeout;
        _start = Stopwatch.GetTimestamp();
    }

    /// <summary>What is left: zero once the time is over, never less, as some of that means for ever elsewhere.</summary>
    internal TimeSpan Left
    {
        get
        {
            TimeSpan left = _timeout == TimeSpan.MaxValue ? _timeout : _timeout - Stopwatch.GetElapsedTime(_start);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>What to wait next, at most an hour; 0 once the time is over.</summary>
    internal int NextMilliseconds
    {
        get
        {
            TimeSpan left = _timeout - Stopwatch.GetElapsedTime(_start);
            left = left < LongestWait ? left : LongestWait;

            // The system waits in whole milliseconds; rounding down would turn the last one into a busy loop.
            return left <= TimeSpan.Zero
                ? 0
                : (int)((left.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond);
        }
    }
}
