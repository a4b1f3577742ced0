using System;

namespace Gudp.Core.Congestion;

/// <summary>
/// Sends at the rate it was given, whatever the path says: for networks whose capacity is known and shared by plan.
/// </summary>
/// <remarks>
/// Always true: the window is several round trips of the rate, so that the rate alone limits; it still ends a flow
/// whose acknowledgements stop.
/// </remarks>
internal sealed class FixedRateController : ICongestionController
{
    // The flight, a loss noticed a round trip later, and its repetition.
    private const int RoundTripsInWindow = 4;

    private static readonly TimeSpan LeastSpan = TimeSpan.FromMilliseconds(100);

    private readonly LossEpisode _episode = new();
    private readonly long _bytesPerSecond;
    private readonly int _initialPackets;
    private int _packetBytes;
    private TimeSpan _span = LeastSpan;

    internal FixedRateController(int packetBytes, in CongestionConfig config)
    {
        Invariant.Require(packetBytes > 0, "Packets have a size.");
        _packetBytes = packetBytes;
        _bytesPerSecond = config.FixedBytesPerSecond;
        _initialPackets = config.InitialWindowPackets;
    }

    /// <inheritdoc/>
    public int WindowBytes
    {
        get
        {
            Int128 spanned = (Int128)_bytesPerSecond * _span.Ticks / TimeSpan.TicksPerSecond;
            long bytes = (long)Int128.Min(spanned, CongestionWindow.MaxBytes);
            return (int)Math.Min(Math.Max(bytes, (long)_initialPackets * _packetBytes), CongestionWindow.MaxBytes);
        }
    }

    /// <inheritdoc/>
    public long PacingBytesPerSecond => _bytesPerSecond;

    /// <inheritdoc/>
    public bool CountsPackets => false;

    /// <inheritdoc/>
    public bool IsBusy => _episode.IsOpen;

    /// <inheritdoc/>
    public void OnSent(int bytes, in DeliveryMark mark, Instant now)
    {
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
    public void OnLost(in LostPacket packet, Instant now) => _episode.OnLost(packet.SentAt, now);

    /// <inheritdoc/>
    public void OnAckEnd(in AckReport report, Instant now)
    {
        if (report.Rtt.IsMeasured)
        {
            long ticks = Math.Min(report.Rtt.Smoothed.Ticks, TimeSpan.TicksPerMinute) * RoundTripsInWindow;
            _span = new TimeSpan(Math.Max(ticks, LeastSpan.Ticks));
        }
    }

    /// <inheritdoc/>
    /// <remarks>There is no reduction; only <see cref="IsBusy"/> ends.</remarks>
    public bool OnSpuriousLoss(Instant sentAt, Instant now)
    {
        _episode.OnSpuriousLoss(sentAt);
        return false;
    }

    /// <inheritdoc/>
    public void OnPacketSizeChanged(int bytes) => _packetBytes = bytes;
}
