// CRC-32C (Castagnoli), the checksum of Plain packets: the largest part of a packet's cost that is ours.
//
// Three implementations that agree on every input:
//   simple          one stream of the processor's CRC instruction; bound by its latency. Best below 256 bytes.
//   three streams   three independent parts at once hide that latency; a table joins their results.
//   folded          512-bit carry-less multiplication, where the processor has it: about twice as fast again.
//
// The leaf loops carry AggressiveOptimization: otherwise the first seconds of a process run in instrumented code.
// Such methods are compiled before static readonly fields are known, so tables are passed in.

using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gudp.Core.Wire;

/// <summary>
/// CRC-32C in steps: <see cref="Begin"/>, any number of <see cref="Append"/>, <see cref="Finish"/>. The state between
/// the steps may be kept, for a prefix that many packets share.
/// </summary>
internal static class Crc32C
{
    /// <summary>Bytes of each of the three streams between two joins.</summary>
    private const int StreamBytes = 128;

    /// <summary>Below this the set-up of the faster ways costs more than they save.</summary>
    private const int MinFastBytes = 256;

    private const int TableEntries = 256;
    private const int TablesPerShift = 4;

    // x^n mod G, bits reflected, in the upper half of 64 bits. "High" belongs to the 64 bits nearer to the target:
    // n = D - 1, because the product of two reflected numbers stands one bit off. "Low": n = D + 63.
    private const ulong FoldBy2048Low = 0xE9A5_D8BE_0000_0000;
    private const ulong FoldBy2048High = 0x1426_A815_0000_0000;
    private const ulong FoldBy512Low = 0x1C19_243B_0000_0000;
    private const ulong FoldBy512High = 0x75BB_A45B_0000_0000;
    private const ulong FoldBy384Low = 0xA46E_F4AA_0000_0000;
    private const ulong FoldBy384High = 0x6051_243F_0000_0000;
    private const ulong FoldBy256Low = 0x33CC_BBBC_0000_0000;
    private const ulong FoldBy256High = 0xA215_8B34_0000_0000;
    private const ulong FoldBy128Low = 0x3743_F7BD_0000_0000;
    private const ulong FoldBy128High = 0x3171_D430_0000_0000;

    internal static bool CanFold => Pclmulqdq.V512.IsSupported;

    /// <summary>The state before the first byte.</summary>
    internal static uint Begin() => uint.MaxValue;

