using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

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
        SendStatus status = TryClaim(
            length, MessageSession.WishOf(options), out long index, out Memory<byte> room, out byte[]? block);
        claim = new LaneClaim(index, room, block, options);
        return status;
    }

    /// <inheritdoc/>
    internal override SendStatus Commit(in LaneClaim claim, out MessageId id)
        => Commit(claim.Index, claim.Length, MessageSession.WishOf(claim.Options), claim.Block, out id);

    /// <inheritdoc/>
    internal override void Abandon(in LaneClaim claim) => Abandon(claim.Index, claim.Block);

    private SendStatus TryClaim(
        int length, ReceiptWish wish, out long index, out Memory<byte> room, out byte[]? block)
    {
        index = -1;
        room = default;
        block = null;
        SendStatus allowed = CheckLength(length, _largestMessage);

        if (allowed != SendStatus.Accepted)
        {
            return allowed;
        }

        // A skip must fit the peer's credit as a whole, and an abandoned claim may become one: so only claims well
        // below it stand in the stream while they are open.
        long largestClaim = Peer.IsKnown
            ? Math.Min(LargestInRing, Peer.LaneCreditBytes / 4)
            : LargestClaimInRingBeforeOpen;

        if (length > largestClaim)
        {
            return TryRentRoom(length, out room, out block);
        }

        lock (_gate)
        {
            if (_nextClaim - _oldestClaim + _nextSkip - Volatile.Read(ref _oldestSkip) >= MostClaims)
            {
                return SendStatus.LaneFull;
            }

            long start = _reserved;
            SendStatus status = TryReserve(length, length, wish, out LaneRing? ring);

            if (status != SendStatus.Accepted)
            {
                return status;
            }

            long position = _reserved - _reservedLargeBytes;
            int offset = (int)(position & (_capacity - 1));

            // The caller gets one piece of memory, so a message over the ring's end is copied when it is committed.
            if (offset + length > _capacity)
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
                room = ring!.Block.AsMemory(offset, length);
            }

            _reserved += length;
            index = _nextClaim++;
            _claims[index & (MostClaims - 1)] = new Claim(start, _reserved, position);

            if (wish != ReceiptWish.None)
            {
                Receipts.Note(_reserved, wish | ReceiptWish.WhenCommitted);
            }

            return SendStatus.Accepted;
        }
    }

    private SendStatus Commit(long index, int length, ReceiptWish wish, byte[]? block, out MessageId id)
    {
        id = default;

        if (index < 0)
        {
            return TrySendBlock(block!, length, wish, out id);
        }

        lock (_gate)
        {
            ref Claim claim = ref _claims[index & (MostClaims - 1)];

            if (block is not null)
            {
                _ring!.Write(claim.Position, block.AsSpan(0, length));
                _memory.Return(block);
            }

            claim = claim with { IsCommitted = true };
            bool ended = _ended;

            if (ended)
            {
                Receipts.Forget(claim.End);
            }
            else
            {
                id = new MessageId(0, Number, claim.End) { AsksTaken = (wish & ReceiptWish.Taken) != 0 };
                Receipts.Commit(claim.End, wish);
            }

            Publish();
            ReturnMemoryIfOver();
            return ended ? SendStatus.Closed : SendStatus.Accepted;
        }
    }

    private void Abandon(long index, byte[]? block)
    {
        if (index < 0)
        {
            _memory.Return(block!);
            return;
        }

        lock (_gate)
        {
            ref Claim claim = ref _claims[index & (MostClaims - 1)];

            if (index < _oldestClaim || claim.IsCommitted || claim.IsAbandoned)
            {
                // A copy of the claim, whose original is over.
                return;
            }

            if (block is not null)
            {
                _memory.Return(block);
            }

            Receipts.Forget(claim.End);

            if (claim.End == _reserved)
            {
                _reserved = claim.Start;
                _nextClaim--;
            }
            else
            {
                claim = claim with { IsAbandoned = true };
            }

            Publish();
            ReturnMemoryIfOver();
        }
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
    private readonly record struct Claim(long Start, long End, long Position)
    {
        internal bool IsCommitted { get; init; }

        internal bool IsAbandoned { get; init; }
    }
}
