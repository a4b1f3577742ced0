using System.Buffers.Binary;
using Gudp.Core;

namespace Gudp.Tests.World;

/// <summary>Content that tells where it belongs.</summary>
internal static class Pattern
{
    /// <summary>Fills bytes from a generator, eight at a time.</summary>
    internal static void FillInto(this Prng draws, Span<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, draws.NextUInt64());
            bytes = bytes[sizeof(ulong)..];
        }

        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)draws.NextBelow(256);
        }
    }
}
