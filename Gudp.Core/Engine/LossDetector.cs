// Loss detection: decides which packets in flight will not arrive any more.
//
// Two rules, both triggered by an acknowledgement (P-3.1, RFC 9002 section 6.1):
//   by count  a packet is lost once a packet sent PacketThreshold or more later is acknowledged;
//   by time   a packet is lost once a later one is acknowledged and it is older than 9/8 of the round trip.
// A declaration that proves wrong shows how far the path reorders (P-3.5). It raises the threshold, up to 20, and the age by
// what was missing. A path that reorders further than 20 packets is judged by time alone (RFC 8985 section 6.2).
// Both are given back in halves when many round trips had losses and none of them was wrong.
//
// A tail that nobody acknowledges fires neither rule. For it there is the probe deadline (P-3.2): it does not declare
// anything lost, it only asks the engine to send something that must be acknowledged (section 6.2).
// Beside these, and without any effect on them, packets with payload become overdue: their content is worth a second
// offer although nothing shows them lost (eager resend; the engine decides whether it may).
//
// Packets leave in the order of their numbers. So the first packet in flight that is not lost ends the search, by
// count and by time, and every deadline follows from one packet.
//
// At most one of the two deadlines is set: the time rule's while a gap is known, the probe's otherwise.
//
// Always true:
//   - the fate of a packet is reported exactly once;
//   - no deadline is set while nothing that asks for an acknowledgement is in flight.

using System;
using static Gudp.Core.Spans;

namespace Gudp.Core.Engine;

/// <summary>The numbers loss detection works with.</summary>
/// <param name="PacketThreshold">How many later packets must be acknowledged; 3 or more (section 6.1.1).</param>
/// <param name="MaxAckDelay">The longest the peer may hold an acknowledgement back.</param>
/// <param name="Granularity">The finest the timers here can do; the RFC recommends 1 ms.</param>
internal readonly record struct LossRules(int PacketThreshold, TimeSpan MaxAckDelay, TimeSpan Granularity)
{
    /// <summary>No probe goes sooner.</summary>
    internal TimeSpan LeastProbeTimeout { get; init; }

    /// <summary>Doubling the wait for a probe stops here, or at the first wait if that is longer.</summary>
    internal TimeSpan LargestProbeTimeout { get; init; } = TimeSpan.MaxValue;
}

/// <summary>Declares packets lost and asks for probes; see the comment on top.</summary>
internal sealed class LossDetector
{
    /// <summary>How far wrong declarations may raise the packet threshold.</summary>
    internal const int MaxPacketThreshold = 20;

    // RFC 9002 section 7.6.1.
    private const int PersistentCongestionThreshold = 3;

    // RFC 8985 section 7.2 keeps a widened window for 16 recoveries.
    private const int LossyRoundsBeforeRelaxing = 16;

    // Beyond this no time-out of ours is still waiting; it keeps the deadline within its range.
    private const int MaxBackoffShift = 16;

    // A path that holds packets back for longer than this and its round trip has lost them for all that is useful.
    private static readonly TimeSpan LargestAllowance = TimeSpan.FromMilliseconds(100);

    private readonly SentPacketRing _ring;
    private readonly RttEstimator _rtt;
    private readonly TimeSpan _granularity;
    private readonly TimeSpan _leastProbeTimeout;
    private readonly TimeSpan _largestProbeTimeout;
    private readonly int _firstThreshold;
    private TimeSpan _allowance;               // added to the age at which a packet is lost
    private bool _isCountOff;                  // the path reorders further than any threshold
    private int _lossyRounds;                  // round trips with losses since the last wrong one
    private Instant _lastLossyRound;
    private long _overdueFrom;                 // all payload below was offered once more already
    private Instant _firstSampleAt = Instant.Never;
    private Instant _firstOfRunAt;             // a run: packets lost one after another, none acknowledged between
    private long _lastOfRun = -1;              // -1: no run

    internal LossDetector(SentPacketRing ring, RttEstimator rtt, in LossRules rules)
    {
        Invariant.Require(rules.PacketThreshold >= 1, "A packet cannot be lost before a later one arrives.");
        _ring = ring;
        _rtt = rtt;
        _granularity = rules.Granularity;
        _leastProbeTimeout = rules.LeastProbeTimeout;
        _largestProbeTimeout = rules.LargestProbeTimeout;
        _firstThreshold = rules.PacketThreshold;
        PacketThreshold = rules.PacketThreshold;
        MaxAckDelay = rules.MaxAckDelay;
    }

    /// <summary>How many later packets must be acknowledged now; grows on paths that reorder.</summary>
    internal int PacketThreshold { get; private set; }

