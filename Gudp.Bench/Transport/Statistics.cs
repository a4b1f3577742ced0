namespace Gudp.Bench.Transport;

/// <summary>The few numbers that stand for many.</summary>
internal static class Statistics
{
    /// <summary>The smallest sample not below <paramref name="percent"/> of all (nearest rank); NaN of none.</summary>
    /// <param name="samples">In any order; not changed.</param>
    /// <param name="percent">0 gives the smallest sample, 100 the largest.</param>
    internal static double Percentile(IReadOnlyCollection<double> samples, double percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);

        if (samples.Count == 0)
        {
            return double.NaN;
        }

        double[] sorted = [.. samples];
        Array.Sort(sorted);
        int rank = (int)Math.Ceiling(percent * sorted.Length / 100);
        return sorted[Math.Max(rank, 1) - 1];
    }

    /// <summary>The middle one; the mean of the two in the middle; NaN of none.</summary>
    internal static double Median(IReadOnlyCollection<double> samples)
    {
        double[] sorted = [.. samples];
        Array.Sort(sorted);
        int middle = sorted.Length / 2;
        return sorted.Length switch
        {
            0 => double.NaN,
            _ when sorted.Length % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2,
        };
    }

    /// <summary>
    /// How evenly something is shared (Jain, Chiu, Hawe 1984): 1 when all have the same, 1/n when one has all.
    /// </summary>
    internal static double JainIndex(IReadOnlyCollection<double> shares)
    {
        double sum = shares.Sum();
        double squares = shares.Sum(share => share * share);
        return squares == 0 ? double.NaN : sum * sum / (shares.Count * squares);
    }
}

/// <summary>The median of some runs, with the least and the largest beside it.</summary>
internal sealed record Spread(double Median, double Least, double Most)
{
    private const int Digits = 4;

    /// <summary>Rounded to what a reader and a comparison of two runs can use; NaN becomes -1, which JSON can hold.</summary>
    internal static Spread Of(IReadOnlyCollection<double> samples)
        => samples.Count == 0 || samples.Any(double.IsNaN)
            ? new Spread(-1, -1, -1)
            : new Spread(Round(Statistics.Median(samples)), Round(samples.Min()), Round(samples.Max()));

    internal static double Round(double value) => Math.Round(value, Digits);
}
