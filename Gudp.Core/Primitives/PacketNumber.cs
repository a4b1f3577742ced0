using System;

namespace Gudp.Core;

/// <summary>Number of a packet: grows by one per packet of a connection, never reused, never wraps.</summary>
/// <param name="Value">0 to 2^62 - 1.</param>
public readonly record struct PacketNumber(long Value) : IComparable<PacketNumber>
{
    /// <summary>The largest number a packet can carry (RFC 9000 section 12.3).</summary>
    public const long MaxValue = (1L << 62) - 1;

    /// <summary>Sent before.</summary>
    public static bool operator <(PacketNumber left, PacketNumber right) => left.Value < right.Value;

    /// <summary>Sent after.</summary>
    public static bool operator >(PacketNumber left, PacketNumber right) => left.Value > right.Value;

    /// <summary>Sent before, or the same.</summary>
    public static bool operator <=(PacketNumber left, PacketNumber right) => left.Value <= right.Value;

    /// <summary>Sent after, or the same.</summary>
    public static bool operator >=(PacketNumber left, PacketNumber right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public int CompareTo(PacketNumber other) => Value.CompareTo(other.Value);

    /// <summary>
    /// Restores the full number from its low bits: of all numbers that end in these bits, the one nearest to
    /// <paramref name="expected"/>.
    /// </summary>
    /// <param name="wireBits">The low bits, as sent.</param>
    /// <param name="widthBytes">How many bytes stood on the wire, 1 to 4.</param>
    /// <param name="expected">One above the largest number received so far.</param>
    /// <remarks>RFC 9000 appendix A.3. Right while fewer than half the width's range are reordered.</remarks>
    internal static PacketNumber Expand(uint wireBits, int widthBytes, PacketNumber expected)
    {
        long range = 1L << (8 * widthBytes);
        long half = range / 2;
        long candidate = (expected.Value & ~(range - 1)) | wireBits;

        if (candidate <= expected.Value - half && candidate < MaxValue - range)
        {
            candidate += range;
        }
        else if (candidate > expected.Value + half && candidate >= range)
        {
            candidate -= range;
        }

        return new PacketNumber(candidate);
    }
}
