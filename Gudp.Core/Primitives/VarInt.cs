using System;
using System.Buffers.Binary;

namespace Gudp.Core;

/// <summary>
/// The variable-length integer of RFC 9000 section 16, the only integer coding of variable width on the wire, in any
/// layer: 1, 2, 4 or 8 bytes, the two top bits of the first tell which; 62 bits of value, big-endian.
/// </summary>
public static class VarInt
{
    /// <summary>The largest value that can be written, 2^62 - 1.</summary>
    public const ulong MaxValue = (1UL << 62) - 1;

    /// <summary>The most bytes a value takes.</summary>
    public const int MaxBytes = 8;

    /// <summary>How many bytes <paramref name="value"/> takes: 1, 2, 4 or 8.</summary>
    /// <param name="value">0 to <see cref="MaxValue"/>.</param>
    public static int Size(ulong value) => value switch
    {
        < 1UL << 6 => 1,
        < 1UL << 14 => 2,
        < 1UL << 30 => 4,
        _ => 8,
    };

    /// <summary>Writes <paramref name="value"/> in its shortest form.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    /// <param name="value">0 to <see cref="MaxValue"/>.</param>
    /// <returns>The bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The value needs more than 62 bits, or the destination is short.</exception>
    public static int Write(Span<byte> destination, ulong value)
    {
        switch (value)
        {
            case < 1UL << 6:
                destination[0] = (byte)value;
                return 1;
            case < 1UL << 14:
                BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
                return 2;
            case < 1UL << 30:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)value | 0x8000_0000);
                return 4;
            case <= MaxValue:
                BinaryPrimitives.WriteUInt64BigEndian(destination, value | 0xC000_0000_0000_0000);
                return 8;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value, "A wire integer has at most 62 bits.");
        }
    }

    /// <summary>Writes <paramref name="value"/> in exactly two bytes, for a length that is known only afterwards.</summary>
    /// <param name="destination">At least 2 bytes.</param>
    /// <param name="value">0 to 16,383.</param>
    public static void WriteTwoBytes(Span<byte> destination, int value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)value, (1U << 14) - 1, nameof(value));
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
    }

    /// <summary>Reads one value from the front of <paramref name="source"/>. Longer forms than needed are accepted.</summary>
    /// <returns>The bytes read; 0 if the source ends before the value does.</returns>
    public static int TryRead(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;

        if (source.IsEmpty)
        {
            return 0;
        }

        int bytes = 1 << (source[0] >> 6);

        if (source.Length < bytes)
        {
            return 0;
        }

        value = bytes switch
        {
            1 => source[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3FFFu,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3FFF_FFFFu,
            _ => BinaryPrimitives.ReadUInt64BigEndian(source) & MaxValue,
        };

        return bytes;
    }
}
