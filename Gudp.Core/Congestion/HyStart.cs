using System;

namespace Gudp.Core.Congestion;

/// <summary>
/// HyStart++ (RFC 9406): leaves slow start when the round trip grows, before a queue overflows. First it grows more
/// slowly for a few rounds, in case the longer round trip was chance; then it asks for congestion avoidance.
/// </summary>
/// <remarks>
/// For the first slow start of a connection only, as the RFC advises: a later one knows its threshold. A round ends
/// when a packet is acknowledged that was sent after the round began.
/// </remarks>
internal sealed class HyStart
{
    // RFC 9406 section 4.3.
    private const int SamplesNeeded = 8;
    private const int ThresholdDivisor = 8;
    private const int CautiousGrowthDivisor = 4;
    private const int CautiousRounds = 5;

    // RFC 9406 section 4.3.
    private static readonly TimeSpan LeastRise = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan LargestRise = TimeSpan.FromMilliseconds(16);

    private static readonly TimeSpan Unknown = TimeSpan.MaxValue;

    private Instant _roundStart = Instant.Never;
    private Instant _lastSampleAt = Instant.Never;
    private TimeSpan _shortestLastRound = Unknown;
    private TimeSpan _shortestThisRound = Unknown;
    private TimeSpan _baseline = Unknown;       // what made us cautious; unknown while we are not
    private int _samples;
    private int _cautiousRounds;

    /// <summary>True while the window should grow more slowly than in slow start.</summary>
    internal bool IsCautious => _baseline != Unknown;

    /// <summary>By how much the window grows for this many acknowledged bytes.</summary>
    internal int Growth(int ackedBytes) => IsCautious ? ackedBytes / CautiousGrowthDivisor : ackedBytes;

    /// <summary>Takes in a packet acknowledged in slow start.</summary>
    /// <returns>True if slow start is over.</returns>
    internal bool OnAcked(Instant sentAt, TimeSpan latestRtt, Instant now)
    {
        if (_roundStart.IsNever || sentAt > _roundStart)
        {
            BeginRound(now);
        }

        // All packets of an acknowledgement share one measurement.
        if (_lastSampleAt != now)
        {
            _lastSampleAt = now;
            _samples++;
            _shortestThisRound = latestRtt < _shortestThisRound ? latestRtt : _shortestThisRound;
            Judge();
        }

        return _cautiousRounds > CautiousRounds;
    }

    private void BeginRound(Instant now)
    {
        _roundStart = now;
        _shortestLastRound = _shortestThisRound;
        _shortestThisRound = Unknown;
        _samples = 0;
        _cautiousRounds += IsCautious ? 1 : 0;
    }

    private void Judge()
    {
        if (_samples < SamplesNeeded || _shortestLastRound == Unknown)
        {
            return;
        }

        if (IsCautious)
        {
            // The round trip is short again: the rise was chance, slow start goes on.
            bool wasChance = _shortestThisRound < _baseline;
            _baseline = wasChance ? Unknown : _baseline;
            _cautiousRounds = wasChance ? 0 : _cautiousRounds;
            return;
        }

        long rise = Math.Clamp(_shortestLastRound.Ticks / ThresholdDivisor, LeastRise.Ticks, LargestRise.Ticks);

        if ((_shortestThisRound - _shortestLastRound).Ticks >= rise)
        {
            _baseline = _shortestThisRound;
            _cautiousRounds = 1;
        }
    }
}
