using System;

namespace Gudp.Core.Wire;

/// <summary>Packet numbers from <paramref name="Smallest"/> to <paramref name="Largest"/>, both included.</summary>
internal readonly record struct AckRange(long Smallest, long Largest);

/// <summary>
/// The ranges of one Ack, newest first, never touching each other (W-3.4). They were validated as a whole before this
/// reader was made, so reading cannot fail.
/// </summary>
internal ref struct AckRangeReader
{
    private ReadOnlySpan<byte> _rest;       // the first range's length, then pairs of gap and length
    private long _largest;
    private int _remaining;

    private AckRangeReader(ReadOnlySpan<byte> lengths, long largest, int ranges)
    {
        _rest = lengths;
        _largest = largest;
        _remaining = ranges;
    }

    /// <summary>Ranges not read yet; at most 65.</summary>
    internal readonly int Remaining => _remaining;

    internal bool TryNext(out AckRange range)
    {
        if (_remaining == 0)
        {
            range = default;
            return false;
        }

        long smallest = _largest - TakeNumber(ref _rest);
        range = new AckRange(smallest, _largest);
        _remaining--;

        if (_remaining > 0)
        {
            // RFC 9000 section 19.3.1: the gap is one less than the numbers missing in it.
            _largest = smallest - TakeNumber(ref _rest) - 2;
        }

        return true;
    }

    /// <summary>Checks all ranges, so that no part of an Ack is taken before the whole is known to be good.</summary>
    /// <param name="body">What follows the delay: n, first range, n times gap and range.</param>
    /// <param name="largest">The largest number acknowledged.</param>
    /// <param name="ranges">Reads the ranges; empty if they are malformed.</param>
    /// <returns>The bytes of the ranges; 0 if they are cut, too many, or go below zero.</returns>
    internal static int TryRead(ReadOnlySpan<byte> body, long largest, out AckRangeReader ranges)
    {
        ranges = default;
        int start = VarInt.TryRead(body, out ulong count);

        if (start == 0 || count > WireFormat.MaxAckRangeCount)
        {
            return 0;
        }

        int offset = start;
        long next = largest;

        for (ulong i = 0; i <= count; i++)
        {
            if (i > 0 && !TrySubtract(body, ref offset, ref next, beyond: 2))
            {
                return 0;
            }

            if (!TrySubtract(body, ref offset, ref next, beyond: 0))
            {
                return 0;
            }
        }

        ranges = new AckRangeReader(body[start..offset], largest, (int)count + 1);
        return offset;
    }

    /// <summary>Moves down by the number that stands at the offset; false if it is cut or leads below zero.</summary>
    private static bool TrySubtract(ReadOnlySpan<byte> body, ref int offset, ref long number, int beyond)
    {
        int bytes = VarInt.TryRead(body[offset..], out ulong distance);
        offset += bytes;
        number -= (long)distance + beyond;      // at least -(2^62 + 1): cannot overflow
        return bytes > 0 && number >= 0;
    }

    private static long TakeNumber(ref ReadOnlySpan<byte> rest)
    {
        rest = rest[VarInt.TryRead(rest, out ulong number)..];
        return (long)number;
    }
}
