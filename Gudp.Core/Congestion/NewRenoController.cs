using System;

namespace Gudp.Core.Congestion;

/// <summary>
/// RFC 9002 appendix B: slow start, one packet more per window, half after a loss. Small on purpose: the reference the
/// other controllers are compared with.
/// </summary>
/// <remarks>Always true: the window is not below two packets.</remarks>
internal sealed class NewRenoController : ICongestionController
{
    private readonly LossEpisode _episode = new();
    private int _packetBytes;
    private int _window;
    private int _threshold = int.MaxValue;      // slow start below it
    private int _ackedInWindow;                 // bytes acknowledged towards the next packet of growth
    private int _windowBefore;                  // what a wrong reduction is undone to
    private int _thresholdBefore;

    internal NewRenoController(int packetBytes, int initialPackets)
    {
        Invariant.Require(packetBytes > 0 && initialPackets >= 2, "A window begins with two packets or more.");
        _packetBytes = packetBytes;
        _window = CongestionWindow.Initial(packetBytes, initialPackets);
    }

    /// <inheritdoc/>
    public int WindowBytes => _window;

    /// <inheritdoc/>
    public long PacingBytesPerSecond => 0;

    /// <inheritdoc/>
    public bool CountsPackets => false;

    /// <inheritdoc/>
    public bool IsBusy => _episode.IsOpen;

    private int Minimum => CongestionWindow.Minimum(_packetBytes);

    /// <inheritdoc/>
    public void OnSent(int bytes, in DeliveryMark mark, Instant now)
    {
    }

    /// <inheritdoc/>
    public void OnAcked(in AckedPacket packet, Instant now)
    {
        if (_episode.Covers(packet.SentAt))
        {
            return;
        }

        _episode.End();

        if (packet.ApplicationLimited)
        {
            return;     // a window that was not filled has proved nothing
        }

        if (_window < _threshold)
        {
            Grow(packet.Bytes);
            return;
        }

        _ackedInWindow += packet.Bytes;

        if (_ackedInWindow >= _window)
        {
            _ackedInWindow -= _window;
            Grow(_packetBytes);
        }
    }

    /// <inheritdoc/>
    public void OnLost(in LostPacket packet, Instant now)
    {
        if (_episode.OnLost(packet.SentAt, now))
        {
            _windowBefore = _window;
            _thresholdBefore = _threshold;
            _window = Math.Max(_window / 2, Minimum);
            _threshold = _window;
            _ackedInWindow = 0;
        }

        if (packet.IsPersistent)
        {
            _window = Minimum;
            _episode.Restart(now);
        }
    }

    /// <inheritdoc/>
    public void OnAckEnd(in AckReport report, Instant now)
    {
    }

    /// <inheritdoc/>
    public bool OnSpuriousLoss(Instant sentAt, Instant now)
    {
        if (!_episode.OnSpuriousLoss(sentAt))
        {
            return false;
        }

        _window = Math.Max(_window, _windowBefore);
        _threshold = _thresholdBefore;
        return true;
    }

    /// <inheritdoc/>
    public void OnPacketSizeChanged(int bytes)
    {
        _packetBytes = bytes;
        _window = Math.Max(_window, Minimum);
    }

    private void Grow(int bytes) => _window = Math.Min(_window + bytes, CongestionWindow.MaxBytes);
}
