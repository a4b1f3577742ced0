using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <content>The leader's side: what goes out next.</content>
internal sealed partial class OrderedSendLane
{
    // Rather the next packet than a frame whose head is longer than its content.
    private const int LeastUsefulContent = 24;

    // Holes in the settled offsets are pieces in flight, and those the outbox bounds.
    private readonly RangeSet _settled = new(int.MaxValue);
    private long _creditLimit;
    private long _largeBytesBeforeTail;
    private long _tail;
    private long _sent;
    private bool _isHeldByPeer;

    // The limit at which the peer was told that the lane waits, -1 if never.
    private long _blockedAt = -1;

    /// <summary>Everything before was transmitted at least once. Any thread.</summary>
    internal long Sent => Volatile.Read(ref _sent);

    /// <summary>Everything before is at the peer. Any thread.</summary>
    internal long Received => Volatile.Read(ref _tail);

    /// <inheritdoc/>
    internal override long WaitingBytes => Math.Max(0, Volatile.Read(ref _published) - _sent);

    /// <inheritdoc/>
    /// <remarks>Of the ring; writers go on meanwhile.</remarks>
    internal override int FilledPermille => (int)Math.Clamp((_capacity - FreeBytes) * 1000 / _capacity, 0, 1000);

    /// <summary>How far the peer lets the lane go, a stream offset.</summary>
    internal long CreditLimit => Math.Max(_creditLimit, Peer.LaneCreditBytes);

    /// <inheritdoc/>
    internal override long CreditedBytes => IsCredited ? _sent : 0;

    /// <summary>Whether messages wait behind the peer's credit: its application does not read. Any thread.</summary>
    internal bool IsHeldByPeer => Volatile.Read(ref _isHeldByPeer);

    /// <inheritdoc/>
    internal override bool IsRoomWanted => Volatile.Read(ref _wantedBytes) != 0 || Receipts.IsRoomWanted;

    private bool MustSayBlocked => _isHeldByPeer && _blockedAt != CreditLimit;

    /// <inheritdoc/>
    internal override LaneTurn Probe(long connectionRoom)
    {
        if (TryNextPiece(out OffsetRange piece, out bool isSkip))
        {
            return IsAllowed(piece, isSkip, connectionRoom) ? LaneTurn.HasMore : LaneTurn.HeldByConnection;
        }

        return MustSayBlocked ? LaneTurn.HasMore : LaneTurn.Idle;
    }

    /// <inheritdoc/>
    internal override LaneTurn WriteNew(ref PacketDraft draft, long share)
    {
        long end = draft.Writer.Used + share;

        while (draft.CanNote)
        {
            if (!TryNextPiece(out OffsetRange piece, out bool isSkip))
            {
                return SayBlocked(ref draft);
            }

            if (!IsAllowed(piece, isSkip, draft.ConnectionRoom))
            {
                return LaneTurn.HeldByConnection;
            }

            if (draft.Writer.Used >= end)
            {
                return LaneTurn.HasMore;
            }

            long room = IsCredited ? draft.ConnectionRoom : long.MaxValue;
            OffsetRange allowed = new(piece.From, piece.From + Math.Min(piece.Length, room));
            int bytes = WritePiece(ref draft, allowed, isSkip ? PieceKind.Skip : PieceKind.Data);

            if (bytes == 0)
            {
                return LaneTurn.NoFit;
            }

            MarkSent(piece.From + bytes, isSkip);
            draft.Charge(IsCredited ? bytes : 0);

            if (!isSkip && bytes == piece.Length)
            {
                // All that waited: a small message, or several.
                _ = draft.TryPlanRepeats(
                    this, new SentPiece(PieceKind.Data, (byte)Number, false, piece.From, piece.From + bytes), bytes);
            }
        }

        return LaneTurn.NoFit;
    }

    // A skip goes as a whole.
    private bool IsAllowed(OffsetRange piece, bool isSkip, long connectionRoom)
        => !IsCredited || connectionRoom >= (isSkip ? piece.Length : 1);

    // D-3.4
    private LaneTurn SayBlocked(ref PacketDraft draft)
    {
        if (MustSayBlocked)
        {
            if (!draft.Writer.TryLaneOffset(FrameType.LaneBlocked, Number, CreditLimit))
            {
                return LaneTurn.NoFit;
            }

            _blockedAt = CreditLimit;
        }

        return LaneTurn.Idle;
    }

    // Returns the bytes of the stream it covers; 0 if not enough of it fits.
    private int WritePiece(ref PacketDraft draft, OffsetRange piece, PieceKind kind)
    {
        bool isSkip = kind == PieceKind.Skip;
        bool needsOpen = draft.NeedsOpen(this);
        int room = draft.Writer.Free - (isSkip
            ? LaneFrameWriter.SkipBytes(Number, piece, charged: 0, needsOpen)
            : LaneFrameWriter.DataOverhead(Number, piece.From, needsOpen));

        if (room < (isSkip ? 0 : Math.Min(piece.Length, LeastUsefulContent)))
        {
            return 0;
        }

        bool withOpen = draft.Open(this);
        int bytes = (int)piece.Length;

        if (isSkip)
        {
            // On an ordered lane the offsets count, nothing beside them.
            draft.Writer.LaneSkip(Number, piece, charged: 0);
        }
        else
        {
            Span<byte> content = draft.Writer.LaneData(Number, piece.From, piece.Length);
            Read(piece.From, content);
            bytes = content.Length;
        }

        draft.Note(new SentPiece(kind, (byte)Number, withOpen, piece.From, piece.From + bytes));
        return bytes;
    }

    // The next piece that was never sent, within the lane's credit: a range of data, or the whole of a skip. False if
    // there is none, or none that the credit allows.
    private bool TryNextPiece(out OffsetRange piece, out bool isSkip)
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

    // The piece, or its first part, was put into a packet.
    private void MarkSent(long to, bool isSkip)
    {
        Invariant.Require(to > _sent && to <= CreditLimit, "New content is sent in order and within the credit.");

        if (isSkip)
        {
            Volatile.Write(ref _oldestSkip, _oldestSkip + 1);
        }

        Volatile.Write(ref _sent, to);
    }

    // Copies a part of the stream that is not settled yet.
    private void Read(long offset, Span<byte> destination)
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
}
