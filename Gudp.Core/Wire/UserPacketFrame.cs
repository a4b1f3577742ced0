using System;

namespace Gudp.Core.Wire;

/// <summary>
/// A user's packet as a frame of payload protocol 0 (W-3.6): unreliable, or reliable with the id that lets its
/// receiver take it once.
/// </summary>
internal readonly ref struct UserPacketFrame
{
    /// <summary>The largest id there is, and the one that takes most bytes.</summary>
    internal const ulong MaxId = VarInt.MaxValue;

    private const int TypeBytes = 1;

    private UserPacketFrame(bool isReliable, ulong id, ReadOnlySpan<byte> bytes)
    {
        IsReliable = isReliable;
        Id = id;
        Bytes = bytes;
    }

    /// <summary>Delivered exactly once rather than at most once.</summary>
    internal bool IsReliable { get; }

    /// <summary>Counts the reliable packets of a direction from 0; 0 on unreliable ones.</summary>
    internal ulong Id { get; }

    /// <summary>The user's bytes, in the received packet.</summary>
    internal ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Bytes around an unreliable packet of this length.</summary>
    internal static int Overhead(int length) => TypeBytes + VarInt.Size((ulong)length);

    /// <summary>Bytes around a reliable packet of this id and length.</summary>
    internal static int ReliableOverhead(ulong id, int length) => Overhead(length) + VarInt.Size(id);

    /// <summary>Reads one user packet from the front.</summary>
    /// <returns>The bytes of the frame; 0 if it is cut or no user packet (see <see cref="FrameSkip"/>).</returns>
    internal static int TryRead(ReadOnlySpan<byte> frames, out UserPacketFrame frame)
    {
        frame = default;
        int offset = FrameType.TryRead(frames, out ulong type);
        ulong id = 0;

        if (offset == 0 || type is not (FrameType.UserPacket or FrameType.UserPacketReliable))
        {
            return 0;
        }

        if (type == FrameType.UserPacketReliable)
        {
            int idBytes = VarInt.TryRead(frames[offset..], out id);

            if (idBytes == 0)
            {
                return 0;
            }

            offset += idBytes;
        }

        int lengthBytes = VarInt.TryRead(frames[offset..], out ulong length);
        ReadOnlySpan<byte> rest = frames[(offset + lengthBytes)..];

        if (lengthBytes == 0 || length > (ulong)rest.Length)
        {
            return 0;
        }

        frame = new UserPacketFrame(type == FrameType.UserPacketReliable, id, rest[..(int)length]);
        return offset + lengthBytes + (int)length;
    }

    /// <returns>The bytes written; 0 if the frame does not fit.</returns>
    internal static int Write(Span<byte> destination, ReadOnlySpan<byte> packet)
    {
        if (destination.Length < Overhead(packet.Length) + packet.Length)
        {
            return 0;
        }

        destination[0] = FrameType.UserPacket;
        return TypeBytes + WriteBytes(destination[TypeBytes..], packet);
    }

    /// <returns>The bytes written; 0 if the frame does not fit.</returns>
    internal static int WriteReliable(Span<byte> destination, ulong id, ReadOnlySpan<byte> packet)
    {
        if (destination.Length < ReliableOverhead(id, packet.Length) + packet.Length)
        {
            return 0;
        }

        destination[0] = FrameType.UserPacketReliable;
        int offset = TypeBytes + VarInt.Write(destination[TypeBytes..], id);
        return offset + WriteBytes(destination[offset..], packet);
    }

    private static int WriteBytes(Span<byte> destination, ReadOnlySpan<byte> packet)
    {
        int lengthBytes = VarInt.Write(destination, (ulong)packet.Length);
        packet.CopyTo(destination[lengthBytes..]);
        return lengthBytes + packet.Length;
    }
}

/// <summary>Frames of the future (W-3.7): types 0x40 to 0x5F carry their length, so that they can be skipped.</summary>
internal static class FrameSkip
{
    /// <summary>Measures the skippable frame at the front; the caller counts it.</summary>
    /// <returns>The bytes to skip; 0 if the frame is cut or of a type that must not be skipped.</returns>
    internal static int TrySkip(ReadOnlySpan<byte> frames)
    {
        int typeBytes = FrameType.TryRead(frames, out ulong type);

        if (typeBytes == 0 || !FrameType.IsSkippable(type))
        {
            return 0;
        }

        int lengthBytes = VarInt.TryRead(frames[typeBytes..], out ulong length);
        int start = typeBytes + lengthBytes;

        return lengthBytes > 0 && length <= (ulong)(frames.Length - start) ? start + (int)length : 0;
    }
}
