// The sending side of a message lane (modes 1 to 4, D-8): every message stands alone, with a record from its acceptance
// until nobody has a question about it.
//
// Records lie in a ring by id. Users add at its end; the leader's cursor passes over them as they are first
// transmitted; they leave at its start, in order, once both states have ended, the peer was told of what was given up,
// and every update that was asked for was handed out. Their ends are then kept for a while as one byte each.
//
// Always true, under the lane lock:
//   - oldest <= cursor <= next, and at most MostRecords lie between oldest and next;
//   - a record's states only move forward, and an end never changes;
//   - a payload is held exactly while its message may still be transmitted, and spare blocks while one is held;
//   - what was charged to the connection's credit for a message was charged once, all of its length.

using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// One lock for users and leader, held for a few steps at a time: copying into a packet is the longest of them.
/// </remarks>
internal sealed partial class MessageSendLane : SendLane
{
    /// <summary>So many messages of a lane may have an open question; more are refused.</summary>
    internal const int MostRecords = 16 * 1024;

    /// <summary>So many asked updates may wait to be fetched.</summary>
    internal const int MostAsked = ReceiptBook.MostNotes;

    // Messages above a quarter of the queue count by number, their bytes only in the lane's share of the peer's budget.
    private const int MostLargeMessages = 64;

    private readonly Lock _gate = new();
    private readonly MessageMemory _memory;
    private readonly BlockStash _spare;
    private readonly SendLimits _limits;
    private readonly MessageTally _tally;
    private readonly bool _isReliable;
    private readonly bool _isSequenced;
    private readonly Stack<RangeSet> _freeSets = new();
    private long _heldBytes;
    private long _payloadBytes;
    private long _mostHeldBytes;
    private long _mostRecords;
    private long _mostAsked;
    private long _heldMessages;
    private int _largeMessages;
    private long _waitingBytes;
    private long _supersededTo;
    private int _wantedLength = -1;
    private bool _isUpdateRoomWanted;
    private OpenTraffic _openAtEnd;
    private bool _isClosed;
    private bool _ended;

    internal MessageSendLane(
        int number, in LaneOptions options, in SendLimits limits, in SendLedgers ledgers, SendSchedule schedule)
        : base(number, options, ledgers.Peer, schedule)
    {
        _limits = limits;
        _memory = ledgers.Memory;
        _spare = new BlockStash(_memory, isSent: true);
        _tally = ledgers.Tally;
        _isReliable = options.Mode <= LaneMode.SequencedReliable;
        _isSequenced = options.Mode == LaneMode.SequencedReliable;
        _stillMatters = StillMatters;
    }

    internal override bool IsSettled => Volatile.Read(ref _openTransfers) == 0;

    internal override bool IsRoomWanted => Volatile.Read(ref _wantedLength) >= 0 || Volatile.Read(ref _isUpdateRoomWanted);

    internal override long WaitingBytes => Volatile.Read(ref _waitingBytes);

    internal override int FilledPermille => (int)Math.Clamp(
        Math.Max(
            Volatile.Read(ref _heldBytes) * 1000 / _limits.RingBytes,
            (Volatile.Read(ref _next) - Volatile.Read(ref _oldest)) * 1000 / MostRecords),
        0,
        1000);

    internal override bool IsHeldByPeer => Volatile.Read(ref _isHeldByPeer);

    internal override long Progress => Volatile.Read(ref _cursor);

    internal override QueueCounters ReadQueue() => new(
        $"lane {Number} send",
        _limits.RingBytes + ((long)MostLargeMessages * _limits.LargestMessage),
        MostRecords,
        Volatile.Read(ref _heldBytes),
        Volatile.Read(ref _next) - Volatile.Read(ref _oldest),
        Volatile.Read(ref _mostHeldBytes),
        Volatile.Read(ref _mostRecords),
        Tally.Read(MessageCount.FirstSendRefused + (int)SendStatus.LaneFull)
            + Tally.Read(MessageCount.FirstSendRefused + (int)SendStatus.NoCredit));

    internal override QueueCounters ReadUpdates()
        => UpdatesOf(Volatile.Read(ref _asked), Volatile.Read(ref _mostAsked));

    internal override SendStatus TrySend(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        id = default;
        SendStatus status = CheckLength(message.Length, _limits.LargestMessage);

        if (status == SendStatus.Accepted && message.Length is > 0 and <= BlockStash.LargestBytes)
        {
            return TrySendSmall(message, options, out id);
        }

        if (status == SendStatus.Accepted && TryRentPayload(message.Length, out Payload payload, out status))
        {
            message.CopyTo(payload.Bytes);
            status = TryAdd(payload, options, out id);
        }

        return status;
    }

    // Its block is one of the spare ones, of which there are no more than messages held.
    private SendStatus TrySendSmall(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id)
    {
        id = default;

        lock (_gate)
        {
            int spare = (int)Math.Min(_heldMessages, BlockStash.MostPerSize);
            SendStatus taken = _spare.TryTake(message.Length, spare, out byte[] block);
            SendStatus status = RefusalOf(taken, message.Length);

            if (status != SendStatus.Accepted)
            {
                return status;
            }

            message.CopyTo(block);
            Payload payload = new(block, Shared: null, message.Length);
            status = TryAppend(payload, options, out id);

            if (status != SendStatus.Accepted)
            {
                GiveBack(payload);
            }

            return status;
        }
    }

