using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Gudp.Tools.Demo;

/// <summary>Where one agent is and how far it moves per step, in units of 2^-20 world units.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FlockAgent(long X, long Y, long VelocityX, long VelocityY)
{
    // Positions are below 2^30 units and speeds below 2^23: half of what they are kept in is enough on the wire.
    internal const int Bytes = 4 * sizeof(int);

    internal void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination, checked((int)X));
        BinaryPrimitives.WriteInt32BigEndian(destination[4..], checked((int)Y));
        BinaryPrimitives.WriteInt32BigEndian(destination[8..], checked((int)VelocityX));
        BinaryPrimitives.WriteInt32BigEndian(destination[12..], checked((int)VelocityY));
    }

    internal static FlockAgent Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt32BigEndian(source),
        BinaryPrimitives.ReadInt32BigEndian(source[4..]),
        BinaryPrimitives.ReadInt32BigEndian(source[8..]),
        BinaryPrimitives.ReadInt32BigEndian(source[12..]));
}
