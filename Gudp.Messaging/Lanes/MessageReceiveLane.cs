// The receiving side of a lane of messages (modes 1 to 4): the leader puts fragments together and queues what is whole,
// the reader takes messages from the queue's front.
//
// Which ids came is known exactly on the reliable modes, where ids are credited, and in a window of the newest on the
// unreliable ones, which are not. A sequenced lane keeps one message waiting, the newest.
//
// Always true:
//   - an id is counted once in the connection's credit, and done once: handed out, thrown away or passed over;
//   - reliable: ids below the credit granted that are not done are at most IdCredit.Ahead, so that a set of ranges always
//     has room;
//   - each block belongs to the staging of a packet, a partial message, the queue, the reader's hand, or a holder.

using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// The leader only: the members in this file and in MessageReceiveLane.Partials.cs. The one reader that is inside: those
/// in MessageReceiveLane.Read.cs. They meet in the queue, under its lock.
/// </remarks>
internal sealed partial class MessageReceiveLane : ReceiveLane
{
    private const int RangesPerFrame = 32;
    private const int RangeFrameBytes = (2 * RangesPerFrame * VarInt.MaxBytes) + (4 * VarInt.MaxBytes);

    private readonly MessageMemory _memory;

    // For the packet being checked, and what the reader that is inside is done with.
    private readonly BlockStash _spare;
    private readonly BlockStash _done;
    private readonly ReceiveWindow _window;
    private readonly ReceiveLimits _limits;
    private readonly MessageTally _tally;
    private readonly bool _isReliable;
    private readonly bool _isSequenced;
    private readonly RangeSet? _counted;
    private readonly RecentIds? _recent;
    private long _first;
    private long _charged;
    private long _granted = IdCredit.First;
    private long _doneBytesTold;
    private long _newestWhole = -1;

    internal MessageReceiveLane(
        int number, LaneMode mode, in ReceiveLimits limits, MessageMemory memory, in ReceiveLedgers ledgers)
        : base(number, mode)
    {
        _limits = limits;
        _memory = memory;
        _spare = new BlockStash(memory, isSent: false);
        _done = new BlockStash(memory, isSent: false);
        _window = ledgers.Window;
        _tally = ledgers.Tally;
        _isReliable = mode <= LaneMode.SequencedReliable;
        _isSequenced = mode is LaneMode.SequencedReliable or LaneMode.SequencedUnreliable;

        // One hole for each id that is not done, and what stands between them.
        _counted = _isReliable ? new RangeSet(IdCredit.Ahead + 1) : null;
        _recent = _isReliable ? null : new RecentIds();
    }

    /// <summary>Answers owed to the peer.</summary>
    internal AnswerBook Answers { get; } = new();

    /// <summary>Frames of messages that had come before: ignored.</summary>
    internal long Repeated { get; private set; }

    internal override long ChargedBytes => _charged;

    internal override void BeginAt(in FirstPlaces first)
    {
        _first = first.Id;
        _granted = _first + IdCredit.First;
        _ = _counted?.TryAdd(0, _first);
    }

    internal override long GrantedLimit => Volatile.Read(ref _granted);

    internal override bool IsCreditDue
    {
        get
        {
            if (!_isReliable)
            {
                return false;
            }

            long ids = Volatile.Read(ref _doneIds) - IdCredit.DoneAt(GrantedLimit - _first);
            bool isFirst = GrantedLimit == _first + IdCredit.First;

            // The first one lets the lane out of its start.
            return ids >= (isFirst ? 1 : IdCredit.TellIds)
                || (ids > 0 && Volatile.Read(ref _doneBytes) - Volatile.Read(ref _doneBytesTold) >= IdCredit.TellBytes);
        }
    }

    private protected override bool HasAnswers => Answers.HasUnsent;

    internal override void BeginPacket() => Invariant.Require(_stagedCount == 0, "Each packet's staging is given back.");

    internal override PayloadVerdict Check(in LaneFrame frame) => frame.Type switch
    {
        FrameType.Message or FrameType.Fragment => CheckPiece(frame),
        FrameType.LaneSkip => CheckSkip(frame),
        FrameType.LaneSettled => PayloadVerdict.Held,
        _ => PayloadVerdict.LaneViolation,
    };

