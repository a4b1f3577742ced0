using System;

namespace Gudp.Core.Congestion;

// Looking for more bandwidth every few seconds, and for the shortest round trip.
internal sealed partial class BbrController
{
    private const int MostRoundsBetweenProbes = 63;
    private const int MostGrowthShift = 30;

    // Up to a second is added, so that flows which began together do not probe together.
    private static readonly TimeSpan LeastProbeWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ProbeRttLasts = TimeSpan.FromMilliseconds(200);

    private ProbeFeedback _feedback;
    private bool _mayLowerLongTerm;
    private bool _isWindowLimited;
    private bool _isRestarting;             // the application was silent and begins again
    private long _delivered;
    private Instant _cycleStart;
    private TimeSpan _probeWait;
    private int _roundsSinceProbe;
    private int _upRounds;
    private long _upAcked;                  // bytes acknowledged towards the next packet of growth
    private long _ackedPerPacket = long.MaxValue;
    private Instant _probeEndsAt = Instant.Never;
    private bool _hasProbeRound;

    private void ProbeBandwidth(in AckReport report, Instant now)
    {
        if (!_isFull)
        {
            return;
        }

        AdaptLongTerm(report, now);
        _roundsSinceProbe += _path.IsRoundStart ? 1 : 0;

        switch (CurrentPhase)
        {
            case Phase.Down when !StartRefillIfDue(report, now) && MayCruise(report):
                CurrentPhase = Phase.Cruise;
                break;
            case Phase.Cruise:
                StartRefillIfDue(report, now);
                break;
            case Phase.Refill when _path.IsRoundStart:
                _mayLowerLongTerm = true;
                StartUp(report, now);
                break;
            case Phase.Up when IsUpOver(report):
                StartDown(now);
                break;
            default:
                break;
        }
    }

    private bool MayCruise(in AckReport report)
        => report.InFlight <= InFlightWithHeadroom
            && report.InFlight <= _path.BandwidthDelay(_path.MaxBandwidth, 100);

    private bool StartRefillIfDue(in AckReport report, Instant now)
    {
        // As often as Reno would probe, so that it is left its share (the draft's BBRIsRenoCoexistenceProbeTime).
        long rounds = Math.Min(_path.BandwidthDelay(_path.Bandwidth, 100) / _packetBytes, MostRoundsBetweenProbes);

        if (now - _cycleStart <= _probeWait && _roundsSinceProbe < Math.Max(rounds, 1))
        {
            return false;
        }

        CurrentPhase = Phase.Refill;
        _path.ForgetShortTermBounds();
        _upRounds = 0;
        _upAcked = 0;
        _feedback = ProbeFeedback.Refilling;
        _path.StartRound(report.Delivered);
        return true;
    }

    private void StartUp(in AckReport report, Instant now)
    {
        CurrentPhase = Phase.Up;
        _feedback = ProbeFeedback.Starting;
        _path.StartRound(report.Delivered);
        StartLookingForFullPath(report.BytesPerSecond);
        _cycleStart = now;
        SteepenGrowth();
    }

    private void StartDown(Instant now)
    {
        CurrentPhase = Phase.Down;
        _ackedPerPacket = long.MaxValue;
        _roundsSinceProbe = 0;
        _cycleStart = now;
        _feedback = ProbeFeedback.Stopping;
        _path.StartRound(_delivered);

        // Not drawn: what was delivered differs from flow to flow as well as a random number would.
        _probeWait = LeastProbeWait + TimeSpan.FromMilliseconds(_delivered / _packetBytes * 7919 % 1_000);
    }

    private bool IsUpOver(in AckReport report)
    {
        if (_isWindowLimited && _window >= _path.LongTermInFlight)
        {
            // The bound stands in the way, not the path: that the rate does not grow proves nothing.
            StartLookingForFullPath(report.BytesPerSecond);
            return false;
        }

        return _isFullNow;
    }

