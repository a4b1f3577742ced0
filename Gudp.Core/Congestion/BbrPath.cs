// What BBR believes about the path: how fast it delivers, how long it takes when nothing waits, and how much in flight
// it bore without too many losses. All of it comes from reports of acknowledgements; what to do with it is the
// controller's.
//
// What the path loses by chance is no sign of congestion: losses are judged against a bound and against what chance
// explains, and the pace makes up for the share that chance takes.
//
// Two kinds of bounds: the long-term one is what was in flight when losses exceeded the bound while probing; the
// short-term ones follow a round whose losses exceeded it and are forgotten when the next probe begins.
//
// Always true: a round lasts from the sending of a packet to the acknowledgement of one sent after the round began.

using System;

namespace Gudp.Core.Congestion;

/// <summary>BBR's model of one path; see the comment on top.</summary>
internal sealed class BbrPath
{
    internal const long NoBound = long.MaxValue;

    // draft-ietf-ccwg-bbr: beta, the share that is left of a short-term bound after a round of losses.
    private const int BetaPercent = 70;
    private const int Million = 1_000_000;

    // Three standard deviations, squared.
    private const int DeviationsSquared = 9;

    private static readonly TimeSpan MinRoundTripLasts = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ProbeRoundTripEvery = TimeSpan.FromSeconds(5);

    private readonly int _lossBoundPpm;
    private readonly AckAggregation _aggregation = new();
    private readonly ChanceLoss _chance = new();
    private int _packetBytes;
    private long _bandwidthThisCycle;
    private long _bandwidthLastCycle;
    private long _roundEndsAt;              // delivered at the start of the round
    private long _lostAtRoundStart;
    private long _deliveredAtRoundStart;
    private long _latestBandwidth;          // the largest of this round
    private long _latestInFlight;
    private Instant _minRoundTripAt = Instant.Never;
    private Instant _probeMinimumAt = Instant.Never;
    private TimeSpan _probeMinimum = TimeSpan.MaxValue;

    /// <param name="packetBytes">A full packet.</param>
    /// <param name="lossBoundPpm">The share of losses that is not taken for congestion.</param>
    internal BbrPath(int packetBytes, int lossBoundPpm)
    {
        _packetBytes = packetBytes;
        _lossBoundPpm = lossBoundPpm;
    }

    /// <summary>The largest rate of this cycle of probing and the one before; bytes per second, 0: unknown.</summary>
    internal long MaxBandwidth => Math.Max(_bandwidthThisCycle, _bandwidthLastCycle);

    /// <summary>What to count on now: the largest rate, unless recent losses say less.</summary>
    internal long Bandwidth => Math.Min(MaxBandwidth, ShortTermBandwidth);

    internal long ShortTermBandwidth { get; set; } = NoBound;

    internal long ShortTermInFlight { get; set; } = NoBound;

    internal long LongTermInFlight { get; set; } = NoBound;

    /// <summary>The shortest round trip of the last ten seconds; zero: unknown.</summary>
    internal TimeSpan MinRoundTrip { get; private set; }

    /// <summary>The shortest round trip was not seen for five seconds: queues must be let run empty to see it.</summary>
    internal bool IsRoundTripStale { get; private set; }

    /// <summary>Bytes that acks brought beyond the rate: they come in lumps, and the window must bridge those.</summary>
    internal long ExtraAcked => _aggregation.Extra;

    /// <summary>The last report began a round.</summary>
    internal bool IsRoundStart { get; private set; }

    /// <summary>Losses of the round that just ended exceeded the bound.</summary>
    internal bool WasRoundLossy { get; private set; }

    /// <summary>The last report's rate.</summary>
    internal long LatestInFlight => _latestInFlight;

    /// <summary>Bytes in flight that fill the path without a queue, times a gain.</summary>
    internal long BandwidthDelay(long bandwidth, int gainPercent)
    {
        Int128 bytes = (Int128)bandwidth * MinRoundTrip.Ticks / TimeSpan.TicksPerSecond * gainPercent / 100;
        return (long)Int128.Min(bytes, CongestionWindow.MaxBytes);
    }

    /// <summary>
    /// What must leave for the path to deliver this: as much more as chance takes, up to the bound (P-5.6). Without it
    /// 1.25 times the rate of a path that loses a fifth delivers just that rate, and nothing more is ever found.
    /// </summary>
    internal long WithLosses(long bytes) => (long)((Int128)bytes * Million / (Million - ChancePpm));

    /// <summary>
    /// Losses of a flight exceed the bound, and what chance takes by more than three standard deviations of so many
    /// packets (P-5.6): less comes by itself every few rounds, and each time a bound would sink.
    /// </summary>
    internal bool IsTooLossy(long lost, long inFlight)
    {
        if ((Int128)lost * Million <= (Int128)inFlight * _lossBoundPpm)
        {
            return false;
        }

        // n packets lost with probability p each: variance n p (1 - p). Squares are compared, so that no root is needed.
        int chance = ChancePpm;
        Int128 excess = ((Int128)lost * Million) - ((Int128)inFlight * chance);
        return excess * excess > (Int128)DeviationsSquared * inFlight * _packetBytes * chance * (Million - chance);
    }

