using System.Buffers.Binary;
using Gudp.Core;

namespace Gudp.Tests.World;

/// <summary>
/// The bytes of a message, from its lane and number alone: nobody has to keep them, and one changed bit shows.
/// </summary>
internal static class LaneContent
{
    /// <summary>A message this long begins with its number; a shorter one is known by its place only.</summary>
    internal const int NumberBytes = 4;

    // Prime, so that neighbours on any lane begin elsewhere.
    private const int Beginnings = 65_521;
    private const int LanesApart = 7_919;
    private const int NumbersApart = 31;
    private const int MostBytes = 2 * 1024 * 1024;

    private static readonly byte[] Noise = MakeNoise();

    internal static void Write(int lane, int number, Span<byte> message)
    {
        NoiseOf(lane, number, message.Length).CopyTo(message);

        if (message.Length >= NumberBytes)
        {
            BinaryPrimitives.WriteInt32BigEndian(message, number);
        }
    }

    /// <summary>The number a message says it has; -1 if it is too short to say.</summary>
    internal static int NumberOf(ReadOnlySpan<byte> message)
        => message.Length < NumberBytes ? -1 : BinaryPrimitives.ReadInt32BigEndian(message) & int.MaxValue;

    internal static bool Is(int lane, int number, int length, ReadOnlySpan<byte> message)
    {
        int skipped = length < NumberBytes ? 0 : NumberBytes;
        return message.Length == length && message[skipped..].SequenceEqual(NoiseOf(lane, number, length)[skipped..]);
    }

    private static ReadOnlySpan<byte> NoiseOf(int lane, int number, int length)
        => Noise.AsSpan((int)((((long)lane * LanesApart) + ((long)number * NumbersApart)) % Beginnings), length);

    private static byte[] MakeNoise()
    {
        byte[] noise = new byte[Beginnings + MostBytes];
        new Prng(1).FillInto(noise);
        return noise;
    }
}
