// The packets that were accepted and are not done with: one slot each, found by its handle.
//
// Always true:
//   - a slot stands in one list at most, and its List says which;
//   - a handle names a slot and the packet in it: of a packet that has gone, the handle finds nothing;
//   - the packets of the list Written stand in the order of their ids.
using System;
using System.Runtime.CompilerServices;
using Gudp.Core.Buffers;

namespace Gudp.Core.Packets;

/// <summary>Where a packet stands.</summary>
internal enum SlotState : byte
{
    /// <summary>The slot holds no packet.</summary>
    Free,

    /// <summary>Claimed and not committed.</summary>
    Claimed,

    /// <summary>Accepted and not written yet.</summary>
    Fresh,

    /// <summary>In flight, and nothing is to be done before its fate is known.</summary>
    Flying,

    /// <summary>To be written once more.</summary>
    Offered,

    /// <summary>Larger than the path carries now.</summary>
    Parked,
}

/// <summary>The lists a slot can stand in.</summary>
internal enum SlotList : byte
{
    None,

    /// <summary>Unreliable ones and those with a notice, not written yet.</summary>
    FreshUnreliable,

    /// <summary>Reliable ones, not written yet.</summary>
    FreshReliable,

    /// <summary>Reliable ones that were written and are open, by id.</summary>
    Written,

    /// <summary>Reliable ones, never written, that are larger than the path carries now.</summary>
    Parked,
}

/// <summary>A packet that is not done with.</summary>
internal struct PacketSlot
{
    internal long Handle;
    internal long Id;               // on the wire; set when it is written first
    internal long LastPacket;       // the newest packet it was written into
    internal Instant Deadline;
    internal PacketPlace Place;
    internal int Length;
    internal int Next;
    internal int Previous;
    internal PacketDelivery Delivery;
    internal SlotState State;
    internal SlotList List;
    internal bool IsTracked;        // it has a ticket, and room for its update is reserved
    internal bool NotifyReceived;
}

/// <summary>Slots and their lists; see the comment on top. Not for several threads at once.</summary>
internal sealed class PacketTable
{
    private const int SlotShift = 16;
    private const int FirstSlots = 16;
    private const int None = -1;
    private const int Lists = 5;

    private readonly int _limit;
    private readonly MemoryBudget? _budget;
    private readonly ListEnds[] _lists = new ListEnds[Lists];
    private PacketSlot[] _slots = [];
    private int _firstFree = None;
    private long _serial;

    /// <param name="limit">Most packets, at most 65,536.</param>
    /// <param name="budget">What its memory is reserved from; null: only the limit counts.</param>
    internal PacketTable(int limit, MemoryBudget? budget)
    {
        Invariant.Require(limit is > 0 and <= 1 << SlotShift, "A handle has sixteen bits for the slot.");
        _limit = limit;
        _budget = budget;
        ClearLists();
    }

    /// <summary>Packets in it.</summary>
    internal int Count { get; private set; }

    /// <summary>Slots to look at, from 0, if all are to be seen.</summary>
    internal int Slots => _slots.Length;

    internal ref PacketSlot this[int slot] => ref _slots[slot];

    /// <summary>Makes sure that <see cref="Add"/> finds a slot.</summary>
    /// <returns>Accepted, PeerFull or DaemonFull.</returns>
    internal SendStatus TryMakeRoom()
    {
        if (Count == _limit)
        {
            return SendStatus.PeerFull;
        }

        return _firstFree != None || TryGrow() ? SendStatus.Accepted : SendStatus.DaemonFull;
    }

    /// <summary>Takes a slot for a packet, after <see cref="TryMakeRoom"/>; it stands in no list yet.</summary>
    internal int Add()
    {
        int slot = _firstFree;
        _firstFree = _slots[slot].Next;
        _serial++;
        _slots[slot] = new PacketSlot
        {
            Handle = (_serial << SlotShift) | (uint)slot,
            Id = -1,
            LastPacket = -1,
            Deadline = Instant.Never,
            State = SlotState.Claimed,
        };
        Count++;
        return slot;
    }

    /// <summary>Forgets a packet; its handle finds nothing from now on.</summary>
    internal void Remove(int slot)
    {
        Invariant.Require(_slots[slot].State != SlotState.Free, "A packet is forgotten once.");
        Unlink(slot);
        _slots[slot] = new PacketSlot { Next = _firstFree };
        _firstFree = slot;
        Count--;
    }

    /// <summary>The slot of a packet that is not done with.</summary>
    internal bool TryFind(long handle, out int slot)
    {
        slot = (int)(handle & ((1 << SlotShift) - 1));
        return handle > 0 && slot < _slots.Length && _slots[slot].Handle == handle;
    }

    /// <summary>Puts a packet at the end of a list, out of the one it stands in.</summary>
    internal void Move(int slot, SlotList list)
    {
        Unlink(slot);
        ref ListEnds ends = ref _lists[(int)list];
        ref PacketSlot moved = ref _slots[slot];
        moved.List = list;
        moved.Next = None;
        moved.Previous = ends.Last;

        if (ends.Last == None)
        {
            ends.First = slot;
        }
        else
        {
            _slots[ends.Last].Next = slot;
        }

        ends.Last = slot;
        ends.Count++;
    }

    /// <summary>Takes a packet out of the list it stands in, if any.</summary>
    internal void Unlink(int slot)
    {
        ref PacketSlot left = ref _slots[slot];

        if (left.List == SlotList.None)
        {
            return;
        }

        ref ListEnds ends = ref _lists[(int)left.List];

        if (left.Previous == None)
        {
            ends.First = left.Next;
        }
        else
        {
            _slots[left.Previous].Next = left.Next;
        }

        if (left.Next == None)
        {
            ends.Last = left.Previous;
        }
        else
        {
            _slots[left.Next].Previous = left.Previous;
        }

        ends.Count--;
        left.List = SlotList.None;
    }

    /// <summary>The first packet of a list; -1 if it is empty.</summary>
    internal int First(SlotList list) => _lists[(int)list].First;

    internal int CountOf(SlotList list) => _lists[(int)list].Count;

    /// <summary>Forgets all packets and gives the memory back.</summary>
    internal void Clear()
    {
        _budget?.Release(BytesBeyondFirst(_slots.Length));
        _slots = [];
        _firstFree = None;
        Count = 0;
        ClearLists();
    }

    private static long BytesBeyondFirst(int slots)
        => Math.Max(0, slots - FirstSlots) * (long)Unsafe.SizeOf<PacketSlot>();

    private void ClearLists() => Array.Fill(_lists, new ListEnds { First = None, Last = None });

    private bool TryGrow()
    {
        int former = _slots.Length;
        int size = Math.Min(_limit, Math.Max(FirstSlots, 2 * former));

        // The first step is one of the small objects every connection has; what may become large is counted.
        if (_budget is not null && !_budget.TryReserve(BytesBeyondFirst(size) - BytesBeyondFirst(former)))
        {
            return false;
        }

        Array.Resize(ref _slots, size);

        for (int slot = size - 1; slot >= former; slot--)
        {
            _slots[slot].Next = _firstFree;
            _firstFree = slot;
        }

        return true;
    }

    private struct ListEnds
    {
        internal int First;
        internal int Last;
        internal int Count;
    }
}
