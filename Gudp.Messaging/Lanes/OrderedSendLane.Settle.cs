using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <content>The leader's side: what became of what went out, and what the peer says.</content>
internal sealed partial class OrderedSendLane
{
    /// <inheritdoc/>
    internal override bool Settle(in SentPiece piece)
    {
        IsOpenAtPeer |= piece.WithOpen;
        return SettleRange(piece.From, piece.To);
    }

    /// <inheritdoc/>
    internal override bool OfferAgain(in SentPiece piece, bool isLost, ReliableOutbox<SentPiece> outbox)
    {
        if (piece.Kind == PieceKind.DataRepeat)
        {
            return false;
        }

        if (piece.Kind == PieceKind.Skip)
        {
            if (_settled.TryFirstMissing(piece.From, piece.To, out _))
            {
                outbox.Offer(piece with { WithOpen = false });
            }

            return false;
        }

        for (long from = piece.From; _settled.TryFirstMissing(from, piece.To, out OffsetRange missing);)
        {
            outbox.Offer(new SentPiece(PieceKind.Data, piece.Lane, WithOpen: false, missing.From, missing.To));
            from = missing.To;
        }

        return false;
    }

    /// <inheritdoc/>
    internal override bool TryWriteAgain(ref PacketDraft draft, ref SentPiece offer, out bool isDone)
    {
        isDone = !_settled.TryFirstMissing(offer.From, offer.To, out OffsetRange missing);

        if (isDone)
        {
            return true;
        }

        bool isSkip = offer.Kind == PieceKind.Skip;
        missing = isSkip ? new OffsetRange(offer.From, offer.To) : missing;
        int bytes = WritePiece(ref draft, missing, isSkip ? PieceKind.Skip : PieceKind.Data);

        if (bytes == 0)
        {
            return false;
        }

        draft.Retransmits++;
        offer = offer with { From = missing.From + bytes };
        isDone = offer.From >= offer.To;
        return true;
    }

    /// <inheritdoc/>
    internal override bool Matters(in SentPiece piece) => _settled.TryFirstMissing(piece.From, piece.To, out _);

    /// <inheritdoc/>
    internal override bool TryRepeat(ref PacketDraft draft, in SentPiece piece, out bool isDone)
    {
        isDone = !_settled.TryFirstMissing(piece.From, piece.To, out OffsetRange missing);

        return !isDone && draft.CanNote
            && draft.Writer.Free - LaneFrameWriter.DataOverhead(Number, missing.From, draft.NeedsOpen(this))
                >= missing.Length
            && WritePiece(ref draft, missing, PieceKind.DataRepeat) > 0;
    }

    // The peer has this range. True if room became free.
    private bool SettleRange(long from, long to)
    {
        bool added = _settled.TryAdd(from, to);
        Invariant.Require(added && _settled.Prefix <= _sent, "Only what was sent is settled.");

        if (_settled.Prefix == _tail)
        {
            return false;
        }

        FreeUpTo(_settled.Prefix);
        return true;
    }

    /// <inheritdoc/>
    internal override void RaiseCredit(long limit)
    {
        _creditLimit = Math.Max(_creditLimit, limit);
        MarkReady();
    }

    /// <inheritdoc/>
    internal override bool Admits(FrameType type, long value) => type != FrameType.MessagesTaken && value <= _sent;

    /// <inheritdoc/>
    internal override bool HandleTaken(long offset)
    {
        if (offset <= Receipts.Taken)
        {
            return false;
        }

        // Taken implies received, whatever became of the acknowledgements.
        SettleRange(0, offset);
        Receipts.Taken = offset;
        return true;
    }

    /// <inheritdoc/>
    internal override void HandleTaken(IdRangeReader ids)
        => Invariant.Require(false, "An ordered lane hears of what is taken by offset.");

    /// <inheritdoc/>
    internal override void HandleRefused(IdRangeReader ids)
    {
        while (ids.TryNext(out OffsetRange refused))
        {
            // Refused implies received, as taken does: the application was given all up to the last of them.
            SettleRange(0, refused.To - 1);
            Receipts.Refuse(refused);
        }
    }

    /// <inheritdoc/>
    internal override SendReceipt StateOf(MessageId id, bool ended)
    {
        // In this order: whoever reads that it was taken then also reads that it was received.
        TakeState take = Receipts.TakeOf(id, ended);
        return new SendReceipt(id, TransferOf(id.Value, ended), take);
    }

    /// <inheritdoc/>
    internal override bool HasUpdates => Receipts.HasUpdates;

    /// <inheritdoc/>
    internal override int TakeUpdates(Span<ReceiptUpdate> updates, bool ended, ref bool roomCameFree)
        => Receipts.Take(updates, this, ended, ref roomCameFree);

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

    /// <inheritdoc/>
    internal override bool TakeWritable()
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
