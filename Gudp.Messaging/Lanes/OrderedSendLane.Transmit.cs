using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <content>The leader's side: what goes out next, what comes back, what is settled.</content>
internal sealed partial class OrderedSendLane
{
    // Holes in the settled offsets are pieces in flight, and those the outbox bounds.
    private readonly RangeSet _settled = new(int.MaxValue);
    private long _creditLimit;
    private long _largeBytesBeforeTail;
    private long _tail;
    private long _sent;
    private bool _isHeldByPeer;

    /// <summary>True once a packet with this lane's LaneOpen was acknowledged.</summary>
    internal bool IsOpenAtPeer { get; private set; }

    /// <summary>The limit at which the peer was told that the lane waits, -1 if never.</summary>
    internal long BlockedAt { get; set; } = -1;

    /// <summary>Everything before was transmitted at least once. Any thread.</summary>
    internal long Sent => Volatile.Read(ref _sent);

    /// <summary>Everything before is at the peer. Any thread.</summary>
    internal long Received => Volatile.Read(ref _tail);

    /// <summary>Bytes accepted that were never sent. Leader.</summary>
    internal long WaitingBytes => Math.Max(0, Volatile.Read(ref _published) - _sent);

    /// <summary>
    /// How much of the ring holds what waits or is in flight, 0 to 1000. Leader; writers go on meanwhile, so it is as
    /// good as a glance.
    /// </summary>
    internal int FilledPermille => (int)Math.Clamp((_capacity - FreeBytes) * 1000 / _capacity, 0, 1000);

    /// <summary>How far the peer lets the lane go, a stream offset.</summary>
    internal long CreditLimit => Math.Max(_creditLimit, _peer.LaneCreditBytes);

    /// <summary>Whether messages wait behind the peer's credit: its application does not read. Any thread.</summary>
    internal bool IsHeldByPeer => Volatile.Read(ref _isHeldByPeer);

    /// <summary>Whether a writer was refused for lack of room and has not been told to try again. Any thread.</summary>
    internal bool IsRoomWanted => Volatile.Read(ref _wantedBytes) != 0 || Receipts.IsRoomWanted;

    /// <summary>
    /// The next piece that was never sent, within the lane's credit: a range of data, or the whole of a skip.
    /// </summary>
    /// <returns>False if there is none, or none that the credit allows.</returns>
    internal bool TryNextPiece(out OffsetRange piece, out bool isSkip)
    {
        long published = Volatile.Read(ref _published);
        long end = Math.Min(published, CreditLimit);
        isSkip = false;

        if (_oldestSkip < Volatile.Read(ref _nextSkip))
        {
            OffsetRange skip = _skips[_oldestSkip & (MostClaims - 1)];

            if (skip.From == _sent)
            {
                isSkip = true;
                end = skip.To <= end ? skip.To : _sent;
            }
            else
            {
                end = Math.Min(end, skip.From);
            }
        }

        piece = new OffsetRange(_sent, end);
        bool isHeld = end <= _sent && _sent < published;

        if (isHeld != _isHeldByPeer)
        {
            Volatile.Write(ref _isHeldByPeer, isHeld);
        }

        return end > _sent;
    }

    /// <summary>The piece, or its first part, was put into a packet.</summary>
    internal void MarkSent(long to, bool isSkip)
    {
        Invariant.Require(to > _sent && to <= CreditLimit, "New content is sent in order and within the credit.");

        if (isSkip)
        {
            Volatile.Write(ref _oldestSkip, _oldestSkip + 1);
        }

        Volatile.Write(ref _sent, to);
    }

