// The receiving side of an ordered lane: the leader puts ranges where they belong in a ring, the reader takes messages
// from its front.
//
// A message that stands in the ring whole is handed out in place; one over the ring's end is copied into a spare block
// first. A message of more than a quarter of the ring never has to fit: as soon as its header is read, the reader opens
// a block of its own for it and moves in what arrives, so the ring's room and with it the credit flow on.
//
// The ring starts small and grows by what arrives in a round trip (OrderedReceiveLane.Grow.cs); it never shrinks.
//
// Always true:
//   - released <= read position <= prefix <= highest <= released + ring: the credit granted is room that exists;
//   - the leader writes only offsets at or above the prefix that were never written, the reader reads only below it;
//   - at most one reader is inside.

using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// The leader only: the members in this file. The one reader that is inside: those in OrderedReceiveLane.Read.cs. Between
/// them stand positions, each written by one side.
/// </remarks>
internal sealed partial class OrderedReceiveLane : ReceiveLane
{
    // An honest peer's packets are hardly smaller; more holes than this are not worth their memory.
    private const int RingBytesPerRange = 512;
    private const int LeastRanges = 64;

    // Refusals are rare; more of them go into the next packet.
    private const int RefusalsPerFrame = 32;
    private const int RefusalFrameBytes = (2 * RefusalsPerFrame * VarInt.MaxBytes) + (4 * VarInt.MaxBytes);

    private readonly MessageMemory _memory;
    private readonly ReceiveWindow? _window;
    private readonly int _mostRingBytes;
    private readonly int _largestMessage;
    private readonly RangeSet _have;
    private readonly SkippedRanges _skipped;
    private LaneRing? _ring;
    private long _first;
    private long _prefix;
    private long _highest;
    private long _mostUnread;
    private long _grantedLimit;
    private long _announcedTaken;

    // Of the packet being checked.
    private long _highestInPacket;
    private int _newRangesInPacket;
    private int _skipsInPacket;
    private bool _hasContentInPacket;

    /// <param name="number">The lane.</param>
    /// <param name="mostRingBytes">What its ring may grow to.</param>
    /// <param name="largestMessage">Longer ones end the connection.</param>
    /// <param name="memory">Lends the ring.</param>
    /// <param name="window">The connection's credit; null on the control lane, which is not in it.</param>
    internal OrderedReceiveLane(
        int number, int mostRingBytes, int largestMessage, MessageMemory memory, ReceiveWindow? window)
        : base(number, LaneMode.OrderedReliable)
    {
        _mostRingBytes = mostRingBytes;
        _ringBytes = LaneRing.FirstBytes;
        _largestMessage = largestMessage;
        _memory = memory;
        _window = window;
        _have = new RangeSet(Math.Max(LeastRanges, mostRingBytes / RingBytesPerRange));
        _mostSkips = GivenUpRanges.MostSkips(mostRingBytes);
        _skipped = new SkippedRanges(_mostSkips);
        _grantedLimit = LaneRing.FirstBytes;
    }

    /// <summary>Confirmations owed to the peer.</summary>
    internal TakeLedger Ledger { get; } = new();

    /// <summary>One above the highest offset received, as far as it counts in the connection's credit.</summary>
    internal override long ChargedBytes => _window is null ? 0 : _highest - _first;

    internal override void BeginAt(in FirstPlaces first)
    {
        _first = first.Offset;
        _prefix = _first;
        _highest = _first;
        _released = _first;
        _read = _first;
        _unreadSeenAt = _first;
        _grantedLimit = _first + LaneRing.FirstBytes;
        _ = _have.TryAdd(0, _first);
    }

    internal override long GrantedLimit => Volatile.Read(ref _grantedLimit);

    // D-3.2, D-10.5
    internal override bool IsCreditDue
    {
        get
        {
            long released = Volatile.Read(ref _released);
            int ring = RingBytes;
            long bytes = released + ring - GrantedLimit;
            return bytes >= ring / 4 || (bytes > 0 && _skipped.IsGrantDue(released));
        }
    }

    private protected override bool HasAnswers
        => Ledger.HasUnsentRefusals || Ledger.Taken > Math.Max(0, _announcedTaken);

    internal override void BeginPacket()
    {
        _highestInPacket = _highest;
        _newRangesInPacket = 0;
        _skipsInPacket = 0;
        _hasContentInPacket = false;
    }

    internal override PayloadVerdict Check(in LaneFrame frame)
    {
        if (frame.Type == FrameType.LaneSettled)
        {
            return PayloadVerdict.Held;
        }

        if (frame.Type is not (FrameType.LaneData or FrameType.LaneSkip))
        {
            return PayloadVerdict.LaneViolation;
        }

        // D-3.1
        if (frame.End > _grantedLimit)
        {
            return PayloadVerdict.CreditExceeded;
        }

        _hasContentInPacket = true;

        if (frame.End > _highestInPacket)
        {
            if (_window is { } window && !window.TryCount(frame.End - _highestInPacket))
            {
                return PayloadVerdict.CreditExceeded;
            }

            _highestInPacket = frame.End;
        }

        _newRangesInPacket += _have.StandsAlone(frame.Offset, frame.End) ? 1 : 0;
        _skipsInPacket += IsNewSkip(frame) ? 1 : 0;

        return _newRangesInPacket > _have.Free || (_skipsInPacket > 0 && _skipsInPacket > _skipped.Free)
            ? PayloadVerdict.Refused
            : PayloadVerdict.Held;
    }

