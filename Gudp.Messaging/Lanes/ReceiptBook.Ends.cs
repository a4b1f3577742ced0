using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <content>Messages that are given up, takes that are not waited for any longer, and what is known of all.</content>
internal sealed partial class ReceiptBook
{
    // D-10.6. Neighbours are one range; of messages before the oldest one forgotten "unknown" is said.
    private const int MostEndedRanges = 4096;

    // The receiver may be full of skips; soon it has told that it is not.
    private static readonly TimeSpan GiveUpAgain = TimeSpan.FromMilliseconds(10);

    private readonly EndedRanges<TransferState> _givenUp = new(MostEndedRanges);
    private readonly EndedRanges<TakeState> _notTaken = new(MostEndedRanges);
    private readonly DeadlineHeap _deadlines = new();
    private readonly Func<DeadlineHeap.Entry, bool> _stillMatters;

    // Messages that end there or before are counted as received, unless they were given up: nobody gives them up now.
    private long _settled;
    private long _dated;
    private bool _limitsAttempts;
    private bool _hasSilentNotes;
    private bool _isOver;
    private long _takeCounted;

    /// <summary>Leader. When <see cref="Expire"/> wants to be called.</summary>
    internal Instant NextDeadline => _deadlines.Next;

    /// <summary>Before anything is sent: where the lane's offsets begin.</summary>
    internal void BeginAt(long first)
    {
        _settled = first;
        Taken = first;
    }

    /// <summary>Leader. Messages that were sent since the last call begin to wait.</summary>
    internal void StampDeadlines(Instant now)
    {
        lock (_gate)
        {
            // A claim that is still open holds this up; the later ones are looked at again until it is over.
            bool inOrder = true;

            for (long index = Math.Max(_dated, _takeCursor); index < _nextNote; index++)
            {
                ref Entry note = ref At(index);
                inOrder &= !note.IsClaim;

                if (!note.IsClaim && !note.IsDated)
                {
                    Stamp(ref note, now);
                }

                _dated = inOrder ? index + 1 : _dated;
            }

            // Deadlines of messages that ended wait for their time; many of them are swept out.
            if (_deadlines.Count > 4 * (FirstNotes + (_nextNote - _takeCursor)))
            {
                _deadlines.Keep(_stillMatters);
            }
        }
    }

    /// <summary>Leader. Gives up what has waited too long.</summary>
    /// <returns>True if a state changed.</returns>
    internal bool Expire(OrderedSendLane lane, Instant now)
    {
        lock (_gate)
        {
            bool changed = false;

            while (_deadlines.Next <= now)
            {
                DeadlineHeap.Entry due = _deadlines.Take();

                if (!_isOver && TryFindNote(due.Id, out long index))
                {
                    changed |= due.OfTake
                        ? ExpireTake(ref At(index), lane)
                        : ExpireReceive(ref At(index), lane, now);
                }
            }

            return changed;
        }
    }

    /// <summary>Leader. A transmission of a range was lost: what may not be sent once more is given up.</summary>
    /// <param name="lost">What was in the packet.</param>
    /// <param name="attempt">Which transmission of it that was, from 1.</param>
    /// <param name="lane">The lane.</param>
    /// <returns>True if a state changed.</returns>
    internal bool HandleLost(OffsetRange lost, int attempt, OrderedSendLane lane)
    {
        if (!Volatile.Read(ref _limitsAttempts))
        {
            return false;
        }

        lock (_gate)
        {
            bool changed = false;

            for (long index = FirstEndingAfter(lost.From); index < _nextNote; index++)
            {
                ref Entry note = ref At(index);
                OffsetRange part = new(Math.Max(lost.From, note.Place.From), Math.Min(lost.To, note.End));

                if (part.Length <= 0)
                {
                    break;
                }

                if (note.MostAttempts != 0 && attempt >= note.MostAttempts && IsOpen(note)
                    && lane.IsMissing(part))
                {
                    changed |= TryGiveUp(ref note, TransferState.Expired, lane);
                }
            }

            return changed;
        }
    }

