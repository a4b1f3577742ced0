using System;
using System.Threading;

namespace Gudp.Core.Simulation;

/// <summary>The clock of a simulated network: stands still until the network is advanced.</summary>
internal sealed class VirtualTime : TimeProvider
{
    // Any date does; this one is easy to recognise in logs.
    private static readonly DateTimeOffset Origin = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    internal Instant Now { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => Origin + new TimeSpan(Now.Ticks);

    // The inherited one would fire in real time and end determinism without a word.
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        => throw new NotSupportedException(
            "Virtual time has no timers. Run the daemon in manual mode and advance the simulated network instead.");
}
