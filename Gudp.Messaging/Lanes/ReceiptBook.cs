using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// What the application asked to hear about one ordered lane's messages, how long it wants to wait for them, and what
/// is known of the peer's application. The states themselves are comparisons with offsets; a message has a record only
/// if something was asked about it, and offsets do not tell of the few that were given up.
/// </summary>
/// <remarks>
/// Any thread, under one lock that is held for a few comparisons. Always true: notes stand in the order of their
/// messages; each update is handed out once, received before taken; an end never changes, because it is decided and
/// read under the lock.
/// </remarks>
internal sealed partial class ReceiptBook
{
    /// <summary>D-10.7: so many messages of a lane may have a record, or an update that waits to be fetched.</summary>
    internal const int MostNotes = 4096;

    private const int FirstNotes = 64;

    // Refusals are rare; of older ones only "unknown" is said.
    private const int MostRefusedRanges = 256;
    private const int FirstRefusedRanges = 8;

    private readonly Lock _gate = new();

    // Updates of messages whose end did not wait for those before them.
    private readonly Queue<ReceiptUpdate> _early = new();
    private OffsetRange[] _refused = [];
    private Entry[] _notes = [];
    private long _nextNote;
    private int _mostNotes;
    private long _transferCursor;
    private long _takeCursor;
    private int _refusedCount;
    private long _refusedForgotten;
    private long _taken;
    private bool _isRoomWanted;

    internal ReceiptBook() => _stillMatters = StillMatters;

    /// <summary>Whether a sender was refused because too many updates wait to be fetched.</summary>
    internal bool IsRoomWanted => Volatile.Read(ref _isRoomWanted);

    /// <summary>The peer's application has taken everything before.</summary>
    internal long Taken
    {
        get => Volatile.Read(ref _taken);
        set => Volatile.Write(ref _taken, value);
    }

    /// <summary>Whether an update that was asked for was not handed out yet.</summary>
    internal bool HasUpdates
    {
        get
        {
            lock (_gate)
            {
                bool found = _early.Count > 0;

                for (long note = _takeCursor; note < _nextNote && !found; note++)
                {
                    found = At(note).Open != ReceiptWish.None && !At(note).IsClaim;
                }

                return found;
            }
        }
    }

    /// <summary>Any thread. Messages with a record or an update that waits to be fetched.</summary>
    internal int Notes
    {
        get
        {
            lock (_gate)
            {
                return CountNotes();
            }
        }
    }

    /// <summary>Any thread. The most there ever were.</summary>
    internal int MostNotesSeen => Volatile.Read(ref _mostNotes);

    private bool IsFull => CountNotes() >= MostNotes;

    /// <summary>Whether a message that is sent so gets a record.</summary>
    internal static bool NeedsNote(in SendOptions options)
        => options.NotifyReceived || options.NotifyTaken || options.MaxAttempts != 0
            || options.ReceiveTimeout > TimeSpan.Zero;

    /// <summary>Whether another record may be made; if not, that is remembered.</summary>
    internal bool HasRoom()
    {
        lock (_gate)
        {
            bool hasRoom = !IsFull;
            Volatile.Write(ref _isRoomWanted, !hasRoom);
            return hasRoom;
        }
    }

    /// <summary>A message was put into the stream, or a place taken for one.</summary>
    /// <param name="message">Where it stands, with its header.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="whenCommitted">Its bytes are still being written.</param>
    internal void Note(OffsetRange message, in SendOptions options, bool whenCommitted = false)
    {
        if (!NeedsNote(options))
        {
            return;
        }

        lock (_gate)
        {
            Invariant.Require(!IsFull, "Room for a note is checked before the message.");

            if (_nextNote - _takeCursor == _notes.Length)
            {
                Grow();
            }

            At(_nextNote++) = Entry.Of(message, options, whenCommitted);
            Volatile.Write(ref _mostNotes, Math.Max(_mostNotes, CountNotes()));
            Volatile.Write(ref _limitsAttempts, _limitsAttempts | (options.MaxAttempts != 0));
            Volatile.Write(ref _hasSilentNotes, _hasSilentNotes | !(options.NotifyReceived | options.NotifyTaken));
        }
    }

