using System;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <content>
/// D-3.6: the ring grows with what the lane carries in a round trip, and when half of it waits. Without memory it stays.
/// </content>
internal sealed partial class OrderedReceiveLane
{
    // What was under way when a credit went out, doubles until that credit is used: slow start. As much again, because a
    // ring's size is a power of two and a quarter of it is granted late.
    private const int RingsPerRoundTrip = 4;

    private const int UnreadLooks = 16;

    // Sizes beyond an array's are not asked for.
    private const long MostWantedBytes = 1L << 30;

    private static readonly TimeSpan TryAgain = TimeSpan.FromMilliseconds(100);

    private readonly int _mostSkips;
    private Instant _nextTry = Instant.Never;
    private int _ringBytes;
    private int _wantedRingBytes;
    private int _skipsSinceGrowth;
    private long _unreadSeenAt;

    /// <summary>The ring's size, whether it is rented or not. Any thread.</summary>
    internal int RingBytes => Volatile.Read(ref _ringBytes);

    /// <inheritdoc/>
    private protected override long ReceivedPosition => _highest;

    // A packet with credit was acknowledged: so much has arrived since it was written, a round trip ago.
    private void GrowFor(long bytes)
    {
        if (bytes > _ringBytes / RingsPerRoundTrip)
        {
            Want((long)BitOperations.RoundUpToPowerOf2((ulong)Math.Min(bytes * RingsPerRoundTrip, MostWantedBytes)));
        }
    }

    // Its reader is late, or a message is longer than the ring. Looked at several times per ring.
    private void GrowForUnread()
    {
        if (_highest - _unreadSeenAt >= _ringBytes / UnreadLooks)
        {
            _unreadSeenAt = _highest;

            if (_highest - Volatile.Read(ref _released) > _ringBytes / 2)
            {
                Want(2L * _ringBytes);
            }
        }
    }

    // D-10.5: the sender sees that a skip was passed once the credit is beyond it by all the credit that was announced. If
    // it can skip nothing more, nothing comes that would try again.
    private void GrowForSkip(Instant now)
    {
        _skipsSinceGrowth++;

        if (_skipsSinceGrowth >= _mostSkips / 4 && _ringBytes < _mostRingBytes)
        {
            Want(_mostRingBytes);
            _nextTry = now + TryAgain;
        }
    }

    /// <inheritdoc/>
    internal override Instant NextDeadline => _nextTry;

    /// <inheritdoc/>
    internal override void HandleTimeout(Instant now)
    {
        if (now >= _nextTry)
        {
            TryGrow();
            _nextTry = _ringBytes < _mostRingBytes && !_ended ? now + TryAgain : Instant.Never;
        }
    }

    private void Want(long bytes)
    {
        _wantedRingBytes = Math.Max(_wantedRingBytes, (int)Math.Min(bytes, _mostRingBytes));
        TryGrow();
    }

    // Only without a reader inside, in whose hands a span of the ring may be. The next credit tries again.
    private void TryGrow()
    {
        if (_wantedRingBytes <= _ringBytes || _ring is null || _ended || !TryEnter(polling: false))
        {
            return;
        }

        if (_ring is { } ring && TryRentLarger(out LaneRing? larger))
        {
            ring.CopyTo(larger, _released, _highest);
            _ring = larger;
            Volatile.Write(ref _ringBytes, larger.Bytes);
            _memory.ReturnReceived(ring.Block);
            _skipsSinceGrowth = 0;
        }

        LeaveSlot();
    }

    // What is wanted, or as much of it as there is.
    private bool TryRentLarger([NotNullWhen(true)] out LaneRing? larger)
    {
        larger = null;

        for (int bytes = _wantedRingBytes; bytes > _ringBytes && larger is null; bytes /= 2)
        {
            larger = _memory.TryRentToGrow(bytes, isSent: false, out byte[] block) ? new LaneRing(block, bytes) : null;
        }

        return larger is not null;
    }
}
