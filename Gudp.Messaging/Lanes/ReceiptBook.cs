using System;
using System.Threading;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// What the application asked to hear about one lane's messages, and what is known of the peer's application. The
/// states themselves are comparisons with offsets; only asked updates have a record.
/// </summary>
/// <remarks>
/// Any thread, under one lock that is held for a few comparisons. Always true: notes stand in the order of their
/// messages; each update is handed out once, received before taken.
/// </remarks>
internal sealed class ReceiptBook
{
    /// <summary>So many messages of a lane may wait for their updates to be fetched.</summary>
    internal const int MostNotes = 4096;

    // Refusals are rare; of older ones only "unknown" is said.
    private const int MostRefusedRanges = 256;

    private readonly Lock _gate = new();
    private readonly int _lane;
    private readonly OffsetRange[] _refused = new OffsetRange[MostRefusedRanges];
    private Entry[]? _notes;
    private long _nextNote;
    private long _transferCursor;
    private long _takeCursor;
    private int _refusedCount;
    private long _refusedForgotten;
    private long _taken;
    private bool _isRoomWanted;

    internal ReceiptBook(int lane) => _lane = lane;

    /// <summary>Whether a sender was refused because too many updates wait to be fetched.</summary>
    internal bool IsRoomWanted => Volatile.Read(ref _isRoomWanted);

    /// <summary>Whether an update that was asked for was not handed out yet.</summary>
    internal bool HasUpdates
    {
        get
        {
            lock (_gate)
            {
                for (long note = _takeCursor; note < _nextNote; note++)
                {
                    ReceiptWish open = note < _transferCursor ? ReceiptWish.Taken : ReceiptWish.Received | ReceiptWish.Taken;

                    if (IsWished(At(note), open))
                    {
                        return true;
                    }
                }

                return false;
            }
        }
    }

    /// <summary>Whether another update may be asked for; if not, that is remembered.</summary>
    internal bool HasRoom()
    {
        lock (_gate)
        {
            bool hasRoom = _nextNote - _takeCursor < MostNotes;
            Volatile.Write(ref _isRoomWanted, !hasRoom);
            return hasRoom;
        }
    }

    /// <summary>The peer's application has taken everything before.</summary>
    internal long Taken
    {
        get => Volatile.Read(ref _taken);
        set => Volatile.Write(ref _taken, value);
    }

    internal void Note(long end, ReceiptWish wish)
    {
        lock (_gate)
        {
            Invariant.Require(_nextNote - _takeCursor < MostNotes, "Room for a note is checked before the message.");
            _notes ??= new Entry[MostNotes];
            At(_nextNote++) = new Entry(end, wish);
        }
    }

    /// <summary>A claim whose message ends here was committed.</summary>
    internal void Commit(long end, ReceiptWish wish)
    {
        if (wish == ReceiptWish.None)
        {
            return;
        }

        lock (_gate)
        {
            if (TryFind(end, out long index))
            {
                At(index) = new Entry(end, wish);
            }
        }
    }

    /// <summary>A claim whose message would end here was abandoned.</summary>
    internal void Forget(long end)
    {
        lock (_gate)
        {
            if (!TryFind(end, out long index))
            {
                return;
            }

            if (index == _nextNote - 1)
            {
                _nextNote--;
                return;
            }

            At(index) = new Entry(end, ReceiptWish.None);
        }
    }

    /// <summary>The peer's application refused the messages with these ids.</summary>
    internal void Refuse(OffsetRange ids)
    {
        lock (_gate)
        {
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

            _refused[_refusedCount++] = ids;
        }
    }

    /// <summary>What the peer's application did with a message.</summary>
    internal TakeState TakeOf(MessageId id, bool ended)
    {
        if (!id.AsksTaken)
        {
            return TakeState.NotAsked;
        }

        lock (_gate)
        {
            return TakeOf(id.Value, ended);
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
            int count = TakeTransfers(updates, lane, ended);
            count += TakeTakes(updates[count..], lane, ended);

            if (_isRoomWanted && _nextNote - _takeCursor < MostNotes)
            {
                Volatile.Write(ref _isRoomWanted, false);
                roomCameFree = true;
            }

            return count;
        }
    }

    private int TakeTransfers(Span<ReceiptUpdate> updates, OrderedSendLane lane, bool ended)
    {
        int count = 0;

        for (; _transferCursor < _nextNote && count < updates.Length; _transferCursor++)
        {
            Entry note = At(_transferCursor);

            if (!ended && (note.End > lane.Received || (note.Wish & ReceiptWish.WhenCommitted) != 0))
            {
                break;
            }

            if (IsWished(note, ReceiptWish.Received))
            {
                TakeState take = (note.Wish & ReceiptWish.Taken) == 0 ? TakeState.NotAsked : TakeOf(note.End, ended);
                updates[count++] = Update(note, lane.TransferOf(note.End, ended), take);

                // Two facts that became known together are one update.
                if (take is not (TakeState.NotAsked or TakeState.Pending))
                {
                    At(_transferCursor) = note with { Wish = ReceiptWish.None };
                }
            }
        }

        return count;
    }

    private int TakeTakes(Span<ReceiptUpdate> updates, OrderedSendLane lane, bool ended)
    {
        int count = 0;

        for (; _takeCursor < _transferCursor; _takeCursor++)
        {
            Entry note = At(_takeCursor);

            if (!IsWished(note, ReceiptWish.Taken))
            {
                continue;
            }

            TakeState take = TakeOf(note.End, ended);

            if (take == TakeState.Pending || count == updates.Length)
            {
                break;
            }

            updates[count++] = Update(note, lane.TransferOf(note.End, ended), take);
        }

        return count;
    }

    private TakeState TakeOf(long id, bool ended)
    {
        for (int i = 0; i < _refusedCount; i++)
        {
            if (_refused[i].From <= id && id < _refused[i].To)
            {
                return TakeState.Refused;
            }
        }

        if (id <= Taken)
        {
            return id <= _refusedForgotten ? TakeState.Unknown : TakeState.Taken;
        }

        return ended ? TakeState.Unknown : TakeState.Pending;
    }

    private static bool IsWished(Entry note, ReceiptWish wish)
        => (note.Wish & wish) != 0 && (note.Wish & ReceiptWish.WhenCommitted) == 0;

    private ReceiptUpdate Update(Entry note, TransferState transfer, TakeState take)
    {
        MessageId id = new(0, _lane, note.End) { AsksTaken = (note.Wish & ReceiptWish.Taken) != 0 };
        return new ReceiptUpdate(new SendReceipt(id, transfer, take));
    }

    // Claims are among the newest notes.
    private bool TryFind(long end, out long index)
    {
        for (index = _nextNote - 1; index >= _transferCursor; index--)
        {
            if (At(index).End == end)
            {
                return true;
            }
        }

        return false;
    }

    private ref Entry At(long index) => ref _notes![index & (MostNotes - 1)];

    private readonly record struct Entry(long End, ReceiptWish Wish);
}
