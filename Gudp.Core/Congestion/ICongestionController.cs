using System;

namespace Gudp.Core.Congestion;

/// <summary>The round trip as the connection measured it.</summary>
/// <param name="Latest">The last sample.</param>
/// <param name="Smoothed">The moving average, more than zero.</param>
/// <param name="Minimum">The shortest sample.</param>
/// <param name="IsMeasured">False while all three are assumed.</param>
internal readonly record struct RttSample(TimeSpan Latest, TimeSpan Smoothed, TimeSpan Minimum, bool IsMeasured);

/// <summary>A packet in flight that was acknowledged.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="SentAt">When it left.</param>
/// <param name="ApplicationLimited">When it left, the window was larger than what there was to send.</param>
/// <param name="Rtt">With this acknowledgement taken in.</param>
internal readonly record struct AckedPacket(int Bytes, Instant SentAt, bool ApplicationLimited, RttSample Rtt);

/// <summary>A packet in flight that was declared lost.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="SentAt">When it left.</param>
/// <param name="IsPersistent">It completes persistent congestion.</param>
/// <param name="Mark">What was delivered and lost when it left.</param>
/// <param name="TotalLost">Bytes lost since the beginning, itself included.</param>
internal readonly record struct LostPacket(
    int Bytes, Instant SentAt, bool IsPersistent, DeliveryMark Mark = default, long TotalLost = 0);

/// <summary>What one acknowledgement brought, after every packet in it and every loss it showed was told.</summary>
/// <param name="Rtt">With this acknowledgement taken in.</param>
/// <param name="InFlight">Bytes in flight now.</param>
/// <param name="NewlyAcked">Bytes it acknowledged.</param>
/// <param name="NewlyLost">Bytes declared lost since the report before.</param>
/// <param name="Delivered">Bytes acknowledged since the beginning.</param>
/// <param name="HasPacket">False if it acknowledged nothing new; then <paramref name="Mark"/> means nothing.</param>
/// <param name="Mark">Of the newest packet it acknowledged.</param>
/// <param name="BytesPerSecond">The path's rate over that packet's flight; 0 if it proves none.</param>
/// <param name="Lost">Bytes lost since the beginning.</param>
internal readonly record struct AckReport(
    RttSample Rtt,
    int InFlight,
    int NewlyAcked,
    int NewlyLost,
    long Delivered,
    bool HasPacket,
    DeliveryMark Mark,
    long BytesPerSecond,
    long Lost)
{
    /// <summary>Bytes lost between that packet's leaving and its acknowledgement.</summary>
    internal long LostInFlight => Lost - Mark.Lost;

    /// <summary>Bytes delivered between that packet's leaving and its acknowledgement.</summary>
    internal long DeliveredInFlight => Delivered - Mark.Delivered;
}

/// <summary>
/// How much may be in flight, and how fast it leaves: facts go in, a window and a rate come out. Knows nothing about
/// packets' content. Packets that probe the path's size are not told when they are lost.
/// </summary>
internal interface ICongestionController
{
    /// <summary>Bytes that may be in flight; never below two packets.</summary>
    int WindowBytes { get; }

    /// <summary>Bytes per second that may leave; 0: 1.25 windows per smoothed round trip.</summary>
    long PacingBytesPerSecond { get; }

    /// <summary>True if packets are what is limited: each counts as a full one, and none leaves in a burst.</summary>
    bool CountsPackets { get; }

    /// <summary>A loss was taken for congestion, and nothing sent since was acknowledged.</summary>
    bool IsBusy { get; }

    /// <summary>A packet that counts as in flight has left.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="mark">What it took along.</param>
    /// <param name="now">The turn's moment.</param>
    void OnSent(int bytes, in DeliveryMark mark, Instant now);

    /// <summary>A packet in flight was acknowledged.</summary>
    void OnAcked(in AckedPacket packet, Instant now);

    /// <summary>A packet in flight was declared lost.</summary>
    void OnLost(in LostPacket packet, Instant now);

    /// <summary>An acknowledgement is over: its packets and the losses it showed were told.</summary>
    void OnAckEnd(in AckReport report, Instant now);

    /// <summary>A packet declared lost was acknowledged after all.</summary>
    /// <param name="sentAt">When it had left.</param>
    /// <param name="now">The turn's moment.</param>
    /// <returns>True if that undid the last reduction: all losses it was made for had proved wrong.</returns>
    bool OnSpuriousLoss(Instant sentAt, Instant now);

    /// <summary>The largest datagram the path carries has changed.</summary>
    void OnPacketSizeChanged(int bytes);
}
