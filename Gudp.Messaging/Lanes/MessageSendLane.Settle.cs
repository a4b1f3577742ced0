using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <content>The leader's side: what became of what went out.</content>
internal sealed partial class MessageSendLane
{
    internal override bool Settle(in SentPiece piece)
    {
        lock (_gate)
        {
            IsOpenAtPeer |= piece.WithOpen;

            switch (piece.Kind)
            {
                case PieceKind.Skip:
                    SettleSkip(piece.From, piece.To);
                    return true;
                case PieceKind.Message or PieceKind.MessageRepeat:
                    return SettlePart(piece.Part);
                default:
                    return false;
            }
        }
    }

    internal override bool OfferAgain(in SentPiece piece, bool isLost, ReliableOutbox<SentPiece> outbox)
    {
        lock (_gate)
        {
            switch (piece.Kind)
            {
                case PieceKind.Skip when TryFirstOwed(piece.From, piece.To, out _):
                    outbox.Offer(piece with { WithOpen = false });
                    return false;
                case PieceKind.Message or PieceKind.MessageRepeat:
                    return OfferPart(piece, isLost, outbox);
                case PieceKind.Settled when isLost && piece.From == _announced:
                    // Told again with the next frames.
                    _announced = -1;
                    _isSettledOwed = true;
                    MarkTimed();
                    return false;
                default:
                    return false;
            }
        }
    }

    internal override bool TryWriteAgain(ref PacketDraft draft, ref SentPiece offer, out bool isDone)
    {
        lock (_gate)
        {
            if (offer.Kind != PieceKind.Skip)
            {
                return TryWritePartAgain(ref draft, ref offer, out isDone);
            }

            isDone = !TryFirstOwed(offer.From, offer.To, out OffsetRange owed);

            if (isDone)
            {
                return true;
            }

            if (!TryWriteSkip(ref draft, owed, At(owed.From).IsBegun ? At(owed.From).Payload.Length : 0))
            {
                return false;
            }

            draft.Retransmits++;
            offer = offer with { From = owed.To };
            isDone = offer.From >= offer.To;
            return true;
        }
    }

    internal override void RaiseCredit(long limit)
    {
        Volatile.Write(ref _creditLimit, Math.Max(_creditLimit, limit));
        ForgetRead();
        MarkReady();
    }

    internal override bool Matters(in SentPiece piece)
    {
        lock (_gate)
        {
            long id = piece.Part.Id;

            if (id < _oldest || !IsOpen(At(id).Transfer))
            {
                return false;
            }

            ref Record record = ref At(id);

            if (!IsOutdated(id, record))
            {
                return true;
            }

            // D-8.6: repeats that will not go are waited for no longer; the last copy may be lost already.
            record.RepeatsLeft = 0;
            _ = GiveUpIfOutdated(piece.Part);
            return false;
        }
    }

    // D-11.3
    internal override bool TryRepeat(ref PacketDraft draft, in SentPiece piece, out bool isDone)
    {
        lock (_gate)
        {
            MessagePart part = piece.Part;
            isDone = !Matters(piece);

            if (isDone)
            {
                draft.HasProgressed = true;
                return false;
            }

            ref Record record = ref At(part.Id);
            int bytes = LaneFrameWriter.MessageOverhead(Number, part.Id, draft.NeedsOpen(this)) + part.Length;

            if (bytes > draft.Size)
            {
                // The path became narrower: it will never fit one packet again.
                draft.HasProgressed |= ForgoRepeats(ref record, part);
                isDone = true;
                return false;
            }

            if (!draft.CanNote || bytes > draft.Writer.Free)
            {
                return false;
            }

            bool withOpen = draft.Open(this);
            WriteFrame(ref draft, part.Id, record, 0, part.Length);
            draft.Note(SentPiece.OfPart(PieceKind.MessageRepeat, (byte)Number, withOpen, part));
            record.InFlight++;
            record.RepeatsLeft -= (byte)(record.RepeatsLeft > 0 ? 1 : 0);
            return true;
        }
    }

    internal override bool DropRepeat(in SentPiece piece)
    {
        lock (_gate)
        {
            if (!Matters(piece))
            {
                return true;
            }

            ref Record record = ref At(piece.Part.Id);
            record.RepeatsLeft -= (byte)(record.RepeatsLeft > 0 ? 1 : 0);

            return record.RepeatsLeft == 0 && ForgoRepeats(ref record, piece.Part);
        }
    }

    private bool SettlePart(in MessagePart part)
    {
        if (part.Id < _oldest)
        {
            return false;
        }

        ref Record record = ref At(part.Id);
        record.InFlight--;

        if (!IsOpen(record.Transfer))
        {
            return false;
        }

        if (record.Parts is { } parts)
        {
            bool added = parts.TryAdd(part.Offset, part.Offset + part.Length);
            Invariant.Require(added, "A set of parts has no limit but the parts in flight.");

            if (parts.Prefix < record.Payload.Length)
            {
                return false;
            }
        }

        EndTransfer(ref record, part.Id, TransferState.Received);
        LetGo();
        return true;
    }

    // If all that went is lost already, nothing more goes that could tell.
    private bool ForgoRepeats(ref Record record, in MessagePart part)
    {
        record.RepeatsLeft = 0;
        bool wasLastAttempt = !_isReliable || record.IsLastLost
            || (record.MostAttempts > 0 && part.Attempt >= record.MostAttempts);
        return record.Parts is null && record.InFlight == 0 && wasLastAttempt && Expire(ref record, part.Id);
    }

