using System;
using Gudp.Core.Congestion;
using static Gudp.Core.Spans;

namespace Gudp.Core.Engine;

/// <summary>
/// The path's round trip as measured, and the waiting times that follow from it (RFC 9002 section 5). Integers only,
/// so that every machine computes the same.
/// </summary>
internal sealed class RttEstimator
{
    /// <summary>Round trip assumed before the first measurement, RFC 9002 section 6.2.2.</summary>
    internal static readonly TimeSpan DefaultFirstRoundTrip = TimeSpan.FromMilliseconds(333);

    private bool _isMinimumFresh;

    /// <param name="firstRoundTrip">Assumed until the first sample; more than zero.</param>
    internal RttEstimator(TimeSpan firstRoundTrip) => Restart(firstRoundTrip);

    /// <summary>Another path: nothing of it is measured (RFC 9000 section 9.4).</summary>
    internal void Restart(TimeSpan firstRoundTrip)
    {
        HasSample = false;
        _isMinimumFresh = false;
        Invariant.Require(firstRoundTrip > TimeSpan.Zero, "A round trip takes time.");
        Smoothed = firstRoundTrip;
        Variation = new TimeSpan(firstRoundTrip.Ticks / 2);
        Latest = firstRoundTrip;
        Minimum = firstRoundTrip;
    }

    /// <summary>False while all values are assumed.</summary>
    internal bool HasSample { get; private set; }

    /// <summary>The last sample, the peer's delay included.</summary>
    internal TimeSpan Latest { get; private set; }

    /// <summary>Moving average with weight 1/8, the peer's delay taken out.</summary>
    internal TimeSpan Smoothed { get; private set; }

    /// <summary>Moving average with weight 1/4 of the distance from the average.</summary>
    internal TimeSpan Variation { get; private set; }

    /// <summary>The shortest sample, the peer's delay included: what the path alone takes at least.</summary>
    internal TimeSpan Minimum { get; private set; }

    /// <summary>The values a congestion controller works with.</summary>
    internal RttSample Sample => new(Latest, Smoothed, Minimum, HasSample);

    /// <summary>Takes one measured round trip into account.</summary>
    /// <param name="measured">From sending the newest acknowledged packet to reading that ack; 0 or more.</param>
    /// <param name="ackDelay">How long the peer says it held the acknowledgement back, capped as agreed.</param>
    /// <remarks>
    /// Call at most once per acknowledgement, and only if its newest packet was not acknowledged before: a second
    /// sample would measure the peer's batching, not the path. P-3.4, RFC 9002 section 5.3 and appendix A.7.
    /// </remarks>
    internal void AddSample(TimeSpan measured, TimeSpan ackDelay)
    {
        Invariant.Require(measured >= TimeSpan.Zero, "An answer cannot precede its question.");
        Invariant.Require(ackDelay >= TimeSpan.Zero, "A delay is not negative.");

        // A simulated path may take no time at all; the rates computed from a round trip need it above zero.
        measured = Longer(measured, new TimeSpan(1));
        Latest = measured;

        if (!HasSample)
        {
            HasSample = true;
            _isMinimumFresh = true;
            Minimum = measured;
            Smoothed = measured;
            Variation = new TimeSpan(measured.Ticks / 2);
            return;
        }

        Minimum = _isMinimumFresh && Minimum < measured ? Minimum : measured;
        _isMinimumFresh = true;

        // The peer's word is taken only while it leaves at least the shortest trip ever seen; otherwise a peer could
        // shrink our time-outs at will.
        TimeSpan path = measured - ackDelay >= Minimum ? measured - ackDelay : measured;
        TimeSpan deviation = (Smoothed - path).Duration();

        Variation = new TimeSpan(((3 * Variation.Ticks) + deviation.Ticks) / 4);
        Smoothed = new TimeSpan(((7 * Smoothed.Ticks) + path.Ticks) / 8);
    }

    /// <summary>
    /// Lets the next sample set the minimum, because the path may be another one: after persistent congestion, RFC
    /// 9002 section 5.2, or when the peer's address changed.
    /// </summary>
    internal void ForgetMinimum() => _isMinimumFresh = false;

    /// <summary>How long nothing need be heard before the peer is asked, RFC 9002 section 6.2.1.</summary>
    /// <param name="maxAckDelay">The longest the peer may hold an acknowledgement back.</param>
    /// <param name="granularity">The finest the timers here can do.</param>
    internal TimeSpan ProbeTimeout(TimeSpan maxAckDelay, TimeSpan granularity)
        => Smoothed + Longer(new TimeSpan(4 * Variation.Ticks), granularity) + maxAckDelay;

    /// <summary>How much older than an acknowledged packet a lost one is, RFC 9002 section 6.1.2.</summary>
    internal TimeSpan LossDelay(TimeSpan granularity)
        => Longer(new TimeSpan(9 * Longer(Smoothed, Latest).Ticks / 8), granularity);

    /// <summary>
    /// After which time without an acknowledgement content is worth offering a second time, although nothing shows
    /// its packet lost: longer than the path's variation explains, yet before a probe would go (P-4.1). What was learnt
    /// about reordering is not added: a copy sent in vain costs no more than its share, and this is for whoever cannot
    /// wait.
    /// </summary>
    /// <param name="ackDelay">How long the peer may hold an acknowledgement back as last agreed.</param>
    /// <param name="granularity">The finest the timers here can do.</param>
    internal TimeSpan OverdueAfter(TimeSpan ackDelay, TimeSpan granularity)
        => Longer(LossDelay(granularity), Smoothed + (4 * Variation)) + ackDelay;
}
