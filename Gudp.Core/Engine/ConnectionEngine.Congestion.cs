using System;
using Gudp.Core.Congestion;

namespace Gudp.Core.Engine;

// What the engine tells the congestion controller, and what follows from its answers: window, pace and the level in the
// status word. The controller belongs to a path; the level belongs to the connection.
internal sealed partial class ConnectionEngine
{
    // How long a peer may be kept from reading its socket: what arrives meanwhile must fit its buffer.
    private static readonly TimeSpan PeerPause = TimeSpan.FromMilliseconds(10);

    private readonly TwoModeRule _twoMode = new(startsBad: false);
    private ICongestionController _controller;      // of the present path, as the pacer and the rates
    private DeliveryRateEstimator _deliveries = new();
    private long _countedFrom;      // packets below left before the present controller began

    private int WindowBytes => Math.Min(_controller.WindowBytes, WindowCap);

    // P-5.1: a quarter of the peer's socket buffer for each pause that the round trip holds; the kernel charges a small
    // datagram about twice its bytes, and half the buffer is left to others' bursts. On a long path most of what is in
    // flight is under way, not in the buffer.
    private int WindowCap
    {
        get
        {
            long quarter = _peerBufferBytes / 4;
            long pauses = _rtt.HasSample ? Math.Max(1, _rtt.Minimum.Ticks / PeerPause.Ticks) : 1;
            long cap = Math.Min(quarter * Math.Min(pauses, int.MaxValue), CongestionWindow.MaxBytes);
            return (int)Math.Max(cap, CongestionWindow.Minimum(PacketBytes));
        }
    }

    // P-5.8
    private CongestionLevel Level
        => _twoMode.IsBad ? CongestionLevel.Bad : _controller.IsBusy ? CongestionLevel.Busy : CongestionLevel.Clear;

    // A controller that names its own rate is paced always: without a pace it would limit nothing.
    private bool IsPaced => _config.Congestion.Pacing || _controller.PacingBytesPerSecond > 0;

    /// <summary>Its fate is news to the present controller, and to the watch for black holes.</summary>
    private bool IsCounted(long packet) => packet >= _countedFrom;

    /// <summary>
    /// The path is another one: what was learned about the old one is worth nothing (RFC 9000 section 9.4).
    /// </summary>
    private void StartCongestionAnew()
    {
        _countedFrom = _sent.Next.Value;
        _controller = CongestionControllers.Make(_config.Congestion, PacketBytes);
        _deliveries = new DeliveryRateEstimator();
        _pacer = MakePacer();
    }

    private Pacer MakePacer() => new(PacketBytes, _peerBufferBytes, _config.Loss.TimerGranularity)
    {
        CountsPackets = _controller.CountsPackets,
    };

    private DeliveryMark MarkSent(int bytes, bool isApplicationLimited, Instant now)
    {
        int inFlight = _sent.BytesInFlight;

        if (isApplicationLimited)
        {
            _deliveries.OnApplicationLimited(inFlight + bytes);
        }

        return _deliveries.OnSent(bytes, inFlight, now);
    }

    private void TellSent(int bytes, in DeliveryMark mark, Instant now)
    {
        _controller.OnSent(bytes, mark, now);
        _pacer.OnSent(bytes, now);

        if (_controller.PacingBytesPerSecond > 0)
        {
            UpdatePace(now);
        }
    }

    private void TellControllerAcked(in SentPacket packet, Instant now)
    {
        // The peer's socket buffer limits just as the application does: a window that it keeps from being filled has
        // proved nothing, and one grown beyond all use would not feel a loss (P-5.2).
        bool limited = packet.ApplicationLimited || _controller.WindowBytes > WindowCap;
        _deliveries.OnAcked(packet.Bytes, packet.SentAt, packet.Mark, now);
        _controller.OnAcked(new AckedPacket(packet.Bytes, packet.SentAt, limited, _rtt.Sample), now);
    }

    private void TellControllerLost(in SentPacket packet, bool isPersistent, Instant now)
    {
        _deliveries.OnLost(packet.Bytes);
        _controller.OnLost(
            new LostPacket(packet.Bytes, packet.SentAt, isPersistent, packet.Mark, _deliveries.Lost), now);
    }

    /// <summary>An acknowledgement, or a look for losses, is over.</summary>
    private void TellAckEnd(Instant now)
    {
        AckReport report = _deliveries.TakeReport(_rtt.Sample, _sent.BytesInFlight, now);
        _controller.OnAckEnd(report, now);
        UpdatePace(now);
    }

    private void UpdatePace(Instant now)
    {
        long rate = _controller.PacingBytesPerSecond;

        if (rate > 0)
        {
            _pacer.SetRate(rate, now);
        }
        else
        {
            _pacer.OnWindowChanged(WindowBytes, _rtt.Sample, now);
        }
    }
}