    // Records in the range that were told of by this skip; others of it may have been settled by another.
    private void SettleSkip(long from, long to)
    {
        for (long id = Math.Max(from, _oldest); id < Math.Min(to, _next); id++)
        {
            At(id).IsSkipOwed = false;
        }

        LetGo();
    }

    // The first ids of the range whose skip is still owed: one that was begun, or several that were not.
    private bool TryFirstOwed(long from, long to, out OffsetRange owed)
    {
        from = Math.Max(from, _oldest);

        while (from < to && !At(from).IsSkipOwed)
        {
            from++;
        }

        long end = from;

        while (end < to && At(end).IsSkipOwed && (end == from || !At(end).IsBegun) && !(end > from && At(from).IsBegun))
        {
            end++;
        }

        owed = new OffsetRange(from, end);
        return end > from;
    }

    private bool OfferPart(in SentPiece piece, bool isLost, ReliableOutbox<SentPiece> outbox)
    {
        MessagePart part = piece.Part;

        if (part.Id < _oldest)
        {
            return false;
        }

        ref Record record = ref At(part.Id);
        record.InFlight -= isLost ? 1 : 0;

        if (!IsOpen(record.Transfer) || !IsMissing(record, part))
        {
            return false;
        }

        if (!_isReliable || IsOutdated(part.Id, record))
        {
            // D-8.5: with the last transmission whose fate was open the message is lost.
            return isLost && IsOver(record) && Expire(ref record, part.Id);
        }

        bool hasLimit = record.MostAttempts > 0;

        if (isLost && hasLimit && (record.IsLastLost || part.Attempt >= record.MostAttempts))
        {
            // A repeat of an earlier attempt may come to its end after the last one.
            record.IsLastLost = true;
            return IsOver(record) && Expire(ref record, part.Id);
        }

        // A lost repeat asks for nothing (D-11.3), and with a limit of attempts only what is lost counts as one.
        if (isLost ? piece.Kind == PieceKind.Message : !hasLimit)
        {
            MessagePart next = part with { Attempt = (byte)Math.Min(part.Attempt + 1, byte.MaxValue) };
            outbox.Offer(SentPiece.OfPart(PieceKind.Message, piece.Lane, withOpen: false, next));
        }

        return false;
    }

    private bool TryWritePartAgain(ref PacketDraft draft, ref SentPiece offer, out bool isDone)
    {
        MessagePart part = offer.Part;
        isDone = part.Id < _oldest || !IsOpen(At(part.Id).Transfer) || !IsMissing(At(part.Id), part)
            || IsOutdated(part.Id, At(part.Id));

        if (isDone)
        {
            draft.HasProgressed |= GiveUpIfOutdated(part);
            return true;
        }

        ref Record record = ref At(part.Id);
        int bytes = PartThatFitsAgain(draft, record, part);

        if (bytes < 0)
        {
            return false;
        }

        bool withOpen = draft.Open(this);
        WriteFrame(ref draft, part.Id, record, part.Offset, bytes);
        MessagePart written = part with { Length = bytes };
        draft.Note(SentPiece.OfPart(PieceKind.Message, (byte)Number, withOpen, written));
        draft.Retransmits++;
        record.InFlight++;

        if (bytes < part.Length)
        {
            // The path became narrower: from now on it goes in parts.
            record.Parts ??= TakeSet();
            offer = SentPiece.OfPart(
                offer.Kind, offer.Lane, withOpen: false,
                part with { Offset = part.Offset + bytes, Length = part.Length - bytes });
            return true;
        }

        isDone = true;
        return true;
    }

    private int PartThatFitsAgain(in PacketDraft draft, in Record record, in MessagePart part)
    {
        int length = record.Payload.Length;
        bool needsOpen = draft.NeedsOpen(this);

        if (part.Length == length)
        {
            if (LaneFrameWriter.MessageOverhead(Number, part.Id, needsOpen) + length <= draft.Writer.Free)
            {
                return length;
            }

            if (draft.Writer.Used > 0)
            {
                return -1;
            }
        }

        int room = draft.Writer.Free
            - LaneFrameWriter.FragmentOverhead(Number, part.Id, length, part.Offset, needsOpen);
        return part.Length > 0 && room >= Math.Min(part.Length, LeastUsefulContent)
            ? Math.Min(part.Length, Math.Min(room, LaneFrameWriter.LongestContent))
            : -1;
    }

    // Nothing of what was lost is still under way or about to go.
    private static bool IsOver(in Record record)
        => record.Parts is not null || (record.InFlight == 0 && record.RepeatsLeft == 0);

    private static bool IsMissing(in Record record, in MessagePart part)
        => record.Parts is not { } parts || parts.TryFirstMissing(part.Offset, part.Offset + part.Length, out _);

    // D-8.6: a newer message of the sequenced lane is on its way or waits.
    private bool IsOutdated(long id, in Record record)
        => _isSequenced && id < _next - 1 && record.Transfer == TransferState.Sent;

    // Waits only for a copy that is still in flight.
    private bool GiveUpIfOutdated(in MessagePart part)
    {
        if (part.Id < _oldest || !IsOpen(At(part.Id).Transfer) || !IsOutdated(part.Id, At(part.Id)))
        {
            return false;
        }

        ref Record record = ref At(part.Id);
        bool isOver = record.Parts is null ? record.InFlight == 0 : IsMissing(record, part);
        return isOver && Expire(ref record, part.Id);
    }

    private bool Expire(ref Record record, long id)
    {
        GiveUp(ref record, id, TransferState.Expired);
        LetGo();
        return true;
    }
}
