using Gudp.Core;

namespace Gudp.Bench.Transport;

/// <summary>Which rule a reference flow follows.</summary>
internal enum ReferenceRule
{
    /// <summary>RFC 5681 with one reduction per round trip, as RFC 6675 has it.</summary>
    Reno,

    /// <summary>RFC 9438: CUBIC, Reno-friendly, with fast convergence; without HyStart++.</summary>
    Cubic,
}

/// <summary>
/// The window of a textbook TCP, in packets, written from the RFCs and not from our own controllers: it is what they
/// are compared with.
/// </summary>
/// <remarks>Always true: the window is at least one packet.</remarks>
internal sealed class ReferenceWindow(ReferenceRule rule)
{
    private const double InitialPackets = 10;
    private const double LeastThreshold = 2;

    // RFC 9438 section 5.
    private const double C = 0.4;
    private const double CubicBeta = 0.7;
    private const double FriendlyGain = 3 * (1 - CubicBeta) / (1 + CubicBeta);

    // RFC 5681 section 3.1.
    private const double RenoBeta = 0.5;

    private double _threshold = double.MaxValue;
    private double _top;
    private double _friendly;
    private double _climbSeconds;
    private Instant _epoch = Instant.Never;

    internal double Packets { get; private set; } = InitialPackets;

    internal void OnAcked(TimeSpan roundTrip, Instant now)
    {
        if (Packets < _threshold)
        {
            Packets++;
        }
        else if (rule == ReferenceRule.Reno)
        {
            Packets += 1 / Packets;
        }
        else
        {
            GrowCubic(roundTrip, now);
        }
    }

    /// <summary>Something was lost for the first time in this round trip.</summary>
    internal void OnLoss()
    {
        double beta = rule == ReferenceRule.Reno ? RenoBeta : CubicBeta;

        // Fast convergence, RFC 9438 section 4.7.
        _top = Packets < _top ? Packets * (1 + CubicBeta) / 2 : Packets;
        Packets = Math.Max(LeastThreshold, Packets * beta);
        _threshold = Packets;
        _epoch = Instant.Never;
    }

    /// <summary>Nothing came back for a retransmission time-out (RFC 5681 section 3.1, equation 4).</summary>
    internal void OnTimeout(double packetsInFlight)
    {
        double beta = rule == ReferenceRule.Reno ? RenoBeta : CubicBeta;
        _top = Packets;
        _threshold = Math.Max(LeastThreshold, packetsInFlight * beta);
        Packets = 1;
        _epoch = Instant.Never;
    }

    private void GrowCubic(TimeSpan roundTrip, Instant now)
    {
        if (_epoch.IsNever)
        {
            _epoch = now;
            _top = Math.Max(_top, Packets);
            _climbSeconds = Math.Cbrt((_top - Packets) / C);
            _friendly = Packets;
        }

        double seconds = (now - _epoch + roundTrip).TotalSeconds - _climbSeconds;
        double target = Math.Clamp((C * seconds * seconds * seconds) + _top, Packets, 1.5 * Packets);
        Packets += (target - Packets) / Packets;
        _friendly += (_friendly >= _top ? 1 : FriendlyGain) / Packets;
        Packets = Math.Max(Packets, _friendly);
    }
}