    /// <summary>A claim whose message ends here was committed.</summary>
    internal void Commit(long end)
    {
        lock (_gate)
        {
            if (TryFindClaim(end, out long index))
            {
                At(index).IsClaim = false;
            }
        }
    }

    /// <summary>A claim whose message would end here was abandoned.</summary>
    internal void Forget(long end)
    {
        lock (_gate)
        {
            if (!TryFindClaim(end, out long index))
            {
                return;
            }

            if (index == _nextNote - 1)
            {
                _nextNote--;
                _dated = Math.Min(_dated, _nextNote);
                _takeCounted = Math.Min(_takeCounted, _nextNote);
                return;
            }

            At(index).Drop();
        }
    }

    /// <summary>The peer's application refused the messages with these ids.</summary>
    internal void Refuse(OffsetRange ids)
    {
        lock (_gate)
        {
            // D-4.5
            ids = ids with { From = Math.Max(ids.From, Taken + 1) };

            if (ids.Length <= 0)
            {
                return;
            }

            for (int i = 0; i < _refusedCount; i++)
            {
                if (_refused[i].From <= ids.From && ids.To <= _refused[i].To)
                {
                    return;
                }
            }

            if (_refusedCount == MostRefusedRanges)
            {
                _refusedForgotten = Math.Max(_refusedForgotten, _refused[0].To - 1);
                Array.Copy(_refused, 1, _refused, 0, _refusedCount - 1);
                _refusedCount--;
            }

            if (_refusedCount == _refused.Length)
            {
                Array.Resize(ref _refused, Math.Max(FirstRefusedRanges, _refusedCount * 2));
            }

            _refused[_refusedCount++] = ids;
        }
    }

    /// <summary>Hands out updates that were asked for and have become true since the last call.</summary>
    /// <param name="updates">Where they go.</param>
    /// <param name="lane">For the offsets received and sent.</param>
    /// <param name="ended">The connection is over: what is still open will not become known.</param>
    /// <param name="roomCameFree">Set if a sender that was refused may ask again.</param>
    /// <returns>How many.</returns>
    internal int Take(Span<ReceiptUpdate> updates, OrderedSendLane lane, bool ended, ref bool roomCameFree)
    {
        lock (_gate)
        {
            _isOver |= ended;
            int count = 0;

            while (count < updates.Length && _early.TryDequeue(out updates[count]))
            {
                count++;
            }

            count += TakeTransfers(updates[count..], lane);
            count += TakeTakes(updates[count..], lane);
            roomCameFree |= TellRoom();
            return count;
        }
    }

    /// <summary>Any thread. Somebody waited for a message and was told.</summary>
    /// <returns>True if a sender that was refused may ask again.</returns>
    internal bool HandTold(MessageId id, ReceiptWish told, OrderedSendLane lane)
    {
        lock (_gate)
        {
            long index = FirstEndingAfter(id.Value - 1);

            if (index < _nextNote && At(index).End == id.Value)
            {
                At(index).Open &= ~told;
            }

            for (int left = (told & ReceiptWish.Taken) != 0 ? _early.Count : 0; left > 0; left--)
            {
                ReceiptUpdate update = _early.Dequeue();

                if (update.Receipt.Id.Value != id.Value)
                {
                    _early.Enqueue(update);
                }
            }

            _ = TakeTransfers(default, lane);
            _ = TakeTakes(default, lane);
            return TellRoom();
        }
    }

    private int TakeTransfers(Span<ReceiptUpdate> updates, OrderedSendLane lane)
    {
        int count = 0;

        for (; _transferCursor < _nextNote; _transferCursor++)
        {
            ref Entry note = ref At(_transferCursor);

            if (!note.IsGivenUp && !_isOver && (note.End > lane.Received || note.IsClaim))
            {
                break;
            }

            if ((note.Open & ReceiptWish.Received) == 0 || note.IsClaim)
            {
                continue;
            }

            if (count == updates.Length)
            {
                break;
            }

            updates[count++] = UpdateOf(ref note, lane);
        }

        return count;
    }

