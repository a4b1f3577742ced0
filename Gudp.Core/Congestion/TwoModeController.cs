using System;

namespace Gudp.Core.Congestion;

/// <summary>
/// Glenn Fiedler's flow control: so many packets a second while the path is good, and fewer while it is bad. Losses do
/// not matter to it, round trips do (<see cref="TwoModeRule"/>); it begins in bad.
/// </summary>
/// <remarks>Always true: the window holds what either rate can have in flight, so that the rate alone limits.</remarks>
internal sealed class TwoModeController : ICongestionController
{
    private readonly TwoModeRule _rule = new(startsBad: true);
    private readonly LossEpisode _episode = new();
    private readonly int _goodPackets;
    private readonly int _badPackets;
    private readonly int _initialPackets;
    private int _packetBytes;

    internal TwoModeController(int packetBytes, in CongestionConfig config)
    {
        Invariant.Require(packetBytes > 0, "Packets have a size.");
        _packetBytes = packetBytes;
        _goodPackets = config.GoodPacketsPerSecond;
        _badPackets = config.BadPacketsPerSecond;
        _initialPackets = config.InitialWindowPackets;
    }

    /// <inheritdoc/>
    /// <remarks>Two seconds of the good rate: the slowest path this is for has its acks back by then.</remarks>
    public int WindowBytes
    {
        get
        {
            long bytes = Math.Max(_initialPackets, 2L * _goodPackets) * _packetBytes;
            return (int)Math.Clamp(bytes, CongestionWindow.Minimum(_packetBytes), CongestionWindow.MaxBytes);
        }
    }

    /// <inheritdoc/>
    public long PacingBytesPerSecond => (long)(_rule.IsBad ? _badPackets : _goodPackets) * _packetBytes;

    /// <inheritdoc/>
    public bool CountsPackets => true;

    /// <inheritdoc/>
    public bool IsBusy => _episode.IsOpen;

    /// <summary>For how long the round trip must be fine before bad ends.</summary>
    internal TimeSpan Penalty => _rule.Penalty;

    /// <inheritdoc/>
    public void OnSent(int bytes, in DeliveryMark mark, Instant now) => _rule.Advance(now);

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
        if (report.HasPacket && report.Rtt.IsMeasured)
        {
            _rule.OnRoundTrip(report.Rtt.Latest, now);
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
