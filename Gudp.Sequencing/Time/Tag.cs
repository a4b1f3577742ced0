using System;
using System.Globalization;

namespace Gudp.Sequencing;

/// <summary>
/// A moment of logical time: a time in ticks and a round within it, ordered by time, then by round
/// (lock-time section 2). No wall clock and no floating point is involved; how long a tick lasts is the application's.
/// </summary>
/// <param name="Time">Ticks; a user's tag has at most <see cref="MaxTime"/>.</param>
/// <param name="Round">Counts what happens one after the other at the same time, from 0.</param>
public readonly record struct Tag(long Time, uint Round) : IComparable<Tag>
{
    /// <summary>The largest time a user can name, 2^63 - 2; above it there is only <see cref="Infinity"/>.</summary>
    public const long MaxTime = long.MaxValue - 1;

    /// <summary>Where every run starts: time 0, round 0.</summary>
    public static Tag Zero => default;

    /// <summary>The largest tag that may be asked for: "until nothing can happen any more".</summary>
    public static Tag Infinity => new(long.MaxValue, 0);

    /// <summary>Above every tag that exists: the bound of a member to whom nobody can send.</summary>
    internal static Tag Top => new(long.MaxValue, 1);

    /// <summary>True from <see cref="Infinity"/> on.</summary>
    public bool IsInfinite => Time == long.MaxValue;

    /// <summary>The last tag of a time: everything that happens at that time is at or before it.</summary>
    /// <param name="time">At most <see cref="MaxTime"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is above <see cref="MaxTime"/>.</exception>
    public static Tag EndOf(long time)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, MaxTime);
        return new Tag(time, uint.MaxValue);
    }

    /// <summary>Round 0 of a time.</summary>
    public static implicit operator Tag(long time) => new(time, 0);

    /// <summary>
    /// The tag <paramref name="delay"/> after <paramref name="start"/>. A delay with ticks sets the round; a delay of
    /// rounds alone adds to it and carries into the time when 32 bits are full, so that one round after
    /// <see cref="EndOf"/> is the start of the next time. A sum above <see cref="MaxTime"/> is <see cref="Infinity"/>.
    /// </summary>
    public static Tag operator +(Tag start, Delay delay)
    {
        if (delay == Delay.None)
        {
            return start;
        }

        if (start.IsInfinite)
        {
            return Top;
        }

        if (delay.Time > 0)
        {
            return start.Time > MaxTime - delay.Time ? Infinity : new Tag(start.Time + delay.Time, delay.Round);
        }

        ulong rounds = (ulong)start.Round + delay.Round;

        if (rounds <= uint.MaxValue)
        {
            return new Tag(start.Time, (uint)rounds);
        }

        return start.Time == MaxTime ? Infinity : new Tag(start.Time + 1, unchecked((uint)rounds));
    }

    /// <summary>Earlier than.</summary>
    public static bool operator <(Tag left, Tag right) => left.CompareTo(right) < 0;

    /// <summary>Later than.</summary>
    public static bool operator >(Tag left, Tag right) => left.CompareTo(right) > 0;

    /// <summary>Not later than.</summary>
    public static bool operator <=(Tag left, Tag right) => left.CompareTo(right) <= 0;

    /// <summary>Not earlier than.</summary>
    public static bool operator >=(Tag left, Tag right) => left.CompareTo(right) >= 0;

    /// <summary>The earlier of two tags.</summary>
    public static Tag Earlier(Tag first, Tag second) => first <= second ? first : second;

    /// <summary>The later of two tags.</summary>
    public static Tag Later(Tag first, Tag second) => first >= second ? first : second;

    /// <inheritdoc/>
    public int CompareTo(Tag other)
    {
        int byTime = Time.CompareTo(other.Time);
        return byTime != 0 ? byTime : Round.CompareTo(other.Round);
    }

    /// <summary>"5" for round 0, "(5,2)" for others, "end of 5" for the last round, "infinity".</summary>
    public override string ToString() => this switch
    {
        { IsInfinite: true } => Round == 0 ? "infinity" : "top",
        { Round: 0 } => Time.ToString(CultureInfo.InvariantCulture),
        { Round: uint.MaxValue } => string.Create(CultureInfo.InvariantCulture, $"end of {Time}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"({Time},{Round})"),
    };
}
