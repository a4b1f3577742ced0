using System;
using System.Buffers.Binary;
using System.Text;
using Gudp.Core;

namespace Gudp.Sequencing.Wire;

/// <summary>
/// Builds a message of frames in a buffer that grows and is used again. Numbers as in wire.md section 1, tags as in
/// lock-time section 20.
/// </summary>
internal sealed class FrameWriter
{
    // A length that is known only after its body is written in four bytes, a longer form than needed but a legal one.
    private const int LengthBytes = 4;
    private const uint FourByteForm = 0x8000_0000;

    private byte[] _buffer = new byte[512];
    private int _frameLengthAt;

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    internal void Clear() => Length = 0;

    internal void BeginFrame(FrameType type, ulong epoch, ulong session)
    {
        WriteByte((byte)type);
        WriteNumber(epoch);
        WriteNumber(session);
        _frameLengthAt = BeginLength();
    }

    internal void EndFrame() => EndLength(_frameLengthAt);

    internal int BeginLength()
    {
        int lengthAt = Length;
        Take(LengthBytes);
        return lengthAt;
    }

    internal void EndLength(int lengthAt)
    {
        int bytes = Length - lengthAt - LengthBytes;
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(lengthAt), (uint)bytes | FourByteForm);
    }

    internal void WriteByte(byte value) => Take(1)[0] = value;

    internal void WriteNumber(ulong value) => VarInt.Write(Take(VarInt.Size(value)), value);

    internal void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);

    internal void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    internal void WriteBlock(ReadOnlySpan<byte> bytes)
    {
        WriteNumber((ulong)bytes.Length);
        WriteBytes(bytes);
    }

    internal void WriteText(string text)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        WriteNumber((ulong)bytes);
        Encoding.UTF8.GetBytes(text, Take(bytes));
    }

    internal void WriteTag(Tag tag)
    {
        WriteUInt64((ulong)tag.Time);
        WriteNumber(tag.Round);
    }

    internal void WriteDelay(Delay delay)
    {
        WriteNumber((ulong)delay.Time);
        WriteNumber(delay.Round);
    }

    /// <summary>How far <paramref name="tag"/> is after <paramref name="start"/>; clause .</summary>
    internal void WriteDistance(Tag start, Tag tag)
    {
        ulong ticks = (ulong)(tag.Time - start.Time);
        WriteNumber(ticks);
        WriteNumber(ticks > 0 ? tag.Round : tag.Round - start.Round);
    }

    /// <summary>How far <paramref name="tag"/> is before <paramref name="end"/>; clause .</summary>
    internal void WriteDistanceBack(Tag end, Tag tag)
    {
        ulong ticks = (ulong)(end.Time - tag.Time);
        WriteNumber(ticks);
        WriteNumber(ticks > 0 ? tag.Round : end.Round - tag.Round);
    }

    private Span<byte> Take(int bytes)
    {
        int needed = checked(Length + bytes);

        if (needed > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(needed, 2 * _buffer.Length));
        }

        Span<byte> taken = _buffer.AsSpan(Length, bytes);
        Length = needed;
        return taken;
    }
}