    /// <summary>
    /// The longest the peer may hold an acknowledgement back: its parameter, or what it was last asked for.
    /// </summary>
    internal TimeSpan MaxAckDelay { get; set; }

    /// <summary>By which rule the last lost packet was lost.</summary>
    internal TraceTrigger LastTrigger { get; private set; }

    /// <summary>
    /// No time runs out before this moment: the grace after a pause of this process. Counts go on as ever.
    /// </summary>
    internal Instant NotBefore { get; set; }

    /// <summary>Probe time-outs since the last acknowledgement; each doubles the wait.</summary>
    internal int PtoCount { get; private set; }

    /// <summary>The wait for the first probe, without backoff; closing and path rules count in this.</summary>
    internal TimeSpan ProbeTimeout => Longer(_rtt.ProbeTimeout(MaxAckDelay, _granularity), _leastProbeTimeout);

    /// <summary>How old a packet in flight gets behind an acknowledged one before it counts as lost.</summary>
    internal TimeSpan LossDelay => _rtt.LossDelay(_granularity) + _allowance;

    /// <summary>When the oldest packet in flight counts as lost; never while no later one is acknowledged.</summary>
    internal Instant LossDeadline
        => _ring.OpenPackets > 0 && _ring.OldestUnsettled.Value < _ring.LargestAcked
            ? Instant.Later(_ring.Peek(_ring.OldestUnsettled).SentAt + LossDelay, NotBefore)
            : Instant.Never;

    /// <summary>When the peer must be asked, counted from the last packet that asked it.</summary>
    internal Instant ProbeDeadline
    {
        get
        {
            if (_ring.OpenPackets == 0 || _ring.OldestUnsettled.Value < _ring.LargestAcked)
            {
                return Instant.Never;
            }

            TimeSpan first = ProbeTimeout;
            TimeSpan backedOff = new(first.Ticks << Math.Min(PtoCount, MaxBackoffShift));
            TimeSpan most = Longer(first, _largestProbeTimeout);
            return Instant.Later(_ring.LastElicitingSentAt + (backedOff < most ? backedOff : most), NotBefore);
        }
    }

    /// <summary>The one of the two deadlines that is set.</summary>
    internal Instant Deadline => Instant.Earlier(LossDeadline, ProbeDeadline);

    /// <summary>
    /// When the first payload becomes overdue; never if all in flight was offered already. It stays in the past while
    /// the engine does not offer: then it must not be waited for.
    /// </summary>
    internal Instant OverdueDeadline
        => TryFindOverdue(out PacketNumber number) ? OverdueAt(number) : Instant.Never;

    private PacketNumber LastSent => new(_ring.Next.Value - 1);

    /// <summary>
    /// An acknowledgement settled at least one packet. Call after its numbers and its sample were taken in.
    /// </summary>
    internal void OnAckReceived(Instant now)
    {
        PtoCount = 0;

        if (_firstSampleAt.IsNever && _rtt.HasSample)
        {
            _firstSampleAt = now;
        }
    }

    /// <summary>Takes the next lost packet out of flight; to be repeated until it returns false.</summary>
    /// <param name="now">After an acknowledgement, or when <see cref="LossDeadline"/> has come.</param>
    /// <param name="lost">As it was in flight.</param>
    /// <param name="isPersistent">
    /// True for the packet that completes persistent congestion: packets over more than three probe time-outs were
    /// lost with none acknowledged between them (RFC 9002 section 7.6).
    /// </param>
    internal bool TryNextLost(Instant now, out SentPacket lost, out bool isPersistent)
    {
        lost = default;
        isPersistent = false;

        if (_ring.OpenPackets == 0)
        {
            return false;
        }

        PacketNumber oldest = _ring.OldestUnsettled;
        bool isLost = IsLostByCount(oldest.Value) || (oldest.Value < _ring.LargestAcked && now >= LossDeadline);

        LastTrigger = IsLostByCount(oldest.Value) ? TraceTrigger.ReorderingThreshold : TraceTrigger.TimeThreshold;

        if (!isLost || !_ring.TryLose(oldest, out lost))
        {
            return false;
        }

        if (lost.IsSizeProbe)
        {
            return true;    // the path does not carry its size: no news about anything else
        }

        NoteLossyRound(now);
        isPersistent = ExtendRun(lost);
        return true;
    }

    /// <summary>
    /// A packet declared lost was acknowledged late: the path reorders further than the rules allow for.
    /// </summary>
    internal void OnSpuriousLoss(in SentPacket late, Instant now)
    {
        long distance = _ring.LargestAcked - late.Number + 1;
        PacketThreshold = (int)Math.Clamp(distance, PacketThreshold, Math.Max(PacketThreshold, MaxPacketThreshold));
        _isCountOff |= distance > PacketThreshold;

        TimeSpan missing = now - late.SentAt - _rtt.LossDelay(_granularity);
        TimeSpan most = Longer(LargestAllowance, _rtt.Smoothed);
        _allowance = Longer(_allowance, Shorter(missing, most));

        _lossyRounds = 0;
        _lastOfRun = -1;
    }

