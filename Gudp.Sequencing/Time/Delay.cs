using System;
using System.Globalization;

namespace Gudp.Sequencing;

/// <summary>
/// A distance between tags: ticks and a round (lock-time section 2). With ticks, the round of the sum is
/// <see cref="Round"/>; without, <see cref="Round"/> is added to the round of the start.
/// </summary>
/// <remarks>
/// Delays compose in order (<see cref="Then"/>) and not otherwise: one tick and then a round is round 1 of the next
/// time, a round and then one tick is its round 0.
/// </remarks>
public readonly record struct Delay : IComparable<Delay>
{
    private Delay(long time, uint round)
    {
        Time = time;
        Round = round;
    }

    /// <summary>No delay: adding it changes nothing.</summary>
    public static Delay None => default;

    /// <summary>The smallest positive delay, the default look-ahead: same time, next round.</summary>
    public static Delay OneRound => new(0, 1);

    /// <summary>Ticks, 0 or more.</summary>
    public long Time { get; }

    /// <summary>Rounds: added if <see cref="Time"/> is 0, else the round of the sum.</summary>
    public uint Round { get; }

    /// <summary>A delay of whole ticks.</summary>
    /// <param name="ticks">0 or more.</param>
    public static Delay Ticks(long ticks) => Of(ticks, 0);

    /// <summary>A delay of rounds within the same time.</summary>
    public static Delay Rounds(uint rounds) => new(0, rounds);

    /// <summary>A delay of both.</summary>
    /// <param name="ticks">0 or more.</param>
    /// <param name="rounds">The round of the sum if <paramref name="ticks"/> is positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ticks are negative.</exception>
    public static Delay Of(long ticks, uint rounds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ticks);
        return new Delay(ticks, rounds);
    }

    /// <summary>The delay of this one followed by <paramref name="next"/>.</summary>
    /// <exception cref="OverflowException">The sum does not fit.</exception>
    public Delay Then(Delay next) => next.Time > 0
        ? new Delay(checked(Time + next.Time), next.Round)
        : new Delay(Time, checked(Round + next.Round));

    /// <summary>Less than.</summary>
    public static bool operator <(Delay left, Delay right) => left.CompareTo(right) < 0;

    /// <summary>More than.</summary>
    public static bool operator >(Delay left, Delay right) => left.CompareTo(right) > 0;

    /// <summary>Not more than.</summary>
    public static bool operator <=(Delay left, Delay right) => left.CompareTo(right) <= 0;

    /// <summary>Not less than.</summary>
    public static bool operator >=(Delay left, Delay right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public int CompareTo(Delay other)
    {
        int byTime = Time.CompareTo(other.Time);
        return byTime != 0 ? byTime : Round.CompareTo(other.Round);
    }

    /// <summary>"5 ticks", "2 rounds", "5 ticks round 2" or "none".</summary>
    public override string ToString() => (Time, Round) switch
    {
        (0, 0) => "none",
        (0, _) => string.Create(CultureInfo.InvariantCulture, $"{Round} rounds"),
        (_, 0) => string.Create(CultureInfo.InvariantCulture, $"{Time} ticks"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Time} ticks round {Round}"),
    };
}
