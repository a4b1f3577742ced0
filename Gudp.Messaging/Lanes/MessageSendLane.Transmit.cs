using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <content>The leader's side: what goes out for the first time.</content>
internal sealed partial class MessageSendLane
{
    // D-8.3: a lane leaves to the others so many times what it has unread.
    private const int LeaveFactor = 8;

    // Rather the next packet than a part whose head is longer than its content.
    private const int LeastUsefulContent = 24;

    // A message that fits a packet is divided only to fill a good part of one.
    private const int LeastPartOfPacket = 4;

    // So long news about what the peer may forget waits for frames to go along with.
    private static readonly TimeSpan SettledDelay = TimeSpan.FromMilliseconds(25);

    private IdQueue _skips;
    private long _runFrom = -1;
    private long _first;
    private long _creditLimit = IdCredit.First;
    private long _blockedAt = -1;
    private long _credited;

    // The lengths charged for the ids that went out and are not known to be read.
    private IdQueue _unread;
    private long _unreadBytes;
    private long _unreadFrom;
    private long _misfit = -1;
    private long _complete;
    private long _announced;
    private bool _isSettledOwed;
    private bool _isSettledDue;
    private bool _isHeldByPeer;
    private Instant _settledDueAt = Instant.Never;

    internal override long CreditedBytes => _credited;

    internal override void BeginAt(in FirstPlaces first)
    {
        _first = first.Id;
        _oldest = _first;
        _cursor = _first;
        _next = _first;
        _supersededTo = _first;
        _complete = _first;
        _announced = _first;
        _unreadFrom = _first;
        _creditLimit = _first + IdCredit.First;
    }

    private long CreditLimit
        => _isReliable ? Volatile.Read(ref _creditLimit) : long.MaxValue;

    private bool MustSayBlocked => _isHeldByPeer && _blockedAt != CreditLimit;

    internal override long CreditNeeded
    {
        get
        {
            lock (_gate)
            {
                // For a lane that nobody reads nothing is kept: it would only hold more.
                return HasNext() && BytesToLeave < Peer.ReserveBytes ? At(_cursor).Payload.Length + BytesToLeave : 0;
            }
        }
    }

    internal override LaneTurn Probe(long connectionRoom)
    {
        lock (_gate)
        {
            if (_skips.Count > 0 || _isSettledDue)
            {
                return LaneTurn.HasMore;
            }

            PassEnded();

            if (_runFrom >= 0 && _runFrom < CreditLimit)
            {
                return LaneTurn.HasMore;
            }

            if (!HasNext())
            {
                return MustSayBlocked ? LaneTurn.HasMore : LaneTurn.Idle;
            }

            return IsAllowed(At(_cursor), connectionRoom) ? LaneTurn.HasMore : LaneTurn.HeldByConnection;
        }
    }

    internal override LaneTurn WriteNew(ref PacketDraft draft, long share)
    {
        lock (_gate)
        {
            long end = draft.Writer.Used + share;

            if (_isSettledDue && (!draft.CanNote || !TryWriteSettled(ref draft)))
            {
                return LaneTurn.NoFit;
            }

            while (draft.CanNote)
            {
                PassEnded();
                bool owesSkip = _skips.Count > 0 || (_runFrom >= 0 && _runFrom < CreditLimit);
                bool hasNext = HasNext();

                if (!owesSkip && (!hasNext || !IsAllowed(At(_cursor), draft.ConnectionRoom)))
                {
                    return WriteTidings(ref draft, hasNext);
                }

                if (draft.Writer.Used >= end)
                {
                    return LaneTurn.HasMore;
                }

                if (!(owesSkip ? TryWriteSkip(ref draft) : TryWriteNext(ref draft)))
                {
                    return LaneTurn.NoFit;
                }
            }

            return LaneTurn.NoFit;
        }
    }

