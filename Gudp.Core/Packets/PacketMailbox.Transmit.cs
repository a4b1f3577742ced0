using System;
using System.Threading;
using Gudp.Core.Wire;

namespace Gudp.Core.Packets;

// What goes into the next packet, and what becomes of it. Everything here is called by the leader.
internal sealed partial class PacketMailbox
{
    // P-8.7: after so many repeated ones a new one has its turn, so that a path that loses much still carries both.
    private const int OffersInARow = 3;

    // Notes in the outbox that the peer was told of room; no packet has this handle.
    private const long RoomRecord = -1;

    private readonly ReliableOutbox<long> _outbox;
    private long _nextId;
    private int _offered;
    private long _heldOffer;        // taken from the outbox and not written, because it did not fit
    private int _offersInRow;
    private int _parked;            // at most so many are
    private int _parkedAtBytes;     // what frames had room for when a packet was put aside last

    private bool MayNote => !_outbox.IsFull;

    private bool MayWriteOffer => _offered > 0 && MayNote;

    public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now)
    {
        lock (_gate)
        {
            int written = WriteRoom(packet, destination);

            while (TryChoose(out int slot))
            {
                int frameBytes = FrameBytesOf(_table[slot]);

                if (frameBytes > _host.MaxFrameBytes)
                {
                    PutAside(slot);
                    continue;
                }

                if (frameBytes > destination.Length - written)
                {
                    break;
                }

                Write(slot, destination.Slice(written, frameBytes), packet);
                written += frameBytes;
            }

            PublishState();
            return written;
        }
    }

    public void HandleAcked(PacketNumber packet, Instant now)
    {
        if (_outbox.IsEmpty)
        {
            // The leader's own: nothing that was sent has a fate to be told.
            return;
        }

        lock (_gate)
        {
            while (_outbox.TryTake(packet, out long handle))
            {
                if (_table.TryFind(handle, out int slot))
                {
                    Settle(slot, PacketOutcome.Received);
                }
            }

            PublishState();
        }
    }

    public void HandleLost(PacketNumber packet, Instant now)
    {
        if (_outbox.IsEmpty)
        {
            return;
        }

        lock (_gate)
        {
            while (_outbox.TryTake(packet, out long handle))
            {
                _isRoomOwed |= handle == RoomRecord;

                if (!_table.TryFind(handle, out int slot))
                {
                    continue;
                }

                if (_table[slot].Delivery == PacketDelivery.Notify)
                {
                    Settle(slot, PacketOutcome.Lost);
                }
                else if (_table[slot].LastPacket == packet.Value)
                {
                    // Else a later packet carries it too, and that one's fate decides.
                    Offer(slot);
                }
            }

            PublishState();
        }
    }

    public void HandleOverdue(PacketNumber packet, Instant now)
    {
        lock (_gate)
        {
            int cursor = 0;

            while (_outbox.TryPeek(packet, ref cursor, out long handle))
            {
                _isRoomOwed |= handle == RoomRecord;

                if (_table.TryFind(handle, out int slot) && _table[slot].Delivery == PacketDelivery.Reliable)
                {
                    Offer(slot);
                }
            }

            PublishState();
        }
    }

    private int FrameBytesOf(in PacketSlot packet)
    {
        if (packet.Delivery != PacketDelivery.Reliable)
        {
            return UserPacketFrame.Overhead(packet.Length) + packet.Length;
        }

        long id = packet.Id < 0 ? _nextId : packet.Id;
        return UserPacketFrame.ReliableOverhead((ulong)id, packet.Length) + packet.Length;
    }

    private void Offer(int slot)
    {
        ref PacketSlot packet = ref _table[slot];

        if (packet.State == SlotState.Flying)
        {
            SetState(ref packet, SlotState.Offered);
            _outbox.Offer(packet.Handle);
            _offered++;
        }
    }

    /// <summary>The packet to be written next; left where it stands.</summary>
    private bool TryChoose(out int slot)
    {
        int offer = MayWriteOffer ? NextOffer() : -1;
        int fresh = NextFresh();
        bool isFreshsTurn = fresh >= 0 && (offer < 0 || _offersInRow >= OffersInARow);
        slot = isFreshsTurn ? fresh : offer;
        return slot >= 0;
    }

    private int NextOffer()
    {
        int slot;

        while (!_table.TryFind(_heldOffer, out slot) || _table[slot].State != SlotState.Offered)
        {
            // What was settled since it was offered is passed over.
            if (!_outbox.TryNextOffer(out _heldOffer))
            {
                return -1;
            }
        }

        return slot;
    }

    // Among the new ones the order of sending, but one that must wait does not keep the others.
    private int NextFresh()
    {
        int unreliable = _table.First(SlotList.FreshUnreliable);
        int reliable = _table.First(SlotList.FreshReliable);

        if (unreliable >= 0 && _table[unreliable].Delivery == PacketDelivery.Notify && !MayNote)
        {
            unreliable = -1;
        }

        if (reliable >= 0 && !(MayNote && MayOpenId))
        {
            reliable = -1;
        }

        if (unreliable < 0 || reliable < 0)
        {
            return Math.Max(unreliable, reliable);
        }

        return _table[unreliable].Handle < _table[reliable].Handle ? unreliable : reliable;
    }

    // P-8.4: what the peer takes for known must never be open here.
    private bool MayOpenId
    {
        get
        {
            int oldest = _table.First(SlotList.Written);
            return oldest < 0 || _nextId - _table[oldest].Id < IdWindow.Ids;
        }
    }

    /// <summary>It will not fit while the path is as it is (P-8.9): the others must not wait for it.</summary>
    private void PutAside(int slot)
    {
        ref PacketSlot packet = ref _table[slot];
        _parkedAtBytes = _host.MaxFrameBytes;

        if (packet.Delivery != PacketDelivery.Reliable)
        {
            _host.Counters.UserPacketsTooLarge++;
            Settle(slot, PacketOutcome.Lost);
            return;
        }

        _offered -= packet.State == SlotState.Offered ? 1 : 0;
        SetState(ref packet, SlotState.Parked);

        if (packet.List != SlotList.Written)
        {
            _table.Move(slot, SlotList.Parked);
        }

        _parked++;
    }

    /// <summary>The turn is over: what did not fit has another try if the path has grown.</summary>
    public void HandleTurnEnd(Instant now)
    {
        if (_parked == 0 || _host.MaxFrameBytes <= _parkedAtBytes)
        {
            return;
        }

        lock (_gate)
        {
            Unpark();
            PublishState();
        }

        _host.Wake();
    }

    private void Unpark()
    {
        _parked = 0;

        for (int slot = 0; slot < _table.Slots; slot++)
        {
            ref PacketSlot packet = ref _table[slot];

            if (packet.State != SlotState.Parked)
            {
                continue;
            }

            if (packet.List == SlotList.Written)
            {
                SetState(ref packet, SlotState.Flying);
                Offer(slot);
            }
            else
            {
                SetState(ref packet, SlotState.Fresh);
                _table.Move(slot, SlotList.FreshReliable);
            }
        }
    }

    private void Write(int slot, Span<byte> frame, PacketNumber packet)
    {
        ref PacketSlot sent = ref _table[slot];
        Span<byte> bytes = _arena.SpanOf(sent.Place, sent.Length);
        bool isOffer = sent.State == SlotState.Offered;
        _offersInRow = isOffer ? _offersInRow + 1 : 0;

        if (sent.Delivery != PacketDelivery.Reliable)
        {
            UserPacketFrame.Write(frame, bytes);
            Release(slot, packet);
            return;
        }

        if (isOffer)
        {
            _offered--;
            _heldOffer = 0;
            _host.Counters.Retransmits++;
        }
        else
        {
            sent.Id = _nextId++;
            _table.Move(slot, SlotList.Written);
        }

        UserPacketFrame.WriteReliable(frame, (ulong)sent.Id, bytes);
        SetState(ref sent, SlotState.Flying);
        sent.LastPacket = packet.Value;
        _outbox.Note(packet, sent.Handle);
    }

    /// <summary>An unreliable packet has left: its bytes are not needed any more, its ticket may be.</summary>
    private void Release(int slot, PacketNumber packet)
    {
        if (_table[slot].Delivery == PacketDelivery.Unreliable)
        {
            Forget(slot);
            return;
        }

        SetState(ref _table[slot], SlotState.Flying);
        ReturnBytes(ref _table[slot]);
        _table.Unlink(slot);
        _outbox.Note(packet, _table[slot].Handle);
    }
}
