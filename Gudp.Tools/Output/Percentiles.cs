namespace Gudp.Tools.Output;

/// <summary>Percentiles of stored samples: exact, for the few thousand samples a command makes.</summary>
internal sealed class Percentiles
{
    private readonly List<TimeSpan> _samples = [];
    private bool _isSorted = true;

    internal int Count => _samples.Count;

    internal void Add(TimeSpan sample)
    {
        _samples.Add(sample);
        _isSorted = false;
    }

    /// <summary>The smallest sample not below <paramref name="percent"/> of all samples (nearest rank).</summary>
    /// <param name="percent">0 gives the smallest sample, 100 the largest.</param>
    /// <exception cref="InvalidOperationException">There is no sample.</exception>
    internal TimeSpan Of(double percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);

        if (_samples.Count == 0)
        {
            throw new InvalidOperationException("There is no percentile of no samples.");
        }

        if (!_isSorted)
        {
            _samples.Sort();
            _isSorted = true;
        }

        int rank = (int)Math.Ceiling(percent * _samples.Count / 100);
        return _samples[Math.Max(rank, 1) - 1];
    }
}
