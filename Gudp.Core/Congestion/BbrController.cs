// BBR, after version 3 (draft-ietf-ccwg-bbr): sends at the rate the path was seen to deliver, with about twice in
// flight what fills the path without a queue. A loss by itself changes nothing; a share of losses beyond a bound does.
//
//   Startup      2.77 times the rate, until it does not grow by a quarter in three rounds, or losses exceed the bound
//   Drain        half the rate, until the queue that made is gone
//   Down         0.9 times the rate, until there is headroom for others
//   Cruise       the rate, until it is time to look for more: after 2 to 3 s, or 63 rounds
//   Refill       the rate, for a round: the path is full before it is asked for more
//   Up           1.25 times the rate, until losses exceed the bound or the rate does not grow
//   ProbeRtt     half of what fills the path, for 200 ms, when the shortest round trip was not seen for 5 s
//
// Where this differs from the draft: packets.md P-5.6. Integers only: the same on every machine.
//
// Always true: the window is not below four packets, but for two after persistent congestion.

using System;

namespace Gudp.Core.Congestion;

/// <summary>A controller with a model of the path; see the comment on top.</summary>
internal sealed partial class BbrController : ICongestionController
{
    internal enum Phase
    {
        Startup,
        Drain,
        Down,
        Cruise,
        Refill,
        Up,
        ProbeRtt,
    }

    private enum ProbeFeedback
    {
        None,
        Refilling,
        Starting,       // Up has begun, its first packets are not acknowledged yet
        Coming,
        Stopping,       // Up is over, its last packets are not acknowledged yet
    }

    private const int LeastPackets = 4;
    private const int HeadroomPercent = 15;
    private const int BetaPercent = 70;
    private const int PaceMarginPercent = 99;
    private const int FullGrowthPercent = 125;
    private const int RoundsUntilFull = 3;

    // As many losses in a round may be chance; the draft's BBRStartupFullLossCnt.
    private const int LossesThatEndStartup = 6;

    private readonly LossEpisode _episode = new();
    private readonly BbrPath _path;
    private readonly int _initialWindow;
    private int _packetBytes;
    private int _window;
    private int _windowBefore;          // to return to after ProbeRtt
    private long _pace;
    private bool _isFull;               // the path's rate was found once
    private bool _isFullNow;            // it did not grow lately
    private long _fullBandwidth;
    private int _fullRounds;
    private int _lossesInRound;
    private (long Bandwidth, long InFlight, long LongTerm) _beforeLoss;

    internal BbrController(int packetBytes, in CongestionConfig config)
    {
        Invariant.Require(packetBytes > 0, "Packets have a size.");
        _packetBytes = packetBytes;
        _path = new BbrPath(packetBytes, config.LossBoundPpm);
        _initialWindow = CongestionWindow.Initial(packetBytes, config.InitialWindowPackets);
        _window = _initialWindow;
    }

    /// <inheritdoc/>
    public int WindowBytes => _window;

    /// <inheritdoc/>
    public long PacingBytesPerSecond => _pace;

    /// <inheritdoc/>
    public bool CountsPackets => false;

    /// <inheritdoc/>
    public bool IsBusy => _episode.IsOpen;

    /// <summary>Where it is; for tests and traces.</summary>
    internal Phase CurrentPhase { get; private set; }

    /// <summary>What it believes about the path; for tests and traces.</summary>
    internal BbrPath Path => _path;

    private bool IsProbingForMore => CurrentPhase is Phase.Startup or Phase.Refill or Phase.Up;

    private bool IsProbingBandwidth => CurrentPhase is Phase.Down or Phase.Cruise or Phase.Refill or Phase.Up;

    private int Least => LeastPackets * _packetBytes;

    private int PacingGainPercent => CurrentPhase switch
    {
        Phase.Startup => 277,
        Phase.Drain => 50,
        Phase.Down => 90,
        Phase.Up => 125,
        _ => 100,
    };

    private int WindowGainPercent => CurrentPhase == Phase.Up ? 225 : 200;

    /// <inheritdoc/>
    public void OnSent(int bytes, in DeliveryMark mark, Instant now)
    {
        _isWindowLimited |= mark.InFlight + _packetBytes > _window;

        if (mark.InFlight == bytes && mark.IsApplicationLimited)
        {
            _isRestarting = true;

            if (CurrentPhase == Phase.ProbeRtt && !_probeEndsAt.IsNever && now >= _probeEndsAt)
            {
                LeaveProbeRtt(mark.Delivered, now);
            }
        }
    }

    /// <inheritdoc/>
    public void OnAcked(in AckedPacket packet, Instant now)
    {
        if (!_episode.Covers(packet.SentAt))
        {
            _episode.End();
        }
    }

    /// <inheritdoc/>
    public void OnLost(in LostPacket packet, Instant now)
    {
        if (_episode.OnLost(packet.SentAt, now))
        {
            _beforeLoss = (_path.ShortTermBandwidth, _path.ShortTermInFlight, _path.LongTermInFlight);
        }

        _lossesInRound++;

        if (_mayLowerLongTerm && _path.IsTooLossy(packet.TotalLost - packet.Mark.Lost, packet.Mark.InFlight))
        {
            LowerLongTerm(_path.InFlightAtLoss(packet), packet.Mark.IsApplicationLimited, now);
        }

        if (packet.IsPersistent)
        {
            // Nothing came through for long: what the path bore is not known any more. The rate is kept as a guess.
            _window = CongestionWindow.Minimum(_packetBytes);
            _episode.Restart(now);
        }
    }

