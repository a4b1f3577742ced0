using System;
using System.Buffers.Binary;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

/// <summary>
/// Which packet numbers are left out, so that a peer that acknowledges what it never saw, to be sent more and faster,
/// gives itself away (P-2.4, RFC 9000 section 21.4). Drawn from the secret source: a number that can be guessed guards
/// nothing.
/// </summary>
/// <remarks>
/// Always true: between two numbers left out lie at least 32 others, so that at most one of them stands between a
/// packet and the later ones that show it lost.
/// </remarks>
internal sealed class NumberSkips
{
    /// <summary>At least so many numbers lie between two that are left out.</summary>
    internal const int LeastGap = 32;

    // Short connections are guarded too; long ones pay an ack and a range once in 4,000 packets.
    private const uint FirstSpread = 256;
    private const uint LargestSpread = 8_192;

    // All that can be in flight at once contains about half as many.
    private const int Remembered = 32;
    private const int FirstRoom = 2;

    private readonly ISecretSource _secrets;
    private long[] _skipped = [];    // grows with their number, up to Remembered
    private uint _spread = FirstSpread;
    private long _next;

    internal NumberSkips(ISecretSource secrets)
    {
        _secrets = secrets;
        _next = Draw(0);
    }

    /// <summary>How many were left out.</summary>
    internal int Count { get; private set; }

    /// <summary>True if this number is to be left out.</summary>
    internal bool IsDue(PacketNumber next) => next.Value >= _next;

    /// <summary>It was left out; the next one is drawn.</summary>
    internal void OnSkipped(PacketNumber number)
    {
        if (Count == _skipped.Length && Count < Remembered)
        {
            Array.Resize(ref _skipped, Count == 0 ? FirstRoom : Remembered);
        }

        _skipped[Count % Remembered] = number.Value;
        Count++;
        _spread = Math.Min(2 * _spread, LargestSpread);
        _next = Draw(number.Value);
    }

    /// <summary>True if the range holds a number that was left out: its acknowledgement is forged.</summary>
    internal bool IsIn(AckRange range)
    {
        for (int i = 0; i < Math.Min(Count, Remembered); i++)
        {
            if (_skipped[i] >= range.Smallest && _skipped[i] <= range.Largest)
            {
                return true;
            }
        }

        return false;
    }

    private long Draw(long after)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        _secrets.Fill(bytes);
        uint drawn = BinaryPrimitives.ReadUInt32BigEndian(bytes) & (_spread - 1);       // a power of two: no bias
        return after + LeastGap + 1 + drawn;
    }
}
