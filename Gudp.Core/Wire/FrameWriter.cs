using System;
using System.Buffers.Binary;
using System.Text.Unicode;

namespace Gudp.Core.Wire;

/// <summary>
/// Writes Core's frames (W-3.3). Each method returns the bytes written, or 0 if the frame does not fit; then nothing
/// that matters was written.
/// </summary>
internal static class FrameWriter
{
    private const int TypeBytes = 1;

    /// <summary>Fills the whole destination. Padding must come before the payload layer's frames.</summary>
    internal static int WritePadding(Span<byte> destination)
    {
        destination.Clear();
        return destination.Length;
    }

    internal static int WritePing(Span<byte> destination) => WriteBare(destination, FrameType.Ping);

    internal static int WriteHandshakeDone(Span<byte> destination) => WriteBare(destination, FrameType.HandshakeDone);

    /// <summary>Writes the newest ranges, as many as fit.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="newestFirst">
    /// At least one range; at least one number is missing between neighbours. Of more than
    /// <see cref="WireFormat.MaxAckRanges"/> the oldest are left out.
    /// </param>
    /// <param name="delay">How long the largest number was held back; rounded down to 8 us.</param>
    internal static int WriteAck(Span<byte> destination, ReadOnlySpan<AckRange> newestFirst, TimeSpan delay)
    {
        const int CountBytes = 1;
        AckRange newest = newestFirst[0];
        ulong first = (ulong)(newest.Largest - newest.Smallest);
        ulong units = (ulong)Math.Max(delay.Ticks, 0)
            / (TimeSpan.TicksPerMicrosecond * WireFormat.AckDelayUnitMicroseconds);

        int countOffset = TypeBytes + VarInt.Size((ulong)newest.Largest) + VarInt.Size(units);
        int length = countOffset + CountBytes + VarInt.Size(first);

        if (length > destination.Length)
        {
            return 0;
        }

        destination[0] = FrameType.Ack;
        int offset = TypeBytes + VarInt.Write(destination[TypeBytes..], (ulong)newest.Largest);
        VarInt.Write(destination[offset..], units);
        VarInt.Write(destination[(countOffset + CountBytes)..], first);

        int most = Math.Min(newestFirst.Length, WireFormat.MaxAckRanges);
        int written = 1;

        while (written < most
            && WriteRange(destination[length..], newestFirst[written - 1], newestFirst[written]) is int bytes and > 0)
        {
            length += bytes;
            written++;
        }

        destination[countOffset] = (byte)(written - 1);
        return length;
    }

    /// <param name="destination">Where to.</param>
    /// <param name="code">Below 2^62.</param>
    /// <param name="reason">Cut, between characters, to 255 bytes of UTF-8.</param>
    internal static int WriteClose(Span<byte> destination, ulong code, ReadOnlySpan<char> reason)
    {
        Span<byte> text = stackalloc byte[WireFormat.MaxReasonBytes];
        Utf8.FromUtf16(reason, text, out _, out int textBytes);

        int head = TypeBytes + VarInt.Size(code) + VarInt.Size((ulong)textBytes);

        if (head + textBytes > destination.Length)
        {
            return 0;
        }

        destination[0] = FrameType.Close;
        int offset = TypeBytes + VarInt.Write(destination[TypeBytes..], code);
        VarInt.Write(destination[offset..], (ulong)textBytes);
        text[..textBytes].CopyTo(destination[head..]);
        return head + textBytes;
    }

    internal static int WritePathChallenge(Span<byte> destination, ulong token)
        => WritePathToken(destination, FrameType.PathChallenge, token);

    internal static int WritePathResponse(Span<byte> destination, ulong token)
        => WritePathToken(destination, FrameType.PathResponse, token);

    /// <param name="destination">Where to.</param>
    /// <param name="sequence">Which of our ids this is.</param>
    /// <param name="id">The id.</param>
    /// <param name="resetToken">16 bytes.</param>
    internal static int WriteNewId(Span<byte> destination, ulong sequence, ulong id, ReadOnlySpan<byte> resetToken)
    {
        Invariant.Require(resetToken.Length == WireFormat.ResetTokenBytes, "A reset token has 16 bytes.");

        int idOffset = TypeBytes + VarInt.Size(sequence);
        int tokenOffset = idOffset + WireFormat.ConnectionIdBytes;

        if (tokenOffset + resetToken.Length > destination.Length)
        {
            return 0;
        }

        destination[0] = FrameType.NewId;
        VarInt.Write(destination[TypeBytes..], sequence);
        BinaryPrimitives.WriteUInt64BigEndian(destination[idOffset..], id);
        resetToken.CopyTo(destination[tokenOffset..]);
        return tokenOffset + resetToken.Length;
    }

    internal static int WriteRetireId(Span<byte> destination, ulong sequence)
        => WriteNumber(destination, FrameType.RetireId, sequence);

    /// <summary>Tells the peer that its ack ranges below the number may be forgotten.</summary>
    internal static int WriteSettled(Span<byte> destination, PacketNumber below)
        => WriteNumber(destination, FrameType.Settled, (ulong)below.Value);

    /// <summary>Asks the peer for an ack after so many packets or so much time, and at once on reordering.</summary>
    internal static int WriteAckFrequency(
        Span<byte> destination, ulong packets, TimeSpan delay, ulong reorderingThreshold)
    {
        ulong microseconds = (ulong)Math.Max(delay.Ticks, 0) / TimeSpan.TicksPerMicrosecond;
        int delayOffset = TypeBytes + VarInt.Size(packets);
        int reorderingOffset = delayOffset + VarInt.Size(microseconds);

        if (reorderingOffset + VarInt.Size(reorderingThreshold) > destination.Length)
        {
            return 0;
        }

        destination[0] = FrameType.AckFrequency;
        VarInt.Write(destination[TypeBytes..], packets);
        VarInt.Write(destination[delayOffset..], microseconds);
        return reorderingOffset + VarInt.Write(destination[reorderingOffset..], reorderingThreshold);
    }

    private static int WriteBare(Span<byte> destination, byte type)
    {
        if (destination.IsEmpty)
        {
            return 0;
        }

        destination[0] = type;
        return TypeBytes;
    }

    private static int WriteRange(Span<byte> destination, AckRange newer, AckRange older)
    {
        // RFC 9000 section 19.3.1: the gap is one less than the numbers missing in it.
        ulong gap = (ulong)(newer.Smallest - older.Largest - 2);
        ulong length = (ulong)(older.Largest - older.Smallest);
        int gapBytes = VarInt.Size(gap);

        if (gapBytes + VarInt.Size(length) > destination.Length)
        {
            return 0;
        }

        VarInt.Write(destination, gap);
        return gapBytes + VarInt.Write(destination[gapBytes..], length);
    }

    private static int WritePathToken(Span<byte> destination, byte type, ulong token)
    {
        if (destination.Length < TypeBytes + WireFormat.PathTokenBytes)
        {
            return 0;
        }

        destination[0] = type;
        BinaryPrimitives.WriteUInt64BigEndian(destination[TypeBytes..], token);
        return TypeBytes + WireFormat.PathTokenBytes;
    }

    private static int WriteNumber(Span<byte> destination, byte type, ulong number)
    {
        if (destination.Length < TypeBytes + VarInt.Size(number))
        {
            return 0;
        }

        destination[0] = type;
        return TypeBytes + VarInt.Write(destination[TypeBytes..], number);
    }
}
