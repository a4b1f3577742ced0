using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging.Lanes;

/// <content>Messages whose bytes stand beside the ring: large ones, and those that others send too.</content>
internal sealed partial class OrderedSendLane
{
    /// <summary>So many messages of a lane may stand beside its ring; the budget may say stop before.</summary>
    internal const int MostLargeMessages = 4096;

    // Places are made in parts, which stay where they are while in use: the leader reads while writers make more.
    private const int LargePerPart = 64;

    // A shorter message is copied sooner than it is counted.
    private const int LongestCopiedShare = 256;

    private readonly LargeMessage[]?[] _large = new LargeMessage[MostLargeMessages / LargePerPart][];

    // Writers, under the lane lock. Parts are counted as messages are; this is the oldest that was not used again.
    private long _oldestPart;

    /// <inheritdoc/>
    internal override SendStatus TrySend(SharedBlock message, in SendOptions options, out MessageId id)
    {
        if (message.Length <= LongestCopiedShare)
        {
            return TrySend(message.Span, options, out id);
        }

        id = default;
        SendStatus status = CheckLength(message.Length, _largestMessage);

        if (status == SendStatus.Accepted)
        {
            status = RefusalOf(_memory.TryShare(message), message.Length);
        }

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        lock (_gate)
        {
            return TrySendBeside(new LargeMessage(message), options, out id);
        }
    }

    /// <inheritdoc/>
    internal override int TrySendAll(
        ReadOnlySpan<ReadOnlyMemory<byte>> messages, in SendOptions options, Span<SendResult> results)
    {
        lock (_gate)
        {
            return base.TrySendAll(messages, options, results);
        }
    }

    private SendStatus TrySendLarge(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        id = default;
        SendStatus status = TryRentRoom(message.Length, out Memory<byte> room, out byte[]? block);

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        status = RefusalBeside(message.Length);

        if (status != SendStatus.Accepted)
        {
            _memory.ReturnSent(block!);
            return status;
        }

        message.CopyTo(room.Span);
        return TrySendBlock(block!, message.Length, options, out id);
    }

    // The block becomes the lane's, or is returned.
    private SendStatus TrySendBlock(byte[] block, int length, in SendOptions options, out MessageId id)
    {
        lock (_gate)
        {
            return TrySendBeside(new LargeMessage(block, length), options, out id);
        }
    }

    // Under the lane lock. What carries the bytes becomes the lane's, or is given back.
    private SendStatus TrySendBeside(LargeMessage large, in SendOptions options, out MessageId id)
    {
        id = default;
        long start = _reserved;
        int counted = CountedBytes(large);
        SendStatus status = HasLargeSlot() && HasShare(large.Length, toCome: 0)
            ? TryReserve(large.Length, (0, counted), options, out _)
            : IsHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;

        if (status != SendStatus.Accepted)
        {
            large.Free(_memory);
            return status;
        }

        large.BodyStart = _reserved;
        large.LargeBytesBefore = _reservedLargeBytes;

        if (_nextLarge % LargePerPart == 0)
        {
            PlacePart(_nextLarge / LargePerPart);
        }

        LargeAt(_nextLarge) = large;
        Volatile.Write(ref _nextLarge, _nextLarge + 1);
        _reserved += large.Length;
        _reservedLargeBytes += large.Length;
        _sharedBytes += counted;
        id = Note(start, large.Length, options);
        Publish();
        return SendStatus.Accepted;
    }

    // Under the lane lock, before the first message of the part. The part that was left first is used again, so a lane
    // has no more of them than its most messages under way once took, however many it sent.
    //
    // Nobody can hold a place in a part that was left: the leader alone looks at places without the lock, at none below
    // the oldest, and moves that only after its last look at what it passes; whoever reads the oldest here then sees
    // that those looks are over. The leader finds the part in its new place because it reads the next index first,
    // which is written after it. Who frees what is left after the end moves the oldest too, under the lock, and then
    // no message comes any more.
    private void PlacePart(long part)
    {
        const int places = MostLargeMessages / LargePerPart;
        ref LargeMessage[]? place = ref _large[part % places];

        if (place is not null)
        {
            // All parts are there and this is the oldest: a place of it is free, or there were no slot.
            _oldestPart++;
        }
        else if (_oldestPart < Volatile.Read(ref _oldestLarge) / LargePerPart)
        {
            ref LargeMessage[]? left = ref _large[_oldestPart++ % places];
            place = left;
            left = null;
        }
        else
        {
            place = new LargeMessage[LargePerPart];
        }

        Invariant.Require(
            part - _oldestPart < places && place is not null, "Parts between the oldest and the newest are there.");
    }

