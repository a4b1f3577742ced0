using System;

namespace Gudp.Sequencing;

/// <summary>
/// Allowed times of grants: offset + k * period, later than the last grant (lock-time section 2).
/// <c>default</c> is no grid: every tag is allowed.
/// </summary>
public readonly record struct Grid
{
    /// <summary>A grid of times.</summary>
    /// <param name="period">Ticks between allowed times; 1 or more.</param>
    /// <param name="offset">An allowed time; any other of the same grid means the same.</param>
    /// <param name="minStep">Least ticks between two grants; 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The period is below 1 or the step is negative.</exception>
    public Grid(long period, long offset = 0, long minStep = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(minStep);

        Period = period;
        MinStep = minStep;

        // One form per grid: the wire and comparisons know only offsets below the period.
        long within = offset % period;
        Offset = within < 0 ? within + period : within;
    }

    /// <summary>Ticks between allowed times; 0 if there is no grid.</summary>
    public long Period { get; }

    /// <summary>The smallest allowed time that is not negative.</summary>
    public long Offset { get; }

    /// <summary>Least ticks from one grant to the next.</summary>
    public long MinStep { get; }

    /// <summary>True for <c>default</c>: every tag is allowed.</summary>
    public bool IsNone => Period == 0;

    /// <summary>
    /// q(x; N): the smallest allowed tag that is not before <paramref name="wanted"/>, for a member whose last grant
    /// was <paramref name="now"/>. Monotone in <paramref name="wanted"/> and never below it.
    /// </summary>
    internal Tag Next(Tag wanted, Tag now)
    {
        if (IsNone || wanted.IsInfinite)
        {
            return wanted;
        }

        return IsNear(wanted.Time) && IsNear(now.Time) && IsNear(Period) && IsNear(MinStep)
            ? NextNear(wanted, now.Time)
            : NextFar(wanted, now);
    }

    // Whatever is added up of such numbers fits 64 bits.
    private static bool IsNear(long ticks) => ticks is > -(1L << 60) and < 1L << 60;

    private Tag NextNear(Tag wanted, long now)
    {
        long time = Math.Max(now + Math.Max(1, MinStep), wanted.Time);
        long beyond = (time - Offset) % Period;
        time += beyond == 0 ? 0 : beyond < 0 ? -beyond : Period - beyond;
        return time == wanted.Time ? wanted : new Tag(time, 0);
    }

    private Tag NextFar(Tag wanted, Tag now)
    {
        // 128 bits: near the ends of time the sums below leave 64.
        Int128 least = (Int128)now.Time + Math.Max(1, MinStep);
        Int128 time = Int128.Max(least, wanted.Time);
        Int128 beyond = (time - Offset) % Period;
        Int128 missing = beyond == 0 ? 0 : beyond < 0 ? -beyond : Period - beyond;
        time += missing;

        if (time == wanted.Time)
        {
            return wanted;
        }

        return time > Tag.MaxTime ? Tag.Infinity : new Tag((long)time, 0);
    }
}
