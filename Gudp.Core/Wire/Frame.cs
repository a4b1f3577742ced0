using System;
using System.Buffers.Binary;
using System.Text;

namespace Gudp.Core.Wire;

/// <summary>
/// One of Core's frames (W-3.3), as <see cref="FrameReader"/> found it. Which properties mean something depends on
/// <see cref="Type"/>; all of them are checked and safe. Spans point into the packet.
/// </summary>
internal readonly ref struct Frame
{
    // Longer delays than this are nonsense; the cap keeps sums of moments from overflowing.
    private const ulong MaxDelayMicroseconds = 3_600_000_000;

    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly AckRangeReader _ranges;

    private Frame(
        byte type, ulong first, ulong second = 0, ulong third = 0, ReadOnlySpan<byte> bytes = default,
        AckRangeReader ranges = default)
    {
        Type = type;
        _first = first;
        _second = second;
        _third = third;
        _bytes = bytes;
        _ranges = ranges;
    }

    /// <summary>One of <see cref="FrameType"/>, below <see cref="FrameType.FirstPayload"/>.</summary>
    internal byte Type { get; }

    /// <summary>Whether the packet that carries it must be acknowledged (W-3.3: all but those marked *).</summary>
    internal bool IsAckEliciting
        => Type is not (FrameType.Padding or FrameType.Ack or FrameType.Close or FrameType.Settled);

    /// <summary>Padding: the length of the run.</summary>
    internal int PaddingBytes => (int)_first;

    /// <summary>Ack: the largest number acknowledged.</summary>
    internal PacketNumber LargestAcked => new((long)_first);

    /// <summary>Ack: how long its sender held the largest one back; at most an hour, whatever was claimed.</summary>
    internal TimeSpan AckDelay => DelayOf(_second, WireFormat.AckDelayUnitMicroseconds);

    /// <summary>Ack: the ranges, newest first; the first ends with <see cref="LargestAcked"/>.</summary>
    internal AckRangeReader AckRanges => _ranges;

    /// <summary>Close: the sender's code.</summary>
    internal ulong CloseCode => _first;

    /// <summary>Close: the reason as sent, at most 255 bytes, hopefully UTF-8.</summary>
    internal ReadOnlySpan<byte> CloseReasonBytes => _bytes;

    /// <summary>PathChallenge, PathResponse: the eight bytes to be echoed.</summary>
    internal ulong PathToken => _first;

    /// <summary>NewId, RetireId: which of the sender's ids.</summary>
    internal ulong IdSequence => _first;

    /// <summary>NewId: the id to use from now on.</summary>
    internal ulong ConnectionId => _second;

    /// <summary>NewId: the reset token of that id, 16 bytes.</summary>
    internal ReadOnlySpan<byte> ResetToken => _bytes;

    /// <summary>AckFrequency: acknowledge after so many packets.</summary>
    internal ulong AckEveryPackets => _first;

    /// <summary>AckFrequency: or after so long; at most an hour, whatever was asked.</summary>
    internal TimeSpan MaxAckDelay => DelayOf(_second, unitMicroseconds: 1);

    /// <summary>AckFrequency: how many packets may overtake before an ack is sent at once.</summary>
    internal ulong ReorderingThreshold => _third;

    /// <summary>Settled: ack ranges below this number may be forgotten.</summary>
    internal PacketNumber SettledBelow => new((long)_first);

    /// <summary>Close: the reason as text; bytes that are not UTF-8 become replacement characters. Allocates.</summary>
    internal string ReadCloseReason() => Encoding.UTF8.GetString(_bytes);

    /// <summary>Reads one frame of a type below <see cref="FrameType.FirstPayload"/>.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="body">The packet from behind the type to its end.</param>
    /// <param name="frame">The frame.</param>
    /// <returns>The bytes of the body; -1 if it is cut, breaks a rule or has no known type.</returns>
    internal static int TryRead(byte type, ReadOnlySpan<byte> body, out Frame frame)
    {
        frame = default;

        switch (type)
        {
            case FrameType.Padding:
                return ReadPadding(body, out frame);
            case FrameType.Ping or FrameType.HandshakeDone:
                frame = new Frame(type, 0);
                return 0;
            case FrameType.Ack:
                return ReadAck(body, out frame);
            case FrameType.Close:
                return ReadClose(body, out frame);
            case FrameType.PathChallenge or FrameType.PathResponse:
                return ReadPathToken(type, body, out frame);
            case FrameType.NewId:
                return ReadNewId(body, out frame);
            case FrameType.RetireId or FrameType.Settled:
                return ReadNumber(type, body, out frame);
            case FrameType.AckFrequency:
                return ReadAckFrequency(body, out frame);
            default:
                return -1;
        }
    }

    internal static bool IsKnown(ulong type) => type <= FrameType.HandshakeDone;

    private static TimeSpan DelayOf(ulong units, uint unitMicroseconds)
    {
        // Compared before it is multiplied: the product of a hostile value would not fit.
        ulong microseconds = units > MaxDelayMicroseconds / unitMicroseconds
            ? MaxDelayMicroseconds
            : units * unitMicroseconds;
        return TimeSpan.FromTicks((long)microseconds * TimeSpan.TicksPerMicrosecond);
    }

    private static int ReadPadding(ReadOnlySpan<byte> body, out Frame frame)
    {
        int further = body.IndexOfAnyExcept(FrameType.Padding);
        further = further < 0 ? body.Length : further;
        frame = new Frame(FrameType.Padding, (ulong)further + 1);
        return further;
    }

    private static int ReadAck(ReadOnlySpan<byte> body, out Frame frame)
    {
        frame = default;
        int largestBytes = VarInt.TryRead(body, out ulong largest);
        int delayBytes = VarInt.TryRead(body[largestBytes..], out ulong delay);

        if (largestBytes == 0 || delayBytes == 0)
        {
            return -1;
        }

        int start = largestBytes + delayBytes;
        int rangeBytes = AckRangeReader.TryRead(body[start..], (long)largest, out AckRangeReader ranges);

        if (rangeBytes == 0)
        {
            return -1;
        }

        frame = new Frame(FrameType.Ack, largest, delay, ranges: ranges);
        return start + rangeBytes;
    }

    private static int ReadClose(ReadOnlySpan<byte> body, out Frame frame)
    {
        frame = default;
        int codeBytes = VarInt.TryRead(body, out ulong code);
        int lengthBytes = VarInt.TryRead(body[codeBytes..], out ulong length);

        if (codeBytes == 0 || lengthBytes == 0 || length > WireFormat.MaxReasonBytes)
        {
            return -1;
        }

        ReadOnlySpan<byte> rest = body[(codeBytes + lengthBytes)..];

        if ((int)length > rest.Length)
        {
            return -1;
        }

        frame = new Frame(FrameType.Close, code, bytes: rest[..(int)length]);
        return codeBytes + lengthBytes + (int)length;
    }

    private static int ReadPathToken(byte type, ReadOnlySpan<byte> body, out Frame frame)
    {
        if (!BinaryPrimitives.TryReadUInt64BigEndian(body, out ulong token))
        {
            frame = default;
            return -1;
        }

        frame = new Frame(type, token);
        return WireFormat.PathTokenBytes;
    }

    private static int ReadNewId(ReadOnlySpan<byte> body, out Frame frame)
    {
        const int FixedBytes = WireFormat.ConnectionIdBytes + WireFormat.ResetTokenBytes;
        frame = default;
        int sequenceBytes = VarInt.TryRead(body, out ulong sequence);
        ReadOnlySpan<byte> rest = body[sequenceBytes..];

        if (sequenceBytes == 0 || rest.Length < FixedBytes)
        {
            return -1;
        }

        ulong id = BinaryPrimitives.ReadUInt64BigEndian(rest);
        frame = new Frame(FrameType.NewId, sequence, id, bytes: rest[WireFormat.ConnectionIdBytes..FixedBytes]);
        return sequenceBytes + FixedBytes;
    }

    private static int ReadNumber(byte type, ReadOnlySpan<byte> body, out Frame frame)
    {
        int bytes = VarInt.TryRead(body, out ulong number);
        frame = new Frame(type, number);
        return bytes == 0 ? -1 : bytes;
    }

    private static int ReadAckFrequency(ReadOnlySpan<byte> body, out Frame frame)
    {
        int packetsBytes = VarInt.TryRead(body, out ulong packets);
        int delayBytes = VarInt.TryRead(body[packetsBytes..], out ulong delay);
        int reorderingBytes = VarInt.TryRead(body[(packetsBytes + delayBytes)..], out ulong reordering);

        frame = new Frame(FrameType.AckFrequency, packets, delay, reordering);
        bool isWhole = packetsBytes > 0 && delayBytes > 0 && reorderingBytes > 0;
        return isWhole ? packetsBytes + delayBytes + reorderingBytes : -1;
    }
}
