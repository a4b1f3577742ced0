using System;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <content>Claims: places in the stream whose bytes are still being written.</content>
internal sealed partial class OrderedSendLane
{
    // So many claims of a lane may be open, abandoned or waiting behind an open one.
    private const int MostClaims = 64;

    // Before the peer's credit is known, no claim in the stream is longer.
    private const int LargestClaimInRingBeforeOpen = 16 * 1024;

    private readonly Claim[] _claims = new Claim[MostClaims];
    private readonly OffsetRange[] _skips = new OffsetRange[MostClaims];
    private long _oldestClaim;
    private long _nextClaim;

    /// <inheritdoc/>
    internal override SendStatus TryClaim(int length, in SendOptions options, out LaneClaim claim)
    {
        claim = default;
        SendStatus allowed = CheckLength(length, _largestMessage);

        if (allowed != SendStatus.Accepted)
        {
            return allowed;
        }

        // An abandoned claim may become a skip, which takes credit: so only claims well below it stand in the stream
        // while they are open.
        long largestClaim = Peer.IsKnown
            ? Math.Min(LargestInRing, Peer.LaneCreditBytes / 4)
            : LargestClaimInRingBeforeOpen;

        if (length > largestClaim)
        {
            return TryClaimBeside(length, options, out claim);
        }

        lock (_gate)
        {
            if (!CanFit(length))
            {
                return TryClaimBeside(length, options, out claim);
            }

            return _nextClaim - _oldestClaim + _nextSkip - Volatile.Read(ref _oldestSkip) < MostClaims
                ? TryClaimInStream(length, options, out claim)
                : SendStatus.LaneFull;
        }
    }

    /// <inheritdoc/>
    internal override SendStatus Commit(in LaneClaim claim, out MessageId id)
    {
        if (claim.Index < 0)
        {
            return TrySendBlock(claim.Block!, claim.Length, claim.Options, out id);
        }

        id = default;

        lock (_gate)
        {
            ref Claim place = ref _claims[claim.Index & (MostClaims - 1)];

            // Over the ring's end, or written into the ring as it was before it grew.
            if (claim.Block is not null || place.Ring != _ring)
            {
                _ring!.Write(place.Position, claim.Room.Span);
            }

            if (claim.Block is not null)
            {
                _memory.ReturnSent(claim.Block);
            }

            place = place with { IsCommitted = true };
            bool ended = _ended;

            if (ended)
            {
                Receipts.Forget(place.End);
            }
            else
            {
                Receipts.Commit(place.End);
                id = Accept(new OffsetRange(place.Start, place.End), claim.Length, claim.Options);
            }

            Publish();
            ReturnMemoryIfOver();
            return ended ? SendStatus.Closed : SendStatus.Accepted;
        }
    }

    /// <inheritdoc/>
    internal override void Abandon(in LaneClaim claim)
    {
        if (claim.Index < 0)
        {
            _memory.ReturnSent(claim.Block!);
            return;
        }

        lock (_gate)
        {
            ref Claim place = ref _claims[claim.Index & (MostClaims - 1)];

            if (claim.Index < _oldestClaim || place.IsCommitted || place.IsAbandoned)
            {
                // A copy of the claim, whose original is over.
                return;
            }

            if (claim.Block is not null)
            {
                _memory.ReturnSent(claim.Block);
            }

            Receipts.Forget(place.End);

            if (place.End == _reserved)
            {
                _reserved = place.Start;
                _nextClaim--;
            }
            else
            {
                place = place with { IsAbandoned = true };
            }

            Publish();
            ReturnMemoryIfOver();
        }
    }

    private SendStatus TryClaimBeside(int length, in SendOptions options, out LaneClaim claim)
    {
        SendStatus status = TryRentRoom(length, out Memory<byte> room, out byte[]? block);
        claim = new LaneClaim(Index: -1, room, block, options);
        return status;
    }

    // Under the lane lock.
    private SendStatus TryClaimInStream(int length, in SendOptions options, out LaneClaim claim)
    {
        claim = default;
        long start = _reserved;
        SendStatus status = TryReserve(length, (length, 0), options, out LaneRing? ring);

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        long position = _reserved - _reservedLargeBytes;
        int offset = (int)(position & (ring!.Bytes - 1));
        byte[]? block = null;
        Memory<byte> room;

        // The caller gets one piece of memory, so a message over the ring's end is copied when it is committed.
        if (offset + length > ring.Bytes)
        {
            status = TryRentRoom(length, out room, out block);

            if (status != SendStatus.Accepted)
            {
                _reserved = start;
                return status;
            }
        }
        else
        {
            room = ring.Block.AsMemory(offset, length);
        }

        _reserved += length;
        _claims[_nextClaim & (MostClaims - 1)] = new Claim(start, _reserved, position, ring);
        Receipts.Note(new OffsetRange(start, _reserved), options, whenCommitted: true);
        claim = new LaneClaim(_nextClaim++, room, block, options);
        return SendStatus.Accepted;
    }

    private void PassClaims()
    {
        while (_oldestClaim < _nextClaim)
        {
            Claim claim = _claims[_oldestClaim & (MostClaims - 1)];

            if (claim.IsAbandoned)
            {
                _skips[_nextSkip & (MostClaims - 1)] = new OffsetRange(claim.Start, claim.End);
                Volatile.Write(ref _nextSkip, _nextSkip + 1);
            }
            else if (!claim.IsCommitted)
            {
                break;
            }

            _oldestClaim++;
        }
    }

    /// <summary>A place in the stream whose bytes are still being written.</summary>
    private readonly record struct Claim(long Start, long End, long Position, LaneRing Ring)
    {
        internal bool IsCommitted { get; init; }

        internal bool IsAbandoned { get; init; }
    }
}
