using System.Diagnostics;

namespace Gudp.Bench.Load;

/// <summary>The time in which things count: everything is read at its two edges.</summary>
/// <param name="timing">How long it is.</param>
/// <param name="traffic">What the system under measurement has counted so far.</param>
internal sealed class LoadWindow(LoadTiming timing, Func<LoadTraffic> traffic)
{
    private long _first = -1;
    private Edge? _before;
    private Edge? _after;

    internal bool HasEnded => _after is not null;

    /// <summary>The work and a while more have passed since the first message.</summary>
    internal bool IsOver(long now, TimeSpan tail)
        => _first >= 0 && Stopwatch.GetElapsedTime(_first, now) > timing.WarmUp + timing.Span + tail;

    /// <summary>Has a look at the clock; call it as soon as there was a message.</summary>
    /// <returns>True once: what was recorded before now does not count.</returns>
    internal bool Look(long now, long sent, long arrived)
    {
        if (_first < 0)
        {
            _first = now;
        }

        if (_before is null)
        {
            if (Stopwatch.GetElapsedTime(_first, now) >= timing.WarmUp)
            {
                _before = Edge.Now(now, (sent, arrived), traffic());
            }

            return _before is not null;
        }

        if (_after is null && Stopwatch.GetElapsedTime(_before.Timestamp, now) >= timing.Span)
        {
            _after = Edge.Now(now, (sent, arrived), traffic());
        }

        return false;
    }

    internal NodeResult Result(NodeResult rest)
    {
        if (_before is null || _after is null)
        {
            return rest;
        }

        return rest with
        {
            Seconds = Stopwatch.GetElapsedTime(_before.Timestamp, _after.Timestamp).TotalSeconds,
            Sent = _after.Sent - _before.Sent,
            Arrived = _after.Arrived - _before.Arrived,
            ProcessorSeconds = (_after.Worked - _before.Worked).TotalSeconds,
            AllocatedBytes = _after.Allocated - _before.Allocated,
            MemoryBytes = Environment.WorkingSet,
            Traffic = _after.Traffic.Since(_before.Traffic),
        };
    }

    private sealed record Edge(
        long Timestamp, long Sent, long Arrived, TimeSpan Worked, long Allocated, LoadTraffic Traffic)
    {
        internal static Edge Now(long now, (long Sent, long Arrived) messages, LoadTraffic traffic) => new(
            now,
            messages.Sent,
            messages.Arrived,
            Environment.CpuUsage.TotalTime,
            GC.GetTotalAllocatedBytes(precise: true),
            traffic);
    }
}
