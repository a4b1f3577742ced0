using System;

namespace Gudp.Core;

/// <summary>
/// A moment on a monotonic clock, in 100 ns ticks since an origin only the clock knows.
/// Moments of two different clocks must not be compared.
/// </summary>
/// <param name="Ticks">100 ns ticks since the clock's origin; 0 or more.</param>
public readonly record struct Instant(long Ticks) : IComparable<Instant>
{
    /// <summary>Later than every moment: the deadline of a timer that is not set.</summary>
    public static Instant Never => new(long.MaxValue);

    /// <summary>True for <see cref="Never"/> only.</summary>
    public bool IsNever => Ticks == long.MaxValue;

    /// <summary>The moment <paramref name="span"/> after <paramref name="start"/>; never stays never.</summary>
    public static Instant operator +(Instant start, TimeSpan span)
        => start.IsNever ? Never : new Instant(checked(start.Ticks + span.Ticks));

    /// <summary>How long it is from <paramref name="earlier"/> to <paramref name="later"/>.</summary>
    public static TimeSpan operator -(Instant later, Instant earlier) => new(later.Ticks - earlier.Ticks);

    /// <summary>Earlier than.</summary>
    public static bool operator <(Instant left, Instant right) => left.Ticks < right.Ticks;

    /// <summary>Later than.</summary>
    public static bool operator >(Instant left, Instant right) => left.Ticks > right.Ticks;

    /// <summary>Not later than.</summary>
    public static bool operator <=(Instant left, Instant right) => left.Ticks <= right.Ticks;

    /// <summary>Not earlier than.</summary>
    public static bool operator >=(Instant left, Instant right) => left.Ticks >= right.Ticks;

    /// <summary>The earlier of two moments.</summary>
    public static Instant Earlier(Instant first, Instant second) => first <= second ? first : second;

    /// <summary>The later of two moments.</summary>
    public static Instant Later(Instant first, Instant second) => first >= second ? first : second;

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Ticks.CompareTo(other.Ticks);
}
