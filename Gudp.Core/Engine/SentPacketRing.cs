// What is in flight: one slot per packet number, found by the number.
//
// Every packet takes a number, but only those that ask for an acknowledgement are open until their fate is known. A
// packet that carries nothing but an Ack frame is settled the moment it is added: nobody acknowledges it for its own
// sake, so it must not hold the ring. Settled packets stay in their slots until the numbers come round. From there a
// late acknowledgement is still recognised: of a packet declared lost (a wrong declaration), or of one that carried
// acknowledgements which now need no repeating.
//
// A ring begins with a few slots and doubles when it would forget what is in flight, or, up to its usual size, what left a
// moment ago. So one that only says now and then that it lives stays small.
//
// Always true:
//   - oldest <= next, and at most as many numbers lie between them as there are slots;
//   - the bytes in flight are the sum over the open packets, and all open packets lie between oldest and next;
//   - a packet leaves the open state once.

using System;
using System.Diagnostics;
using System.Numerics;

namespace Gudp.Core.Engine;

/// <summary>The packets sent, by number; see the comment on top.</summary>
internal sealed class SentPacketRing
{
    /// <summary>The least usual size, one word of the bit sets.</summary>
    internal const int MinSlots = 64;

    /// <summary>Slots of a ring that was hardly used, or not for long.</summary>
    internal const int RestSlots = 4;

    // Kept free by IsFull: a full ring must still let the probes out that find out why nothing is acknowledged.
    private const int SpareSlots = 16;

    // An acknowledgement that comes later tells nothing worth the memory.
    private static readonly TimeSpan Remembered = TimeSpan.FromMilliseconds(1500);

    private readonly int _usualSlots;
    private readonly int _maxSlots;
    private SentPacket[] _slots;
    private SlotBits _open;        // fate not known
    private SlotBits _unacked;     // an acknowledgement would tell something new: open, lost, unwatched
    private long _oldest;          // the oldest open number, or next
    private long _copiedFrom;      // growing forgets what had been overwritten before it
    private long _next;
    private int _openPackets;
    private int _bytesInFlight;
    private Instant _lastAt;       // when the last packet left

    /// <param name="usualSlots">
    /// A power of two, at least <see cref="MinSlots"/>: up to it the ring grows to remember what left within a second and a half.
    /// </param>
    /// <param name="maxSlots">A power of two; the ring doubles up to it when so many numbers are in flight.</param>
    /// <param name="first">The first number given out; 0 but in tests.</param>
    internal SentPacketRing(int usualSlots, int maxSlots, long first = 0)
    {
        Invariant.Require(
            BitOperations.IsPow2(usualSlots) && BitOperations.IsPow2(maxSlots),
            "The number of slots must be a power of two.");
        Invariant.Require(
            usualSlots >= MinSlots && maxSlots >= usualSlots,
            "A ring has 64 slots or more when it is used.");

        _usualSlots = usualSlots;
        _maxSlots = maxSlots;
        _oldest = first;
        _copiedFrom = first;
        _next = first;
        LargestAcked = first - 1;
        _slots = new SentPacket[RestSlots];
        _open = new SlotBits(MinSlots);
        _unacked = new SlotBits(MinSlots);
    }

    /// <summary>The number the next packet will get.</summary>
    internal PacketNumber Next => new(_next);

    /// <summary>
    /// True when only probes may still be sent: so many numbers separate the oldest open packet from the next one.
    /// </summary>
    internal bool IsFull => _next - _oldest >= _maxSlots - SpareSlots;

    /// <summary>True when not even a probe has a slot left; <see cref="Add"/> must not be called.</summary>
    internal bool IsExhausted => _next - _oldest >= _maxSlots;

    /// <summary>Bytes of the packets whose fate is open, probes of the path's size apart.</summary>
    internal int BytesInFlight => _bytesInFlight;

    /// <summary>How many packets' fate is open.</summary>
    internal int OpenPackets => _openPackets;

    /// <summary>The oldest packet whose fate is open; <see cref="Next"/> if none is.</summary>
    internal PacketNumber OldestUnsettled => new(_oldest);

    /// <summary>The largest number acknowledged so far; -1 before the first.</summary>
    internal long LargestAcked { get; private set; }

    /// <summary>The last number left out; -1 before the first.</summary>
    internal long LastSkipped { get; private set; } = -1;

    /// <summary>Numbers it can hold now.</summary>
    internal int Slots => _slots.Length;

    /// <summary>When the last packet left that asked for an acknowledgement; meaningless before the first.</summary>
    internal Instant LastElicitingSentAt { get; private set; }

    /// <summary>How often the ring had to double beyond its usual size, which allocates.</summary>
    internal int Growths { get; private set; }

    // Slots below hold other numbers by now.
    private long OldestRemembered => Math.Max(_copiedFrom, _next - _slots.Length);