    private SendStatus TryRentRoom(int length, out Memory<byte> room, out byte[]? block)
    {
        SendStatus status = RefusalOf(_memory.TryRentToSend(length, out byte[] rented), length);
        bool accepted = status == SendStatus.Accepted;
        room = accepted ? rented.AsMemory(0, length) : default;
        block = accepted ? rented : null;
        return status;
    }

    // Before the copy, which is nearly all that a large message costs: who asks again and again would pay it each time.
    // Others may still be faster, so it is asked once more with the message.
    private SendStatus RefusalBeside(int length)
    {
        lock (_gate)
        {
            bool hasRoom = _isClosed || _ended
                || (HasLargeSlot() && HasShare(length, toCome: 0) && HasRoom(VarInt.Size(((ulong)length * 2) + 1), beside: 0));
            return hasRoom ? SendStatus.Accepted : IsHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;
        }
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

    // Leader. The first large message that ends after the offset.
    private long FirstLargeAfter(long offset, long nextLarge)
    {
        long low = _oldestLarge;
        long high = nextLarge;

        while (low < high)
        {
            long middle = low + ((high - low) / 2);

            if (LargeAt(middle).BodyEnd <= offset)
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

    // Leader. The bytes of all large messages before the one with this index stand not in the ring.
    private long LargeBytesBefore(long index)
        => index == _oldestLarge ? _largeBytesBeforeTail
            : LargeAt(index - 1).LargeBytesBefore + LargeAt(index - 1).Length;

    // Leader. The bytes of messages that were given up are of no use to anybody.
    private void FreeGivenUp(OffsetRange among)
    {
        long nextLarge = Volatile.Read(ref _nextLarge);

        for (long index = FirstLargeAfter(among.From, nextLarge); index < nextLarge; index++)
        {
            ref LargeMessage large = ref LargeAt(index);

            if (large.BodyStart >= among.To)
            {
                break;
            }

            OffsetRange body = new(large.BodyStart, large.BodyEnd);

            if (!large.IsFree && !_given.TryFirstKept(ref body))
            {
                FreeLarge(ref large);
            }
        }
    }

    private void FreeLarge(ref LargeMessage large)
    {
        Volatile.Write(ref _sharedBytesFreed, _sharedBytesFreed + CountedBytes(large));
        Volatile.Write(ref _largeBytesFreed, _largeBytesFreed + (large.IsFree ? 0 : large.Length));
        large.Free(_memory);
    }

    // What takes room of the ring without standing in it.
    private int CountedBytes(in LargeMessage large)
        => large.IsShared && large.Length <= LargestInRing ? large.Length : 0;

    private ref LargeMessage LargeAt(long index)
    {
        long place = index & (MostLargeMessages - 1);
        return ref _large[place / LargePerPart]![place % LargePerPart];
    }

    /// <summary>A message whose bytes stand beside the ring: in a block of its own, or in a shared one.</summary>
    private struct LargeMessage
    {
        private byte[]? _block;
        private SharedBlock? _shared;

        internal LargeMessage(byte[] block, int length)
        {
            _block = block;
            Length = length;
        }

        internal LargeMessage(SharedBlock shared)
        {
            _shared = shared;
            Length = shared.Length;
        }

        internal long BodyStart { get; set; }

        internal long LargeBytesBefore { get; set; }

        internal int Length { get; }

        internal readonly long BodyEnd => BodyStart + Length;

        internal readonly bool IsShared => _shared is not null;

        internal readonly bool IsFree => _block is null && _shared is null;

        internal readonly ReadOnlySpan<byte> Bytes => _shared is null ? _block.AsSpan(0, Length) : _shared.Span;

        internal void Free(MessageMemory memory)
        {
            if (_shared is not null)
            {
                memory.ReleaseShare(_shared);
            }
            else if (_block is not null)
            {
                memory.ReturnSent(_block);
            }

            _shared = null;
            _block = null;
        }
    }
}
