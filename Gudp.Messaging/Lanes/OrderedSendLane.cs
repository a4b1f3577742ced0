// The sending side of an ordered lane: a stream of `header v | bytes`, written by users and transmitted by the leader.
//
// Messages up to a quarter of the ring stand in it. A larger one leaves only its header there; its bytes wait in a
// block of their own, and stream offsets count them all the same. So a position in the ring is the stream offset less
// the bytes of all large messages before it.
//
// A claim takes its place in the stream at once, its bytes come later: transmission stops at the first open claim. An
// abandoned claim with nothing behind it is simply taken back; else its place becomes a LaneSkip, as does that of a
// message that is given up.
//
// Always true:
//   - tail <= sent <= published <= reserved, and between tail and reserved the ring holds at most its size, which grows up
//     to the lane's capacity (OrderedSendLane.Grow.cs), with the bytes of shares at most the capacity;
//   - offsets below the tail are settled: acknowledged, taken by the peer, or given up and the peer knows;
//   - a message's id is its end offset, so its state is a comparison with tail, sent and taken, unless it was given up.

using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// Any thread: the members in this file and in OrderedSendLane.Claims.cs. The leader only: those in
/// OrderedSendLane.Transmit.cs, .Settle.cs and .GiveUp.cs. Writers exclude each other with the lane lock; between
/// them and the leader stand positions, each written by one side.
/// </remarks>
internal sealed partial class OrderedSendLane : SendLane
{
    private readonly Lock _gate = new();
    private readonly MessageMemory _memory;
    private readonly int _capacity;
    private readonly int _largestMessage;

    private LaneRing? _ring;
    private long _reserved;
    private long _reservedLargeBytes;
    private long _sharedBytes;
    private long _mostBytes;
    private long _mostItems;
    private bool _isClosed;
    private bool _ended;

    // Written by writers, read by the leader.
    private long _published;
    private long _nextLarge;
    private long _nextSkip;

    // Written by the leader, read by writers.
    private long _ringTail;
    private long _sharedBytesFreed;
    private long _oldestLarge;
    private long _oldestSkip;
    private int _wantedBytes;

    internal OrderedSendLane(
        int number, in LaneOptions options, in SendLimits limits, MessageMemory memory, PeerTerms peer,
        SendSchedule schedule)
        : base(number, options, peer, schedule)
    {
        _capacity = limits.RingBytes;
        _largestMessage = limits.LargestMessage;
        _memory = memory;
        Receipts = new ReceiptBook();
    }

    /// <summary>What the application wants to hear about this lane's messages.</summary>
    internal ReceiptBook Receipts { get; }

    /// <summary>No other lane of any session has it: what the ids of this lane are sealed with.</summary>
    internal ulong Salt { get; init; }

    /// <summary>True once all that was ever accepted is settled.</summary>
    internal override bool IsSettled
    {
        get
        {
            lock (_gate)
            {
                return Volatile.Read(ref _tail) >= _reserved;
            }
        }
    }

    private int LargestInRing => _capacity / 4;

    /// <inheritdoc/>
    internal override SendStatus TrySend(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        id = default;
        SendStatus allowed = CheckLength(message.Length, _largestMessage);

        if (allowed != SendStatus.Accepted)
        {
            return allowed;
        }

        if (message.Length > LargestInRing)
        {
            return TrySendLarge(message, options, out id);
        }

        lock (_gate)
        {
            if (!CanFit(message.Length))
            {
                return TrySendLarge(message, options, out id);
            }

            long start = _reserved;
            SendStatus status = TryReserve(message.Length, (message.Length, 0), options, out LaneRing? ring);

            if (status != SendStatus.Accepted)
            {
                return status;
            }

            ring!.Write(_reserved - _reservedLargeBytes, message);
            _reserved += message.Length;
            id = Note(start, message.Length, options);
            Publish();
            return SendStatus.Accepted;
        }
    }

    /// <inheritdoc/>
    internal override void StopAccepting()
    {
        lock (_gate)
        {
            _isClosed = true;
        }
    }

    /// <inheritdoc/>
    internal override void End()
    {
        lock (_gate)
        {
            if (!_ended)
            {
                AddOpenTo(ref _openAtEnd);
                CountEnds();
            }

            _ended = true;
            ReturnMemoryIfOver();
        }
    }