    // The cursor passes what ended before it was begun, and gathers it into a run that the peer is told of.
    private void PassEnded()
    {
        while (_cursor < _next && !IsOpen(At(_cursor).Transfer))
        {
            if (At(_cursor) is { IsSkipOwed: true, IsBegun: false } && _runFrom < 0)
            {
                _runFrom = _cursor;
            }

            NoteUnread(_cursor, 0);
            _cursor++;
        }

        if (!_isReliable)
        {
            LetGo();
        }
    }

    private bool HasNext()
    {
        bool isHeld = _cursor < _next && _cursor >= CreditLimit;

        if (isHeld != _isHeldByPeer)
        {
            Volatile.Write(ref _isHeldByPeer, isHeld);
        }

        return _cursor < _next && !isHeld;
    }

    // D-8.3
    private bool IsAllowed(in Record record, long connectionRoom)
        => !_isReliable || record.IsBegun || record.Payload.Length + BytesToLeave <= connectionRoom;

    // A lane nobody reads takes less and less. Of so many bytes it may be that they are read and it is not told yet.
    private long BytesToLeave
        => Math.Clamp((_unreadBytes - IdCredit.TellBytes) * LeaveFactor, 0, Peer.ReserveBytes);

    // The next id that goes out or is passed over, once.
    private void NoteUnread(long id, int charged)
    {
        if (_isReliable && id == _unreadFrom + _unread.Count)
        {
            _unread.Enqueue(charged);
            _unreadBytes += charged;
            ForgetRead();
        }
    }

    // As if they were read in order of ids: which they were is not told, and once all are it is true.
    private void ForgetRead()
    {
        long read = _first + IdCredit.DoneAt(_creditLimit - _first);

        while (_unreadFrom < read && _unread.Count > 0)
        {
            _unreadBytes -= _unread.Dequeue();
            _unreadFrom++;
        }
    }

    // What goes along when there is nothing more that may be sent: D-3.4, D-8.8.
    private LaneTurn WriteTidings(ref PacketDraft draft, bool isHeldByConnection)
    {
        if (MustSayBlocked)
        {
            if (!draft.Writer.TryLaneOffset(FrameType.LaneBlocked, Number, CreditLimit))
            {
                return LaneTurn.NoFit;
            }

            _blockedAt = CreditLimit;
        }

        // With other frames it costs least; alone only when it is due.
        if (_isSettledOwed && draft.Writer.Used > 0 && draft.CanNote && !TryWriteSettled(ref draft))
        {
            return LaneTurn.NoFit;
        }

        return isHeldByConnection ? LaneTurn.HeldByConnection : LaneTurn.Idle;
    }

    private bool TryWriteSettled(ref PacketDraft draft)
    {
        if (HasSettledNews())
        {
            if (LaneFrameWriter.OffsetBytes(Number, _complete, draft.NeedsOpen(this)) > draft.Writer.Free)
            {
                return false;
            }

            bool withOpen = draft.Open(this);
            _ = draft.Writer.TryLaneOffset(FrameType.LaneSettled, Number, _complete);
            draft.Note(new SentPiece(PieceKind.Settled, (byte)Number, withOpen, _complete, 0));
            _announced = _complete;
        }

        _isSettledOwed = false;
        _isSettledDue = false;
        _settledDueAt = Instant.Never;
        return true;
    }

    // D-8.8
    private bool HasSettledNews()
    {
        while (_complete < _cursor && (_complete < _oldest || IsClosed(At(_complete))))
        {
            _complete++;
        }

        return _complete > _announced;
    }

    // D-8.4
    private bool TryWriteSkip(ref PacketDraft draft)
    {
        bool isBegun = _skips.Count > 0;
        long from = isBegun ? _skips.Peek() : _runFrom;
        long to = isBegun ? from + 1 : Math.Min(RunEnd(), CreditLimit);
        long charged = isBegun && from >= _oldest ? At(from).Payload.Length : 0;

        if (isBegun && (from < _oldest || !At(from).IsSkipOwed))
        {
            _skips.Dequeue();
            return true;
        }

        if (!TryWriteSkip(ref draft, new OffsetRange(from, to), charged))
        {
            return false;
        }

        if (isBegun)
        {
            _skips.Dequeue();
        }
        else
        {
            _runFrom = to < RunEnd() ? to : -1;
        }

        return true;
    }