    /// <summary>Leader. Whether part of the range may go out a limited number of times only.</summary>
    internal bool LimitsAttempts(OffsetRange range)
    {
        if (!Volatile.Read(ref _limitsAttempts))
        {
            return false;
        }

        lock (_gate)
        {
            for (long index = FirstEndingAfter(range.From); index < _nextNote; index++)
            {
                if (At(index).Place.From >= range.To)
                {
                    break;
                }

                if (At(index).MostAttempts != 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Any thread, under the lane's lock. What has no end yet, or was asked and is not known to be taken.</summary>
    internal void AddOpenTo(ref OpenTraffic sum, OrderedSendLane lane)
    {
        lock (_gate)
        {
            lane.AddStreamTo(ref sum, _givenUp);

            for (long index = _takeCursor; index < _nextNote; index++)
            {
                ref Entry note = ref At(index);
                bool isOpen = note.AsksTaken && !note.IsClaim && !note.IsGivenUp && note.End <= _settled;
                sum.UntakenMessages += isOpen && KnownTakeOf(note.End) == TakeState.Pending ? 1 : 0;
            }
        }
    }

    /// <summary>Any thread. The sender does not want the message to go any more.</summary>
    /// <returns>True: it is cancelled. False: it has its end already, or the peer may be full of skips.</returns>
    internal bool TryCancel(MessageId id, OrderedSendLane lane)
    {
        lock (_gate)
        {
            if (_isOver || id.Value <= _settled || !lane.TryFindPlace(id, out OffsetRange place)
                || _givenUp.TryFind(id.Value, out _))
            {
                return false;
            }

            return TryFindNote(id.Value, out long index)
                ? TryGiveUp(ref At(index), TransferState.Cancelled, lane)
                : TryGiveUp(place, TransferState.Cancelled, lane);
        }
    }

    /// <summary>Any thread. What is known of a message.</summary>
    internal SendReceipt StateOf(MessageId id, OrderedSendLane lane, bool ended)
    {
        lock (_gate)
        {
            // Under the lock, so that nobody gives it up after this was seen.
            _isOver |= ended;
            TakeState take = id.AsksTaken ? TakeOf(id.Value) : TakeState.NotAsked;
            return new SendReceipt(id, TransferOf(id.Value, lane), take);
        }
    }

    /// <summary>Any thread. The messages with a record of which something is not decided, oldest first.</summary>
    /// <param name="receipts">Filled from its start.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="ended">The connection is over.</param>
    /// <returns>How many; more may be open if the span was filled.</returns>
    internal int CopyOpen(Span<SendReceipt> receipts, OrderedSendLane lane, bool ended)
    {
        lock (_gate)
        {
            _isOver |= ended;
            int count = 0;

            for (long index = _takeCursor; index < _nextNote && count < receipts.Length && !_isOver; index++)
            {
                SendReceipt receipt = ReceiptOf(At(index), lane);

                if (!At(index).IsClaim
                    && (receipt.Transfer is TransferState.Queued or TransferState.Sent
                        || receipt.Take == TakeState.Pending))
                {
                    receipts[count++] = receipt;
                }
            }

            return count;
        }
    }

    /// <summary>Leader. The peer has everything before: what was not given up is received from now on.</summary>
    internal void Settle(long tail, OrderedSendLane lane)
    {
        // Under the lock, so that nobody gives up what is just counted.
        lock (_gate)
        {
            lane.FreeUpTo(tail, _givenUp);
            _settled = tail;
        }
    }

    /// <summary>Leader. The place of a claim that was abandoned: no message.</summary>
    /// <returns>False: it cannot be given up yet.</returns>
    internal bool TryGiveUpClaim(OffsetRange place, OrderedSendLane lane)
    {
        lock (_gate)
        {
            return TryAddGivenUp(place, default, lane);
        }
    }

    /// <summary>Leader. The peer's application has taken more: counts what is decided by that.</summary>
    internal void CountTakes(OrderedSendLane lane)
    {
        lock (_gate)
        {
            for (_takeCounted = Math.Max(_takeCounted, _takeCursor);
                _takeCounted < _nextNote && At(_takeCounted).End <= Taken;
                _takeCounted++)
            {
                CountTake(ref At(_takeCounted), lane);
            }
        }
    }

    /// <summary>The connection is over: from now on no message has another end than by where it stands.</summary>
    /// <returns>How many messages were sent of which nothing is known.</returns>
    internal long End(long sent, OrderedSendLane lane)
    {
        lock (_gate)
        {
            _isOver = true;

            for (long index = _takeCursor; index < _nextNote; index++)
            {
                CountTake(ref At(index), lane);
            }

            return lane.CountMessages(sent, _givenUp);
        }
    }

    /// <summary>Leader. Forgets records of which nobody is told.</summary>
    /// <returns>True if a sender that was refused may ask again.</returns>
    internal bool Trim(OrderedSendLane lane)
    {
        if (!Volatile.Read(ref _hasSilentNotes))
        {
            return false;
        }

        lock (_gate)
        {
            _ = TakeTransfers(default, lane);
            _ = TakeTakes(default, lane);
            return TellRoom();
        }
    }

    private void Stamp(ref Entry note, Instant now)
    {
        note.IsDated = true;
        Await(note.End, note.ReceiveTicks, now, ofTake: false);
        Await(note.End, note.TakeTicks, now, ofTake: true);
    }

    private void Await(long id, long span, Instant now, bool ofTake)
    {
        if (span != 0 && span <= long.MaxValue - now.Ticks)
        {
            _deadlines.Add(new DeadlineHeap.Entry(new Instant(now.Ticks + span), id, ofTake));
        }
    }

    private bool StillMatters(DeadlineHeap.Entry entry) => TryFindNote(entry.Id, out long index)
        && (entry.OfTake ? !At(index).IsTakeCounted : !At(index).IsGivenUp && entry.Id > _settled);

    private bool ExpireReceive(ref Entry note, OrderedSendLane lane, Instant now)
    {
        // D-10.2: what the peer has all of is received as soon as those before it are.
        if (!IsOpen(note) || !lane.IsMissing(note.Place))
        {
            return false;
        }

        bool givenUp = TryGiveUp(ref note, TransferState.Expired, lane);

        if (!givenUp)
        {
            Await(note.End, GiveUpAgain.Ticks, now, ofTake: false);
        }

        return givenUp;
    }

    private bool ExpireTake(ref Entry note, OrderedSendLane lane)
    {
        if (TakeOf(note.End) != TakeState.Pending)
        {
            return false;
        }

        _notTaken.Add(note.Place.From, note.End, TakeState.Expired);
        CountTake(ref note, lane);
        TellEarly(ref note, lane);
        return true;
    }

    private bool TryGiveUp(ref Entry note, TransferState end, OrderedSendLane lane)
    {
        if (!TryGiveUp(note.Place, end, lane))
        {
            return false;
        }

        Invariant.Require(!note.IsGivenUp, "A message has one end.");
        note.IsGivenUp = true;
        CountTake(ref note, lane);
        TellEarly(ref note, lane);
        return true;
    }

    // Once for each asked message, as soon as it is decided.
    private void CountTake(ref Entry note, OrderedSendLane lane)
    {
        TakeState take = note.AsksTaken && !note.IsTakeCounted && !note.IsClaim ? TakeOf(note.End) : TakeState.Pending;

        if (take != TakeState.Pending)
        {
            note.IsTakeCounted = true;
            lane.CountTake(take);
        }
    }

    private bool TryGiveUp(OffsetRange place, TransferState end, OrderedSendLane lane)
    {
        bool added = TryAddGivenUp(place, end, lane);

        if (added)
        {
            lane.CountGivenUp(end);
        }

        return added;
    }

    // D-10.6: what is not settled must not be forgotten. Half of the places are for what closes the first gap, as the
    // peer's are: an abandoned claim that waited for one would hold the lane up.
    private bool TryAddGivenUp(OffsetRange place, TransferState end, OrderedSendLane lane)
    {
        int most = place.From <= _settled ? MostEndedRanges : MostEndedRanges / 2;
        bool added = _givenUp.CountAfter(_settled) < most && lane.TryGiveUp(place);

        if (added)
        {
            _givenUp.Add(place.From, place.To, end);
        }

        return added;
    }

    // The ends of those before it may be far away.
    private void TellEarly(ref Entry note, OrderedSendLane lane)
    {
        if (note.Open != ReceiptWish.None)
        {
            ReceiptUpdate update = UpdateOf(ref note, lane);
            _early.Enqueue(update);
            Volatile.Write(ref _mostNotes, Math.Max(_mostNotes, CountNotes()));
        }
    }

    private bool IsOpen(in Entry note) => !note.IsGivenUp && !note.IsClaim && note.End > _settled;

    private TransferState TransferOf(long id, OrderedSendLane lane)
    {
        if (_givenUp.TryFind(id, out TransferState end))
        {
            return end;
        }

        if (id <= lane.Received)
        {
            return id <= _givenUp.Forgotten ? TransferState.Unknown : TransferState.Received;
        }

        // A message of which a part was never transmitted cannot be at the peer.
        bool isSent = id <= lane.Sent;
        return _isOver
            ? isSent ? TransferState.Unknown : TransferState.Cancelled
            : isSent ? TransferState.Sent : TransferState.Queued;
    }

    private TakeState TakeOf(long id)
    {
        TakeState known = KnownTakeOf(id);
        return known == TakeState.Pending && _isOver ? TakeState.Unknown : known;
    }

    // A user may have seen the end before the lane has: what was open then is still told apart.
    private TakeState KnownTakeOf(long id)
    {
        // First, and whether it was decided or not: what reads unknown once stays so.
        if (id <= Math.Max(_refusedForgotten, Math.Max(_notTaken.Forgotten, _givenUp.Forgotten)))
        {
            return TakeState.Unknown;
        }

        if (_notTaken.TryFind(id, out _) || _givenUp.TryFind(id, out _))
        {
            return TakeState.Expired;
        }

        for (int i = 0; i < _refusedCount; i++)
        {
            if (_refused[i].From <= id && id < _refused[i].To)
            {
                return TakeState.Refused;
            }
        }

        return id <= Taken ? TakeState.Taken : TakeState.Pending;
    }

    private long FirstEndingAfter(long offset)
    {
        long low = _takeCursor;
        long high = _nextNote;

        while (low < high)
        {
            long middle = low + ((high - low) / 2);

            if (At(middle).End <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
