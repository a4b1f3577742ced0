// How long a packet waits inside this host, foretold from what is queued and from how fast the path takes it.
//
// While something is queued the window is what limits, and it opens at the pace of the acknowledgements. So the pace is
// measured: bytes acknowledged over at least a round trip in which something was queued all the time. Spans begin and
// end at an acknowledgement, so that the gaps between acknowledgements do not blur them. Before the first such span the
// window over the round trip stands for it.
//
// Integers only, so that every machine foretells the same.
using System;

namespace Gudp.Core.Engine;

/// <summary>What the forecast needs to know at the end of a turn.</summary>
/// <param name="QueuedBytes">Bytes on the wire of all that waits, and of the packet asked about.</param>
/// <param name="WindowRoomBytes">Bytes that may leave before an acknowledgement comes; may be negative.</param>
/// <param name="PacerRoomBytes">Bytes the pacer lets go at once.</param>
/// <param name="PacerBytesPerSecond">How fast the pacer lets the rest go; 0: it does not limit.</param>
/// <param name="RateIfUnmeasured">Bytes per second to go by before the first measurement; 1 or more.</param>
internal readonly record struct QueueFacts(
    long QueuedBytes, long WindowRoomBytes, long PacerRoomBytes, long PacerBytesPerSecond, long RateIfUnmeasured);

/// <summary>Foretells the delay of a connection's send queue (S-8.7). Owned by whoever leads the turn.</summary>
internal sealed class QueueForecast
{
    private static readonly TimeSpan LeastSpan = TimeSpan.FromMilliseconds(100);

    // Longer than any queue lasts; keeps the products here within 64 bits.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromHours(1);

    private long _ackedInTurn;
    private long _ackedInSpan;
    private Instant _spanStart = Instant.Never;
    private bool _wasBacklogged;

    /// <summary>Measured while something was queued; 0 before the first measurement.</summary>
    internal long BytesPerSecond { get; private set; }

    internal void OnAcked(int bytes) => _ackedInTurn += bytes;

    /// <summary>Once per turn, after everything was handled and sent.</summary>
    internal void OnTurnEnd(bool isBacklogged, TimeSpan roundTrip, Instant now)
    {
        if (!isBacklogged || !_wasBacklogged)
        {
            _spanStart = Instant.Never;
        }
        else if (_ackedInTurn > 0)
        {
            TakeAcked(roundTrip > LeastSpan ? roundTrip : LeastSpan, now);
        }

        _wasBacklogged = isBacklogged;
        _ackedInTurn = 0;
    }

    /// <summary>How long the last of the queued bytes waits before it leaves.</summary>
    internal TimeSpan Delay(in QueueFacts facts)
    {
        long rate = BytesPerSecond > 0 ? BytesPerSecond : facts.RateIfUnmeasured;
        long byWindow = TicksFor(facts.QueuedBytes - facts.WindowRoomBytes, rate);
        long byPacer = TicksFor(facts.QueuedBytes - facts.PacerRoomBytes, facts.PacerBytesPerSecond);
        return new TimeSpan(Math.Max(byWindow, byPacer));
    }

    private static long TicksFor(long bytes, long bytesPerSecond)
    {
        if (bytes <= 0 || bytesPerSecond <= 0)
        {
            return 0;
        }

        long wholeSeconds = bytes / bytesPerSecond;
        long rest = bytes % bytesPerSecond;

        // The rest is less than a second's worth: divided first where the product would not fit.
        long ticks = bytesPerSecond > long.MaxValue / TimeSpan.TicksPerSecond
            ? rest / (bytesPerSecond / TimeSpan.TicksPerSecond)
            : rest * TimeSpan.TicksPerSecond / bytesPerSecond;
        return wholeSeconds >= LongestDelay.Ticks / TimeSpan.TicksPerSecond
            ? LongestDelay.Ticks
            : (wholeSeconds * TimeSpan.TicksPerSecond) + ticks;
    }

    private void TakeAcked(TimeSpan span, Instant now)
    {
        if (_spanStart.IsNever)
        {
            _spanStart = now;
            _ackedInSpan = 0;
            return;
        }

        _ackedInSpan += _ackedInTurn;
        long elapsed = (now - _spanStart).Ticks;

        if (elapsed < span.Ticks)
        {
            return;
        }

        // Bytes of one span fit into a few GB, so the product fits; a span has at least 100 ms.
        long measured = Math.Max(1, _ackedInSpan * (TimeSpan.TicksPerSecond / 10) / (elapsed / 10));

        // What a path has once carried it can carry again; a slower span may only have begun with an empty path.
        BytesPerSecond = BytesPerSecond == 0 ? measured
            : measured > BytesPerSecond ? (BytesPerSecond + (3 * measured)) / 4
            : ((3 * BytesPerSecond) + measured) / 4;
        _spanStart = now;
        _ackedInSpan = 0;
    }
}
