// Packets on their way from the loop to any number of blocking consumers (G7-G11, G16, G18).
//
// One lock, one condition. A consumer waits only while there is nothing to read and the end has not come. One that took
// a packet, or could not, passes the signal on while something is left: one signal may have covered several packets.
//
// Always true:
//   - _count packets lie back to back in the ring from _head on, their lengths in _lengths from _firstLength on;
//   - _used is the sum of these lengths, and both stay within the limits;
//   - nothing is added after the end, and what was added before is handed out before the end is reported.
using System;
using System.Diagnostics;
using System.Threading;

namespace Gudp.Core.Buffers;

/// <summary>One producer, many consumers, bounded in packets and in bytes. Allocates only while it grows.</summary>
internal sealed class ReadBuffer : IWaitPlace
{
    private const int FirstBytes = 4 * 1024;
    private const int FirstPackets = 16;

    private readonly object _gate = new();
    private readonly int _maxPackets;
    private readonly int _maxBytes;
    private readonly MemoryBudget? _budget;
    private readonly ITurnWatch? _watch;

    private byte[] _ring = [];
    private int[] _lengths = [];
    private int _head;
    private int _used;
    private int _firstLength;
    private int _count;
    private int _waiting;           // consumers in Monitor.Wait; nobody is signalled where nobody waits
    private int _watching;          // consumers that may be in the kernel instead
    private int _mostPackets;       // the limit, or more while what came in together is more
    private bool _hasEnded;

    /// <summary>Makes an empty one that owns no memory yet.</summary>
    /// <param name="maxPackets">Most packets it holds.</param>
    /// <param name="maxBytes">Most bytes it holds.</param>
    /// <param name="budget">What its memory is reserved from; null: only its own limits count.</param>
    /// <param name="watch">Lets a consumer run the turns it waits for; null: it only sleeps.</param>
    internal ReadBuffer(int maxPackets, int maxBytes, MemoryBudget? budget = null, ITurnWatch? watch = null)
    {
        Invariant.Require(maxPackets > 0 && maxBytes > 0, "A buffer without room is useless.");
        _maxPackets = maxPackets;
        _mostPackets = maxPackets;
        _maxBytes = maxBytes;
        _budget = budget;
        _watch = watch;
    }

    /// <summary>Packets that wait to be taken. Any thread.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    /// <summary>True if half of both limits is free, and somebody may still read. Any thread.</summary>
    internal bool IsHalfEmpty
    {
        get
        {
            lock (_gate)
            {
                return !_hasEnded && _count <= _maxPackets / 2 && _used <= _maxBytes / 2;
            }
        }
    }

    /// <summary>
    /// Leader only. True: so many more are not refused, whatever the consumers do meanwhile; room is made for them now.
    /// </summary>
    internal bool HasRoomFor(int packets, int bytes)
    {
        lock (_gate)
        {
            return _hasEnded || TryMakeRoom(packets, bytes);
        }
    }

    /// <summary>
    /// Leader only. As <see cref="HasRoomFor"/>, for packets that are taken together or not at all: an empty buffer has
    /// room for them even if they are more than its limit, or they would never come in.
    /// </summary>
    internal bool HasRoomForWhole(int packets, int bytes)
    {
        lock (_gate)
        {
            _mostPackets = Math.Max(_maxPackets, _count == 0 ? packets : _count);
            return _hasEnded || TryMakeRoom(packets, bytes);
        }
    }

