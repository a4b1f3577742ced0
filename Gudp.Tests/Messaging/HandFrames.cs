using Gudp.Core;

namespace Gudp.Tests.Messaging;

/// <summary>Frames byte by byte, also those no honest peer writes.</summary>
internal static class HandFrames
{
    internal static byte[] Open(int lane, byte mode) => [.. Numbers(0x20, lane), mode, 0, 1];

    internal static byte[] Data(int lane, long offset, byte[] content)
        => [.. Numbers(0x21, lane, offset, content.Length), .. content];

    internal static byte[] Message(int lane, long id, byte flags, byte[] content)
        => [.. Numbers(0x26, lane, id), flags, .. Numbers(content.Length), .. content];

    internal static byte[] Fragment(int lane, long id, byte flags, (long Total, long Start) place, byte[] content)
        => [.. Numbers(0x27, lane, id), flags, .. Numbers(place.Total, place.Start, content.Length), .. content];

    internal static byte[] Skip(int lane, long from, long to, long charged = 0)
        => Numbers(0x2A, lane, from, to, charged);

    internal static byte[] Settled(int lane, long id) => Numbers(0x29, lane, id);

    internal static byte[] Numbers(params long[] numbers)
    {
        byte[] bytes = new byte[numbers.Length * VarInt.MaxBytes];
        int length = 0;

        foreach (long number in numbers)
        {
            length += VarInt.Write(bytes.AsSpan(length), (ulong)number);
        }

        return bytes[..length];
    }
}