    // A run ends at the cursor: what is passed later and was not begun joins it, what was begun follows its own skip.
    private long RunEnd()
    {
        long end = _runFrom;

        while (end < _cursor && At(end) is { IsSkipOwed: true, IsBegun: false })
        {
            end++;
        }

        return end;
    }

    private bool TryWriteSkip(ref PacketDraft draft, OffsetRange ids, long charged)
    {
        if (LaneFrameWriter.SkipBytes(Number, ids, charged, draft.NeedsOpen(this)) > draft.Writer.Free)
        {
            return false;
        }

        bool withOpen = draft.Open(this);
        draft.Writer.LaneSkip(Number, ids, charged);
        draft.Note(new SentPiece(PieceKind.Skip, (byte)Number, withOpen, ids.From, ids.To));
        return true;
    }

    private bool TryWriteNext(ref PacketDraft draft)
    {
        long id = _cursor;
        ref Record record = ref At(id);
        int bytes = PartThatFits(draft, record, id);

        if (bytes < 0)
        {
            _misfit = id;
            return false;
        }

        int from = record.SentTo;
        bool isLast = from + bytes == record.Payload.Length;
        bool withOpen = draft.Open(this);
        WriteFrame(ref draft, id, record, from, bytes);

        if (!record.IsBegun && _isReliable)
        {
            draft.Charge(record.Payload.Length);
            _credited += record.Payload.Length;
            NoteUnread(id, record.Payload.Length);
        }

        record.IsBegun = true;
        record.SentTo += bytes;
        record.InFlight++;
        _waitingBytes -= bytes;
        SentPiece piece = SentPiece.OfPart(
            PieceKind.Message, (byte)Number, withOpen, new MessagePart(id, from, bytes, Attempt: 1));
        bool isRepeated = isLast && from == 0 && draft.TryPlanRepeats(this, piece, bytes);
        draft.Note(piece with { IsRepeated = isRepeated });

        if (isLast)
        {
            record.Transfer = TransferState.Sent;
            record.RepeatsLeft = (byte)(isRepeated ? Options.Repeats : 0);
            _cursor++;
            draft.HasProgressed = true;
        }
        else
        {
            record.Parts ??= TakeSet();
        }

        return true;
    }

    // How many bytes of the message go into this packet; -1: rather into the next.
    private int PartThatFits(in PacketDraft draft, in Record record, long id)
    {
        int left = record.Payload.Length - record.SentTo;
        int free = draft.Writer.Free;
        int whole = LaneFrameWriter.MessageOverhead(Number, id, draft.NeedsOpen(this)) + left;

        if (record.SentTo == 0 && whole <= free && left <= LaneFrameWriter.LongestContent)
        {
            return left;
        }

        int room = Math.Min(
            free - LaneFrameWriter.FragmentOverhead(Number, id, record.Payload.Length, record.SentTo, draft.NeedsOpen(this)),
            LaneFrameWriter.LongestContent);

        // D-8.1: who fits a packet waits for one, unless the others leave too little of every packet.
        bool isDivisible = record.SentTo > 0 || whole > draft.Size || _misfit == id || draft.Writer.Used == 0
            || (_isReliable && room >= draft.Size / LeastPartOfPacket);
        return isDivisible && left > 0 && room >= Math.Min(left, LeastUsefulContent) ? Math.Min(left, room) : -1;
    }

    private void WriteFrame(ref PacketDraft draft, long id, in Record record, int from, int bytes)
    {
        ReadOnlySpan<byte> content = record.Payload.Bytes.AsSpan(from, bytes);
        bool asksTaken = record.Take != TakeState.NotAsked;

        if (bytes == record.Payload.Length)
        {
            draft.Writer.Message(Number, id, asksTaken, content);
        }
        else
        {
            draft.Writer.Fragment(Number, id, asksTaken, record.Payload.Length, from, content);
        }
    }
}