    /// <summary>
    /// Leader only. Copies the packet. False: full; after the end it is discarded, since nobody will ask for it.
    /// </summary>
    internal bool TryAdd(ReadOnlySpan<byte> packet)
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return true;
            }

            if (!TryMakeRoom(1, packet.Length))
            {
                return false;
            }

            CopyIn(packet);
            _lengths[Wrap(_firstLength + _count, _lengths.Length)] = packet.Length;
            _count++;
            _used += packet.Length;
            Signal();
            AssertInvariants();
            return true;
        }
    }

    /// <summary>
    /// Any thread, once a final status was seen or set; more than once is fine. Wakes all consumers (G10).
    /// </summary>
    internal void End()
    {
        // Under the lock on purpose. A consumer that found nothing either still holds the lock and will see the flag,
        // or already waits and will be woken. Without the lock it could fall asleep in between, for ever.
        lock (_gate)
        {
            _hasEnded = true;
            ReleaseIfDrained();
            Monitor.PulseAll(_gate);

            if (_watch is not null)
            {
                NudgeWatching();
            }
        }
    }

    /// <summary>Any thread. As <see cref="End"/>, and nobody will ask for what lies in it: its memory is free.</summary>
    internal void Discard()
    {
        lock (_gate)
        {
            _count = 0;
            _used = 0;
            End();
        }
    }

    /// <summary>Any thread, does not wait.</summary>
    /// <param name="destination">The caller's; the packet is copied to its start.</param>
    /// <param name="length">The packet's bytes, also with BufferTooSmall; else 0.</param>
    /// <returns>Received, Empty, BufferTooSmall (the packet stays), or Closed once all is drained.</returns>
    internal ReceiveStatus TryTake(Span<byte> destination, out int length)
    {
        if (Volatile.Read(ref _count) == 0 && !Volatile.Read(ref _hasEnded))
        {
            // Whoever polls mostly finds nothing: no lock for that.
            length = 0;
            return ReceiveStatus.Empty;
        }

        lock (_gate)
        {
            return TakeFirst(destination, ReceiveStatus.Empty, out length);
        }
    }

    /// <summary>Any thread; waits until there is something, or the end, or the time is over.</summary>
    /// <param name="destination">The caller's; the packet is copied to its start.</param>
    /// <param name="timeout">Zero does not wait; <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.</param>
    /// <param name="length">The packet's bytes, also with BufferTooSmall; else 0.</param>
    /// <returns>Received, TimedOut, BufferTooSmall (the packet stays), or Closed once all is drained.</returns>
    internal ReceiveStatus Take(Span<byte> destination, TimeSpan timeout, out int length)
    {
        WaitLimit limit = new(timeout);

        while (true)
        {
            lock (_gate)
            {
                TimeSpan left = limit.Left;

                if (_count > 0 || _hasEnded || left <= TimeSpan.Zero)
                {
                    return TakeFirst(destination, ReceiveStatus.TimedOut, out length);
                }

                if (_watch is null)
                {
                    Sleep(left);
                    continue;
                }
            }

            WatchFor(limit.Left);
        }
    }

    bool IWaitPlace.IsOver(long token)
    {
        lock (_gate)
        {
            return _count > 0 || _hasEnded;
        }
    }

    bool IWaitPlace.Park(long token, TimeSpan limit)
    {
        lock (_gate)
        {
            Sleep(limit);
            return _count > 0 || _hasEnded;
        }
    }

    private void WatchFor(TimeSpan limit)
    {
        Interlocked.Increment(ref _watching);

        try
        {
            _watch!.Wait(this, 0, limit);
        }
        finally
        {
            Interlocked.Decrement(ref _watching);
        }
    }

    // Under the gate.
    private void Sleep(TimeSpan timeout)
    {
        WaitLimit limit = new(timeout);

        while (_count == 0 && !_hasEnded)
        {
            int milliseconds = limit.NextMilliseconds;

            if (milliseconds == 0)
            {
                break;
            }

            _waiting++;
            Monitor.Wait(_gate, milliseconds);
            _waiting--;
        }
    }

    // After the change, with a full fence: who waits in the kernel counts itself before it looks.
    private void NudgeWatching()
    {
        Interlocked.MemoryBarrier();

        if (Volatile.Read(ref _watching) > 0)
        {
            _watch!.Nudge();
        }
    }

    // A signal makes the system's condition of a lock, which from then on is a slow one.
    private void Signal()
    {
        if (_waiting > 0)
        {
            Monitor.Pulse(_gate);
        }

        if (_watch is not null)
        {
            NudgeWatching();
        }
    }

    private static int Wrap(int index, int length) => index >= length ? index - length : index;

    private ReceiveStatus TakeFirst(Span<byte> destination, ReceiveStatus ifNothing, out int length)
    {
        if (_count == 0)
        {
            length = 0;
            return _hasEnded ? ReceiveStatus.Closed : ifNothing;
        }

        length = _lengths[_firstLength];

        if (length > destination.Length)
        {
            // The signal this consumer used up belongs to one with a larger buffer.
            Signal();
            return ReceiveStatus.BufferTooSmall;
        }

        CopyOut(destination[..length]);
        _head = Wrap(_head + length, _ring.Length);
        _firstLength = Wrap(_firstLength + 1, _lengths.Length);
        _used -= length;
        _count--;

        if (_count > 0)
        {
            Signal();
        }

        ReleaseIfDrained();
        AssertInvariants();
        return ReceiveStatus.Received;
    }

    private bool TryMakeRoom(int packets, int bytes)
    {
        if (packets > _mostPackets - _count || bytes > _maxBytes - _used)
        {
            return false;
        }

        return (_used + bytes <= _ring.Length || TryGrowRing(_used + bytes))
            && (_count + packets <= _lengths.Length || TryGrowLengths(_count + packets));
    }

    private bool TryGrowRing(int needed)
    {
        int size = (int)Math.Min(Math.Max(Math.Max(2L * _ring.Length, FirstBytes), needed), _maxBytes);

        if (_budget is not null && !_budget.TryReserve(size - _ring.Length))
        {
            return false;
        }

        byte[] larger = GC.AllocateUninitializedArray<byte>(size);
        CopyOut(larger.AsSpan(0, _used));
        _ring = larger;
        _head = 0;
        return true;
    }

    private bool TryGrowLengths(int needed)
    {
        int size = (int)Math.Min(Math.Max(Math.Max(2L * _lengths.Length, FirstPackets), needed), _mostPackets);

        if (_budget is not null && !_budget.TryReserve((long)(size - _lengths.Length) * sizeof(int)))
        {
            return false;
        }

        int[] larger = new int[size];

        for (int i = 0; i < _count; i++)
        {
            larger[i] = _lengths[Wrap(_firstLength + i, _lengths.Length)];
        }

        _lengths = larger;
        _firstLength = 0;
        return true;
    }

    private void ReleaseIfDrained()
    {
        if (!_hasEnded || _count > 0)
        {
            return;
        }

        _budget?.Release(_ring.Length + ((long)_lengths.Length * sizeof(int)));
        _ring = [];
        _lengths = [];
        _head = 0;
        _firstLength = 0;
    }

    private void CopyIn(ReadOnlySpan<byte> packet)
    {
        int at = Wrap(_head + _used, _ring.Length);
        int first = Math.Min(packet.Length, _ring.Length - at);
        packet[..first].CopyTo(_ring.AsSpan(at));
        packet[first..].CopyTo(_ring);
    }

    private void CopyOut(Span<byte> destination)
    {
        int first = Math.Min(destination.Length, _ring.Length - _head);
        _ring.AsSpan(_head, first).CopyTo(destination);
        _ring.AsSpan(0, destination.Length - first).CopyTo(destination[first..]);
    }

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        Debug.Assert(_count <= _mostPackets && _used <= _maxBytes, "The buffer holds more than its limits.");
        Debug.Assert(_count <= _lengths.Length && _used <= _ring.Length, "The buffer holds more than its memory.");
        int sum = 0;

        for (int i = 0; i < _count; i++)
        {
            sum += _lengths[Wrap(_firstLength + i, _lengths.Length)];
        }

        Debug.Assert(sum == _used, "The bytes held do not match the lengths of the packets.");
    }
}
