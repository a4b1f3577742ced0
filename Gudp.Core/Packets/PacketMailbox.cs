// The door's plain implementation (P-8): what a connection uses when no message layer sits on top. Packets keep their
// boundaries. Unreliable ones go out once; reliable ones are kept until the peer has them, and what is lost goes again.
//
// User threads post, claim, cancel and take; the leader writes, settles and ends. All of it under one lock, held for a
// copy of one packet's bytes at most when sending, of one datagram's when transmitting.
//
// Always true:
//   - what was refused was not queued; what was accepted has one fate, and room for telling it if it has a ticket;
//   - an open reliable packet is fresh, offered, parked, or flying in the packet LastPacket whose fate will be told;
//   - a new id lies less than IdWindow.Ids beyond the oldest open one (P-8.4);
//   - _isReady says whether WriteFrames would write something, as far as the queues decide it.
using System;
using System.Numerics;
using System.Threading;
using Gudp.Core.Buffers;

namespace Gudp.Core.Packets;

/// <summary>Core's own packets of one connection; see the comment on top.</summary>
internal sealed partial class PacketMailbox : IPacketPayload
{
    private const int LeastRecords = 64;

    private readonly object _gate = new();
    private readonly IMailboxHost _host;
    private readonly ReadBuffer _inbox;
    private readonly UpdateQueue _updates;
    private readonly PacketTable _table;
    private readonly PacketArena _arena;
    private readonly MemoryBudget? _budget;
    private readonly QueueConfig _queues;
    private readonly long _firstId;
    private long _keptBytes;        // of all packets that keep theirs
    private long _waitingBytes;     // of those that wait to be written

    private long _earliestDeadline = long.MaxValue;     // none is earlier; the one it was of may have gone
    private bool _isReady;
    private bool _isUnfinished;
    private bool _isEnded;

    /// <param name="host">The connection.</param>
    /// <param name="queues">Its limits.</param>
    /// <param name="budget">The daemon's memory; queues grow out of it in steps and give it back at the end.</param>
    /// <param name="firstId">The first id of both directions; 0 but in tests.</param>
    internal PacketMailbox(IMailboxHost host, QueueConfig queues, MemoryBudget? budget, long firstId = 0)
    {
        _host = host;
        _budget = budget;
        _queues = queues;
        _firstId = firstId;
        _nextId = firstId;
        _inbox = new ReadBuffer(queues.ReceivePackets, queues.ReceiveBytes, budget, host.Watch);
        _updates = new UpdateQueue(queues.SendPackets, budget, host.Watch);
        _table = new PacketTable(queues.SendPackets, budget);
        _arena = new PacketArena(queues.SendBytes, budget);

        // Twice as many as there can be packets, since a copy may fly beside what it was copied from.
        int records = (int)BitOperations.RoundUpToPowerOf2(2 * (uint)queues.SendPackets);
        _outbox = new ReliableOutbox<long>(Math.Max(LeastRecords, records));
    }

    internal static PayloadParameters Parameters { get; } = new() { Protocol = 0, Version = 1 };

    public bool HasDataToSend => Volatile.Read(ref _isReady) || HasRoomForRefused;

    public bool HasUnfinished => Volatile.Read(ref _isUnfinished);

    /// <summary>Leader; the numbers of one moment.</summary>
    public SendBacklog Backlog
    {
        get
        {
            // Nothing waits in most turns; what is posted meanwhile counts in the turn that it asks for.
            if (_table.Count == 0)
            {
                return default;
            }

            lock (_gate)
            {
                int packets = _offered + _table.CountOf(SlotList.FreshUnreliable)
                    + _table.CountOf(SlotList.FreshReliable) + _table.CountOf(SlotList.Parked);
                long byBytes = _keptBytes * SendQueueRule.WholePermille / _queues.SendBytes;
                long byPackets = (long)_table.Count * SendQueueRule.WholePermille / _queues.SendPackets;
                return new SendBacklog(_waitingBytes, packets, (int)Math.Max(byBytes, byPackets));
            }
        }
    }

    public Instant NextDeadline => new(Volatile.Read(ref _earliestDeadline));

