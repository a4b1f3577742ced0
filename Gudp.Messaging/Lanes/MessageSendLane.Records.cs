using System;
using System.Threading;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <content>The records of messages: how they begin, end and leave.</content>
internal sealed partial class MessageSendLane
{
    private const int FirstRecords = 64;
    private const int MostSetsAhead = 64;

    // The ends of so many messages that left are remembered (D-8.7).
    private const int MostHistory = 16 * 1024;

    private const int TakeShift = 4;

    private Record[] _records = [];
    private byte[]? _history;
    private long _oldest;
    private long _cursor;
    private long _next;
    private int _asked;
    private int _sets;
    private long _openTransfers;

    private static bool IsOpen(TransferState state) => state is TransferState.Queued or TransferState.Sent;

    private ref Record At(long id)
    {
        Invariant.Require(id >= _oldest && id < _next, "Only messages with a record are looked up.");
        return ref _records[id & (_records.Length - 1)];
    }

    private ref Record AddRecord()
    {
        // What waits is bounded, and behind the oldest some more that ended wait for it, now many and now few: with
        // room for those the ring grows while it fills, and not at some later time.
        if (_next - _oldest >= _records.Length - (_records.Length / 4) && _records.Length < MostRecords)
        {
            Grow();
        }

        long id = _next;
        Volatile.Write(ref _next, id + 1);
        ref Record record = ref At(id);
        record = default;
        return ref record;
    }

    private void Grow()
    {
        Record[] larger = new Record[Math.Max(FirstRecords, _records.Length * 2)];

        for (long id = _oldest; id < _next; id++)
        {
            larger[id & (larger.Length - 1)] = At(id);
        }

        _records = larger;
    }

    // The message will not be transmitted again. A part of it may have gone out; then, or if the peer must learn that
    // the id is passed over, a skip is owed.
    private void GiveUp(ref Record record, long id, TransferState end)
    {
        if (_isReliable)
        {
            record.IsSkipOwed = true;

            // What was never begun is passed over by the cursor, which tells of it in runs.
            if (record.IsBegun)
            {
                _skips.Enqueue(id);
            }
        }

        // The cursor has to pass it.
        MarkReady();
        EndTransfer(ref record, id, end);
    }

    private void EndTransfer(ref Record record, long id, TransferState end)
    {
        Invariant.Require(IsOpen(record.Transfer) && !IsOpen(end), "A transfer ends once.");

        if (record.Transfer == TransferState.Queued)
        {
            Volatile.Write(ref _waitingBytes, _waitingBytes - (record.Payload.Length - record.SentTo));
        }

        record.Transfer = end;
        _openTransfers--;
        Free(ref record);
        _tally.Count(end switch
        {
            TransferState.Received => MessageCount.TransfersReceived,
            TransferState.Expired => MessageCount.TransfersExpired,
            TransferState.Cancelled => MessageCount.TransfersCancelled,
            _ => MessageCount.TransfersUnknown,
        });

        // Without its transfer a message is not taken either.
        if (end is TransferState.Expired || (end is TransferState.Cancelled && !_ended))
        {
            EndTake(ref record, id, TakeState.Expired);
        }

        Announce(ref record, id);
    }

    private void EndTake(ref Record record, long id, TakeState end)
    {
        if (record.Take != TakeState.Pending)
        {
            return;
        }

        record.Take = end;
        _isSettledOwed = true;
        MarkTimed();
        _tally.Count(end switch
        {
            TakeState.Taken => MessageCount.TakesTaken,
            TakeState.Refused => MessageCount.TakesRefused,
            TakeState.Expired => MessageCount.TakesExpired,
            _ => MessageCount.TakesUnknown,
        });
        Announce(ref record, id);
    }

    private void Free(ref Record record)
    {
        int length = record.Payload.Length;
        _heldMessages--;
        _payloadBytes -= length;
        GiveBack(record.Payload);
        record.Payload = new Payload([], Shared: null, length);
        _largeMessages -= IsLarge(length) ? 1 : 0;
        Volatile.Write(ref _heldBytes, _heldBytes - (IsLarge(length) ? 0 : length));

        if (record.Parts is { } parts)
        {
            parts.Clear();
            _freeSets.Push(parts);
            record.Parts = null;
        }
    }

    // How many messages are in parts at a time reaches a new high now and then, by one: so who finds no set makes as
    // many more as there are, as the shelf does with blocks.
    private RangeSet TakeSet()
    {
        if (_freeSets.TryPop(out RangeSet? set))
        {
            return set;
        }

        int ahead = Math.Min(_sets, MostSetsAhead);
        _sets += ahead + 1;

        // All may come back.
        _freeSets.EnsureCapacity(_sets);

        for (; ahead > 0; ahead--)
        {
            _freeSets.Push(new RangeSet(int.MaxValue));
        }

        return new RangeSet(int.MaxValue);
    }

    // Puts the message in line for the next fetch of updates if one that was asked for became true.
    private void Announce(ref Record record, long id)
    {
        bool tellsTransfer = (record.Wish & ReceiptWish.Received) != 0 && !IsOpen(record.Transfer);
        bool tellsTake = (record.Wish & ReceiptWish.Taken) != 0 && record.Take != TakeState.Pending;

        if ((tellsTransfer || tellsTake) && !record.IsInNews)
        {
            record.IsInNews = true;
            _news.Enqueue(id);
        }
    }

    // Whether the peer may forget the message.
    private static bool IsClosed(in Record record)
        => !IsOpen(record.Transfer) && record.Take != TakeState.Pending && !record.IsSkipOwed;

    // In order of ids: the history then starts where the ring does.
    private void LetGo()
    {
        while (_oldest < _cursor)
        {
            ref Record record = ref At(_oldest);

            if (!IsClosed(record) || record.IsInNews || record.Wish != ReceiptWish.None)
            {
                return;
            }

            _history ??= new byte[MostHistory];
            _history[_oldest & (MostHistory - 1)] = (byte)((int)record.Transfer | ((int)record.Take << TakeShift));
            record = default;
            Volatile.Write(ref _oldest, _oldest + 1);
        }
    }

    /// <summary>One message from its acceptance until nobody has a question about it.</summary>
    private struct Record
    {
        internal Payload Payload;

        /// <summary>Which bytes arrived, of a message in parts; null for a whole one.</summary>
        internal RangeSet? Parts;

        /// <summary>Bytes before were transmitted at least once.</summary>
        internal int SentTo;

        /// <summary>Packets with it whose fate is open, repeats included.</summary>
        internal int InFlight;

        /// <summary>What was asked for and not told yet.</summary>
        internal ReceiptWish Wish;

        internal TransferState Transfer;
        internal TakeState Take;
        internal byte MostAttempts;

        /// <summary>Repeats that are still to go.</summary>
        internal byte RepeatsLeft;

        /// <summary>The last of the attempts that are allowed was lost; repeats may still be under way.</summary>
        internal bool IsLastLost;

        /// <summary>A part of it went out, and its length was charged.</summary>
        internal bool IsBegun;

        /// <summary>The peer must hear that it was given up, and is not known to have.</summary>
        internal bool IsSkipOwed;

        internal bool IsInNews;
    }
}