    /// <summary>
    /// How much of a flight had left when its losses first exceeded the bound; the draft's BBRInflightAtLoss.
    /// </summary>
    internal long InFlightAtLoss(in LostPacket packet)
    {
        long before = packet.Mark.InFlight - packet.Bytes;
        long lostBefore = packet.TotalLost - packet.Mark.Lost - packet.Bytes;
        Int128 prefix = (((Int128)_lossBoundPpm * before) - ((Int128)lostBefore * Million)) / (Million - _lossBoundPpm);
        return before + (long)Int128.Clamp(prefix, -before, CongestionWindow.MaxBytes);
    }

    /// <summary>Takes an acknowledgement in.</summary>
    /// <param name="report">What it brought.</param>
    /// <param name="isProbing">Rates above the bounds are being tried: losses then set the long-term bound.</param>
    /// <param name="window">The window now.</param>
    /// <param name="now">The turn's moment.</param>
    internal void OnReport(in AckReport report, bool isProbing, int window, Instant now)
    {
        _chance.OnReport(report.NewlyAcked, report.NewlyLost, _packetBytes);
        UpdateRound(report);
        WasRoundLossy = IsRoundStart && IsRoundTooLossy(report);

        if (report.HasPacket)
        {
            // Before the bounds, which begin from what was seen at last.
            _latestBandwidth = Math.Max(_latestBandwidth, report.BytesPerSecond);
            _latestInFlight = Math.Max(_latestInFlight, report.DeliveredInFlight);

            if (report.BytesPerSecond >= MaxBandwidth || !report.Mark.IsApplicationLimited)
            {
                _bandwidthThisCycle = Math.Max(_bandwidthThisCycle, report.BytesPerSecond);
            }

            _aggregation.OnAcked(report.NewlyAcked, Bandwidth, window, IsRoundStart, now);
        }

        if (IsRoundStart)
        {
            if (WasRoundLossy && !isProbing)
            {
                LowerShortTermBounds(window);
            }

            _latestBandwidth = report.BytesPerSecond;
            _latestInFlight = report.DeliveredInFlight;
            _lostAtRoundStart = report.Lost;
            _deliveredAtRoundStart = report.Delivered;
        }

        UpdateMinRoundTrip(report, now);
    }

    /// <summary>From here on a new round: phases begin with one.</summary>
    internal void StartRound(long delivered) => _roundEndsAt = delivered;

    /// <summary>The path carries datagrams of another size.</summary>
    internal void OnPacketSizeChanged(int bytes) => _packetBytes = bytes;

    /// <summary>A cycle of probing is over: rates older than the one before it are forgotten.</summary>
    internal void EndCycle()
    {
        _bandwidthLastCycle = _bandwidthThisCycle;
        _bandwidthThisCycle = 0;
    }

    internal void ForgetShortTermBounds()
    {
        ShortTermBandwidth = NoBound;
        ShortTermInFlight = NoBound;
    }

    /// <summary>Queues were empty for long enough: the round trip is known again.</summary>
    internal void OnRoundTripProbed(Instant now)
    {
        _probeMinimumAt = now;
        IsRoundTripStale = false;
    }

    // A larger share is congestion, by the bound's definition.
    private int ChancePpm => _chance.Ppm(_lossBoundPpm);

    private void UpdateRound(in AckReport report)
    {
        IsRoundStart = report.HasPacket && report.Mark.Delivered >= _roundEndsAt;

        if (IsRoundStart)
        {
            _roundEndsAt = report.Delivered;
        }
    }

    private bool IsRoundTooLossy(in AckReport report)
    {
        long lost = report.Lost - _lostAtRoundStart;
        return IsTooLossy(lost, lost + report.Delivered - _deliveredAtRoundStart);
    }

    private void LowerShortTermBounds(int window)
    {
        long bandwidth = Math.Min(ShortTermBandwidth, MaxBandwidth);
        long inFlight = Math.Min(ShortTermInFlight, window);
        ShortTermBandwidth = Math.Max(_latestBandwidth, bandwidth * BetaPercent / 100);
        ShortTermInFlight = Math.Max(_latestInFlight, inFlight * BetaPercent / 100);
    }

    private void UpdateMinRoundTrip(in AckReport report, Instant now)
    {
        if (!report.HasPacket || !report.Rtt.IsMeasured)
        {
            return;
        }

        TimeSpan latest = report.Rtt.Latest;
        IsRoundTripStale = !_probeMinimumAt.IsNever && now - _probeMinimumAt > ProbeRoundTripEvery;

        if (latest < _probeMinimum || IsRoundTripStale || _probeMinimumAt.IsNever)
        {
            _probeMinimum = latest;
            _probeMinimumAt = now;
        }

        bool isOld = _minRoundTripAt.IsNever || now - _minRoundTripAt > MinRoundTripLasts;

        if (_probeMinimum < MinRoundTrip || isOld)
        {
            MinRoundTrip = _probeMinimum;
            _minRoundTripAt = _probeMinimumAt;
        }
    }
}
