using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;

namespace Gudp.Sequencing.Links;

/// <summary>
/// The virtual time of a host. It passes when it is told to; timers that have become due fire in the host's turn, in the
/// order of their moments and, at the same one, of their making.
/// </summary>
internal sealed class HostClock : TimeProvider
{
    private readonly PriorityQueue<HostTimer, (long Due, long Number)> _timers = new();
    private long _lastNumber;

    internal Instant Now { get; private set; }

    /// <summary>When the next timer fires.</summary>
    internal Instant NextTimer
    {
        get
        {
            while (_timers.TryPeek(out HostTimer? timer, out (long Due, long Number) at))
            {
                if (timer.Number == at.Number)
                {
                    return new Instant(at.Due);
                }

                // Changed or disposed since it was put there.
                _timers.Dequeue();
            }

            return Instant.Never;
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + new TimeSpan(Now.Ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        HostTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal void PassTo(Instant moment) => Now = Instant.Later(Now, moment);

    /// <returns>False if none was due.</returns>
    internal bool FireDue()
    {
        bool hasFired = false;

        while (NextTimer <= Now && !NextTimer.IsNever)
        {
            _timers.Dequeue().Fire();
            hasFired = true;
        }

        return hasFired;
    }

    private sealed class HostTimer(HostClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period = Timeout.InfiniteTimeSpan;

        /// <summary>Of the entry that counts; 0 if none does.</summary>
        internal long Number { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Schedule(dueTime);
            return true;
        }

        public void Dispose() => Number = 0;

        public System.Threading.Tasks.ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }

        internal void Fire()
        {
            Schedule(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan);
            callback(state);
        }

        private void Schedule(TimeSpan dueTime)
        {
            Number = 0;

            if (dueTime >= TimeSpan.Zero)
            {
                Number = ++clock._lastNumber;
                clock._timers.Enqueue(this, ((clock.Now + dueTime).Ticks, Number));
            }
        }
    }
}