    /// <summary>Records a packet that leaves now and gives it its number.</summary>
    /// <param name="packet">Number and fate are set here; the rest is the caller's.</param>
    internal PacketNumber Add(in SentPacket packet)
    {
        _lastAt = packet.SentAt;
        long number = TakeNumber();
        PacketFate fate = packet.IsAckEliciting ? PacketFate.Open : PacketFate.Unwatched;

        // In its place at once: a copy of the whole costs as much as all else here.
        ref SentPacket slot = ref SlotOf(number);
        slot = packet;
        slot.Number = number;
        slot.Fate = fate;
        _unacked.Set(number);

        if (packet.IsAckEliciting)
        {
            _open.Set(number);
            _openPackets++;
            _bytesInFlight += packet.CountedBytes;
            LastElicitingSentAt = packet.SentAt;
        }
        else
        {
            PassSettled();
        }

        AssertInvariants();
        return new PacketNumber(number);
    }

    /// <summary>Leaves a number out, so that a peer that acknowledges what it never saw gives itself away.</summary>
    /// <remarks>RFC 9000 section 21.4.</remarks>
    internal PacketNumber Skip()
    {
        long number = TakeNumber();
        LastSkipped = number;
        SlotOf(number) = new SentPacket { Number = number, SentAt = _lastAt, Fate = PacketFate.Skipped };
        PassSettled();
        return new PacketNumber(number);
    }

    /// <summary>
    /// False for a number that was not given out yet, and for one that was left out if that is still remembered: its
    /// acknowledgement is forged.
    /// </summary>
    internal bool WasSent(PacketNumber number)
        => number.Value >= 0
            && number.Value < _next
            && !(TryFind(number, out SentPacket packet) && packet.Fate == PacketFate.Skipped);

    /// <summary>What is remembered about a packet, whatever its fate. False: never sent, or long ago.</summary>
    internal bool TryFind(PacketNumber number, out SentPacket packet)
    {
        bool isRemembered = number.Value >= OldestRemembered && number.Value < _next;
        packet = isRemembered ? SlotOf(number.Value) : default;
        return isRemembered;
    }

    /// <summary>Takes an open packet out of flight because it was acknowledged.</summary>
    /// <returns>False: its fate is already known, it asked for no acknowledgement, or it was never sent.</returns>
    internal bool TrySettle(PacketNumber number, out SentPacket packet)
        => TryTake(number, PacketFate.Acked, out packet);

    /// <summary>Takes an open packet out of flight because it is believed lost.</summary>
    /// <returns>False as for <see cref="TrySettle"/>.</returns>
    internal bool TryLose(PacketNumber number, out SentPacket packet)
        => TryTake(number, PacketFate.Lost, out packet);

    /// <summary>
    /// Notes the acknowledgement of a packet that is not in flight: one declared lost, or one that never asked for it.
    /// </summary>
    /// <param name="number">Of the packet acknowledged.</param>
    /// <param name="packet">As it was; its <see cref="SentPacket.Fate"/> tells which of the two.</param>
    /// <returns>True once per packet. False also if its slot was reused.</returns>
    internal bool TryAckLate(PacketNumber number, out SentPacket packet)
    {
        if (!TryFind(number, out packet) || packet.Fate is not (PacketFate.Lost or PacketFate.Unwatched))
        {
            return false;
        }

        MarkAcked(number.Value);
        return true;
    }

    /// <summary>
    /// The least number in the range whose acknowledgement would tell something new; all others were acknowledged
    /// before or are forgotten. With this a range costs what it brings, whatever length a peer writes into it.
    /// </summary>
    internal bool TryNextUnacked(PacketNumber from, PacketNumber through, out PacketNumber number)
    {
        long found = _unacked.Next(Math.Max(from.Value, OldestRemembered), Math.Min(through.Value, _next - 1));
        number = new PacketNumber(found);
        return found >= 0;
    }

    /// <summary>The oldest open packet from <paramref name="from"/> to <paramref name="through"/>.</summary>
    internal bool TryNextUnsettled(PacketNumber from, PacketNumber through, out PacketNumber number)
    {
        long found = _open.Next(Math.Max(from.Value, _oldest), Math.Min(through.Value, _next - 1));
        number = new PacketNumber(found);
        return found >= 0;
    }

    /// <summary>The oldest open packet that carries payload; older ones may only have asked something.</summary>
    internal bool TryFindOldestPayload(out PacketNumber number)
    {
        number = new PacketNumber(_oldest);

        while (TryNextUnsettled(number, new PacketNumber(_next - 1), out number))
        {
            if (Peek(number).HasPayload)
            {
                return true;
            }

            number = new PacketNumber(number.Value + 1);
        }

        return false;
    }