    /// <summary>Copies a part of the stream that is not settled yet.</summary>
    internal void Read(long offset, Span<byte> destination)
    {
        Invariant.Require(_ring is not null, "What was published stands in a ring.");
        long largeBytesBefore = _largeBytesBeforeTail;
        long nextLarge = Volatile.Read(ref _nextLarge);

        for (long index = _oldestLarge; !destination.IsEmpty; index++)
        {
            LargeMessage large = index < nextLarge ? _large[index & (MostLargeMessages - 1)] : default;
            long ringEnd = index < nextLarge ? large.BodyStart : long.MaxValue;

            if (offset < ringEnd)
            {
                int inRing = (int)Math.Min(destination.Length, ringEnd - offset);
                _ring.Read(offset - largeBytesBefore, destination[..inRing]);
                offset += inRing;
                destination = destination[inRing..];
            }

            if (offset < large.BodyEnd && !destination.IsEmpty)
            {
                int inBlock = (int)Math.Min(destination.Length, large.BodyEnd - offset);
                large.Block.AsSpan((int)(offset - large.BodyStart), inBlock).CopyTo(destination);
                offset += inBlock;
                destination = destination[inBlock..];
            }

            largeBytesBefore += large.Length;
        }
    }

    /// <summary>The first part of a range that the peer does not have yet.</summary>
    internal bool TryFirstUnsettled(long from, long to, out OffsetRange unsettled)
        => _settled.TryFirstMissing(from, to, out unsettled);

    /// <summary>The peer has this range.</summary>
    /// <returns>True if room became free.</returns>
    internal bool Settle(long from, long to, bool withOpen)
    {
        IsOpenAtPeer |= withOpen;
        bool added = _settled.TryAdd(from, to);
        Invariant.Require(added && _settled.Prefix <= _sent, "Only what was sent is settled.");

        if (_settled.Prefix == _tail)
        {
            return false;
        }

        FreeUpTo(_settled.Prefix);
        return true;
    }

    /// <summary>The peer lets the lane go further; older news is ignored.</summary>
    internal void RaiseCredit(long limit) => _creditLimit = Math.Max(_creditLimit, limit);

    /// <summary>How far a message has come. Any thread.</summary>
    internal TransferState TransferOf(long id, bool ended)
    {
        if (id <= Received)
        {
            return TransferState.Received;
        }

        // A message of which a part was never transmitted cannot be at the peer.
        bool isSent = id <= Sent;
        return ended
            ? isSent ? TransferState.Unknown : TransferState.Cancelled
            : isSent ? TransferState.Sent : TransferState.Queued;
    }

    /// <summary>
    /// Whether a writer that was refused should try again now. The caller has put a full fence between freeing room
    /// and asking.
    /// </summary>
    internal bool TakeWritable()
    {
        int wanted = Volatile.Read(ref _wantedBytes);

        if (wanted == 0)
        {
            return false;
        }

        // Writers may add meanwhile, so this is a hint: a writer that is refused again asks again.
        long used = Volatile.Read(ref _reserved) - Volatile.Read(ref _reservedLargeBytes) - _ringTail;

        if (_capacity - used < wanted && !_ended)
        {
            return false;
        }

        Volatile.Write(ref _wantedBytes, 0);
        return true;
    }

    private void FreeUpTo(long tail)
    {
        while (_oldestLarge < Volatile.Read(ref _nextLarge))
        {
            LargeMessage large = _large[_oldestLarge & (MostLargeMessages - 1)];

            if (large.BodyEnd > tail)
            {
                break;
            }

            _memory.Return(large.Block);
            _large[_oldestLarge & (MostLargeMessages - 1)] = default;
            _largeBytesBeforeTail += large.Length;
            Volatile.Write(ref _oldestLarge, _oldestLarge + 1);
        }

        // Within a large message's body the ring stands where the body starts.
        long inRing = tail;

        if (_oldestLarge < Volatile.Read(ref _nextLarge))
        {
            inRing = Math.Min(tail, _large[_oldestLarge & (MostLargeMessages - 1)].BodyStart);
        }

        Volatile.Write(ref _ringTail, inRing - _largeBytesBeforeTail);
        Volatile.Write(ref _tail, tail);
    }
}
