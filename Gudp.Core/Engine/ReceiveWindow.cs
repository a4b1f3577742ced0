// What arrived: which numbers are duplicates, and which ranges to acknowledge.
//
// Two memories, because they answer different questions. The bits remember the newest 8,192 numbers, whatever was
// acknowledged: a duplicate must be known as one for as long as the network may keep it. The ranges are what the peer
// has still to be told; they shrink when the peer confirms that it knows.
//
// Both begin small and grow with what arrives. Before the bits grow they forget what is older than ten seconds: nothing so
// late is worth the memory, and it is dropped as too old (P-1.2). What rests gives back what it grew to.
//
// Distances are always "largest minus number", which cannot overflow for numbers of 62 bits; nothing is ever added to
// a number.
//
// Always true:
//   - ranges stand newest first and do not touch: between two of them at least one number is missing;
//   - the first range ends with the largest number that arrived, if any range stands;
//   - a bit is set only for a number that arrived, lies within the window, and is not forgotten;
//   - the numbers from the first not forgotten to the largest are no more than there are bits.

using System;
using System.Diagnostics;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

/// <summary>Whether a packet may be read.</summary>
internal enum WindowVerdict : byte
{
    /// <summary>Not seen before.</summary>
    New = 0,

    /// <summary>Seen before.</summary>
    Duplicate,

    /// <summary>So far behind the newest that nobody remembers, or no packet number at all.</summary>
    TooOld,
}

/// <summary>How a packet stands to those before it.</summary>
internal enum Arrival : byte
{
    /// <summary>Its acknowledgement can wait.</summary>
    InOrder = 0,

    /// <summary>It shows that others are missing: to be acknowledged at once (RFC 9000 section 13.2.1).</summary>
    AfterGap,

    /// <summary>It comes after a later one: to be acknowledged at once, before the peer declares it lost.</summary>
    Reordered,
}

/// <summary>The numbers received from the peer; see the comment on top.</summary>
internal sealed class ReceiveWindow
{
    /// <summary>How far behind the newest number a packet is still accepted.</summary>
    internal const int WindowPackets = 8192;

    /// <summary>The most ranges kept; of more gaps than that the oldest are no longer acknowledged.</summary>
    internal const int MaxRanges = 64;