    // Under the lane lock. Writes the header; the caller then takes the body's part of the stream, of which so much stands
    // in the ring and so much counts as if it did.
    private SendStatus TryReserve(
        int length, (int InRing, int Beside) counted, in SendOptions options, out LaneRing? ring)
    {
        ring = null;

        if (_isClosed || _ended)
        {
            return SendStatus.Closed;
        }

        SendStatus rented = TryRentRing();

        if (rented != SendStatus.Accepted)
        {
            return rented;
        }

        ulong header = ((ulong)length * 2) + (ulong)(options.NotifyTaken ? 1 : 0);
        int headerBytes = VarInt.Size(header);

        if (!HasRoom(headerBytes + counted.InRing, counted.Beside))
        {
            return IsHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;
        }

        if (ReceiptBook.NeedsNote(options) && !Receipts.HasRoom())
        {
            return SendStatus.UpdatesFull;
        }

        ring = _ring!;
        long position = _reserved - _reservedLargeBytes;
        Span<byte> room = ring.Contiguous(position, headerBytes);

        if (room.Length == headerBytes)
        {
            _ = VarInt.Write(room, header);
        }
        else
        {
            WriteHeaderOverEnd(ring, position, header);
        }

        _reserved += headerBytes;
        return SendStatus.Accepted;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteHeaderOverEnd(LaneRing ring, long position, ulong header)
    {
        Span<byte> bytes = stackalloc byte[VarInt.MaxBytes];
        ring.Write(position, bytes[..VarInt.Write(bytes, header)]);
    }

    private bool HasRoom(int inRing, int beside)
    {
        int bytes = inRing + beside;

        if (FreeBytes >= bytes && (RingFreeBytes >= inRing || TryGrow(inRing)))
        {
            return true;
        }

        // The leader frees, then looks for this; here it is set, then looked again: one of the two sees the other.
        _wantedShare = 0;
        Volatile.Write(ref _wantedBytes, bytes);
        Interlocked.MemoryBarrier();
        return FreeBytes >= bytes && RingFreeBytes >= inRing;
    }

    // A glance.
    private long InRingBytes
        => Volatile.Read(ref _reserved) - Volatile.Read(ref _reservedLargeBytes) - Volatile.Read(ref _ringTail);

    // Shares count as if they stood in the ring, so that a lane has no more under way with them than without. A glance.
    private long UsedBytes
        => InRingBytes + Volatile.Read(ref _promisedBytes) + Volatile.Read(ref _sharedBytes) - Volatile.Read(ref _sharedBytesFreed);

    private long FreeBytes => _capacity - UsedBytes;

    // The message from there to what is reserved now.
    private MessageId Note(long start, int length, in SendOptions options)
    {
        OffsetRange place = new(start, _reserved);
        Receipts.Note(place, options);
        return Accept(place, length, options);
    }

    /// <inheritdoc/>
    internal override QueueCounters ReadQueue() => new(
        $"lane {Number} send",
        _capacity + ((long)MostLargeMessages * _largestMessage),
        _capacity,
        Math.Max(0, Volatile.Read(ref _reserved) - Received),
        Tally.OpenTransfers,
        Volatile.Read(ref _mostBytes),
        Volatile.Read(ref _mostItems),
        Tally.Read(MessageCount.FirstSendRefused + (int)SendStatus.LaneFull)
            + Tally.Read(MessageCount.FirstSendRefused + (int)SendStatus.NoCredit));

    /// <inheritdoc/>
    internal override QueueCounters ReadUpdates() => UpdatesOf(Receipts.Notes, Receipts.MostNotesSeen);

    // Under the lane lock.
    private MessageId Accept(OffsetRange place, int length, in SendOptions options)
    {
        MarkTimed(options);

        if (options.NotifyTaken)
        {
            Tally.Count(MessageCount.TakesAsked);
        }

        CountAccepted(messages: 1, length);
        return NameOf(place, options.NotifyTaken);
    }

    // Under the lane lock.
    private void CountAccepted(int messages, int bytes)
    {
        Tally.CountSent(messages, bytes);
        NoteMost(ref _mostBytes, _reserved - Received);
        NoteMost(ref _mostItems, Tally.OpenTransfers);
    }

    private void MarkTimed(in SendOptions options)
    {
        if (options.ReceiveTimeout > TimeSpan.Zero || options.TakeTimeout > TimeSpan.Zero)
        {
            MarkTimed();
        }
    }

    // Under the lane lock. Everything before the first open claim may go.
    private void Publish()
    {
        if (_oldestClaim < _nextClaim)
        {
            PassClaims();
        }

        ReturnRetiredIfOver();
        long published = _oldestClaim < _nextClaim ? _claims[_oldestClaim & (MostClaims - 1)].Start : _reserved;
        Invariant.Require(published >= _published, "What was published stays published.");

        if (published > _published)
        {
            Volatile.Write(ref _published, published);
            MarkReady();
        }
    }

    private void ReturnMemoryIfOver()
    {
        if (!_ended || _oldestClaim < _nextClaim)
        {
            return;
        }

        for (; _oldestLarge < _nextLarge; _oldestLarge++)
        {
            LargeAt(_oldestLarge).Free(_memory);
        }

        if (_ring is { } ring)
        {
            _memory.ReturnSent(ring.Block);
            _ring = null;
        }

        ReturnRetired();
        ReturnBatchIfClosed();
    }
}