    /// <summary>An open packet in its slot; valid until the next <see cref="Add"/>.</summary>
    internal ref readonly SentPacket Peek(PacketNumber number)
    {
        RequireOpen(number);
        return ref SlotOf(number.Value);
    }

    /// <summary>Notes that an open packet's content was offered once more.</summary>
    internal void MarkOverdueOffered(PacketNumber number)
    {
        RequireOpen(number);
        SlotOf(number.Value).IsOverdueOffered = true;
    }

    /// <summary>
    /// Nothing of weight was sent for a while: the slots it does not need go, and with them what it remembered.
    /// </summary>
    internal void Rest()
    {
        if (_slots.Length > RestSlots && _next - _oldest <= RestSlots)
        {
            Resize(RestSlots);
        }
    }

    private long TakeNumber()
    {
        Invariant.Require(!IsExhausted, "Transmit must stop before the ring is full.");
        Invariant.Require(_next <= PacketNumber.MaxValue, "A connection ends before its packet numbers do.");

        if (_next - _oldest == _slots.Length || (_slots.Length < _usualSlots && WouldForgetTooSoon))
        {
            Growths += _slots.Length >= _usualSlots ? 1 : 0;
            Resize(_slots.Length < _usualSlots ? Math.Min(4 * _slots.Length, _usualSlots) : 2 * _slots.Length);
        }

        long number = _next++;
        _unacked.Clear(number);     // the slot's former number is forgotten with this one
        return number;
    }

    private bool TryTake(PacketNumber number, PacketFate fate, out SentPacket packet)
    {
        if (number.Value < _oldest || number.Value >= _next || !_open.Contains(number.Value))
        {
            packet = default;
            return false;
        }

        ref SentPacket slot = ref SlotOf(number.Value);
        packet = slot;
        _open.Clear(number.Value);
        _openPackets--;
        _bytesInFlight -= packet.CountedBytes;
        Invariant.Require(_bytesInFlight >= 0, "Bytes in flight cannot be negative.");

        if (fate == PacketFate.Acked)
        {
            MarkAcked(number.Value);
        }
        else
        {
            slot.Fate = fate;
        }

        if (number.Value == _oldest)
        {
            PassSettled();
        }

        AssertInvariants();
        return true;
    }

    private void MarkAcked(long number)
    {
        SlotOf(number).Fate = PacketFate.Acked;
        _unacked.Clear(number);
        LargestAcked = Math.Max(LargestAcked, number);
    }

    private void PassSettled()
    {
        long found = _open.Next(_oldest, _next - 1);
        _oldest = found >= 0 ? found : _next;
    }

    // True while the slot that comes next holds a packet that left a moment ago.
    private bool WouldForgetTooSoon
        => _next - _slots.Length >= _copiedFrom && _lastAt - SlotOf(_next).SentAt < Remembered;

    private void Resize(int slots)
    {
        SentPacket[] former = _slots;
        _copiedFrom = Math.Max(OldestRemembered, _next - slots);
        SlotBits formerUnacked = _unacked;
        SlotBits formerOpen = _open;

        _slots = new SentPacket[slots];
        _open = new SlotBits(Math.Max(slots, MinSlots));
        _unacked = new SlotBits(Math.Max(slots, MinSlots));

        for (long number = _copiedFrom; number < _next; number++)
        {
            SlotOf(number) = former[number & (former.Length - 1)];

            if (formerOpen.Contains(number))
            {
                _open.Set(number);
            }

            if (formerUnacked.Contains(number))
            {
                _unacked.Set(number);
            }
        }
    }

    private ref SentPacket SlotOf(long number) => ref _slots[number & (_slots.Length - 1)];

    private void RequireOpen(PacketNumber number)
        => Invariant.Require(
            number.Value >= _oldest && number.Value < _next && _open.Contains(number.Value),
            "Only a packet in flight may be looked at.");

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        Debug.Assert(_oldest <= _next, "The oldest open packet lies ahead of the next one.");
        Debug.Assert(_next - _oldest <= _slots.Length, "More packets are open than there are slots.");

        int bytes = 0;
        int packets = 0;

        for (long number = _oldest; number < _next; number++)
        {
            ref readonly SentPacket slot = ref SlotOf(number);
            bool isOpen = slot.Fate == PacketFate.Open;
            Debug.Assert(slot.Number == number, "A slot was overwritten while its packet was open.");
            Debug.Assert(isOpen == _open.Contains(number), "The bit of a packet contradicts its slot.");
            bytes += isOpen ? slot.CountedBytes : 0;
            packets += isOpen ? 1 : 0;
        }

        Debug.Assert(bytes == _bytesInFlight, "Bytes in flight do not match the open packets.");
        Debug.Assert(packets == _openPackets, "The count of open packets is wrong.");
    }
}
