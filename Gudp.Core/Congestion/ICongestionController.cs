using System;

namespace Gudp.Core.Congestion;

/// <summary>The round trip as the connection measured it.</summary>
/// <param name="Latest">The last sample.</param>
/// <param name="Smoothed">The moving average, more than zero.</param>
/// <param name="Minimum">The shortest sample.</param>
/// <param name="IsMeasured">False while all three are assumed.</param>
internal readonly record struct RttSample(TimeSpan Latest, TimeSpan Smoothed, TimeSpan Minimum, bool IsMeasured);

/// <summary>
/// How much may be in flight: facts go in, a window comes out. Knows nothing about packets' content, and nothing about
/// pacing beyond the window it answers with.
/// </summary>
internal interface ICongestionController
{
    /// <summary>Bytes that may be in flight; never below two packets.</summary>
    int WindowBytes { get; }

    /// <summary>The coarse level for the status word.</summary>
    CongestionLevel Level { get; }

    /// <summary>A packet that counts as in flight has left.</summary>
    void OnSent(int bytes, Instant now);

    /// <summary>A packet in flight was acknowledged.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="sentAt">When it left.</param>
    /// <param name="applicationLimited">When it left, the window was larger than what there was to send.</param>
    /// <param name="rtt">With this acknowledgement taken in.</param>
    /// <param name="now">The turn's moment.</param>
    void OnAcked(int bytes, Instant sentAt, bool applicationLimited, in RttSample rtt, Instant now);

    /// <summary>A packet in flight was declared lost.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="sentAt">When it left.</param>
    /// <param name="persistent">It completes persistent congestion.</param>
    /// <param name="now">The turn's moment.</param>
    void OnLost(int bytes, Instant sentAt, bool persistent, Instant now);

    /// <summary>A packet declared lost was acknowledged after all.</summary>
    /// <param name="sentAt">When it had left.</param>
    /// <param name="now">The turn's moment.</param>
    void OnSpuriousLoss(Instant sentAt, Instant now);

    /// <summary>The largest datagram the path carries has changed.</summary>
    void OnPacketSizeChanged(int bytes);
}