    // The blocks were staged frame by frame.
    internal override bool TryPrepare() => true;

    internal override bool Take(in LaneFrame frame, Instant now)
    {
        switch (frame.Type)
        {
            case FrameType.Message or FrameType.Fragment:
                return _isReliable ? TakeReliable(frame, now) : TakeUnreliable(frame, now);
            case FrameType.LaneSkip:
                TakeSkip(frame);
                return false;
            case FrameType.LaneSettled:
                Answers.SettleBelow(frame.Offset);
                return false;
            default:
                return false;
        }
    }

    internal override long GrantCredit()
    {
        // The bytes first: of those seen here the ids are seen below.
        Volatile.Write(ref _doneBytesTold, Volatile.Read(ref _doneBytes));
        Volatile.Write(ref _granted, Math.Max(_granted, _first + IdCredit.LimitAfter(Volatile.Read(ref _doneIds))));
        return _granted;
    }

    internal override void HandleFactLost(in SentPiece piece)
    {
        base.HandleFactLost(piece);

        if (piece.Kind is PieceKind.TakenIds or PieceKind.RefusedIds)
        {
            Answers.Add(new OffsetRange(piece.From, piece.To), piece.Kind == PieceKind.RefusedIds);
        }
    }

    internal override void End()
    {
        while (_partialCount > 0)
        {
            ReturnPartial(_partials[_partialCount - 1]);
        }

        Volatile.Write(ref _ended, true);
        ReturnMemoryIfEnded();
    }

    private protected override void WriteAnswers(
        ref LaneFrameWriter writer, PacketNumber packet, ReliableOutbox<SentPiece> outbox)
    {
        WriteAnswers(ref writer, packet, outbox, refused: true);
        WriteAnswers(ref writer, packet, outbox, refused: false);
    }

    private void WriteAnswers(
        ref LaneFrameWriter writer, PacketNumber packet, ReliableOutbox<SentPiece> outbox, bool refused)
    {
        if (!Answers.HasUnsent || outbox.IsFull || writer.Free < RangeFrameBytes)
        {
            return;
        }

        Span<OffsetRange> ranges = stackalloc OffsetRange[RangesPerFrame];
        int count = Answers.TakeUnsent(refused, ranges);

        if (count == 0)
        {
            return;
        }

        FrameType type = refused ? FrameType.MessagesRefused : FrameType.MessagesTaken;
        int written = writer.IdRanges(type, Number, ranges[..count]);
        Invariant.Require(written == count, "Room for the answers was checked.");
        PieceKind kind = refused ? PieceKind.RefusedIds : PieceKind.TakenIds;

        for (int i = 0; i < count; i++)
        {
            // Without room in the outbox the answer cannot be watched: then it goes again.
            if (outbox.IsFull)
            {
                Answers.Add(ranges[i], refused);
            }
            else
            {
                outbox.Note(packet, new SentPiece(kind, (byte)Number, false, ranges[i].From, ranges[i].To));
            }
        }
    }

    private PayloadVerdict CheckPiece(in LaneFrame frame)
    {
        // D-9.2, H45: before anything is rented.
        if (frame.Total > _limits.LargestMessage)
        {
            return PayloadVerdict.TooLarge;
        }

        // D-9.5, H52
        if (_isReliable && frame.Offset >= _granted)
        {
            return PayloadVerdict.CreditExceeded;
        }

        PartialMessage? partial = Find(frame.Offset);

        // D-9.4, H47
        if (partial is not null && Conflicts(partial, frame))
        {
            return PayloadVerdict.FragmentConflict;
        }

        return !_isReliable || (partial is null && _counted!.Contains(frame.Offset))
            ? PayloadVerdict.Held
            : Stage(frame, partial);
    }

    private PayloadVerdict CheckSkip(in LaneFrame frame)
    {
        // D-8.4: several at once only if nothing of them was ever sent.
        if (frame.End != frame.Offset + 1 && frame.Total != 0)
        {
            return PayloadVerdict.LaneViolation;
        }

        if (!_isReliable)
        {
            return PayloadVerdict.Held;
        }

        if (frame.End > _granted)
        {
            return PayloadVerdict.CreditExceeded;
        }

        return frame.Total == 0 || _counted!.Contains(frame.Offset) || TryStageSkip(frame)
            ? PayloadVerdict.Held
            : PayloadVerdict.CreditExceeded;
    }

