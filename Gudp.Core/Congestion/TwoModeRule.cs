// Glenn Fiedler's two modes ("Reliability and Flow Control over UDP"), as a rule on round trips alone (P-5.9).
//
//   good -> bad   at once, when the average round trip exceeds 250 ms; if good had lasted less than 10 s, the penalty
//                 doubles, to 60 s at most
//   bad -> good   when the average was fine for the penalty, at first 4 s
//   good          each 10 s of it halve the penalty, to 1 s at least
//
// Time passes with Advance; nobody need call it at any special moment, what lies between two calls is made up for.
//
// Always true: the penalty lies between 1 and 60 s.

using System;
using static Gudp.Core.Spans;

namespace Gudp.Core.Congestion;

/// <summary>Decides between good and bad; see the comment on top.</summary>
internal sealed class TwoModeRule
{
    /// <summary>Round trips above this are bad.</summary>
    internal static readonly TimeSpan LongestGoodRoundTrip = TimeSpan.FromMilliseconds(250);

    // Of the moving average: a tenth of each new sample.
    private const int AverageDivisor = 10;

    private static readonly TimeSpan FirstPenalty = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LeastPenalty = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostPenalty = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ShortGood = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HalvingPeriod = TimeSpan.FromSeconds(10);

    private Instant _fineSince = Instant.Never;     // in bad mode: since when the average is fine
    private Instant _goodSince = Instant.Never;     // in good mode: since when
    private Instant _halvedAt = Instant.Never;      // in good mode: the last halving, or the start

    /// <param name="startsBad">
    /// As a controller it begins in bad and earns its speed; as a status level it begins in good, since nothing bad was
    /// seen yet.
    /// </param>
    internal TwoModeRule(bool startsBad) => IsBad = startsBad;

    /// <summary>The mode at the last call of <see cref="Advance"/> or <see cref="OnRoundTrip"/>.</summary>
    internal bool IsBad { get; private set; }

    /// <summary>For how long the round trip must be fine before bad ends; 1 to 60 s.</summary>
    internal TimeSpan Penalty { get; private set; } = FirstPenalty;

    /// <summary>The moving average; zero before the first sample.</summary>
    internal TimeSpan AverageRoundTrip { get; private set; }

    /// <summary>Takes a measured round trip in.</summary>
    internal void OnRoundTrip(TimeSpan measured, Instant now)
    {
        Advance(now);
        AverageRoundTrip = AverageRoundTrip == TimeSpan.Zero
            ? measured
            : AverageRoundTrip + new TimeSpan((measured - AverageRoundTrip).Ticks / AverageDivisor);

        if (AverageRoundTrip > LongestGoodRoundTrip)
        {
            _fineSince = Instant.Never;
            BecomeBad(now);
        }
        else if (IsBad && _fineSince.IsNever)
        {
            _fineSince = now;
        }
    }

    /// <summary>Time has passed: the penalty may be over, or due to be halved.</summary>
    internal void Advance(Instant now)
    {
        if (IsBad && !_fineSince.IsNever && now - _fineSince > Penalty)
        {
            IsBad = false;
            _goodSince = _fineSince + Penalty;
            _halvedAt = _goodSince;
            _fineSince = Instant.Never;
        }

        if (IsBad)
        {
            return;
        }

        if (_goodSince.IsNever)
        {
            _goodSince = now;
            _halvedAt = now;
        }

        while (Penalty > LeastPenalty && now - _halvedAt >= HalvingPeriod)
        {
            Penalty = Longer(Penalty / 2, LeastPenalty);
            _halvedAt += HalvingPeriod;
        }
    }

    private void BecomeBad(Instant now)
    {
        if (IsBad)
        {
            return;
        }

        IsBad = true;

        if (now - _goodSince < ShortGood)
        {
            Penalty = Shorter(Penalty * 2, MostPenalty);
        }

        _goodSince = Instant.Never;
    }
}
