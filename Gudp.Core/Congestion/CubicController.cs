// CUBIC (RFC 9438): after a loss the window returns fast towards where the loss happened, stays near it, then probes
// beyond it ever faster. How fast depends on the time since the reduction, not on the round trip.
//
//   slow start      window + acknowledged bytes, up to the threshold (RFC 9002 section 7.3.1); the first one also ends
//                   when the round trip grows (HyStart++, RFC 9406)
//   cubic region    towards W(t) = C (t - K)^3 + top; K is when W is back at the top, the window before the loss
//   Reno-friendly   where that grows slower than Reno would, the window Reno would have
//   loss            window x 0.7, once per round trip; the top sinks further if the last top was not reached again
//
// Only additions, multiplications and divisions of doubles, and an integer cube root: the same on every machine.
//
// Always true:
//   - the window is not below two packets;
//   - an epoch runs only in congestion avoidance, while the application fills the window.

using System;

namespace Gudp.Core.Congestion;

/// <summary>The default controller; see the comment on top.</summary>
internal sealed class CubicController : ICongestionController
{
    // RFC 9438 section 5: C in packets per second cubed, the share of the window kept, and Reno's growth that on
    // average matches it (section 4.3).
    private const double C = 0.4;
    private const double Beta = 0.7;
    private const double RenoGain = 3 * (1 - Beta) / (1 + Beta);

    // RFC 9438 section 4.2: never more than half a window in a round trip.
    private const double MaxGrowthPerRound = 1.5;

    private const double MillisecondsPerSecond = 1000;

    private readonly LossEpisode _episode = new();
    private readonly HyStart _hyStart = new();
    private int _packetBytes;
    private State _state;
    private State _before;               // what a wrong reduction is undone to
    private Instant _epochStart = Instant.Never;
    private double _climbMs;             // K
    private double _renoWindow;          // W_est

    internal CubicController(int packetBytes, int initialPackets)
    {
        Invariant.Require(packetBytes > 0 && initialPackets >= 2, "A window begins with two packets or more.");
        _packetBytes = packetBytes;
        _state = new State(
            Window: CongestionWindow.Initial(packetBytes, initialPackets),
            Threshold: double.MaxValue,
            Top: 0,
            WindowAtLoss: 0);
    }

    /// <inheritdoc/>
    public int WindowBytes => (int)_state.Window;

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
            // A window that was not filled has proved nothing, and the time it was not filled must not count as
            // growth either (RFC 9438 section 5.8): the next epoch begins where the application fills it again.
            _epochStart = Instant.Never;
            return;
        }

        double window = _state.Window < _state.Threshold
            ? StartSlowly(packet, now)
            : AvoidCongestion(packet.Bytes, packet.Rtt.Smoothed, now);

        _state = _state with { Window = Math.Min(window, CongestionWindow.MaxBytes) };
    }

    /// <inheritdoc/>
    public void OnLost(in LostPacket packet, Instant now)
    {
        if (_episode.OnLost(packet.SentAt, now))
        {
            _before = _state;
            Reduce();
        }

        if (packet.IsPersistent)
        {
            // The old top belongs to a path that is no more (RFC 9438 section 4.8).
            _state = _state with { Window = Minimum, Top = 0 };
            _epochStart = Instant.Never;
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

        _state = _before with { Window = Math.Max(_state.Window, _before.Window) };
        _epochStart = Instant.Never;
        return true;
    }

    /// <inheritdoc/>
    public void OnPacketSizeChanged(int bytes)
    {
        _packetBytes = bytes;
        _epochStart = Instant.Never;
        _state = _state with { Window = Math.Max(_state.Window, Minimum) };
    }

    private void Reduce()
    {
        double window = _state.Window;

        // Fast convergence (section 4.7): a flow that lost before it reached its last top leaves room to newcomers.
        double top = window < _state.Top ? window * (1 + Beta) / 2 : window;
        double reduced = Math.Max(window * Beta, Minimum);

        _state = new State(Window: reduced, Threshold: reduced, Top: top, WindowAtLoss: window);
        _epochStart = Instant.Never;
    }

    private double StartSlowly(in AckedPacket packet, Instant now)
    {
        // A threshold comes from a loss; where there is one, the place to stop is known.
        if (_state.Threshold < double.MaxValue)
        {
            return _state.Window + packet.Bytes;
        }

        if (_hyStart.OnAcked(packet.SentAt, packet.Rtt.Latest, now))
        {
            _state = _state with { Threshold = _state.Window };
        }

        return _state.Window + _hyStart.Growth(packet.Bytes);
    }

    private double AvoidCongestion(int bytes, TimeSpan smoothedRtt, Instant now)
    {
        double window = _state.Window;

        if (_epochStart.IsNever)
        {
            BeginEpoch(now);
        }

        double gain = _renoWindow < _state.WindowAtLoss ? RenoGain : 1;
        _renoWindow += gain * _packetBytes * bytes / window;

        double elapsedMs = (now - _epochStart).TotalMilliseconds;

        if (CubicWindow(elapsedMs) < _renoWindow)
        {
            return Math.Max(window, _renoWindow);
        }

        double target = CubicWindow(elapsedMs + smoothedRtt.TotalMilliseconds);
        target = Math.Clamp(target, window, MaxGrowthPerRound * window);
        return window + ((target - window) * bytes / window);
    }

    private void BeginEpoch(Instant now)
    {
        double window = _state.Window;
        double top = Math.Max(_state.Top, window);

        _epochStart = now;
        _state = _state with { Top = top };
        _renoWindow = window;

        // K^3 = (top - window) / C packets; in cubic milliseconds, so that an integer root is fine enough.
        double packets = (top - window) / _packetBytes;
        double cubicMs = packets / C * MillisecondsPerSecond * MillisecondsPerSecond * MillisecondsPerSecond;
        _climbMs = CubeRoot((ulong)cubicMs);
    }

    private double CubicWindow(double elapsedMs)
    {
        double seconds = (elapsedMs - _climbMs) / MillisecondsPerSecond;
        return (C * seconds * seconds * seconds * _packetBytes) + _state.Top;
    }

    /// <summary>The largest integer whose cube is not above the value; digit by digit, from the top.</summary>
    private static uint CubeRoot(ulong value)
    {
        ulong root = 0;

        for (int bit = 20; bit >= 0; bit--)
        {
            ulong candidate = root | (1UL << bit);

            if (candidate * candidate * candidate <= value)
            {
                root = candidate;
            }
        }

        return (uint)root;
    }

    /// <summary>What a reduction changes and an undo restores; bytes.</summary>
    /// <param name="Window">cwnd.</param>
    /// <param name="Threshold">ssthresh: slow start below it.</param>
    /// <param name="Top">W_max.</param>
    /// <param name="WindowAtLoss">cwnd_prior: beyond it Reno grows by a full packet per round trip again.</param>
    private readonly record struct State(double Window, double Threshold, double Top, double WindowAtLoss);
}
