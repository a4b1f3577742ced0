using System;
using System.Globalization;

namespace Gudp.Core.Engine;

/// <summary>
/// Ends a connection that is too poor to be of use for too long (P-10); off unless a limit is configured.
/// </summary>
/// <remarks>
/// Always true: a judgement is made of whole windows, each at least a second and 20 packets, or ten seconds; without a
/// word from the peer there is none, since silence has its own time-out, and a window that lasted longer, for silence or
/// for a pause of our own, counts as a second.
/// </remarks>
internal sealed class QualityWatch
{
    private const int LeastOutcomes = 20;

    private static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWindow = TimeSpan.FromSeconds(10);

    private readonly QualityConfig _limits;
    private Instant _windowStart = Instant.Never;
    private Instant _poorSince = Instant.Never;
    private long _acked;
    private long _lost;

    internal QualityWatch(in QualityConfig limits) => _limits = limits;

    /// <summary>Which limit was broken and by how much; meaningful once <see cref="IsTooPoor"/> was true.</summary>
    internal string Detail { get; private set; } = "";

    private bool IsOff => _limits.MostLossPercent == 0 && _limits.LongestRoundTrip == TimeSpan.Zero;

    internal void OnAcked() => _acked++;

    internal void OnLost() => _lost++;

    /// <summary>A loss was declared wrongly.</summary>
    internal void OnSpuriousLoss()
    {
        _acked++;
        _lost = Math.Max(0, _lost - 1);
    }

    /// <summary>True once a limit was broken for all of the configured patience. To be asked every turn.</summary>
    /// <param name="roundTrip">Smoothed; zero while none is measured, which breaks no limit.</param>
    /// <param name="now">The turn's moment.</param>
    internal bool IsTooPoor(TimeSpan roundTrip, Instant now)
    {
        if (IsOff)
        {
            return false;
        }

        _windowStart = Instant.Earlier(_windowStart, now);
        TimeSpan length = now - _windowStart;
        bool isWhole = length >= ShortestWindow && (_acked + _lost >= LeastOutcomes || length >= LongestWindow);

        if (!isWhole || _acked == 0)
        {
            return false;
        }

        bool isPoor = IsLossTooHigh() | IsTooSlow(roundTrip);

        // Longer than it need be: nothing was heard, or we stood still ourselves. That time says nothing of the path.
        Instant from = length < LongestWindow + ShortestWindow ? _windowStart : now + ShortestWindow.Negate();
        _poorSince = isPoor ? Instant.Earlier(_poorSince, from) : Instant.Never;
        _windowStart = now;
        _acked = 0;
        _lost = 0;
        return isPoor && now - _poorSince >= _limits.Patience;
    }

    private bool IsLossTooHigh()
    {
        long outcomes = _acked + _lost;
        bool isBroken = _limits.MostLossPercent > 0
            && outcomes >= LeastOutcomes
            && 100 * _lost > _limits.MostLossPercent * outcomes;

        if (isBroken)
        {
            Detail = string.Create(
                CultureInfo.InvariantCulture,
                $"{100 * _lost / outcomes} % of packets lost; Quality.MostLossPercent is {_limits.MostLossPercent}.");
        }

        return isBroken;
    }

    private bool IsTooSlow(TimeSpan roundTrip)
    {
        bool isBroken = _limits.LongestRoundTrip > TimeSpan.Zero && roundTrip > _limits.LongestRoundTrip;

        if (isBroken)
        {
            string limit = QualityConfig.Table.ValueOf(_limits, nameof(QualityConfig.LongestRoundTrip));
            Detail = string.Create(
                CultureInfo.InvariantCulture,
                $"Round trip {roundTrip.TotalMilliseconds:0} ms; Quality.LongestRoundTrip is {limit}.");
        }

        return isBroken;
    }
}