    private bool TakeReliable(in LaneFrame frame, Instant now)
    {
        long id = frame.Offset;
        PartialMessage? partial = Find(id);

        if (partial is not null)
        {
            if (IsConflictWithinPacket(partial, frame))
            {
                return false;
            }

            TakeStagedGrowth(partial);
        }
        else if (_counted!.Contains(id))
        {
            Repeated++;
            return false;
        }
        else
        {
            Count(new OffsetRange(id, id + 1), frame.Total);

            if (_isSequenced && id < _newestWhole)
            {
                ThrowAway(id, frame.Total, Asks(frame), MessageDrop.Outdated);
                return false;
            }

            byte[] block = TakeStaged(id);

            if (frame.Content.Length == frame.Total)
            {
                frame.Content.CopyTo(block);
                return Queue(new WaitingMessage(id, block, frame.Content.Length, Asks(frame)));
            }

            partial = AddPartial(frame, block, now);
        }

        return AddPiece(partial, frame);
    }

    private bool TakeUnreliable(in LaneFrame frame, Instant now)
    {
        long id = frame.Offset;
        PartialMessage? partial = Find(id);

        if (partial is null)
        {
            if (_recent!.Contains(id))
            {
                Repeated++;
                return false;
            }

            if (_isSequenced && id < _newestWhole)
            {
                return DropUnreliable(id, Asks(frame), MessageDrop.Outdated);
            }

            return frame.Content.Length == frame.Total
                ? TakeWholeUnreliable(frame)
                : TakeFirstUnreliable(frame, now);
        }

        if (IsConflictWithinPacket(partial, frame))
        {
            return false;
        }

        if (!TryGrowUnreliable(partial, frame))
        {
            return DropPartial(partial, MessageDrop.NoRoom);
        }

        return AddPiece(partial, frame);
    }

    private bool TakeWholeUnreliable(in LaneFrame frame)
    {
        if (!TryRentUnreliable(frame.Content.Length, null, out byte[] block))
        {
            return DropUnreliable(frame.Offset, Asks(frame), MessageDrop.NoRoom);
        }

        _recent!.Add(frame.Offset);
        frame.Content.CopyTo(block);
        return Queue(new WaitingMessage(frame.Offset, block, frame.Content.Length, Asks(frame)));
    }

    // D-9.10
    private void TakeSkip(in LaneFrame frame)
    {
        for (int i = _partialCount - 1; i >= 0; i--)
        {
            if (_partials[i].Id >= frame.Offset && _partials[i].Id < frame.End)
            {
                PassOver(_partials[i]);
            }
        }

        while (_isReliable && _counted!.TryFirstMissing(frame.Offset, frame.End, out OffsetRange missing))
        {
            Count(missing, frame.Total);
            FinishIds(missing.Length, frame.Total);
        }
    }

    // Once per id: from here on frames of it are repeats, or complete it.
    private void Count(OffsetRange ids, long bytes)
    {
        bool added = _counted!.TryAdd(ids.From, ids.To);
        Invariant.Require(added, "The credit leaves room for every id.");
        _charged += bytes;
        _window.AddReceived(bytes);
    }

    // Reliable: done with, and the bytes are free for others.
    private void FinishIds(long ids, long bytes)
    {
        _window.AddRead(bytes);
        Interlocked.Add(ref _doneIds, ids);
        Interlocked.Add(ref _doneBytes, bytes);
    }

    // Counted before, never to be handed out; its sender is told if it asked (D-9.8).
    private void ThrowAway(long id, long bytes, bool asks, MessageDrop cause)
    {
        if (cause != MessageDrop.None)
        {
            _tally.CountDrop(cause);
        }

        if (asks)
        {
            Answers.Add(id, refused: true);
        }

        if (_isReliable)
        {
            FinishIds(1, bytes);
        }
    }

    private bool DropUnreliable(long id, bool asks, MessageDrop cause)
    {
        // What was answered must not come in by a repeat.
        _recent!.Add(id);
        ThrowAway(id, 0, asks, cause);
        return false;
    }

    private static bool Asks(in LaneFrame frame) => (frame.Code & 1) != 0;
}
