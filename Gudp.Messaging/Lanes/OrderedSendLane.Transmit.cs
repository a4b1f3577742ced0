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
    private long _first;
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

    /// <summary>How far the peer lets the lane go, a stream offset (D-3.1).</summary>
    internal long CreditLimit
        => Math.Max(_creditLimit, Math.Min(Peer.LaneCreditBytes, LaneRing.FirstBytes));

    /// <inheritdoc/>
    internal override long CreditedBytes => IsCredited ? _sent - _first : 0;

    /// <inheritdoc/>
    internal override void BeginAt(in FirstPlaces first)
    {
        _first = first.Offset;
        _reserved = _first;
        _published = _first;
        _sent = _first;
        _tail = _first;
        _ringTail = _first;
        _counted = _first;
        _countedEnd = _first;
        _creditLimit = _first + LaneRing.FirstBytes;
        _ = _settled.TryAdd(0, _first);
        Receipts.BeginAt(_first);
    }

    /// <summary>Whether messages wait behind the peer's credit: its application does not read. Any thread.</summary>
    internal override bool IsHeldByPeer => Volatile.Read(ref _isHeldByPeer);

    /// <inheritdoc/>
    internal override long Progress => _sent;

    /// <inheritdoc/>
    internal override bool IsRoomWanted => Volatile.Read(ref _wantedBytes) != 0 || Receipts.IsRoomWanted;

    private bool MustSayBlocked => _isHeldByPeer && _blockedAt != CreditLimit;

    /// <inheritdoc/>
    internal override LaneTurn Probe(long connectionRoom)
    {
        if (TryNextPiece(out OffsetRange piece, out _))
        {
            return IsAllowed(piece, connectionRoom) ? LaneTurn.HasMore : LaneTurn.HeldByConnection;
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

            if (!IsAllowed(piece, draft.ConnectionRoom))
            {
                return LaneTurn.HeldByConnection;
            }

            if (draft.Writer.Used >= end)
            {
                return LaneTurn.HasMore;
            }

            long most = IsCredited ? Math.Min(piece.To, _sent + draft.ConnectionRoom) : piece.To;
            PieceKind kind = isSkip ? PieceKind.Skip : PieceKind.Data;
            int bytes = WritePiece(ref draft, piece with { To = most }, kind, earlierAttempts: 0);

            if (bytes == 0)
            {
                return LaneTurn.NoFit;
            }

            long charge = MarkSent(piece with { To = piece.From + bytes }, isSkip);
            draft.Charge(IsCredited ? charge : 0);

            if (draft.Writer.Free < SendSchedule.LeastRoom)
            {
                // What a full packet ends with is the rule for a stream: nobody need be asked again.
                return LaneTurn.HasMore;
            }
        }

        return LaneTurn.NoFit;
    }

    // What was transmitted before is paid for.
    private bool IsAllowed(OffsetRange piece, long connectionRoom)
        => !IsCredited || connectionRoom > 0 || piece.To <= _sent;

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
    private int WritePiece(ref PacketDraft draft, OffsetRange piece, PieceKind kind, byte earlierAttempts)
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

        SentPiece sent = new(kind, (byte)Number, withOpen, piece.From, piece.From + bytes)
        {
            EarlierAttempts = earlierAttempts,
        };

        // All that waited: a small message, or several.
        bool isWholeAndNew = kind == PieceKind.Data && earlierAttempts == 0 && bytes == piece.Length;
        draft.Note(sent with { IsRepeated = isWholeAndNew && draft.TryPlanRepeats(this, sent, bytes) });
        return bytes;
    }

    // The next piece within the lane's credit: a range that was given up, or its first part, else data that was never
    // sent. False if there is none, or none that the credit allows.
    private bool TryNextPiece(out OffsetRange piece, out bool isSkip)
    {
        TakeGivenUp();
        long published = Volatile.Read(ref _published);
        isSkip = _given.TryNextSkip(_sent, Math.Max(_sent, CreditLimit), _settled, out piece);
        bool found = isSkip || TryNextData(published, out piece);
        bool isHeld = !found && _sent < published && CreditLimit <= _sent;

        if (isHeld != _isHeldByPeer)
        {
            Volatile.Write(ref _isHeldByPeer, isHeld);
        }

        return found;
    }

    private bool TryNextData(long published, out OffsetRange piece)
    {
        long end = Math.Min(published, CreditLimit);

        if (_oldestSkip < Volatile.Read(ref _nextSkip))
        {
            // It waits for a place among the skips.
            end = Math.Min(end, _skips[_oldestSkip & (MostClaims - 1)].From);
        }

        // Nothing goes out behind a range that was given up until all of that was said.
        piece = new OffsetRange(_sent, end);
        return end > _sent && _given.TryFirstKept(ref piece) && piece.From == _sent;
    }

    // The piece was put into a packet. Returns what of it counts for the first time.
    private long MarkSent(OffsetRange piece, bool isSkip)
    {
        if (isSkip)
        {
            _given.MarkSkipped(piece);
        }

        long charge = Math.Max(0, piece.To - _sent);
        Invariant.Require(
            piece.From <= _sent && (charge == 0 || piece.To <= CreditLimit),
            "New content is sent in order and within the credit.");
        Volatile.Write(ref _sent, _sent + charge);
        return charge;
    }

    // Copies a part of the stream that is neither settled nor given up.
    private void Read(long offset, Span<byte> destination)
    {
        long nextLarge = Volatile.Read(ref _nextLarge);

        for (long index = FirstLargeAfter(offset, nextLarge); !destination.IsEmpty; index++)
        {
            long ringEnd = index < nextLarge ? LargeAt(index).BodyStart : long.MaxValue;

            if (offset < ringEnd)
            {
                int inRing = (int)Math.Min(destination.Length, ringEnd - offset);
                ReadRing(offset - LargeBytesBefore(index), destination[..inRing]);
                offset += inRing;
                destination = destination[inRing..];
            }

            if (!destination.IsEmpty)
            {
                ref LargeMessage large = ref LargeAt(index);
                int inBlock = (int)Math.Min(destination.Length, large.BodyEnd - offset);
                large.Bytes.Slice((int)(offset - large.BodyStart), inBlock).CopyTo(destination);
                offset += inBlock;
                destination = destination[inBlock..];
            }
        }
    }
}
