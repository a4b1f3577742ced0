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

        if (piece.Kind == PieceKind.Skip)
        {
            _given.MarkAcked(piece.Range);
        }

        bool freed = AddSettled(piece.From, piece.To);
        MarkPruneDue();
        return freed;
    }

    /// <inheritdoc/>
    internal override void FinishSettling()
    {
        if (_settled.Prefix != _tail)
        {
            Receipts.Settle(_settled.Prefix, this);
        }
    }

    /// <inheritdoc/>
    internal override bool OfferAgain(in SentPiece piece, bool isLost, ReliableOutbox<SentPiece> outbox)
    {
        // D-11.3
        if (isLost && piece.Kind == PieceKind.DataRepeat)
        {
            return false;
        }

        if (piece.Kind == PieceKind.Skip)
        {
            if (_given.IsNeeded(piece.Range, _settled))
            {
                outbox.Offer(piece with { WithOpen = false });
            }

            return false;
        }

        byte attempts = (byte)Math.Min(byte.MaxValue, piece.EarlierAttempts + 1);

        // D-10.3: what may go out a few times only is not sent again on suspicion.
        if (!isLost && Receipts.LimitsAttempts(piece.Range))
        {
            return false;
        }

        bool changed = isLost && Receipts.HandleLost(piece.Range, attempts, this);

        for (long from = piece.From; TryFirstToSend(from, piece.To, out OffsetRange missing); from = missing.To)
        {
            outbox.Offer(new SentPiece(PieceKind.Data, piece.Lane, WithOpen: false, missing.From, missing.To)
            {
                EarlierAttempts = attempts,
            });
        }

        return changed;
    }

    /// <inheritdoc/>
    internal override bool TryWriteAgain(ref PacketDraft draft, ref SentPiece offer, out bool isDone)
    {
        bool isSkip = offer.Kind == PieceKind.Skip;
        OffsetRange missing = offer.Range;
        isDone = isSkip ? !_given.IsNeeded(missing, _settled) : !TryFirstToSend(offer.From, offer.To, out missing);

        if (isDone)
        {
            return true;
        }

        int bytes = WritePiece(
            ref draft, missing, isSkip ? PieceKind.Skip : PieceKind.Data, offer.EarlierAttempts);

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
    internal override bool Matters(in SentPiece piece) => TryFirstToSend(piece.From, piece.To, out _);

    /// <inheritdoc/>
    internal override bool TryRepeat(ref PacketDraft draft, in SentPiece piece, out bool isDone)
    {
        isDone = !TryFirstToSend(piece.From, piece.To, out OffsetRange missing);
        long bytes = LaneFrameWriter.DataOverhead(Number, missing.From, draft.NeedsOpen(this)) + missing.Length;

        // What fits no packet since the path became narrower is repeated no more.
        isDone |= bytes > draft.Size;

        return !isDone && draft.CanNote
            && draft.Writer.Free >= bytes
            && WritePiece(ref draft, missing, PieceKind.DataRepeat, earlierAttempts: 0) > 0;
    }

    // The peer has this range. True if room will become free.
    private bool AddSettled(long from, long to)
    {
        bool added = _settled.TryAdd(from, to);
        Invariant.Require(added && _settled.Prefix <= _sent, "Only what was sent is settled.");
        return _settled.Prefix != _tail;
    }

    private void SettleRange(long from, long to)
    {
        _ = AddSettled(from, to);
        FinishSettling();
    }

    /// <inheritdoc/>
    internal override void RaiseCredit(long limit)
    {
        _creditLimit = Math.Max(_creditLimit, limit);
        MarkReady();
        MarkPruneDue();
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
        Receipts.CountTakes(this);
        MarkPruneDue();
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

        MarkPruneDue();
    }

    /// <inheritdoc/>
    internal override SendReceipt StateOf(MessageId id, bool ended)
        => Receipts.StateOf(id, this, ended);

    /// <inheritdoc/>
    internal override bool HandTold(MessageId id, ReceiptWish told) => Receipts.HandTold(id, told, this);

    /// <inheritdoc/>
    internal override bool HasUpdates => Receipts.HasUpdates;

    /// <inheritdoc/>
    internal override int TakeUpdates(Span<ReceiptUpdate> updates, bool ended, ref bool roomCameFree)
        => Receipts.Take(updates, this, ended, ref roomCameFree);

    /// <inheritdoc/>
    internal override bool TakeWritable()
    {
        bool hasNotes = Receipts.Trim(this);
        int wanted = Volatile.Read(ref _wantedBytes);

        if (wanted == 0)
        {
            return hasNotes;
        }

        // Writers may add meanwhile, so this is a hint: a writer that is refused again asks again.
        int share = Volatile.Read(ref _wantedShare);

        if ((FreeBytes < wanted || RingFreeBytes < Math.Min(wanted, RingBytes)
                || (share > 0 && !IsWithinShare(share, toCome: share)))
            && !_ended)
        {
            return hasNotes;
        }

        Volatile.Write(ref _wantedBytes, 0);
        return true;
    }

    /// <summary>Leader, under the lock of the receipts. The peer has everything before; what was counted is freed.</summary>
    internal void FreeUpTo(long tail, EndedRanges<TransferState> givenUp)
    {
        long received = CountMessages(tail, givenUp);

        // Counting is an atomic step; a piece of a large message ends none.
        if (received > 0)
        {
            CountTransfers(TransferState.Received, received);
        }

        while (_oldestLarge < Volatile.Read(ref _nextLarge))
        {
            ref LargeMessage large = ref LargeAt(_oldestLarge);

            if (large.BodyEnd > tail)
            {
                break;
            }

            FreeLarge(ref large);
            _largeBytesBeforeTail += large.Length;
            Volatile.Write(ref _oldestLarge, _oldestLarge + 1);
        }

        // Within a large message's body the ring stands where the body starts.
        long inRing = tail;

        if (_oldestLarge < Volatile.Read(ref _nextLarge))
        {
            inRing = Math.Min(tail, LargeAt(_oldestLarge).BodyStart);
        }

        Volatile.Write(ref _ringTail, inRing - _largeBytesBeforeTail);
        Volatile.Write(ref _tail, tail);
    }
}