    /// <summary>Any thread. Copies the packet, or refuses it whole and says which limit stands against it.</summary>
    internal SendStatus TryPost(
        ReadOnlySpan<byte> packet, in PacketOptions options, bool wantsTicket, out PacketTicket ticket)
    {
        ticket = default;
        Instant deadline = DeadlineOf(options);

        lock (_gate)
        {
            SendStatus status = TryOpen(packet.Length, options, wantsTicket, out int slot);

            if (status == SendStatus.Accepted)
            {
                packet.CopyTo(_arena.SpanOf(_table[slot].Place, packet.Length));
                ticket = Enqueue(slot, deadline);
            }

            return status;
        }
    }

    /// <summary>Any thread. As <see cref="TryPost"/>; the caller writes the packet where it will be sent from.</summary>
    internal SendStatus TryClaim(int length, in PacketOptions options, out PacketClaim claim)
    {
        claim = default;

        lock (_gate)
        {
            SendStatus status = TryOpen(length, options, wantsTicket: true, out int slot);

            if (status == SendStatus.Accepted)
            {
                ref PacketSlot claimed = ref _table[slot];
                claimed.Deadline = DeadlineOf(options);
                claim = new PacketClaim(this, claimed.Handle, _arena.SpanOf(claimed.Place, length));
            }

            return status;
        }
    }

    internal SendStatus Commit(long handle, out PacketTicket ticket)
    {
        ticket = default;
        int bytes;

        lock (_gate)
        {
            if (_isEnded || !_table.TryFind(handle, out int slot))
            {
                return SendStatus.Closed;
            }

            if (_host.IsFinal)
            {
                Abandon(slot);
                return SendStatus.Closed;
            }

            bytes = _table[slot].Length;
            ticket = Enqueue(slot, _table[slot].Deadline);
        }

        _host.WakeToSend(bytes);
        return SendStatus.Accepted;
    }

    internal void Abandon(long handle)
    {
        lock (_gate)
        {
            if (_table.TryFind(handle, out int slot))
            {
                Abandon(slot);
            }
        }
    }

    /// <summary>Any thread: no more tries; the outcome is Cancelled.</summary>
    /// <returns>False if its outcome is known, or there never was such a packet.</returns>
    internal bool TryCancel(PacketTicket ticket)
    {
        lock (_gate)
        {
            if (_isEnded || !_table.TryFind(ticket.Value, out int slot)
                || _table[slot].State == SlotState.Claimed || !_table[slot].IsTracked)
            {
                return false;
            }

            Settle(slot, PacketOutcome.Cancelled);
            PublishState();
        }

        _host.Wake();
        return true;
    }

    internal int TakeUpdates(Span<PacketUpdate> destination) => _updates.Take(destination);

    internal bool WaitForUpdates(TimeSpan timeout) => _updates.Wait(timeout);

    public void HandleOpened(in PayloadParameters peer, Instant now)
    {
    }

    /// <summary>Gives up what had its time (P-8.5).</summary>
    public void HandleTimeout(Instant now)
    {
        lock (_gate)
        {
            long earliest = long.MaxValue;

            for (int slot = 0; slot < _table.Slots; slot++)
            {
                ref PacketSlot packet = ref _table[slot];

                if (packet.State is SlotState.Free or SlotState.Claimed || packet.Deadline.IsNever)
                {
                    continue;
                }

                if (packet.Deadline <= now)
                {
                    Settle(slot, PacketOutcome.TimedOut);
                }
                else
                {
                    earliest = Math.Min(earliest, packet.Deadline.Ticks);
                }
            }

            Volatile.Write(ref _earliestDeadline, earliest);
            PublishState();
        }
    }

    // P-8.10
    public void HandleStatus(ConnectionStatus status, CloseReason? reason, Instant now)
    {
        _inbox.End();

        lock (_gate)
        {
            for (int slot = 0; slot < _table.Slots; slot++)
            {
                if (_table[slot].State == SlotState.Claimed)
                {
                    Abandon(slot);
                }
                else if (_table[slot].State != SlotState.Free)
                {
                    Settle(slot, PacketOutcome.Unknown);
                }
            }

            _isEnded = true;
            _table.Clear();
            _arena.Clear();
            _updates.End();
            ForgetIds();
            _isRoomOwed = false;
            Volatile.Write(ref _hasRefused, false);
            Volatile.Write(ref _earliestDeadline, long.MaxValue);
            PublishState();
        }
    }

