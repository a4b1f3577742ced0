// The messages a log keeps, in the order of their numbers, in one ring that is used again. A message may go from the
// middle; its slot stays, empty, until the front reaches it or half of the ring is such slots and they are pressed out.
//
// Always true:
//   - numbers and keys ascend from slot to slot;
//   - the first slot is not empty;
//   - the count of empty slots is that of slots without a letter.

using System;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Log;

internal struct LogSlot
{
    internal DeliveryKey Key;
    internal long Number;

    // Numbers of the neighbours in the channel; one that is below the oldest kept of the channel is gone.
    internal long Previous;
    internal long Next;
    internal int Channel;

    /// <summary>Null if the message is gone.</summary>
    internal Letter? Letter;
}

internal sealed class LogSlots
{
    private const int LeastCapacity = 64;

    // A power of two.
    private LogSlot[] _ring = new LogSlot[LeastCapacity];
    private int _front;
    private int _empty;

    /// <summary>Slots, the empty ones included.</summary>
    internal int Count { get; private set; }

    internal int Kept => Count - _empty;

    internal int Capacity => _ring.Length;

    /// <param name="place">0 to <see cref="Count"/> - 1, from the oldest. Valid until something is added.</param>
    internal ref LogSlot this[int place] => ref _ring[(_front + place) & (_ring.Length - 1)];

    internal void Add(in LogSlot slot)
    {
        Invariant.Require(
            Count == 0 || this[Count - 1].Number < slot.Number, "Numbers ascend from slot to slot.");

        if (Count == _ring.Length)
        {
            MakeRoom();
        }

        Count++;
        this[Count - 1] = slot;
    }

    /// <summary>Empties a slot. The caller has taken the letter.</summary>
    internal void Remove(int place)
    {
        this[place].Letter = null;
        _empty++;

        while (Count > 0 && this[0].Letter is null)
        {
            _front = (_front + 1) & (_ring.Length - 1);
            _empty--;
            Count--;
        }
    }

    /// <summary>Presses the empty slots out when they are more than half. Places change, numbers do not.</summary>
    internal void Tidy()
    {
        if (_empty > LeastCapacity && _empty > Count / 2)
        {
            PressOut();
        }
    }

    /// <summary>The first place whose number is not below; <see cref="Count"/> if there is none.</summary>
    internal int PlaceOf(long number)
    {
        if (Count == 0 || number > this[Count - 1].Number)
        {
            return Count;
        }

        // Numbers ascend by one at least, so both ends say where it can be; without gaps there is one place only.
        long fromLast = Count - 1 - (this[Count - 1].Number - number);
        long fromFirst = number - this[0].Number;
        int least = (int)Math.Max(0, fromLast);
        int most = (int)Math.Clamp(fromFirst, 0, Count - 1);

        while (least < most)
        {
            int middle = least + ((most - least) / 2);
            (least, most) = this[middle].Number < number ? (middle + 1, most) : (least, middle);
        }

        return least;
    }

    /// <summary>The first place whose arrival is not below; <see cref="Count"/> if there is none.</summary>
    internal int PlaceOfArrival(Tag arrival)
    {
        int least = 0;
        int most = Count;

        while (least < most)
        {
            int middle = least + ((most - least) / 2);
            (least, most) = this[middle].Key.Arrival < arrival ? (middle + 1, most) : (least, middle);
        }

        return least;
    }

    private void MakeRoom()
    {
        if (_empty > Count / 4)
        {
            PressOut();
            return;
        }

        LogSlot[] larger = new LogSlot[2 * _ring.Length];

        for (int i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _ring = larger;
        _front = 0;
    }

    private void PressOut()
    {
        int kept = 0;

        for (int i = 0; i < Count; i++)
        {
            if (this[i].Letter is null)
            {
                continue;
            }

            if (kept < i)
            {
                this[kept] = this[i];
                this[i].Letter = null;
            }

            kept++;
        }

        Count = kept;
        _empty = 0;
    }
}