    private int TakeTakes(Span<ReceiptUpdate> updates, OrderedSendLane lane)
    {
        int count = 0;

        for (; _takeCursor < _transferCursor; _takeCursor++)
        {
            ref Entry note = ref At(_takeCursor);
            CountTake(ref note, lane);

            if ((note.Open & ReceiptWish.Taken) == 0 || note.IsClaim)
            {
                continue;
            }

            if (count == updates.Length || TakeOf(note.End) == TakeState.Pending)
            {
                break;
            }

            updates[count++] = UpdateOf(ref note, lane);
        }

        return count;
    }

    // The update of a message that was given up may wait beside its record, as long as older ones are open: more than
    // full is full.
    private int CountNotes() => (int)Math.Min(MostNotes, _nextNote - _takeCursor + _early.Count);

    // The update with all that is known now; what it tells is told.
    private ReceiptUpdate UpdateOf(ref Entry note, OrderedSendLane lane)
    {
        SendReceipt receipt = ReceiptOf(note, lane);

        if (receipt.Transfer is not (TransferState.Queued or TransferState.Sent))
        {
            note.Open &= ~ReceiptWish.Received;
        }

        // Two facts that became known together are one update.
        if (receipt.Take is not (TakeState.NotAsked or TakeState.Pending))
        {
            note.Open &= ~ReceiptWish.Taken;
        }

        return new ReceiptUpdate(receipt);
    }

    private SendReceipt ReceiptOf(in Entry note, OrderedSendLane lane)
    {
        MessageId id = lane.NameOf(note.Place, note.AsksTaken);
        return new SendReceipt(id, TransferOf(note.End, lane), note.AsksTaken ? TakeOf(note.End) : TakeState.NotAsked);
    }

    private bool TellRoom()
    {
        bool cameFree = _isRoomWanted && !IsFull;

        if (cameFree)
        {
            Volatile.Write(ref _isRoomWanted, false);
        }

        return cameFree;
    }

    private bool TryFindClaim(long end, out long index) => TryFindNote(end, out index) && At(index).IsClaim;

    private bool TryFindNote(long end, out long index)
    {
        index = FirstEndingAfter(end - 1);
        return index < _nextNote && At(index).End == end;
    }

    private void Grow()
    {
        Entry[] larger = new Entry[Math.Max(FirstNotes, _notes.Length * 2)];

        for (long index = _takeCursor; index < _nextNote; index++)
        {
            larger[index & (larger.Length - 1)] = At(index);
        }

        _notes = larger;
    }

    private ref Entry At(long index) => ref _notes[index & (_notes.Length - 1)];

    /// <summary>One message about which something was asked.</summary>
    private struct Entry
    {
        internal long End;

        /// <summary>With its header.</summary>
        internal int Bytes;

        /// <summary>Updates that were asked for and not handed out.</summary>
        internal ReceiptWish Open;
        internal bool AsksTaken;
        internal bool IsClaim;
        internal bool IsTakeCounted;
        internal byte MostAttempts;

        /// <summary>Its transfer ended, and it did not arrive as far as is known.</summary>
        internal bool IsGivenUp;

        /// <summary>The spans below, 0 for none, became deadlines.</summary>
        internal bool IsDated;
        internal long ReceiveTicks;
        internal long TakeTicks;

        internal readonly OffsetRange Place => new(End - Bytes, End);

        internal static Entry Of(OffsetRange message, in SendOptions options, bool isClaim) => new()
        {
            End = message.To,
            Bytes = (int)message.Length,
            Open = (options.NotifyReceived ? ReceiptWish.Received : ReceiptWish.None)
                | (options.NotifyTaken ? ReceiptWish.Taken : ReceiptWish.None),
            AsksTaken = options.NotifyTaken,
            IsClaim = isClaim,
            MostAttempts = (byte)options.MaxAttempts,
            ReceiveTicks = SpanOf(options.ReceiveTimeout),
            TakeTicks = options.NotifyTaken ? SpanOf(options.TakeTimeout) : 0,
        };

        internal void Drop()
        {
            IsClaim = false;
            IsTakeCounted = true;
            IsGivenUp = true;
            Open = ReceiptWish.None;
            ReceiveTicks = 0;
            TakeTicks = 0;
            MostAttempts = 0;
        }

        // An infinite one is negative.
        private static long SpanOf(TimeSpan span) => Math.Max(0, span.Ticks);
    }
}
