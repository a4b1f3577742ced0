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
    private long _dated;
    private bool _limitsAttempts;
    private bool _hasSilentNotes;
    private bool _hasGivenUp;
    private bool _isOver;
    private long _takeCounted;

    /// <summary>Leader. When <see cref="Expire"/> wants to be called.</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

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
        }
    }

    /// <summary>Leader. Gives up what has waited too long.</summary>
    /// <returns>True if a state changed.</returns>
    internal bool Expire(OrderedSendLane lane, Instant now)
    {
        lock (_gate)
        {
            bool changed = false;
            NextDeadline = Instant.Never;

            for (long index = _takeCursor; index < _nextNote; index++)
            {
                ref Entry note = ref At(index);

                if (note.IsDated && !_isOver)
                {
                    changed |= ExpireReceive(ref note, lane, now);
                    changed |= ExpireTake(ref note, lane, now);
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

                if (note.MostAttempts != 0 && attempt >= note.MostAttempts && IsOpen(note, lane)
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

    /// <summary>Any thread. Asked messages that are received and not known to be taken or refused.</summary>
    internal long CountUntaken(OrderedSendLane lane)
    {
        lock (_gate)
        {
            long count = 0;

            for (long index = _takeCursor; index < _nextNote; index++)
            {
                ref Entry note = ref At(index);
                bool isOpen = note.AsksTaken && !note.IsClaim && !note.IsGivenUp && note.End <= lane.Received;
                count += isOpen && TakeOf(note.End) == TakeState.Pending ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>Any thread. The sender does not want the message to go any more.</summary>
    /// <returns>True: it is cancelled. False: it has its end already, or the peer may be full of skips.</returns>
    internal bool TryCancel(MessageId id, OrderedSendLane lane)
    {
        lock (_gate)
        {
            OffsetRange place = new(id.Value - id.StreamBytes, id.Value);

            if (_isOver || id.Value <= lane.Received || id.StreamBytes == 0 || _givenUp.TryFind(id.Value, out _))
            {
                return false;
            }

            long index = FirstEndingAfter(place.From);

            if (index < _nextNote && At(index).End == id.Value)
            {
                return TryGiveUp(ref At(index), TransferState.Cancelled, lane);
            }

            bool givenUp = lane.TryGiveUp(place, TransferState.Cancelled);

            if (givenUp)
            {
                AddGivenUp(place, TransferState.Cancelled);
            }

            return givenUp;
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

    /// <summary>Leader. Whether the message that ends here was given up, or never was one.</summary>
    internal bool IsGivenUp(long end)
    {
        if (!Volatile.Read(ref _hasGivenUp))
        {
            return false;
        }

        lock (_gate)
        {
            return _givenUp.TryFind(end, out _);
        }
    }

    /// <summary>Leader. The place of a claim that was abandoned: no message.</summary>
    internal void MarkAbandoned(OffsetRange place)
    {
        lock (_gate)
        {
            AddGivenUp(place, default);
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

    /// <summary>The connection is over.</summary>
    internal void CountEnds(OrderedSendLane lane)
    {
        lock (_gate)
        {
            _isOver = true;

            for (long index = _takeCursor; index < _nextNote; index++)
            {
                CountTake(ref At(index), lane);
            }
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
        note.ReceiveLimit = MomentOf(note.ReceiveLimit, now);
        note.TakeLimit = MomentOf(note.TakeLimit, now);
        Await(note.ReceiveLimit);
        Await(note.TakeLimit);
    }

    private static long MomentOf(long span, Instant now)
        => span == 0 || span > long.MaxValue - now.Ticks ? 0 : now.Ticks + span;

    private void Await(long limit)
    {
        if (limit != 0)
        {
            NextDeadline = Instant.Earlier(NextDeadline, new Instant(limit));
        }
    }

    private bool ExpireReceive(ref Entry note, OrderedSendLane lane, Instant now)
    {
        // D-10.2: what the peer has all of is received as soon as those before it are.
        if (note.ReceiveLimit == 0 || !IsOpen(note, lane))
        {
            note.ReceiveLimit = 0;
            return false;
        }

        if (note.ReceiveLimit > now.Ticks)
        {
            Await(note.ReceiveLimit);
            return false;
        }

        if (!lane.IsMissing(note.Place))
        {
            note.ReceiveLimit = 0;
            return false;
        }

        if (TryGiveUp(ref note, TransferState.Expired, lane))
        {
            return true;
        }

        Await((now + GiveUpAgain).Ticks);
        return false;
    }

    private bool ExpireTake(ref Entry note, OrderedSendLane lane, Instant now)
    {
        if (note.TakeLimit == 0 || TakeOf(note.End) != TakeState.Pending)
        {
            note.TakeLimit = 0;
            return false;
        }

        if (note.TakeLimit > now.Ticks)
        {
            Await(note.TakeLimit);
            return false;
        }

        note.TakeLimit = 0;
        _notTaken.Add(note.Place.From, note.End, TakeState.Expired);
        CountTake(ref note, lane);
        TellEarly(ref note, lane);
        return true;
    }

    private bool TryGiveUp(ref Entry note, TransferState end, OrderedSendLane lane)
    {
        if (!lane.TryGiveUp(note.Place, end))
        {
            return false;
        }

        Invariant.Require(!note.IsGivenUp, "A message has one end.");
        AddGivenUp(note.Place, end);
        note.IsGivenUp = true;
        note.ReceiveLimit = 0;
        note.TakeLimit = 0;
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

    private void AddGivenUp(OffsetRange place, TransferState end)
    {
        _givenUp.Add(place.From, place.To, end);
        Volatile.Write(ref _hasGivenUp, true);
    }

    // The ends of those before it may be far away.
    private void TellEarly(ref Entry note, OrderedSendLane lane)
    {
        if (note.Open != ReceiptWish.None)
        {
            ReceiptUpdate update = UpdateOf(ref note, lane);
            _early.Enqueue(update);
        }
    }

    private static bool IsOpen(in Entry note, OrderedSendLane lane)
        => !note.IsGivenUp && !note.IsClaim && note.End > lane.Received;

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

        if (id <= Taken)
        {
            long forgotten = Math.Max(_refusedForgotten, Math.Max(_notTaken.Forgotten, _givenUp.Forgotten));
            return id <= forgotten ? TakeState.Unknown : TakeState.Taken;
        }

        return _isOver ? TakeState.Unknown : TakeState.Pending;
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
