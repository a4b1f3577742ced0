using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <content>Receipts: what is known of messages, and what the application is told.</content>
internal sealed partial class MessageSendLane
{
    private readonly DeadlineHeap _deadlines = new();
    private readonly Func<DeadlineHeap.Entry, bool> _stillMatters;
    private readonly RecentIds _answered = new();
    private IdQueue _news;
    private IdQueue _timed;
    private Instant _nextDeadline = Instant.Never;

    /// <summary>A glance; the leader writes it.</summary>
    internal override Instant NextDeadline => Instant.Earlier(_nextDeadline, _settledDueAt);

    /// <summary>Records that answers of the peer made the lane look at; for tests of the work.</summary>
    internal long AnswersLookedAt { get; private set; }

    internal override bool HasUpdates => Volatile.Read(ref _asked) > 0;

    internal override SendReceipt StateOf(MessageId id, bool ended)
    {
        lock (_gate)
        {
            if (id.Value < _first || id.Value >= _next)
            {
                TakeState none = !id.AsksTaken ? TakeState.NotAsked : ended ? TakeState.Unknown : TakeState.Pending;
                return new SendReceipt(id, ended ? TransferState.Cancelled : TransferState.Queued, none);
            }

            if (id.Value >= _oldest)
            {
                ref Record record = ref At(id.Value);
                return new SendReceipt(id, record.Transfer, record.Take);
            }

            // D-8.7
            if (id.Value < _oldest - MostHistory)
            {
                return new SendReceipt(
                    id, TransferState.Unknown, id.AsksTaken ? TakeState.Unknown : TakeState.NotAsked);
            }

            int ends = _history![id.Value & (MostHistory - 1)];
            return new SendReceipt(
                id, (TransferState)(ends & ((1 << TakeShift) - 1)), (TakeState)(ends >> TakeShift));
        }
    }

    // On the unreliable modes what was wholly transmitted will not be transmitted again anyway.
    internal override bool TryCancel(MessageId id)
    {
        lock (_gate)
        {
            if (_ended || id.Value < _oldest || id.Value >= _next)
            {
                return false;
            }

            TransferState transfer = At(id.Value).Transfer;

            if (transfer != TransferState.Queued && !(transfer == TransferState.Sent && IsCredited))
            {
                return false;
            }

            GiveUp(ref At(id.Value), id.Value, TransferState.Cancelled);
            return true;
        }
    }

    internal override int CopyOpen(Span<SendReceipt> receipts, bool ended)
    {
        lock (_gate)
        {
            int count = 0;

            for (long id = _oldest; id < _next && count < receipts.Length; id++)
            {
                ref Record record = ref At(id);

                if (IsOpen(record.Transfer) || record.Take == TakeState.Pending)
                {
                    receipts[count++] = ReceiptOf(record, id);
                }
            }

            return count;
        }
    }

    internal override int TakeUpdates(Span<ReceiptUpdate> updates, bool ended, ref bool roomCameFree)
    {
        lock (_gate)
        {
            int count = 0;

            while (count < updates.Length && _news.Count > 0)
            {
                long id = _news.Dequeue();
                ref Record record = ref At(id);

                if (record.Wish == ReceiptWish.None)
                {
                    record.IsInNews = false;
                    continue;
                }

                updates[count++] = new ReceiptUpdate(ReceiptOf(record, id));
                record.IsInNews = false;
                ReceiptWish told = (IsOpen(record.Transfer) ? ReceiptWish.None : ReceiptWish.Received)
                    | (record.Take == TakeState.Pending ? ReceiptWish.None : ReceiptWish.Taken);
                record.Wish &= ~told;
                _asked -= record.Wish == ReceiptWish.None ? 1 : 0;
            }

            LetGo();
            roomCameFree |= TellUpdateRoom();
            return count;
        }
    }

    internal override bool HandTold(MessageId id, ReceiptWish told)
    {
        lock (_gate)
        {
            if (id.Value < _oldest || id.Value >= _next || (At(id.Value).Wish & told) == ReceiptWish.None)
            {
                return false;
            }

            ref Record record = ref At(id.Value);
            record.Wish &= ~told;
            _asked -= record.Wish == ReceiptWish.None ? 1 : 0;

            while (_news.Count > 0 && At(_news.Peek()).Wish == ReceiptWish.None)
            {
                At(_news.Dequeue()).IsInNews = false;
            }

            LetGo();
            return TellUpdateRoom();
        }
    }

    private bool TellUpdateRoom()
    {
        bool cameFree = _isUpdateRoomWanted && _asked < MostAsked;

        if (cameFree)
        {
            Volatile.Write(ref _isUpdateRoomWanted, false);
        }

        return cameFree;
    }

    internal override void AddOpenTo(ref OpenTraffic sum)
    {
        lock (_gate)
        {
            if (_ended)
            {
                sum.Add(_openAtEnd);
                return;
            }

            for (long id = _oldest; id < _next; id++)
            {
                ref Record record = ref At(id);
                bool isSent = record.Transfer == TransferState.Sent;
                bool isQueued = record.Transfer == TransferState.Queued;
                sum.UnconfirmedMessages += isSent ? 1 : 0;
                sum.UnconfirmedBytes += isSent ? record.Payload.Length : 0;
                sum.UntransmittedMessages += isQueued ? 1 : 0;
                sum.UntransmittedBytes += isQueued ? record.Payload.Length - record.SentTo : 0;
                bool isReceived = record.Transfer == TransferState.Received;
                sum.UntakenMessages += isReceived && record.Take == TakeState.Pending ? 1 : 0;
            }
        }
    }