    /// <inheritdoc/>
    public void OnAckEnd(in AckReport report, Instant now)
    {
        _path.OnReport(report, IsProbingForMore, _window, now);
        _delivered = report.Delivered;

        if (report.HasPacket)
        {
            LookForFullPath(report);
            LeaveStartup(report);
            LeaveDrain(report, now);
            ProbeBandwidth(report, now);
            ProbeRoundTrip(report, now);
            _isRestarting = false;
        }

        SetPace(report);
        SetWindow(report);

        if (_path.IsRoundStart)
        {
            _lossesInRound = 0;
            _isWindowLimited = false;
        }
    }

    /// <inheritdoc/>
    public bool OnSpuriousLoss(Instant sentAt, Instant now)
    {
        if (!_episode.OnSpuriousLoss(sentAt))
        {
            return false;
        }

        _path.ShortTermBandwidth = Math.Max(_path.ShortTermBandwidth, _beforeLoss.Bandwidth);
        _path.ShortTermInFlight = Math.Max(_path.ShortTermInFlight, _beforeLoss.InFlight);
        _path.LongTermInFlight = Math.Max(_path.LongTermInFlight, _beforeLoss.LongTerm);
        return true;
    }

    /// <inheritdoc/>
    public void OnPacketSizeChanged(int bytes)
    {
        _packetBytes = bytes;
        _path.OnPacketSizeChanged(bytes);
        _window = Math.Max(_window, CongestionWindow.Minimum(bytes));
    }

    private void LookForFullPath(in AckReport report)
    {
        if (_isFullNow || report.Mark.IsApplicationLimited || CurrentPhase == Phase.ProbeRtt)
        {
            return;     // whoever sends less than the path takes learns nothing of what it takes
        }

        if ((Int128)report.BytesPerSecond * 100 >= (Int128)_fullBandwidth * FullGrowthPercent)
        {
            StartLookingForFullPath(report.BytesPerSecond);
            return;
        }

        if (_path.IsRoundStart)
        {
            _fullRounds++;
            _isFullNow = _fullRounds >= RoundsUntilFull;
            _isFull |= _isFullNow;
        }
    }

    private void StartLookingForFullPath(long bandwidth)
    {
        _isFullNow = false;
        _fullBandwidth = bandwidth;
        _fullRounds = 0;
    }

    private void LeaveStartup(in AckReport report)
    {
        if (CurrentPhase != Phase.Startup)
        {
            return;
        }

        if (_path.WasRoundLossy && _lossesInRound >= LossesThatEndStartup)
        {
            _isFull = true;
            long fits = Math.Max(_path.BandwidthDelay(_path.MaxBandwidth, 100), _path.LatestInFlight);
            _path.LongTermInFlight = Math.Max(fits, Least);
        }

        if (_isFull)
        {
            CurrentPhase = Phase.Drain;
            _path.StartRound(report.Delivered);
        }
    }

    private void LeaveDrain(in AckReport report, Instant now)
    {
        if (CurrentPhase == Phase.Drain && report.InFlight <= _path.BandwidthDelay(_path.Bandwidth, 100))
        {
            StartDown(now);
        }
    }

    private void SetPace(in AckReport report)
    {
        if (!report.Rtt.IsMeasured)
        {
            return;
        }

        if (_pace == 0)
        {
            Int128 first = (Int128)_initialWindow * TimeSpan.TicksPerSecond / report.Rtt.Smoothed.Ticks * 277 / 100;
            _pace = (long)Int128.Clamp(first, 1, Pacer.MaxBytesPerSecond);
        }

        long pace = _path.WithLosses(_path.Bandwidth) / 100 * PacingGainPercent / 100 * PaceMarginPercent;

        // Early rates are those of a start, not the path's: they may raise the pace only.
        if (pace > 0 && (_isFull || pace > _pace))
        {
            _pace = Math.Min(pace, Pacer.MaxBytesPerSecond);
        }
    }

    private void SetWindow(in AckReport report)
    {
        long most = _path.BandwidthDelay(_path.Bandwidth, WindowGainPercent) + _path.ExtraAcked;
        most = Math.Max(most, Least);
        long window = _window;

        // What the application did not fill has proved nothing.
        if (report.HasPacket && !report.Mark.IsApplicationLimited)
        {
            bool mayGrow = _isFull || window < most || report.Delivered < _initialWindow;
            window += mayGrow ? report.NewlyAcked : 0;
            window = Math.Max(window, Least);
        }

        if (_isFull)
        {
            window = Math.Min(window, most);
        }

        if (CurrentPhase == Phase.ProbeRtt)
        {
            window = Math.Min(window, ProbeRttWindow);
        }

        window = Math.Min(window, Math.Max(BoundOfModel, Least));
        _window = (int)Math.Clamp(window, CongestionWindow.Minimum(_packetBytes), CongestionWindow.MaxBytes);
    }

    private long ProbeRttWindow => Math.Max(_path.BandwidthDelay(_path.Bandwidth, 50), Least);

    private long BoundOfModel
    {
        get
        {
            long bound = CurrentPhase switch
            {
                Phase.Down or Phase.Refill or Phase.Up => _path.LongTermInFlight,
                Phase.Cruise or Phase.ProbeRtt => InFlightWithHeadroom,
                _ => BbrPath.NoBound,
            };
            return Math.Min(bound, _path.ShortTermInFlight);
        }
    }

    private long InFlightWithHeadroom
    {
        get
        {
            long bound = _path.LongTermInFlight;

            if (bound == BbrPath.NoBound)
            {
                return bound;
            }

            long headroom = Math.Max(bound * HeadroomPercent / 100, _packetBytes);
            return Math.Max(bound - headroom, Least);
        }
    }
}
