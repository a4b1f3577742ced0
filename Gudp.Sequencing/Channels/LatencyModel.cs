using System;
using System.Globalization;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <summary>
/// How long the messages of a channel are on their way, in logical time: the same for all, or drawn for each message
/// (lock-time section 17). Immutable; two models are equal if they draw the same.
/// </summary>
/// <remarks>
/// A draw is a function of the run's seed and the message's identity, never of what else happens, so the same run has
/// the same network every time. What is certain, <see cref="Minimum"/>, lets receivers run ahead of their senders.
/// </remarks>
public sealed class LatencyModel : IEquatable<LatencyModel>
{
    /// <summary>The longest latency that can be given, in ticks: 2^60.</summary>
    public const long MaxTicks = 1L << 60;

    /// <summary>The most rows of a table.</summary>
    public const int MaxRows = 65_536;

    // Of a table: latencies, ascending and each once, and the sum of the weights up to each. Else empty.
    private readonly long[] _ticks;
    private readonly ulong[] _weights;

    private LatencyModel(Delay minimum, Delay maximum, long[] ticks, ulong[] weights)
    {
        Minimum = minimum;
        Maximum = maximum;
        _ticks = ticks;
        _weights = weights;
    }

    /// <summary>No latency: a message arrives at the tag its publisher named. The default of a channel.</summary>
    public static LatencyModel None { get; } = Constant(Delay.None);

    /// <summary>No message is on its way for less.</summary>
    public Delay Minimum { get; }

    /// <summary>No message is on its way for longer. Late joiners read the log back by this much.</summary>
    public Delay Maximum { get; }

    /// <summary>Whether latencies differ between messages.</summary>
    internal bool IsDrawn => Minimum != Maximum;

    /// <summary>Every message is on its way equally long.</summary>
    /// <param name="delay">At most <see cref="MaxTicks"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The delay is longer than that.</exception>
    public static LatencyModel Constant(Delay delay)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay.Time, MaxTicks, nameof(delay));
        return new LatencyModel(delay, delay, [], []);
    }

    /// <summary>Every whole number of ticks in a range is equally likely.</summary>
    /// <param name="least">0 to <paramref name="most"/> ticks.</param>
    /// <param name="most">Included; at most <see cref="MaxTicks"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not one.</exception>
    public static LatencyModel Uniform(long least, long most)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(least);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MaxTicks);
        return new LatencyModel(Delay.Ticks(least), Delay.Ticks(most), [], []);
    }

    /// <summary>Latencies as measured somewhere: each with its weight among all.</summary>
    /// <param name="rows">
    /// 1 to <see cref="MaxRows"/> rows of ticks, 0 to <see cref="MaxTicks"/>, and a weight of 1 or more. The order of
    /// the rows means nothing, and rows of the same ticks are added up.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">There is no row, there are too many, or one is wrong.</exception>
    public static LatencyModel Table(params (long Ticks, int Weight)[] rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfZero(rows.Length, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.Length, MaxRows, nameof(rows));

        (long Ticks, int Weight)[] sorted = [.. rows];
        Array.Sort(sorted, (left, right) => left.Ticks.CompareTo(right.Ticks));
        long[] ticks = new long[sorted.Length];
        ulong[] weights = new ulong[sorted.Length];
        int count = 0;
        ulong sum = 0;

        foreach ((long latency, int weight) in sorted)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(latency, nameof(rows));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(latency, MaxTicks, nameof(rows));
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weight, nameof(rows));

            count += count > 0 && ticks[count - 1] == latency ? 0 : 1;
            sum += (uint)weight;
            ticks[count - 1] = latency;
            weights[count - 1] = sum;
        }

        return count == 1
            ? Constant(Delay.Ticks(ticks[0]))
            : new LatencyModel(
                Delay.Ticks(ticks[0]), Delay.Ticks(ticks[count - 1]), ticks[..count], weights[..count]);
    }

    /// <summary>Whether both draw the same.</summary>
    public static bool operator ==(LatencyModel? left, LatencyModel? right)
        => left is null ? right is null : left.Equals(right);

    /// <summary>Whether they differ.</summary>
    public static bool operator !=(LatencyModel? left, LatencyModel? right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(LatencyModel? other) => other is not null
        && Minimum == other.Minimum
        && Maximum == other.Maximum
        && _ticks.AsSpan().SequenceEqual(other._ticks)
        && _weights.AsSpan().SequenceEqual(other._weights);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LatencyModel);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Minimum);
        hash.Add(Maximum);

        for (int i = 0; i < _ticks.Length; i++)
        {
            hash.Add(_ticks[i]);
            hash.Add(_weights[i]);
        }

        return hash.ToHashCode();
    }

    /// <summary>"constant 5 ticks", "uniform 2 to 9 ticks" or "table of 3 rows, 2 to 9 ticks".</summary>
    public override string ToString()
    {
        string range = string.Create(CultureInfo.InvariantCulture, $"{Minimum.Time} to {Maximum.Time} ticks");

        return (IsDrawn, _ticks.Length) switch
        {
            (false, _) => $"constant {Minimum}",
            (_, 0) => $"uniform {range}",
            _ => string.Create(CultureInfo.InvariantCulture, $"table of {_ticks.Length} rows, {range}"),
        };
    }

    /// <summary>Whether it has rows, and its range does not say all of it.</summary>
    internal bool IsTable => _ticks.Length > 0;

    /// <summary>
    /// The ticks by which a latency is above <see cref="Minimum"/>. An arrival is the nominal one and as much more:
    /// the same as the publisher's tag and the whole latency, and it needs the log entry only.
    /// </summary>
    internal long ExtraOf(ulong draw)
    {
        if (_ticks.Length == 0)
        {
            return (long)ChannelDraws.Below(draw, (ulong)(Maximum.Time - Minimum.Time) + 1);
        }

        ulong weight = ChannelDraws.Below(draw, _weights[^1]);
        int least = 0;
        int most = _weights.Length - 1;

        while (least < most)
        {
            int middle = (least + most) / 2;
            (least, most) = weight < _weights[middle] ? (least, middle) : (middle + 1, most);
        }

        return _ticks[least] - _ticks[0];
    }

    /// <summary>The model in the canonical encoding of a configuration; clause .</summary>
    internal void Write(FrameWriter writer)
    {
        writer.WriteDelay(Minimum);
        writer.WriteDelay(Maximum);
        writer.WriteNumber((ulong)_ticks.Length);

        for (int i = 0; i < _ticks.Length; i++)
        {
            writer.WriteNumber((ulong)_ticks[i]);
            writer.WriteNumber(_weights[i]);
        }
    }
}