    internal override bool Admits(FrameType type, long value)
        => type is FrameType.MessagesTaken or FrameType.MessagesRefused && value < Volatile.Read(ref _cursor) + 1;

    internal override bool HandleTaken(long offset)
    {
        Invariant.Require(false, "A message lane hears of what is taken by ids.");
        return false;
    }

    internal override void HandleTaken(IdRangeReader ids) => HandleAnswers(ids, TakeState.Taken);

    internal override void HandleRefused(IdRangeReader ids) => HandleAnswers(ids, TakeState.Refused);

    internal override void StampDeadlines(Instant now)
    {
        lock (_gate)
        {
            while (_timed.Count > 0)
            {
                long id = _timed.Dequeue();
                TimeSpan receive = TimeSpan.FromTicks(_timed.Dequeue());
                TimeSpan take = TimeSpan.FromTicks(_timed.Dequeue());

                if (id < _oldest)
                {
                    continue;
                }

                if (receive > TimeSpan.Zero)
                {
                    _deadlines.Add(new DeadlineHeap.Entry(now + receive, id, OfTake: false));
                }

                if (take > TimeSpan.Zero)
                {
                    _deadlines.Add(new DeadlineHeap.Entry(now + take, id, OfTake: true));
                }
            }

            ForgetPastDeadlines();
            _nextDeadline = _deadlines.Next;

            if (_isSettledOwed && _settledDueAt == Instant.Never)
            {
                _settledDueAt = now + SettledDelay;
            }
        }
    }

    internal override bool HandleTimeout(Instant now)
    {
        bool changed = false;

        lock (_gate)
        {
            while (_deadlines.Next <= now)
            {
                DeadlineHeap.Entry due = _deadlines.Take();

                if (due.Id < _oldest)
                {
                    continue;
                }

                ref Record record = ref At(due.Id);

                if (due.OfTake)
                {
                    changed |= record.Take == TakeState.Pending;
                    EndTake(ref record, due.Id, TakeState.Expired);
                }
                else if (IsOpen(record.Transfer))
                {
                    GiveUp(ref record, due.Id, TransferState.Expired);
                    changed = true;
                }
            }

            _nextDeadline = _deadlines.Next;

            if (_settledDueAt <= now)
            {
                _settledDueAt = Instant.Never;
                _isSettledDue = _isSettledOwed && HasSettledNews();
                _isSettledOwed = _isSettledDue;
                MarkReady();
            }

            if (!_isReliable)
            {
                // While the peer is dialled nothing is written, which would pass them.
                PassEnded();
            }

            LetGo();
        }

        return changed;
    }

    private SendReceipt ReceiptOf(in Record record, long id)
    {
        MessageId name = new(0, Number, id) { AsksTaken = record.Take != TakeState.NotAsked };
        return new SendReceipt(name, record.Transfer, record.Take);
    }

    // Under the lane lock. The time-outs of one message lie side by side until the leader knows the time.
    private void NoteTimeouts(long id, in SendOptions options)
    {
        bool hasTake = options is { NotifyTaken: true, TakeTimeout.Ticks: > 0 };

        if (options.ReceiveTimeout > TimeSpan.Zero || hasTake)
        {
            _timed.Enqueue(id);
            _timed.Enqueue(options.ReceiveTimeout.Ticks);
            _timed.Enqueue(hasTake ? options.TakeTimeout.Ticks : 0);
            MarkTimed();
        }
    }

    // Deadlines of messages that ended wait for their time; many of them are swept out.
    private void ForgetPastDeadlines()
    {
        if (_deadlines.Count > 4 * (FirstRecords + (_next - _oldest)))
        {
            _deadlines.Keep(_stillMatters);
        }
    }

    private bool StillMatters(DeadlineHeap.Entry entry) => entry.Id >= _oldest
        && (entry.OfTake ? At(entry.Id).Take == TakeState.Pending : IsOpen(At(entry.Id).Transfer));

    private void HandleAnswers(IdRangeReader ids, TakeState answer)
    {
        lock (_gate)
        {
            while (ids.TryNext(out OffsetRange range))
            {
                long to = Math.Min(range.To, _next);

                // D-6.3: what was looked at once needs no other look, however often it is named.
                for (long id = FirstUnanswered(range.From, to); id < to; id = FirstUnanswered(id + 1, to))
                {
                    ref Record record = ref At(id);
                    AnswersLookedAt++;

                    // Both answers imply received, whatever became of the acknowledgements.
                    if (record.IsBegun && IsOpen(record.Transfer))
                    {
                        EndTransfer(ref record, id, TransferState.Received);
                    }

                    if (record.Transfer == TransferState.Received)
                    {
                        EndTake(ref record, id, answer);
                    }

                    // The one at the cursor may still be begun.
                    if (id < _cursor)
                    {
                        _answered.Add(id);
                    }
                }
            }

            LetGo();
        }
    }

    private long FirstUnanswered(long from, long to) => _answered.FirstUnseen(Math.Max(from, _oldest), to);
}
