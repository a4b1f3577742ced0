using System;

namespace Gudp.Core.Engine;

/// <summary>
/// When to tell the peer that all our packets below a number are settled (the complete-confirmed id of M33), so that
/// it stops repeating what it acknowledged (P-2.7).
/// </summary>
/// <remarks>
/// Always true: a number is told only if it was settled a round trip ago, so that the late ack of a packet wrongly
/// declared lost still comes; at most once per round trip, each number once, and only while the peer repeats ranges.
/// </remarks>
internal sealed class SettledNotice
{
    private static readonly TimeSpan ShortestGap = TimeSpan.FromMilliseconds(10);

    private long _candidate;
    private Instant _candidateFrom;
    private long _told;

    /// <summary>True if the next packet should carry it.</summary>
    internal bool IsDue { get; private set; }

    /// <summary>All numbers below are settled; while <see cref="IsDue"/>.</summary>
    internal PacketNumber Below { get; private set; }

    /// <summary>An ack came.</summary>
    /// <param name="ranges">How many ranges it had: one needs no trimming.</param>
    /// <param name="oldestUnsettled">All our packets below have a fate.</param>
    internal void OnAck(int ranges, PacketNumber oldestUnsettled, TimeSpan roundTrip, Instant now)
    {
        TimeSpan gap = roundTrip > ShortestGap ? roundTrip : ShortestGap;

        if (ranges < 2 || now - _candidateFrom < gap)
        {
            return;
        }

        if (_candidate > _told)
        {
            Below = new PacketNumber(_candidate);
            IsDue = true;
        }

        _candidate = oldestUnsettled.Value;
        _candidateFrom = now;
    }

    /// <summary>
    /// It stands in a packet that leaves. Whether that arrives is not watched: a later one says more.
    /// </summary>
    internal void OnWritten()
    {
        Invariant.Require(IsDue, "Only what is due is told.");
        _told = Below.Value;
        IsDue = false;
    }
}
