using System.Buffers.Binary;

namespace Gudp.Bench.Load;

/// <summary>What a message is to those who measure.</summary>
internal enum LoadKind : byte
{
    Data = 1,
    Request,
    Response,

    /// <summary>The last one of its sender; its number is how many were sent before it.</summary>
    End,

    /// <summary>Of systems whose links have no way back: the number is the port to answer at.</summary>
    Hello,
}

/// <summary>The same message for all systems: who sent it, which one it is, when it was due.</summary>
/// <remarks>
/// Byte 0 the kind, 2 to 4 the sender, 8 to 16 the number, 16 to 24 the moment; the last eight bytes are the number's
/// complement, so that a message which lacks its end is seen.
/// </remarks>
internal readonly record struct LoadMessage(LoadKind Kind, int Sender, long Number, long DueAt)
{
    internal const int LeastBytes = 32;

    private const int SenderAt = 2;
    private const int NumberAt = 8;
    private const int DueAtAt = 16;

    internal void Write(Span<byte> message)
    {
        message[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(message[SenderAt..], (ushort)Sender);
        BinaryPrimitives.WriteInt64LittleEndian(message[NumberAt..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(message[DueAtAt..], DueAt);
        BinaryPrimitives.WriteInt64LittleEndian(message[^sizeof(long)..], ~Number);
    }

    /// <returns>False: it is damaged.</returns>
    internal static bool TryRead(ReadOnlySpan<byte> message, out LoadMessage read)
    {
        if (message.Length < LeastBytes)
        {
            read = default;
            return false;
        }

        read = new LoadMessage(
            (LoadKind)message[0],
            BinaryPrimitives.ReadUInt16LittleEndian(message[SenderAt..]),
            BinaryPrimitives.ReadInt64LittleEndian(message[NumberAt..]),
            BinaryPrimitives.ReadInt64LittleEndian(message[DueAtAt..]));
        return BinaryPrimitives.ReadInt64LittleEndian(message[^sizeof(long)..]) == ~read.Number;
    }
}