    internal override SendStatus TrySend(SharedBlock message, in SendOptions options, out MessageId id)
    {
        id = default;
        SendStatus status = CheckLength(message.Length, _limits.LargestMessage);

        if (status == SendStatus.Accepted)
        {
            status = RefusalOf(_memory.TryShare(message), message.Length);
        }

        return status == SendStatus.Accepted
            ? TryAdd(new Payload(message.Bytes, message, message.Length), options, out id)
            : status;
    }

    // The claim's room is a block of its own; the message gets its id when it is committed, so nobody waits for it.
    internal override SendStatus TryClaim(int length, in SendOptions options, out LaneClaim claim)
    {
        claim = default;
        SendStatus status = CheckLength(length, _limits.LargestMessage);

        if (status == SendStatus.Accepted && TryRentPayload(length, out Payload payload, out status))
        {
            claim = new LaneClaim(-1, payload.Bytes.AsMemory(0, length), payload.Bytes, options);
        }

        return status;
    }

    internal override SendStatus Commit(in LaneClaim claim, out MessageId id)
        => TryAdd(new Payload(claim.Block!, Shared: null, claim.Length), claim.Options, out id);

    internal override void Abandon(in LaneClaim claim) => Return(new Payload(claim.Block!, Shared: null, claim.Length));

    internal override void StopAccepting()
    {
        lock (_gate)
        {
            _isClosed = true;
        }
    }

    internal override void End()
    {
        lock (_gate)
        {
            if (!_ended)
            {
                AddOpenTo(ref _openAtEnd);
            }

            _isClosed = true;
            _ended = true;

            for (long id = _oldest; id < _next; id++)
            {
                ref Record record = ref At(id);

                if (IsOpen(record.Transfer))
                {
                    // Of what was not wholly transmitted the peer has no whole message.
                    bool isSent = record.Transfer == TransferState.Sent;
                    EndTransfer(ref record, id, isSent ? TransferState.Unknown : TransferState.Cancelled);
                }

                EndTake(ref record, id, TakeState.Unknown);
            }
        }
    }

    internal override bool TakeWritable()
    {
        lock (_gate)
        {
            int wanted = _wantedLength;

            if (wanted < 0 || (!_ended && RoomFor(wanted, toCome: wanted) != SendStatus.Accepted))
            {
                return false;
            }

            Volatile.Write(ref _wantedLength, -1);
            return true;
        }
    }

    private bool TryRentPayload(int length, out Payload payload, out SendStatus status)
    {
        payload = new Payload([], Shared: null, length);
        status = SendStatus.Accepted;

        if (length > 0)
        {
            status = RefusalOf(_memory.TryRentToSend(length, out byte[] block), length);
            payload = payload with { Bytes = block };
        }

        return status == SendStatus.Accepted;
    }

    // Under the lane's lock.
    private void GiveBack(in Payload payload)
    {
        if (payload.Shared is null && payload.Bytes.Length > 0)
        {
            _spare.Put(payload.Bytes);
        }
        else
        {
            Return(payload);
        }

        if (_heldMessages == 0)
        {
            _spare.Clear();
        }
    }

    private void Return(in Payload payload)
    {
        if (payload.Shared is { } shared)
        {
            _memory.ReleaseShare(shared);
        }
        else if (payload.Bytes.Length > 0)
        {
            _memory.ReturnSent(payload.Bytes);
        }
    }

    // The payload becomes the lane's, or is returned.
    private SendStatus TryAdd(in Payload payload, in SendOptions options, out MessageId id)
    {
        SendStatus status;

        lock (_gate)
        {
            status = TryAppend(payload, options, out id);
        }

        if (status != SendStatus.Accepted)
        {
            Return(payload);
        }

        return status;
    }

    // Under the lane's lock. The payload becomes the lane's if it is accepted.
    private SendStatus TryAppend(in Payload payload, in SendOptions options, out MessageId id)
    {
        ReceiptWish wish = (options.NotifyReceived ? ReceiptWish.Received : ReceiptWish.None)
            | (options.NotifyTaken ? ReceiptWish.Taken : ReceiptWish.None);
        SendStatus status = _isClosed ? SendStatus.Closed : MakeRoom(payload.Length, wish);

        // R2: accepted, and given up at once.
        bool isDropped = status is not (SendStatus.Accepted or SendStatus.Closed)
            && Options.WhenFull == FullPolicy.DropNewest && HasRecord && HasUpdateRoom(wish);
        id = default;

        if (status != SendStatus.Accepted && !isDropped)
        {
            return status;
        }

        long value = Append(payload, options, wish);
        id = new MessageId(0, Number, value) { AsksTaken = (wish & ReceiptWish.Taken) != 0 };

        if (isDropped)
        {
            Drop(value, MessageDrop.NewestOfFullLane);
        }

        return SendStatus.Accepted;
    }