    private void AdaptLongTerm(in AckReport report, Instant now)
    {
        if (_path.IsRoundStart)
        {
            HandleFeedbackRound(report);
        }

        if (_mayLowerLongTerm && _path.IsTooLossy(report.LostInFlight, report.Mark.InFlight))
        {
            LowerLongTerm(report.Mark.InFlight, report.Mark.IsApplicationLimited, now);
            return;
        }

        if (_path.LongTermInFlight == BbrPath.NoBound
            || _path.IsTooLossy(report.LostInFlight, report.Mark.InFlight))
        {
            return;
        }

        _path.LongTermInFlight = Math.Max(_path.LongTermInFlight, report.Mark.InFlight);

        if (CurrentPhase == Phase.Up)
        {
            RaiseLongTerm(report);
        }
    }

    private void HandleFeedbackRound(in AckReport report)
    {
        if (_feedback == ProbeFeedback.Starting)
        {
            _feedback = ProbeFeedback.Coming;
        }
        else if (_feedback == ProbeFeedback.Stopping)
        {
            _feedback = ProbeFeedback.None;
            _mayLowerLongTerm = false;

            if (IsProbingBandwidth && !report.Mark.IsApplicationLimited)
            {
                _path.EndCycle();
            }
        }
    }

    private void LowerLongTerm(long inFlight, bool isApplicationLimited, Instant now)
    {
        // Once per probe: the losses that follow belong to the same overload.
        _mayLowerLongTerm = false;

        if (!isApplicationLimited)
        {
            long target = Math.Min(_path.BandwidthDelay(_path.Bandwidth, 100), _window);
            _path.LongTermInFlight = Math.Max(Math.Max(inFlight, target * BetaPercent / 100), Least);
        }

        if (CurrentPhase == Phase.Up)
        {
            StartDown(now);
        }
    }

    private void RaiseLongTerm(in AckReport report)
    {
        if (!_isWindowLimited || _window < _path.LongTermInFlight)
        {
            return;
        }

        _upAcked += report.NewlyAcked;

        if (_upAcked >= _ackedPerPacket)
        {
            long packets = _upAcked / _ackedPerPacket;
            _upAcked -= packets * _ackedPerPacket;
            _path.LongTermInFlight = Math.Min(
                _path.LongTermInFlight + (packets * _packetBytes), CongestionWindow.MaxBytes);
        }

        if (_path.IsRoundStart)
        {
            SteepenGrowth();
        }
    }

    /// <summary>One packet more in the first round, two in the second, four in the third.</summary>
    private void SteepenGrowth()
    {
        long packets = 1L << Math.Min(_upRounds, MostGrowthShift);
        _upRounds++;
        _ackedPerPacket = Math.Max(_window / packets, 1);
    }

    private void ProbeRoundTrip(in AckReport report, Instant now)
    {
        if (CurrentPhase != Phase.ProbeRtt && _path.IsRoundTripStale && !_isRestarting)
        {
            CurrentPhase = Phase.ProbeRtt;
            _windowBefore = _window;
            _probeEndsAt = Instant.Never;
            _feedback = ProbeFeedback.Stopping;
            _path.StartRound(report.Delivered);
        }

        if (CurrentPhase != Phase.ProbeRtt)
        {
            return;
        }

        if (_probeEndsAt.IsNever)
        {
            if (report.InFlight <= ProbeRttWindow)
            {
                _probeEndsAt = now + ProbeRttLasts;
                _hasProbeRound = false;
                _path.StartRound(report.Delivered);
            }

            return;
        }

        _hasProbeRound |= _path.IsRoundStart;

        if (_hasProbeRound && now >= _probeEndsAt)
        {
            LeaveProbeRtt(report.Delivered, now);
        }
    }

    private void LeaveProbeRtt(long delivered, Instant now)
    {
        _delivered = delivered;
        _path.OnRoundTripProbed(now);
        _path.ForgetShortTermBounds();
        _window = Math.Max(_window, _windowBefore);

        if (_isFull)
        {
            StartDown(now);
            CurrentPhase = Phase.Cruise;
        }
        else
        {
            CurrentPhase = Phase.Startup;
            StartLookingForFullPath(_fullBandwidth);
        }
    }
}
