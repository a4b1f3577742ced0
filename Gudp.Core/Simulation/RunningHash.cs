using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Gudp.Core.Simulation;

/// <summary>
/// A running hash over everything that happened on the network, the same on every platform: two runs with equal hashes
/// are taken for equal. Not for hostile input.
/// </summary>
internal struct RunningHash
{
    private const ulong Odd = 0x9E37_79B9_7F4A_7C15;

    internal ulong Value { get; private set; }

    /// <summary>A hash of a datagram's content and length.</summary>
    internal static ulong Fingerprint(ReadOnlySpan<byte> bytes)
    {
        ulong first = (ulong)bytes.Length;
        ulong second = Odd;

        // Two chains, because a multiplication waits for the one before it in the same chain.
        while (bytes.Length >= 16)
        {
            first = Step(first, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            second = Step(second, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
            bytes = bytes[16..];
        }

        foreach (byte value in bytes)
        {
            first = Step(first, value);
        }

        return Step(first, second);
    }

    internal void Add(bool isSend, Instant now, in DatagramTrace datagram)
    {
        Add(isSend ? 1UL : 2UL);
        Add((ulong)now.Ticks);
        Add(datagram.From);
        Add(datagram.To);
        Add(datagram.Content);
    }

    /// <summary>A number that stands for an address in hashes and draws; the same in every run.</summary>
    internal static ulong NumberOf(PeerAddress address)
    {
        Span<byte> bytes = stackalloc byte[18];
        address.CopyAddressTo(bytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[16..], address.Port);
        return Fingerprint(bytes);
    }

    private static ulong Step(ulong hash, ulong word) => BitOperations.RotateLeft((hash ^ word) * Odd, 29);

    private void Add(ulong word) => Value = Step(Value, word);
}