    /// <summary>Packets take another path from now on (P-9.7): what was learnt of the former one is forgotten.</summary>
    internal void OnPathChanged()
    {
        PtoCount = 0;
        PacketThreshold = _firstThreshold;
        _isCountOff = false;
        _allowance = TimeSpan.Zero;
        _lossyRounds = 0;
        _firstSampleAt = Instant.Never;
        _lastOfRun = -1;
    }

    /// <summary>
    /// The probe deadline has come: one or two packets that ask for an acknowledgement are to be sent, whatever the
    /// window says. Declares nothing lost.
    /// </summary>
    /// <returns>False if no probe is due at <paramref name="now"/>.</returns>
    internal bool TryProbe(Instant now)
    {
        Instant deadline = ProbeDeadline;

        if (deadline.IsNever || deadline > now)
        {
            return false;
        }

        PtoCount++;
        return true;
    }

    /// <summary>
    /// The peer will answer now what it left unanswered for a reason of its own: the next wait is the first one again.
    /// </summary>
    internal void ForgetBackoff() => PtoCount = 0;

    /// <summary>Takes the next packet whose payload is to be offered once more; each at most once.</summary>
    internal bool TryNextOverdue(Instant now, out PacketNumber number)
    {
        if (!TryFindOverdue(out number) || OverdueAt(number) > now)
        {
            return false;
        }

        _ring.MarkOverdueOffered(number);
        return true;
    }

    /// <summary>The first packet whose payload was not offered once more; it becomes overdue at some time.</summary>
    internal bool TryFindOverdue(out PacketNumber number)
    {
        while (_ring.TryNextUnsettled(new PacketNumber(_overdueFrom), LastSent, out number))
        {
            ref readonly SentPacket packet = ref _ring.Peek(number);

            if (packet.HasPayload && !packet.IsOverdueOffered)
            {
                _overdueFrom = number.Value;
                return true;
            }

            _overdueFrom = number.Value + 1;
        }

        return false;
    }

    private bool IsLostByCount(long oldest)
    {
        // A number left out was never in flight: it does not show that anything overtook.
        bool skippedBetween = oldest < _ring.LastSkipped && _ring.LastSkipped < _ring.LargestAcked;
        long ackedLater = _ring.LargestAcked - oldest - (skippedBetween ? 1 : 0);
        return !_isCountOff && ackedLater >= PacketThreshold;
    }

    private void NoteLossyRound(Instant now)
    {
        if (now - _lastLossyRound < _rtt.Smoothed)
        {
            return;
        }

        _lastLossyRound = now;
        _lossyRounds++;

        if (_lossyRounds >= LossyRoundsBeforeRelaxing)
        {
            _lossyRounds = 0;
            _isCountOff = false;
            _allowance /= 2;
            PacketThreshold = (PacketThreshold + _firstThreshold) / 2;
        }
    }

    private Instant OverdueAt(PacketNumber number) => Instant.Later(
        _ring.Peek(number).SentAt + _rtt.OverdueAfter(MaxAckDelay, _granularity), NotBefore);

    // P-3.6
    private bool ExtendRun(in SentPacket lost)
    {
        // Without a sample the time-outs are guesses; losses from before it prove nothing (section 7.6.2).
        if (_firstSampleAt.IsNever || lost.SentAt <= _firstSampleAt)
        {
            return false;
        }

        if (_lastOfRun < 0 || WasAnyAckedBetween(_lastOfRun, lost.Number))
        {
            _firstOfRunAt = lost.SentAt;
        }

        _lastOfRun = lost.Number;

        if ((lost.SentAt - _firstOfRunAt).Ticks <= PersistentCongestionThreshold * PersistenceUnit.Ticks)
        {
            return false;
        }

        // Reported once: what is lost from here on must add up to the whole time again.
        _lastOfRun = -1;
        return true;
    }

    // Section 7.6.1: of the path alone, whatever the configuration says about probes.
    private TimeSpan PersistenceUnit => _rtt.ProbeTimeout(MaxAckDelay, _granularity);

    private bool WasAnyAckedBetween(long first, long last)
    {
        for (long number = first + 1; number < last; number++)
        {
            // A packet no longer remembered may have been acknowledged; then the milder conclusion is drawn.
            if (!_ring.TryFind(new PacketNumber(number), out SentPacket packet) || packet.Fate == PacketFate.Acked)
            {
                return true;
            }
        }

        return false;
    }
}