    private SendStatus MakeRoom(int length, ReceiptWish wish)
    {
        if (!HasUpdateRoom(wish))
        {
            return SendStatus.UpdatesFull;
        }

        SendStatus status = RoomFor(length, toCome: 0);

        // A record behind one with an open question makes no room.
        while (status != SendStatus.Accepted && Options.WhenFull == FullPolicy.DropOldest
            && TryFindWaiting(out long oldest) && (HasRecord || oldest == _oldest))
        {
            Drop(oldest, MessageDrop.OldestOfFullLane);
            status = RoomFor(length, toCome: 0);
        }

        if (status != SendStatus.Accepted)
        {
            Volatile.Write(ref _wantedLength, length);
        }

        return status;
    }

    private bool HasRecord => _next - _oldest < MostRecords;

    private bool HasUpdateRoom(ReceiptWish wish)
    {
        bool hasRoom = wish == ReceiptWish.None || _asked < MostAsked;

        if (!hasRoom)
        {
            Volatile.Write(ref _isUpdateRoomWanted, true);
        }

        return hasRoom;
    }

    // The message's bytes are lent already, but for those to come.
    private SendStatus RoomFor(int length, int toCome)
    {
        // D-8.6: what has no credit takes no older one's place; else a flood of newer ones would let none through.
        if (_isSequenced && Peer.IsKnown && _next >= CreditLimit)
        {
            return SendStatus.NoCredit;
        }

        bool hasRoom = HasRecord && IsWithinShare(length, toCome)
            && (IsLarge(length)
                ? _largeMessages < MostLargeMessages
                : _heldBytes + length <= _limits.RingBytes || _heldMessages == 0);

        return hasRoom ? SendStatus.Accepted : _isHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;
    }

    // D-3.7: one message in every case, else no more than the lane leaves to others.
    private bool IsWithinShare(int length, int toCome)
        => _payloadBytes == 0 || _memory.MayHold(_payloadBytes + length, toCome);

    // Any thread. Without memory a lane that holds as much as it may is full, and hears of it as of any other room.
    private SendStatus RefusalOf(SendStatus status, int length)
    {
        if (status != SendStatus.PeerFull)
        {
            return status;
        }

        lock (_gate)
        {
            if (IsWithinShare(length, toCome: length))
            {
                return status;
            }

            Volatile.Write(ref _wantedLength, length);
            return _isHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;
        }
    }

    private bool IsLarge(int length) => length > _limits.RingBytes / 4;

    private long Append(in Payload payload, in SendOptions options, ReceiptWish wish)
    {
        long id = _next;
        ref Record record = ref AddRecord();
        record.Payload = payload;
        record.Wish = wish;
        record.Transfer = TransferState.Queued;
        record.Take = (wish & ReceiptWish.Taken) != 0 ? TakeState.Pending : TakeState.NotAsked;
        record.MostAttempts = (byte)Math.Clamp(options.MaxAttempts, 0, byte.MaxValue);
        _asked += wish != ReceiptWish.None ? 1 : 0;
        _openTransfers++;
        _waitingBytes += payload.Length;
        _heldMessages++;
        _payloadBytes += payload.Length;
        _largeMessages += IsLarge(payload.Length) ? 1 : 0;
        _heldBytes += IsLarge(payload.Length) ? 0 : payload.Length;
        _tally.Count(MessageCount.MessagesSent);
        _tally.Count(MessageCount.BytesSent, payload.Length);
        _tally.Count(MessageCount.TakesAsked, (wish & ReceiptWish.Taken) != 0 ? 1 : 0);
        NoteMost(ref _mostHeldBytes, _heldBytes);
        NoteMost(ref _mostRecords, _next - _oldest);
        NoteMost(ref _mostAsked, _asked);
        NoteTimeouts(id, options);

        if (_isSequenced)
        {
            Supersede(id);
        }

        MarkReady();
        return id;
    }

    // D-8.6
    private void Supersede(long newest)
    {
        for (long id = Math.Max(_supersededTo, _oldest); id < newest; id++)
        {
            ref Record record = ref At(id);

            // What is wholly in flight may still arrive: its packet's fate decides.
            if (record.Transfer == TransferState.Queued)
            {
                GiveUp(ref record, id, TransferState.Expired);
            }
        }

        _supersededTo = newest;
    }

    private void Drop(long id, MessageDrop cause)
    {
        _tally.CountDrop(cause);
        GiveUp(ref At(id), id, TransferState.Expired);

        if (!_isReliable)
        {
            // However many are dropped between two turns, their records make room, and none is looked at twice.
            PassEnded();
        }
    }

    private bool TryFindWaiting(out long id)
    {
        for (id = _cursor; id < _next; id++)
        {
            if (At(id) is { Transfer: TransferState.Queued, IsBegun: false })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A message's bytes: a block of the lane's own, or a share of one.</summary>
    private readonly record struct Payload(byte[] Bytes, SharedBlock? Shared, int Length);
}