    /// <summary>The memory behind the lane's credit. False: there is none now.</summary>
    internal override bool TryPrepare()
    {
        if (_hasContentInPacket && _ring is null && !_ended)
        {
            if (_memory.TryRentToReceive(_ringBytes, out byte[] block) != SendStatus.Accepted)
            {
                return false;
            }

            _ring = new LaneRing(block, _ringBytes);
        }

        return true;
    }

    internal override bool Take(in LaneFrame frame, Instant now) => frame.Type switch
    {
        FrameType.LaneData => Accept(frame.Offset, frame.Content),
        FrameType.LaneSkip => AcceptSkip(frame.Offset, frame.End, now),
        _ => false,
    };

    // The ring stays: the credit stands on it.
    internal override void EndPacket() => GrowForUnread();

    internal override long GrantCredit()
    {
        TryGrow();
        long released = Volatile.Read(ref _released);
        _skipped.HandleGrant(released);
        Volatile.Write(ref _grantedLimit, Math.Max(_grantedLimit, released + _ringBytes));
        return _grantedLimit;
    }

    internal override void HandleFactAcked(in SentPiece piece)
    {
        if (piece.Kind == PieceKind.Refusals)
        {
            Ledger.HandleRefusalsFate(piece.From, acked: true);
        }
        else if (piece.Kind == PieceKind.LaneCredit)
        {
            GrowFor(_highest - piece.To);
        }
    }

    internal override void HandleFactLost(in SentPiece piece)
    {
        base.HandleFactLost(piece);

        if (piece.Kind == PieceKind.Refusals)
        {
            Ledger.HandleRefusalsFate(piece.From, acked: false);
        }
        else if (piece.Kind == PieceKind.LaneTaken && piece.From == _announcedTaken)
        {
            _announcedTaken = -1;
        }
    }

    internal override void End()
    {
        Volatile.Write(ref _ended, true);
        ReturnMemoryIfEnded();
    }

    private protected override void WriteAnswers(
        ref LaneFrameWriter writer, PacketNumber packet, ReliableOutbox<SentPiece> outbox)
    {
        byte number = (byte)Number;

        // Refusals first: the taken offset may pass them only afterwards.
        if (Ledger.HasUnsentRefusals && !outbox.IsFull && writer.Free >= RefusalFrameBytes)
        {
            Span<OffsetRange> refused = stackalloc OffsetRange[RefusalsPerFrame];
            int count = Ledger.TakeUnsentRefusals(refused, out long frame);

            if (count > 0)
            {
                int written = writer.IdRanges(FrameType.MessagesRefused, number, refused[..count]);
                Invariant.Require(written == count, "Room for the refusals was checked.");
                outbox.Note(packet, new SentPiece(PieceKind.Refusals, number, false, frame, 0));
            }
        }

        long taken = Ledger.Taken;

        if (taken > Math.Max(0, _announcedTaken) && !outbox.IsFull
            && writer.TryLaneOffset(FrameType.LaneTaken, number, taken))
        {
            _announcedTaken = taken;
            outbox.Note(packet, new SentPiece(PieceKind.LaneTaken, number, false, taken, 0));
        }
    }

    /// <summary>Keeps what was not received before.</summary>
    /// <returns>True if the reader has something new.</returns>
    private bool Accept(long offset, ReadOnlySpan<byte> content)
    {
        if (_ring is not { } ring)
        {
            return false;
        }

        long end = offset + content.Length;
        Invariant.Require(end <= _grantedLimit, "Credit was checked before the content was taken.");

        while (_have.TryFirstMissing(offset, end, out OffsetRange missing))
        {
            // What was received before may be in a reader's hands: it is never written twice.
            ring.Write(missing.From, content.Slice((int)(missing.From - offset), (int)missing.Length));
            Mark(missing.From, missing.To);
        }

        return TryPublish(end);
    }

    /// <summary>The peer gives up a range that starts and ends between messages.</summary>
    private bool AcceptSkip(long from, long to, Instant now)
    {
        // What the reader is past is not called back. Where it stands just now it sees for itself (D-2.4).
        if (to < Volatile.Read(ref _released))
        {
            return false;
        }

        bool added = _skipped.TryAdd(new OffsetRange(from, to));
        Invariant.Require(added, "Room for a skip was checked before it was taken.");
        Mark(from, to);
        _ = TryPublish(to);
        GrowForSkip(now);
        return true;
    }

    private bool IsNewSkip(in LaneFrame frame)
        => frame.Type == FrameType.LaneSkip && _skipped.NeedsPlace(new OffsetRange(frame.Offset, frame.End));

    /// <inheritdoc/>
    internal override QueueCounters ReadQueue() => new(
        $"lane {Number} receive", _mostRingBytes, _mostRingBytes, UnreadBytes, 0, Volatile.Read(ref _mostUnread), 0, 0);

    private void Mark(long from, long to)
    {
        bool added = _have.TryAdd(from, to);
        Invariant.Require(added, "Room for a range was checked before it was taken.");
    }

    private bool TryPublish(long end)
    {
        if (end > _highest)
        {
            _window?.AddReceived(end - _highest);
            _highest = end;
        }

        if (_have.Prefix == _prefix)
        {
            return false;
        }

        Volatile.Write(ref _prefix, _have.Prefix);
        _mostUnread = Math.Max(_mostUnread, UnreadBytes);
        return true;
    }
}
