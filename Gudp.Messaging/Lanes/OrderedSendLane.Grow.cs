using System;
using System.Numerics;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <content>
/// D-3.6: the ring starts small and grows when a message has no room, up to the lane's capacity; it never shrinks. Without
/// memory it stays as it is.
/// </content>
internal sealed partial class OrderedSendLane
{
    // Not zero while the leader reads the ring, which it does without the lane lock.
    private int _isRingRead;

    // The ring before the last growth, for as long as a claim that was made in it is open: these before the index.
    private byte[]? _retired;
    private long _retiredUntil;

    // Any thread, a glance.
    private int RingBytes => Volatile.Read(ref _ring)?.Bytes ?? Math.Min(LaneRing.FirstBytes, _capacity);

    private long RingFreeBytes => RingBytes - InRingBytes - Volatile.Read(ref _promisedBytes);

    // Under the lane lock. Whether a message of this length can ever stand in the ring, as large as it can be now.
    private bool CanFit(int length)
    {
        int most = length + VarInt.MaxBytes;
        return most <= RingBytes || _ended || TryRentRing() != SendStatus.Accepted || TryGrow(most);
    }

    // Under the lane lock.
    private SendStatus TryRentRing()
    {
        if (_ring is not null)
        {
            return SendStatus.Accepted;
        }

        int bytes = RingBytes;
        SendStatus status = _memory.TryRentToSend(bytes, out byte[] block);
        _ring = status == SendStatus.Accepted ? new LaneRing(block, bytes) : null;
        return status;
    }

    // Under the lane lock. Room for so many bytes more, if what is in the ring and they are no more than the capacity.
    private bool TryGrow(int bytes)
    {
        LaneRing ring = _ring!;
        long needed = Math.Max(InRingBytes + _promisedBytes + bytes, 2L * ring.Bytes);

        if (needed > _capacity || _retired is not null)
        {
            return false;
        }

        int larger = (int)BitOperations.RoundUpToPowerOf2((ulong)needed);

        if (!_memory.TryRentToGrow(larger, isSent: true, out byte[] block))
        {
            return false;
        }

        Swap(ring, new LaneRing(block, larger));
        return true;
    }

    private void Swap(LaneRing ring, LaneRing larger)
    {
        // Nobody writes into the former one meanwhile, and what the leader frees of it is copied in vain.
        ring.CopyTo(larger, Volatile.Read(ref _ringTail), _reserved - _reservedLargeBytes);
        Volatile.Write(ref _ring, larger);

        // The leader marks, then looks for the ring; here it was replaced, then looked for the mark: a leader that has
        // the former one is seen here, and waited for before that is used for something else.
        Interlocked.MemoryBarrier();
        SpinWait spin = default;

        while (Volatile.Read(ref _isRingRead) != 0)
        {
            spin.SpinOnce();
        }

        if (_oldestClaim < _nextClaim)
        {
            _retired = ring.Block;
            _retiredUntil = _nextClaim;
        }
        else
        {
            _memory.ReturnSent(ring.Block);
        }
    }

    // Under the lane lock, when a claim is over.
    private void ReturnRetiredIfOver()
    {
        if (_retired is not null && _oldestClaim >= Math.Min(_retiredUntil, _nextClaim))
        {
            ReturnRetired();
        }
    }

    private void ReturnRetired()
    {
        if (_retired is { } block)
        {
            _retired = null;
            _memory.ReturnSent(block);
        }
    }

    // Leader. A writer may just be making the ring larger: the one returned stays as it is until LeaveRing.
    private LaneRing EnterRing()
    {
        Interlocked.Exchange(ref _isRingRead, 1);
        LaneRing? ring = Volatile.Read(ref _ring);
        Invariant.Require(ring is not null, "What was published stands in a ring.");
        return ring!;
    }

    private void LeaveRing() => Volatile.Write(ref _isRingRead, 0);

    // Leader.
    private void ReadRing(long position, Span<byte> destination)
    {
        try
        {
            EnterRing().Read(position, destination);
        }
        finally
        {
            LeaveRing();
        }
    }
}