    /// <summary>The state after <paramref name="bytes"/>.</summary>
    internal static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < MinFastBytes)
        {
            return AppendSimple(state, bytes);
        }

        return CanFold ? AppendFolded(state, bytes) : AppendThreeStreams(state, bytes);
    }

    /// <summary>The checksum that belongs to a state.</summary>
    internal static uint Finish(uint state) => ~state;

    /// <summary>The checksum of what led to <paramref name="state"/> followed by <paramref name="bytes"/>.</summary>
    internal static uint Compute(uint state, ReadOnlySpan<byte> bytes) => Finish(Append(state, bytes));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static uint AppendSimple(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte last in bytes)
        {
            state = BitOperations.Crc32C(state, last);
        }

        return state;
    }

    internal static uint AppendThreeStreams(uint state, ReadOnlySpan<byte> bytes)
        => AppendThreeStreams(state, bytes, StreamShift.Table);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint AppendThreeStreams(uint state, ReadOnlySpan<byte> bytes, ReadOnlySpan<uint> shift)
    {
        while (bytes.Length >= 3 * StreamBytes)
        {
            ReadOnlySpan<byte> first = bytes[..StreamBytes];
            ReadOnlySpan<byte> second = bytes.Slice(StreamBytes, StreamBytes);
            ReadOnlySpan<byte> third = bytes.Slice(2 * StreamBytes, StreamBytes);
            uint secondState = 0;
            uint thirdState = 0;

            for (int i = 0; i <= StreamBytes - sizeof(ulong); i += sizeof(ulong))
            {
                state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(first[i..]));
                secondState = BitOperations.Crc32C(secondState, BinaryPrimitives.ReadUInt64LittleEndian(second[i..]));
                thirdState = BitOperations.Crc32C(thirdState, BinaryPrimitives.ReadUInt64LittleEndian(third[i..]));
            }

            // A CRC is linear: the state behind two parts is the first part's, moved on by the length of the
            // second as if that were zeros, plus the second's own from zero.
            state = Shift(state, shift) ^ secondState;
            state = Shift(state, shift) ^ thirdState;
            bytes = bytes[(3 * StreamBytes)..];
        }

        return AppendSimple(state, bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Shift(uint state, ReadOnlySpan<uint> table)
        => table[(byte)state]
            ^ table[TableEntries + (byte)(state >> 8)]
            ^ table[(2 * TableEntries) + (byte)(state >> 16)]
            ^ table[(3 * TableEntries) + (int)(state >> 24)];

    /// <summary>
    /// Folding (Gopal and others, "Fast CRC Computation Using PCLMULQDQ", 2009): a 128-bit part P that stands D bits
    /// before another is replaced by adding P x^D mod G to that other, which leaves the remainder the same. In the end
    /// 128 bits with the same remainder are left, and the CRC instruction finishes them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static uint AppendFolded(uint state, ReadOnlySpan<byte> bytes)
    {
        const int PartBytes = 64;
        const int PartsPerStep = 4;

        if (bytes.Length < PartBytes * PartsPerStep)
        {
            return AppendSimple(state, bytes);
        }

        ReadOnlySpan<Vector512<ulong>> parts = MemoryMarshal.Cast<byte, Vector512<ulong>>(bytes);
        Vector512<ulong> a = parts[0] ^ Vector512.CreateScalar((ulong)state);
        Vector512<ulong> b = parts[1];
        Vector512<ulong> c = parts[2];
        Vector512<ulong> d = parts[3];
        ReadOnlySpan<byte> tail = bytes[(parts.Length * PartBytes)..];
        parts = parts[PartsPerStep..];

        Vector512<ulong> fourParts = Vector512.Create(Vector128.Create(FoldBy2048Low, FoldBy2048High));

        while (parts.Length >= PartsPerStep)
        {
            a = Fold(a, fourParts) ^ parts[0];
            b = Fold(b, fourParts) ^ parts[1];
            c = Fold(c, fourParts) ^ parts[2];
            d = Fold(d, fourParts) ^ parts[3];
            parts = parts[PartsPerStep..];
        }

        Vector512<ulong> onePart = Vector512.Create(Vector128.Create(FoldBy512Low, FoldBy512High));
        Vector512<ulong> whole = Fold(Fold(Fold(a, onePart) ^ b, onePart) ^ c, onePart) ^ d;

        foreach (Vector512<ulong> part in parts)
        {
            whole = Fold(whole, onePart) ^ part;
        }

        Vector512<ulong> lanes = Fold(
            whole,
            Vector512.Create(
                FoldBy384Low, FoldBy384High, FoldBy256Low, FoldBy256High, FoldBy128Low, FoldBy128High, 0, 0));
        Vector128<ulong> rest = lanes.GetLower().GetLower() ^ lanes.GetLower().GetUpper()
            ^ lanes.GetUpper().GetLower() ^ whole.GetUpper().GetUpper();

        state = BitOperations.Crc32C(0, rest.GetElement(0));
        state = BitOperations.Crc32C(state, rest.GetElement(1));
        return AppendSimple(state, tail);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Fold(Vector512<ulong> part, Vector512<ulong> constants)
    {
        const byte LowByLow = 0x00;
        const byte HighByHigh = 0x11;

        return Pclmulqdq.V512.CarrylessMultiply(part, constants, LowByLow)
            ^ Pclmulqdq.V512.CarrylessMultiply(part, constants, HighByHigh);
    }

    /// <summary>What <see cref="StreamBytes"/> zeros do to a state, for each value of each of its four bytes.</summary>
    private static class StreamShift
    {
        internal static readonly uint[] Table = Make();

        private static uint[] Make()
        {
            uint[] table = new uint[TablesPerShift * TableEntries];
            ReadOnlySpan<byte> zeros = stackalloc byte[StreamBytes];

            for (int i = 0; i < table.Length; i++)
            {
                uint state = (uint)(i % TableEntries) << (8 * (i / TableEntries));
                table[i] = AppendSimple(state, zeros);
            }

            return table;
        }
    }
}
