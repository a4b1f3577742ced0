using System;
using System.Threading;

namespace Gudp.Sequencing.Links;

/// <summary>What is left of a time-out that covers several waits.</summary>
internal static class TimeLeft
{
    /// <param name="timeout"><see cref="Timeout.InfiniteTimeSpan"/> stays that.</param>
    /// <param name="start">A timestamp of the clock.</param>
    /// <param name="clock">Measures.</param>
    /// <returns>Never below zero.</returns>
    internal static TimeSpan Of(TimeSpan timeout, long start, TimeProvider clock)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return timeout;
        }

        TimeSpan left = timeout - clock.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