    // In whole milliseconds, rounded up: a look at all packets is worth it at most once in one.
    private Instant DeadlineOf(in PacketOptions options)
    {
        if (options.Delivery != PacketDelivery.Reliable || options.Timeout <= TimeSpan.Zero)
        {
            return Instant.Never;
        }

        long now = _host.Now.Ticks;

        if (options.Timeout.Ticks >= long.MaxValue - now - TimeSpan.TicksPerMillisecond)
        {
            return Instant.Never;
        }

        long ticks = now + options.Timeout.Ticks + TimeSpan.TicksPerMillisecond - 1;
        return new Instant(ticks - (ticks % TimeSpan.TicksPerMillisecond));
    }

    private SendStatus TryOpen(int length, in PacketOptions options, bool wantsTicket, out int slot)
    {
        slot = -1;

        if (_isEnded)
        {
            return SendStatus.Closed;
        }

        bool isTracked = options.Delivery == PacketDelivery.Notify
            || (options.Delivery == PacketDelivery.Reliable && wantsTicket);
        SendStatus status = _table.TryMakeRoom();

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        status = isTracked ? _updates.TryReserve() : SendStatus.Accepted;

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        status = _arena.TryTake(length, out PacketPlace place);

        if (status != SendStatus.Accepted)
        {
            if (isTracked)
            {
                _updates.Release();
            }

            return status;
        }

        slot = _table.Add();
        ref PacketSlot opened = ref _table[slot];
        opened.Place = place;
        opened.Length = length;
        _keptBytes += length;
        opened.Delivery = options.Delivery;
        opened.IsTracked = isTracked;
        opened.NotifyReceived = options.NotifyReceived;
        return SendStatus.Accepted;
    }

    private PacketTicket Enqueue(int slot, Instant deadline)
    {
        ref PacketSlot packet = ref _table[slot];
        SetState(ref packet, SlotState.Fresh);
        packet.Deadline = deadline;
        _table.Move(
            slot,
            packet.Delivery == PacketDelivery.Reliable ? SlotList.FreshReliable : SlotList.FreshUnreliable);

        if (deadline.Ticks < _earliestDeadline)
        {
            Volatile.Write(ref _earliestDeadline, deadline.Ticks);
        }

        PublishState();
        return packet.IsTracked ? new PacketTicket(packet.Handle) : default;
    }

    private void Abandon(int slot)
    {
        if (_table[slot].IsTracked)
        {
            _updates.Release();
        }

        Forget(slot);
    }

    /// <summary>The packet is done with: its outcome is told, if it has a ticket, and its memory given back.</summary>
    private void Settle(int slot, PacketOutcome outcome)
    {
        ref PacketSlot packet = ref _table[slot];

        if (packet.IsTracked)
        {
            bool isSilent = outcome == PacketOutcome.Received
                && packet.Delivery == PacketDelivery.Reliable && !packet.NotifyReceived;

            if (isSilent)
            {
                _updates.Release();
            }
            else
            {
                _updates.Add(new PacketUpdate(new PacketTicket(packet.Handle), outcome));
            }
        }

        Forget(slot);
    }

    private void Forget(int slot)
    {
        ref PacketSlot packet = ref _table[slot];
        _offered -= packet.State == SlotState.Offered ? 1 : 0;
        SetState(ref packet, SlotState.Flying);
        ReturnBytes(ref packet);
        _table.Remove(slot);
    }

    private void ReturnBytes(ref PacketSlot packet)
    {
        _arena.Return(packet.Place, packet.Length);
        _keptBytes -= packet.Length;
        packet.Length = 0;
        packet.Place = new PacketPlace(-1, 0);
    }

    private static bool IsWaiting(SlotState state) => state is SlotState.Fresh or SlotState.Offered or SlotState.Parked;

    private void SetState(ref PacketSlot packet, SlotState state)
    {
        _waitingBytes += (IsWaiting(state) ? packet.Length : 0) - (IsWaiting(packet.State) ? packet.Length : 0);
        packet.State = state;
    }

    private void PublishState()
    {
        int unreliable = _table.CountOf(SlotList.FreshUnreliable);
        int reliable = _table.CountOf(SlotList.FreshReliable) + _table.CountOf(SlotList.Parked);
        Volatile.Write(ref _isReady, (_isRoomOwed && MayNote) || MayWriteOffer || NextFresh() >= 0);
        Volatile.Write(ref _isUnfinished, unreliable + reliable + _table.CountOf(SlotList.Written) > 0);
    }
}
