using System;

namespace Gudp.Core;

/// <summary>
/// Which content went out in which packet, and what waits to be offered again. Packets are never repeated, content
/// is: this is the one place that remembers, for Core's own reliable packets and for every layer on top.
/// </summary>
/// <typeparam name="T">
/// Describes a piece of content, such as a range of a stream; small, because one is kept per piece in flight.
/// </typeparam>
/// <remarks>
/// Only the thread that leads the turn. Allocates while it grows to the number of pieces really in flight, then no
/// more. Always true: records stand in growing order of their packets; a record is taken at most once; no more than
/// <c>capacity</c> records lie between the oldest open one and the newest.
/// </remarks>
public sealed class ReliableOutbox<T>
    where T : struct
{
    // Of a capacity; what is really needed grows from none.
    private const int LeastCapacity = 64;

    private readonly int _capacity;
    private Record[] _records = [];
    private long _oldest;
    private long _next;

    private T[] _offers = [];
    private int _offerHead;
    private int _offerCount;

    /// <summary>An empty outbox.</summary>
    /// <param name="capacity">Most records in flight at a time, a power of two, 64 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is not a power of two of at least 64.</exception>
    public ReliableOutbox(int capacity)
    {
        if (capacity < LeastCapacity || (capacity & (capacity - 1)) != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(capacity), capacity, $"The capacity must be a power of two of at least {LeastCapacity}.");
        }

        _capacity = capacity;
    }

    /// <summary>True while nothing more may be noted: the oldest packet's fate must become known first.</summary>
    public bool IsFull => _next - _oldest == _capacity;

    /// <summary>How many more records may be noted now.</summary>
    public int Free => _capacity - (int)(_next - _oldest);

    /// <summary>True while no packet with noted content is in flight.</summary>
    public bool IsEmpty => _next == _oldest;

    /// <summary>How many pieces wait to be offered again.</summary>
    public int Waiting => _offerCount;

    /// <summary>Remembers that <paramref name="content"/> was written into <paramref name="packet"/>.</summary>
    /// <param name="packet">Not smaller than the packet of the call before.</param>
    /// <param name="content">The piece; several pieces of one packet are several calls.</param>
    public void Note(PacketNumber packet, in T content)
    {
        Invariant.Require(!IsFull, "Content is only written while the outbox has room to remember it.");

        if (_next - _oldest == _records.Length)
        {
            GrowRecords();
        }

        Invariant.Require(
            _next == _oldest || At(_next - 1).Packet <= packet.Value, "Packets are noted in growing order.");

        At(_next) = new Record(packet.Value, content);
        _next++;
    }

    /// <summary>
    /// Takes one record of a packet whose fate is known, acked or lost. Call until it returns false, then nothing of
    /// the packet is left.
    /// </summary>
    public bool TryTake(PacketNumber packet, out T content)
    {
        for (long index = FirstRecordOf(packet.Value); index < _next; index++)
        {
            ref Record record = ref At(index);

            if (record.Packet != packet.Value)
            {
                break;
            }

            if (record.IsTaken)
            {
                continue;
            }

            content = record.Content;
            record.IsTaken = true;
            DropTaken();
            return true;
        }

        content = default;
        return false;
    }

    /// <summary>Looks at the records of a packet that is overdue, without taking them: its fate comes later.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="cursor">0 before the first call; moved by each.</param>
    /// <param name="content">The next piece of the packet.</param>
    /// <returns>False once all its pieces were seen.</returns>
    public bool TryPeek(PacketNumber packet, ref int cursor, out T content)
    {
        for (long index = FirstRecordOf(packet.Value) + cursor;
            index < _next && At(index).Packet == packet.Value;
            index++)
        {
            cursor++;

            if (!At(index).IsTaken)
            {
                content = At(index).Content;
                return true;
            }
        }

        content = default;
        return false;
    }

    /// <summary>Puts content in line to go out again. First in, first out.</summary>
    public void Offer(in T content)
    {
        if (_offerCount == _offers.Length)
        {
            GrowOffers();
        }

        _offers[(_offerHead + _offerCount) & (_offers.Length - 1)] = content;
        _offerCount++;
    }

    /// <summary>Takes the content that waits longest to go out again.</summary>
    public bool TryNextOffer(out T content)
    {
        if (_offerCount == 0)
        {
            content = default;
            return false;
        }

        content = _offers[_offerHead];
        _offerHead = (_offerHead + 1) & (_offers.Length - 1);
        _offerCount--;
        return true;
    }

    /// <summary>Gives back what it grew to, if nothing is in flight and nothing waits; it grows again when needed.</summary>
    public void Rest()
    {
        if (IsEmpty && _offerCount == 0)
        {
            _records = [];
            _offers = [];
            _offerHead = 0;
        }
    }

    private ref Record At(long index) => ref _records[index & (_records.Length - 1)];

    // The records are ordered by packet, so a search by halves finds the first of a packet, or where it would stand.
    private long FirstRecordOf(long packet)
    {
        long low = _oldest;
        long high = _next;

        // Most packets have their fate in the order they left.
        if (low == high || At(low).Packet >= packet)
        {
            return low;
        }

        while (low < high)
        {
            long middle = low + ((high - low) / 2);

            if (At(middle).Packet < packet)
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

    private void DropTaken()
    {
        while (_oldest < _next && At(_oldest).IsTaken)
        {
            _oldest++;
        }
    }

    // From none to what hardly anybody needs more than: a few at first would allocate again the first time that an ack
    // comes late, and that may be after hours.
    private static int Larger(int length) => Math.Max(LeastCapacity, 2 * length);

    private void GrowRecords()
    {
        Record[] larger = new Record[Larger(_records.Length)];

        for (long index = _oldest; index < _next; index++)
        {
            larger[index & (larger.Length - 1)] = At(index);
        }

        _records = larger;

        // Who has something in flight will have something to offer again, and that may be as much later.
        if (_offers.Length == 0)
        {
            GrowOffers();
        }
    }

    private void GrowOffers()
    {
        T[] larger = new T[Larger(_offers.Length)];

        for (int i = 0; i < _offerCount; i++)
        {
            larger[i] = _offers[(_offerHead + i) & (_offers.Length - 1)];
        }

        _offers = larger;
        _offerHead = 0;
    }

    private struct Record(long packet, in T content)
    {
        internal readonly long Packet = packet;
        internal readonly T Content = content;
        internal bool IsTaken;
    }
}
