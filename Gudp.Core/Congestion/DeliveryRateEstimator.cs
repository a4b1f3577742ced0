// How fast the path delivers, measured per packet (P-5.5, draft-cheng-iccrg-delivery-rate-estimation).
//
// A packet takes along how much had been delivered when it left, and when. Its acknowledgement says how much was
// delivered meanwhile; that, over the longer of the time the packets took to leave and the time the acknowledgements
// took to come, is the rate. The longer of the two, since neither a burst of sends nor one of acks is the path's speed.
//
// Always true:
//   - delivered, lost and their moments only grow;
//   - a sample never covers less than the shortest round trip: acks that came in a lump have proved nothing.

using System;

namespace Gudp.Core.Congestion;

/// <summary>What a packet takes along so that its acknowledgement tells a rate.</summary>
/// <param name="Delivered">Bytes delivered when it left.</param>
/// <param name="DeliveredAt">When the last of them was.</param>
/// <param name="FirstSentAt">When the first packet of the flight it belongs to left.</param>
/// <param name="Lost">Bytes lost when it left.</param>
/// <param name="InFlight">Bytes in flight, itself included.</param>
/// <param name="IsApplicationLimited">The application had not enough to say to fill the window.</param>
internal readonly record struct DeliveryMark(
    long Delivered,
    Instant DeliveredAt,
    Instant FirstSentAt,
    long Lost,
    int InFlight,
    bool IsApplicationLimited);

/// <summary>Counts deliveries of one path; see the comment on top.</summary>
internal sealed class DeliveryRateEstimator
{
    private const long MaxBytesPerSecond = Pacer.MaxBytesPerSecond;

    private Instant _deliveredAt;
    private Instant _firstSentAt;
    private long _limitedUntil = -1;        // deliveries up to here left while the application limited; -1: none did

    private bool _hasBegun;
    private bool _hasNewest;
    private Instant _newestSentAt;
    private DeliveryMark _newest;
    private int _newlyAcked;
    private int _newlyLost;

    /// <summary>Bytes acknowledged since the beginning.</summary>
    internal long Delivered { get; private set; }

    /// <summary>Bytes declared lost since the beginning.</summary>
    internal long Lost { get; private set; }

    /// <summary>A packet leaves now.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="inFlightBefore">Bytes in flight without it.</param>
    /// <param name="now">The turn's moment.</param>
    internal DeliveryMark OnSent(int bytes, int inFlightBefore, Instant now)
    {
        if (inFlightBefore == 0 || !_hasBegun)
        {
            // A flight begins: the pause before it is no part of any rate. Nor is a flight on a former path (P-9.7).
            _hasBegun = true;
            _firstSentAt = now;
            _deliveredAt = now;
        }

        return new DeliveryMark(
            Delivered, _deliveredAt, _firstSentAt, Lost, inFlightBefore + bytes, _limitedUntil >= 0);
    }

    /// <summary>
    /// The window has room and there is nothing to send: rates of what is in flight now may be below the path's.
    /// </summary>
    internal void OnApplicationLimited(int inFlight) => _limitedUntil = Delivered + inFlight;

    /// <summary>A packet was acknowledged for the first time.</summary>
    internal void OnAcked(int bytes, Instant sentAt, in DeliveryMark mark, Instant now)
    {
        Delivered += bytes;
        _deliveredAt = now;
        _newlyAcked += bytes;

        // The newest packet spans the latest flight; of equal moments the later packet knew of no fewer deliveries.
        if (!_hasNewest || sentAt >= _newestSentAt)
        {
            _hasNewest = true;
            _newestSentAt = sentAt;
            _newest = mark;
        }
    }

    /// <summary>A packet was declared lost.</summary>
    internal void OnLost(int bytes)
    {
        Lost += bytes;
        _newlyLost += bytes;
    }

    /// <summary>All an acknowledgement brought was taken in: what does it say?</summary>
    /// <param name="rtt">With it taken in.</param>
    /// <param name="inFlight">Bytes in flight now.</param>
    /// <param name="now">The turn's moment.</param>
    internal AckReport TakeReport(in RttSample rtt, int inFlight, Instant now)
    {
        if (_limitedUntil >= 0 && Delivered > _limitedUntil)
        {
            _limitedUntil = -1;
        }

        AckReport report = new(
            rtt, inFlight, _newlyAcked, _newlyLost, Delivered, _hasNewest, _newest, RateOfNewest(rtt), Lost);

        if (_hasNewest)
        {
            _firstSentAt = Instant.Later(_firstSentAt, _newestSentAt);
        }

        _hasNewest = false;
        _newlyAcked = 0;
        _newlyLost = 0;
        return report;
    }

    private long RateOfNewest(in RttSample rtt)
    {
        if (!_hasNewest)
        {
            return 0;
        }

        TimeSpan sending = _newestSentAt - _newest.FirstSentAt;
        TimeSpan acking = _deliveredAt - _newest.DeliveredAt;
        TimeSpan longer = sending > acking ? sending : acking;

        if (longer <= TimeSpan.Zero || (rtt.IsMeasured && longer < rtt.Minimum))
        {
            return 0;
        }

        Int128 rate = (Int128)(Delivered - _newest.Delivered) * TimeSpan.TicksPerSecond / longer.Ticks;
        return (long)Int128.Min(rate, MaxBytesPerSecond);
    }
}
