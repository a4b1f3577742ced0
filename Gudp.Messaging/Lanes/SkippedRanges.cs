using System;
using System.Threading;

namespace Gudp.Messaging.Lanes;

/// <summary>Ranges of a received stream that the sender gave up and the reader has not come to yet (D-10.5).</summary>
/// <remarks>
/// The leader adds, the lane's one reader passes; between them a lock, taken by the reader only while there is a range.
/// Ranges that touch are one. Always true: no more ranges than the sender was promised.
/// </remarks>
internal sealed class SkippedRanges(int most)
{
    private readonly Lock _gate = new();

    // Its prefix is where the reader was seen last: what it has passed needs no place.
    private readonly RangeSet _ranges = new(most);
    private bool _isAny;

    // Added since the sender last heard that the reader has passed all of them.
    private int _untold;
    private long _highest;
    private long _nextGrantFrom;

    /// <summary>
    /// Any thread. So many were added that the sender should soon hear how far the reader is: at once, and again when it
    /// has passed those that were here then, or a sender that can give nothing more up could wait for ever.
    /// </summary>
    /// <param name="released">The reader is past it.</param>
    internal bool IsGrantDue(long released)
        => Volatile.Read(ref _untold) >= most / 4 && released >= Volatile.Read(ref _nextGrantFrom);

    /// <summary>Reader. Whether there may be a range at or above the place where it stands.</summary>
    internal bool IsAny => Volatile.Read(ref _isAny);

    /// <summary>Leader. How many more may come that touch no other.</summary>
    internal int Free
    {
        get
        {
            lock (_gate)
            {
                return _ranges.Free;
            }
        }
    }

    /// <summary>Leader. Whether the range needs a place of its own.</summary>
    internal bool NeedsPlace(OffsetRange skip)
    {
        lock (_gate)
        {
            return _ranges.StandsAlone(skip.From, skip.To);
        }
    }

    /// <summary>Leader, before the reader is shown that anything came.</summary>
    /// <returns>False: there is no room.</returns>
    internal bool TryAdd(OffsetRange skip)
    {
        lock (_gate)
        {
            Volatile.Write(ref _untold, _untold + 1);
            _highest = Math.Max(_highest, skip.To);
            Volatile.Write(ref _isAny, true);
            return _ranges.TryAdd(skip.From, skip.To);
        }
    }

    /// <summary>Leader. The sender is told that the reader is past this offset.</summary>
    internal void HandleGrant(long released)
    {
        bool isAllTold = released >= _highest;
        Volatile.Write(ref _nextGrantFrom, isAllTold ? 0 : _highest);
        Volatile.Write(ref _untold, isAllTold ? 0 : _untold);
    }

    /// <summary>Reader, who stands between messages. Where it goes on: behind what was given up.</summary>
    /// <param name="front">Where it stands.</param>
    /// <param name="prefix">Everything before is here or was given up.</param>
    internal long Pass(long front, long prefix)
    {
        if (!Volatile.Read(ref _isAny))
        {
            return front;
        }

        lock (_gate)
        {
            _ranges.TryAdd(0, front);

            // What came after the prefix was read is passed the next time.
            if (_ranges.Prefix > prefix)
            {
                return front;
            }

            Volatile.Write(ref _isAny, _ranges.Count > 0);
            return _ranges.Prefix;
        }
    }

    /// <summary>Reader. Whether a range starts inside of a message, which no honest sender's does.</summary>
    internal bool Cuts(OffsetRange message)
    {
        if (!Volatile.Read(ref _isAny))
        {
            return false;
        }

        lock (_gate)
        {
            return _ranges.TryFirstMissing(message.From, message.To, out OffsetRange kept)
                && kept.From == message.From && kept.To < message.To;
        }
    }
}
