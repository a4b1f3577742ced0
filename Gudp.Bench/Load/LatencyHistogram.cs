using System.Diagnostics;
using System.Numerics;

namespace Gudp.Bench.Load;

/// <summary>Counts of spans by their length, each within 1/64 of it. One thread.</summary>
/// <remarks>
/// Buckets as in an HDR histogram (Tene): the lowest 128 are a nanosecond wide, then 64 for each power of two. It has
/// one size whatever is recorded, and recording allocates nothing.
/// </remarks>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubBuckets = 1 << SubBits;

    // Up to 2^40 ns, some eighteen minutes; what is longer counts as that.
    private const int MostBits = 40;
    private const int Buckets = (MostBits - SubBits + 1) * SubBuckets;

    private readonly long[] _counts;

    internal LatencyHistogram() => _counts = new long[Buckets];

    private LatencyHistogram(long[] counts) => _counts = counts;

    internal long Count { get; private set; }

    internal double MostMicroseconds { get; private set; }

    /// <param name="from">A moment of <see cref="Stopwatch.GetTimestamp"/>, of any process of this machine.</param>
    /// <param name="to">Another.</param>
    internal void Record(long from, long to)
    {
        double span = (to - from) * (1e9 / Stopwatch.Frequency);
        long nanoseconds = (long)Math.Clamp(span, 0, (1L << MostBits) - 1);
        _counts[IndexOf(nanoseconds)]++;
        Count++;
        MostMicroseconds = Math.Max(MostMicroseconds, nanoseconds / 1000.0);
    }

    internal void Clear()
    {
        Array.Clear(_counts);
        Count = 0;
        MostMicroseconds = 0;
    }

    /// <summary>The span that so many percent of all were not above, in microseconds; NaN of none.</summary>
    internal double Percentile(double percent)
    {
        long rank = Math.Max(1, (long)Math.Ceiling(percent * Count / 100));
        long seen = 0;

        for (int i = 0; i < _counts.Length && Count > 0; i++)
        {
            seen += _counts[i];

            if (seen >= rank)
            {
                // A bucket stands for its middle, and never for more than there was.
                return Math.Min((LeastOf(i) + LeastOf(i + 1)) / 2000.0, MostMicroseconds);
            }
        }

        return double.NaN;
    }

    /// <summary>How many of all were longer, in percent; NaN of none.</summary>
    internal double PercentAbove(double microseconds)
    {
        if (Count == 0)
        {
            return double.NaN;
        }

        long most = (long)Math.Clamp(microseconds * 1e3, 0, (1L << MostBits) - 1);
        return 100.0 * _counts.AsSpan(IndexOf(most) + 1).ToArray().Sum() / Count;
    }

    /// <summary>The counts of both.</summary>
    internal LatencyHistogram With(LatencyHistogram other)
    {
        LatencyHistogram sum = new([.. _counts.Zip(other._counts, (one, two) => one + two)])
        {
            Count = Count + other.Count,
            MostMicroseconds = Math.Max(MostMicroseconds, other.MostMicroseconds),
        };
        return sum;
    }

    /// <summary>Pairs of bucket and count, of those that are not empty.</summary>
    internal long[] ToPairs() => [.. _counts.SelectMany((count, i) => count == 0 ? Array.Empty<long>() : [i, count])];

    internal static LatencyHistogram FromPairs(long[] pairs, double mostMicroseconds)
    {
        LatencyHistogram histogram = new() { MostMicroseconds = mostMicroseconds };

        for (int i = 0; i + 1 < pairs.Length; i += 2)
        {
            histogram._counts[pairs[i]] += pairs[i + 1];
            histogram.Count += pairs[i + 1];
        }

        return histogram;
    }

    private static int IndexOf(long nanoseconds)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)nanoseconds | 1) - SubBits);
        return (shift << SubBits) + (int)(nanoseconds >> shift);
    }

    private static long LeastOf(int index)
    {
        int shift = Math.Max(0, (index >> SubBits) - 1);
        return (long)(index - (shift << SubBits)) << shift;
    }
}
