using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Gudp.Tools.Demo;

/// <summary>Where one agent is and how far it moves per step, in units of 2^-20 world units.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FlockAgent(long X, long Y, long VelocityX, long VelocityY)
{
    internal const int Bytes = 4 * sizeof(long);

    internal void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, X);
        BinaryPrimitives.WriteInt64BigEndian(destination[8..], Y);
        BinaryPrimitives.WriteInt64BigEndian(destination[16..], VelocityX);
        BinaryPrimitives.WriteInt64BigEndian(destination[24..], VelocityY);
    }

    internal static FlockAgent Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt64BigEndian(source),
        BinaryPrimitives.ReadInt64BigEndian(source[8..]),
        BinaryPrimitives.ReadInt64BigEndian(source[16..]),
        BinaryPrimitives.ReadInt64BigEndian(source[24..]));
}
