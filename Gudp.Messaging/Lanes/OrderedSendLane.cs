// The sending side of an ordered lane: a stream of `header v | bytes`, written by users and transmitted by the leader.
//
// Messages up to a quarter of the ring stand in it. A larger one leaves only its header there; its bytes wait in a
// block of their own, and stream offsets count them all the same. So a position in the ring is the stream offset less
// the bytes of all large messages before it.
//
// A claim takes its place in the stream at once, its bytes come later: transmission stops at the first open claim. An
// abandoned claim with nothing behind it is simply taken back; else its place becomes a LaneSkip.
//
// Always true:
//   - tail <= sent <= published <= reserved, and between tail and reserved the ring holds at most its capacity;
//   - offsets below the tail are settled: acknowledged, or taken by the peer;
//   - a message's id is its end offset, so its state is a comparison with tail, sent and taken.

using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// Any thread: the members in this file and in OrderedSendLane.Claims.cs. The leader only: those in
/// OrderedSendLane.Transmit.cs and OrderedSendLane.Settle.cs. Writers exclude each other with the lane lock; between
/// them and the leader stand positions, each written by one side.
/// </remarks>
internal sealed partial class OrderedSendLane : SendLane
{
    // So many large messages of a lane may be under way; the budget in bytes usually says stop before.
    private const int MostLargeMessages = 64;

    private readonly Lock _gate = new();
    private readonly MessageMemory _memory;
    private readonly int _capacity;
    private readonly int _largestMessage;

    private readonly LargeMessage[] _large = new LargeMessage[MostLargeMessages];
    private LaneRing? _ring;
    private long _reserved;
    private long _reservedLargeBytes;
    private bool _ended;

    // Written by writers, read by the leader.
    private long _published;
    private long _nextLarge;
    private long _nextSkip;

    // Written by the leader, read by writers.
    private long _ringTail;
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
        Receipts = new ReceiptBook(number);
    }

    /// <summary>What the application wants to hear about this lane's messages.</summary>
    internal ReceiptBook Receipts { get; }

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
        ReceiptWish wish = MessageSession.WishOf(options);
        SendStatus allowed = CheckLength(message.Length, _largestMessage);

        if (allowed != SendStatus.Accepted)
        {
            return allowed;
        }

        if (message.Length > LargestInRing)
        {
            return TrySendLarge(message, wish, out id);
        }

        lock (_gate)
        {
            SendStatus status = TryReserve(message.Length, message.Length, wish, out LaneRing? ring);

            if (status != SendStatus.Accepted)
            {
                return status;
            }

            ring!.Write(_reserved - _reservedLargeBytes, message);
            _reserved += message.Length;
            id = Note(wish);
            Publish();
            return SendStatus.Accepted;
        }
    }

    /// <inheritdoc/>
    internal override void End()
    {
        lock (_gate)
        {
            _ended = true;
            ReturnMemoryIfOver();
        }
    }

    private SendStatus TrySendLarge(ReadOnlySpan<byte> message, ReceiptWish wish, out MessageId id)
    {
        id = default;
        SendStatus status = TryRentRoom(message.Length, out Memory<byte> room, out byte[]? block);

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        message.CopyTo(room.Span);
        return TrySendBlock(block!, message.Length, wish, out id);
    }

    // The block becomes the lane's, or is returned.
    private SendStatus TrySendBlock(byte[] block, int length, ReceiptWish wish, out MessageId id)
    {
        id = default;

        lock (_gate)
        {
            SendStatus status = HasLargeSlot() ? TryReserve(length, 0, wish, out _) : SendStatus.LaneFull;

            if (status != SendStatus.Accepted)
            {
                _memory.Return(block);
                return status;
            }

            _large[_nextLarge & (MostLargeMessages - 1)] = new LargeMessage(_reserved, length, block);
            Volatile.Write(ref _nextLarge, _nextLarge + 1);
            _reserved += length;
            _reservedLargeBytes += length;
            id = Note(wish);
            Publish();
            return SendStatus.Accepted;
        }
    }

    private SendStatus TryRentRoom(int length, out Memory<byte> room, out byte[]? block)
    {
        SendStatus status = _memory.TryRent(length, out byte[] rented);
        bool accepted = status == SendStatus.Accepted;
        room = accepted ? rented.AsMemory(0, length) : default;
        block = accepted ? rented : null;
        return status;
    }

    // Under the lane lock. Writes the header; the caller then takes the body's part of the stream.
    private SendStatus TryReserve(int length, int bytesInRing, ReceiptWish wish, out LaneRing? ring)
    {
        ring = null;

        if (_ended)
        {
            return SendStatus.Closed;
        }

        if (_ring is null)
        {
            SendStatus rented = _memory.TryRent(_capacity, out byte[] block);

            if (rented != SendStatus.Accepted)
            {
                return rented;
            }

            _ring = new LaneRing(block, _capacity);
        }

        ring = _ring;
        ulong header = ((ulong)length * 2) + (ulong)((wish & ReceiptWish.Taken) != 0 ? 1 : 0);
        int headerBytes = VarInt.Size(header);

        if (!HasRoom(headerBytes + bytesInRing) || (wish != ReceiptWish.None && !Receipts.HasRoom()))
        {
            return IsHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;
        }

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

    private bool HasRoom(int bytes)
    {
        if (FreeBytes >= bytes)
        {
            return true;
        }

        // The leader frees, then looks for this; here it is set, then looked again: one of the two sees the other.
        Volatile.Write(ref _wantedBytes, bytes);
        Interlocked.MemoryBarrier();
        return FreeBytes >= bytes;
    }

    private bool HasLargeSlot()
    {
        if (_nextLarge - Volatile.Read(ref _oldestLarge) < MostLargeMessages)
        {
            return true;
        }

        // As above; any room in the ring then stands for a slot.
        Volatile.Write(ref _wantedBytes, 1);
        Interlocked.MemoryBarrier();
        return _nextLarge - Volatile.Read(ref _oldestLarge) < MostLargeMessages;
    }

    private long FreeBytes => _capacity - (_reserved - _reservedLargeBytes - Volatile.Read(ref _ringTail));

    private MessageId Note(ReceiptWish wish)
    {
        if (wish != ReceiptWish.None)
        {
            Receipts.Note(_reserved, wish);
        }

        return new MessageId(0, Number, _reserved) { AsksTaken = (wish & ReceiptWish.Taken) != 0 };
    }

    // Under the lane lock. Everything before the first open claim may go.
    private void Publish()
    {
        if (_oldestClaim < _nextClaim)
        {
            PassClaims();
        }

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
            _memory.Return(_large[_oldestLarge & (MostLargeMessages - 1)].Block);
        }

        if (_ring is { } ring)
        {
            _memory.Return(ring.Block);
            _ring = null;
        }
    }

    /// <summary>A message whose bytes stand beside the ring.</summary>
    private readonly record struct LargeMessage(long BodyStart, int Length, byte[] Block)
    {
        internal long BodyEnd => BodyStart + Length;
    }
}
