using System;
using System.Collections.Generic;
using System.Numerics;

namespace Gudp.Core.Simulation;

/// <summary>
/// The datagrams under way and unread, in buffers that are reused, so that a simulation in its steady state allocates
/// nothing and proofs about allocation can run over it.
/// </summary>
/// <remarks>
/// Always true: a slot is either in use or in exactly one free list, that of its buffer's size.
/// </remarks>
internal sealed class DatagramStore
{
    private const int SmallestBufferBytes = 2048;
    private const int SizeClasses = 6;      // 2 KiB to 64 KiB, which holds the largest datagram

    private readonly Stack<int>[] _free = new Stack<int>[SizeClasses];
    private StoredDatagram[] _slots = new StoredDatagram[64];
    private int _slotCount;

    internal DatagramStore()
    {
        for (int i = 0; i < SizeClasses; i++)
        {
            _free[i] = new Stack<int>();
        }
    }

    /// <summary>Slots not returned yet.</summary>
    internal int InUse { get; private set; }

    /// <summary>Copies a datagram in.</summary>
    /// <returns>Its slot, the caller's until <see cref="Return"/>.</returns>
    internal int Add(in SentDatagram sent)
    {
        ReadOnlySpan<byte> bytes = sent.Bytes;
        int slot = Rent(SizeClassOf(bytes.Length));
        ref StoredDatagram datagram = ref _slots[slot];
        datagram.From = sent.From;
        datagram.To = sent.To;
        datagram.Trace = sent.Trace;
        datagram.Length = bytes.Length;
        bytes.CopyTo(datagram.Buffer);
        return slot;
    }

    /// <summary>Valid until the next <see cref="Add"/>.</summary>
    internal ref StoredDatagram At(int slot) => ref _slots[slot];

    internal void Return(int slot)
    {
        Invariant.Require(InUse > 0, "A datagram is returned at most once.");
        InUse--;
        _free[SizeClassOf(_slots[slot].Buffer.Length)].Push(slot);
    }

    private static int SizeClassOf(int bytes)
    {
        int doublings = BitOperations.Log2((uint)Math.Max(1, bytes - 1)) + 1 - BitOperations.Log2(SmallestBufferBytes);
        return Math.Max(0, doublings);
    }

    private int Rent(int sizeClass)
    {
        InUse++;

        if (_free[sizeClass].TryPop(out int slot))
        {
            return slot;
        }

        if (_slotCount == _slots.Length)
        {
            Array.Resize(ref _slots, 2 * _slotCount);
        }

        _slots[_slotCount].Buffer = new byte[SmallestBufferBytes << sizeClass];
        return _slotCount++;
    }
}

/// <summary>One datagram under way or unread.</summary>
internal struct StoredDatagram
{
    internal byte[] Buffer;
    internal int Length;
    internal PeerAddress From;
    internal PeerAddress To;
    internal DatagramTrace Trace;

    internal readonly ReadOnlySpan<byte> Bytes => Buffer.AsSpan(0, Length);
}

/// <summary>
/// What the trace names a datagram by, computed once: it stands there when it is sent and when it is delivered.
/// </summary>
/// <param name="From">The sender's <see cref="RunningHash.NumberOf"/>.</param>
/// <param name="To">The receiver's.</param>
/// <param name="Content">The <see cref="RunningHash.Fingerprint"/>.</param>
internal readonly record struct DatagramTrace(ulong From, ulong To, ulong Content)
{
    internal static DatagramTrace Of(PeerAddress from, PeerAddress to, ReadOnlySpan<byte> datagram)
        => new(RunningHash.NumberOf(from), RunningHash.NumberOf(to), RunningHash.Fingerprint(datagram));
}

/// <summary>A datagram on its way into the store.</summary>
internal readonly ref struct SentDatagram(
    DatagramTrace trace, PeerAddress from, PeerAddress to, ReadOnlySpan<byte> bytes)
{
    internal DatagramTrace Trace { get; } = trace;

    internal PeerAddress From { get; } = from;

    internal PeerAddress To { get; } = to;

    internal ReadOnlySpan<byte> Bytes { get; } = bytes;
}