    // Of bits, and of ranges: enough for one that says now and then that it lives.
    private const int RestPackets = 64;
    private const int RestRanges = 4;

    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);

    private SlotBits _seen = new(RestPackets);
    private int _bits = RestPackets;
    private AckRange[] _ranges = new AckRange[RestRanges];
    private int _count;
    private long _forgottenBelow;   // nothing is known of these
    private long _mark;             // the largest number at a moment
    private Instant _markAt;
    private long _formerMark;       // the one before, so ten seconds old or older
    private long _largestEliciting = -1;
    private long _toldBelow;      // what is missing below is known to the peer

    /// <param name="first">The first number that the peer gives out; 0 but in tests.</param>
    internal ReceiveWindow(long first = 0)
    {
        Largest = first - 1;
        _toldBelow = first;
        _forgottenBelow = first;
        _mark = first;
        _formerMark = first;
    }

    /// <summary>The largest number that arrived; -1 before the first.</summary>
    internal long Largest { get; private set; }

    /// <summary>When it arrived: the ack delay counts from here.</summary>
    internal Instant LargestReceivedAt { get; private set; }

    /// <summary>Packets that asked for an acknowledgement since the last <see cref="OnAckWritten"/>.</summary>
    internal int ElicitingSinceAck { get; private set; }

    /// <summary>When the first of them arrived; <see cref="Instant.Never"/> if there is none.</summary>
    internal Instant FirstElicitingAt { get; private set; } = Instant.Never;

    /// <summary>What to acknowledge, newest first; valid until the next change.</summary>
    internal ReadOnlySpan<AckRange> Ranges => _ranges.AsSpan(0, _count);

    /// <summary>Asks before the packet is read; changes nothing.</summary>
    internal WindowVerdict Check(PacketNumber number)
    {
        if (number.Value < 0 || number.Value > PacketNumber.MaxValue)
        {
            return WindowVerdict.TooOld;
        }

        if (number.Value > Largest)
        {
            return WindowVerdict.New;
        }

        if (Largest - number.Value >= WindowPackets || number.Value < _forgottenBelow)
        {
            return WindowVerdict.TooOld;
        }

        return _seen.Contains(number.Value) ? WindowVerdict.Duplicate : WindowVerdict.New;
    }

    /// <summary>Notes a packet whose content is held: from here on it is acknowledged.</summary>
    /// <param name="number">One that <see cref="Check"/> calls new.</param>
    /// <param name="now">When it arrived.</param>
    /// <param name="isAckEliciting">False for a packet whose sender waits for no acknowledgement.</param>
    /// <returns>Whether the acknowledgement must not wait; always in order for a packet that asks for none.</returns>
    internal Arrival Add(PacketNumber number, Instant now, bool isAckEliciting)
    {
        Invariant.Require(Check(number) == WindowVerdict.New, "A packet is noted once.");
        long value = number.Value;

        if (value > Largest)
        {
            TakeRoom(value, now);
            ForgetBits(value);
            Largest = value;
            LargestReceivedAt = now;
        }

        _seen.Set(value);
        Insert(value);
        AssertInvariants();

        return isAckEliciting ? NoteEliciting(value, now) : Arrival.InOrder;
    }

    /// <summary>Copies the newest ranges, newest first.</summary>
    /// <returns>How many were written.</returns>
    internal int WriteRanges(Span<AckRange> destination)
    {
        int written = Math.Min(_count, destination.Length);
        _ranges.AsSpan(0, written).CopyTo(destination);
        return written;
    }

    /// <summary>An acknowledgement of all ranges was written into a packet.</summary>
    internal void OnAckWritten()
    {
        ElicitingSinceAck = 0;
        FirstElicitingAt = Instant.Never;
    }

    /// <summary>
    /// The peer knows what happened below <paramref name="number"/>: a packet of ours that acknowledged up to it was
    /// itself acknowledged (RFC 9000 section 13.2.4). Duplicates from there are still known as such.
    /// </summary>
    /// <param name="number">The largest number that packet acknowledged; it stays in the list.</param>
    internal void ForgetBelow(long number)
    {
        // A number above all that arrived would empty the list, which an acknowledgement must never be.
        number = Math.Min(number, Largest);
        _toldBelow = Math.Max(_toldBelow, number);

        while (_count > 0 && _ranges[_count - 1].Largest < number)
        {
            _count--;
        }

        if (_count > 0 && _ranges[_count - 1].Smallest < number)
        {
            _ranges[_count - 1] = _ranges[_count - 1] with { Smallest = number };
        }

        AssertInvariants();
    }

    /// <summary>
    /// Nothing of weight came for a while: what it grew to goes, and with it what it knew of all but the newest numbers.
    /// </summary>
    internal void Rest()
    {
        if (_bits > RestPackets)
        {
            _forgottenBelow = Math.Max(_forgottenBelow, Largest - RestPackets + 1);
            Resize(RestPackets);
        }

        if (_ranges.Length > RestRanges && _count <= RestRanges)
        {
            Array.Resize(ref _ranges, RestRanges);
        }
    }

    // Bits for the numbers up to a new one.
    private void TakeRoom(long newLargest, Instant now)
    {
        if (now - _markAt >= Remembered)
        {
            _formerMark = _mark;
            _mark = newLargest;
            _markAt = now;
        }

        if (_bits < WindowPackets && newLargest - _forgottenBelow >= _bits)
        {
            _forgottenBelow = Math.Max(_forgottenBelow, Math.Min(_formerMark, Largest + 1));

            // At once to the full size, ranges too: so much came in ten seconds that it is no time to be sparing.
            if (newLargest - _forgottenBelow >= _bits)
            {
                Resize(WindowPackets);
                Array.Resize(ref _ranges, MaxRanges);
            }
        }
    }

    private void Resize(int bits)
    {
        SlotBits former = _seen;
        long oldest = Math.Max(_forgottenBelow, Largest - Math.Min(bits, _bits) + 1);
        _seen = new SlotBits(bits);
        _bits = bits;

        for (long number = former.Next(oldest, Largest); number >= 0; number = former.Next(number + 1, Largest))
        {
            _seen.Set(number);
        }
    }

    // The numbers jumped over share their slots with the oldest ones, which leave the window now.
    private void ForgetBits(long newLargest)
    {
        if (newLargest - Largest >= _bits)
        {
            _seen.ClearAll();
            return;
        }

        for (long number = Largest + 1; number < newLargest; number++)
        {
            _seen.Clear(number);
        }
    }

    private Arrival NoteEliciting(long number, Instant now)
    {
        ElicitingSinceAck++;
        FirstElicitingAt = Instant.Earlier(FirstElicitingAt, now);

        if (number < _largestEliciting)
        {
            return Arrival.Reordered;
        }

        // A gap that an earlier packet has shown already is not news, nor is one the peer was told of.
        long before = Math.Max(_largestEliciting, _toldBelow - 1);
        _largestEliciting = number;

        // Its range need not be the first: later packets that ask for nothing may have overtaken it, even so many
        // that no range was left for it.
        int index = IndexOfNotAbove(number);
        bool isAfterGap = index == _count || _ranges[index].Smallest - before > 1;
        return isAfterGap ? Arrival.AfterGap : Arrival.InOrder;
    }

    private void Insert(long number)
    {
        int index = IndexOfNotAbove(number);
        bool touchesNewer = index > 0 && _ranges[index - 1].Smallest - number == 1;
        bool touchesOlder = index < _count && number - _ranges[index].Largest == 1;

        if (touchesNewer && touchesOlder)
        {
            _ranges[index - 1] = _ranges[index - 1] with { Smallest = _ranges[index].Smallest };
            _ranges.AsSpan(index + 1, _count - index - 1).CopyTo(_ranges.AsSpan(index));
            _count--;
        }
        else if (touchesNewer)
        {
            _ranges[index - 1] = _ranges[index - 1] with { Smallest = number };
        }
        else if (touchesOlder)
        {
            _ranges[index] = _ranges[index] with { Largest = number };
        }
        else
        {
            InsertAlone(index, number);
        }
    }

    private void InsertAlone(int index, long number)
    {
        if (index == MaxRanges)
        {
            return;     // older than all that fit: the peer will send the content again
        }

        if (_count == _ranges.Length && _count < MaxRanges)
        {
            Array.Resize(ref _ranges, MaxRanges);
        }

        int moved = Math.Min(_count, MaxRanges - 1) - index;
        _ranges.AsSpan(index, moved).CopyTo(_ranges.AsSpan(index + 1));
        _ranges[index] = new AckRange(number, number);
        _count = Math.Min(_count + 1, MaxRanges);
    }

    /// <summary>The newest range that does not lie wholly above the number; the count if there is none.</summary>
    private int IndexOfNotAbove(long number)
    {
        int index = 0;

        while (index < _count && _ranges[index].Smallest > number)
        {
            index++;
        }

        return index;
    }

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        Debug.Assert(_count == 0 || _ranges[0].Largest == Largest, "The first range does not end with the newest.");

        for (int i = 0; i < _count; i++)
        {
            Debug.Assert(_ranges[i].Smallest <= _ranges[i].Largest, "A range ends before it begins.");
            Debug.Assert(
                i == 0 || _ranges[i - 1].Smallest - _ranges[i].Largest > 1,
                "Two ranges touch or are out of order.");
        }
    }
}
