namespace Gudp.Core.Wire;

/// <summary>
/// Every constant of the bytes, version 1. The clauses (W-...) are those of docs/protocol/wire.md.
/// </summary>
internal static class WireFormat
{
    // Versions (W-2.1, W-2.6).
    internal const uint Version = 1;
    internal const uint VersionListVersion = 0;     // frozen: a list must be readable by those who share no version

    // First byte (W-2.1). Bits 7 and 6 are frozen; the rest belongs to the version.
    internal const byte LongFormBit = 0x80;
    internal const byte FixedBit = 0x40;
    internal const byte FromServerBit = 0x20;
    internal const byte KeyPhaseBit = 0x10;         // short form; always 0 in Plain
    internal const byte LongReservedBit = 0x10;     // long form; always 0
    internal const byte LongTypeMask = 0x0F;
    internal const byte ShortReservedMask = 0x0C;
    internal const byte NumberWidthMask = 0x03;

    // Places in a packet (W-2.2, W-2.5).
    internal const int FirstByteBytes = 1;
    internal const int VersionBytes = 4;
    internal const int ConnectionIdBytes = 8;
    internal const int MinNumberBytes = 1;
    internal const int MaxNumberBytes = 4;
    internal const int LeastNumberBytesInPlain = 4; // W-2.3: no checksum covers the bits that are not sent
    internal const int TrailerBytes = 4;            // Plain: CRC32C
    internal const int MinShortHeaderBytes = FirstByteBytes + ConnectionIdBytes + MinNumberBytes;
    internal const int MaxShortHeaderBytes = FirstByteBytes + ConnectionIdBytes + MaxNumberBytes;
    internal const int LongHeaderBytes = FirstByteBytes + VersionBytes + ConnectionIdBytes + ConnectionIdBytes;

    // Sizes that rules speak of.
    internal const int MinimumHelloBytes = 1200;    // W-2.7: an answer never exceeds its cause
    internal const int MinAckElicitingBytes = 43;   // W-2.8: leaves a forgetful peer room for a shorter reset
    internal const int MinResetBytes = 26;          // W-2.8
    internal const int MaxResetBytes = 42;
    internal const int ResetTokenBytes = 16;
    internal const int MaxDatagramBytes = 65_507;   // the largest UDP payload over IPv4

    // Frames (W-3).
    internal const int MaxAckRangeCount = 64;       // W-3.4: the largest n an Ack may state (ranges after the first)
    internal const int MaxAckRanges = 64;           // what we write, the first range included: n stays one byte
    internal const int MaxReasonBytes = 255;        // W-3.5
    internal const int AckDelayUnitMicroseconds = 8;
    internal const int PathTokenBytes = 8;
}

/// <summary>Types of frames (W-3.3), as far as Core knows them.</summary>
internal static class FrameType
{
    internal const byte Padding = 0x00;
    internal const byte Ping = 0x01;
    internal const byte Ack = 0x02;
    internal const byte Close = 0x03;
    internal const byte PathChallenge = 0x04;
    internal const byte PathResponse = 0x05;
    internal const byte NewId = 0x06;
    internal const byte RetireId = 0x07;
    internal const byte AckFrequency = 0x08;
    internal const byte Settled = 0x09;
    internal const byte HandshakeDone = 0x0A;

    /// <summary>From here to the end, a packet belongs to the payload layer (W-3.2).</summary>
    internal const byte FirstPayload = 0x10;

    internal const byte UserPacket = 0x10;
    internal const byte UserPacketReliable = 0x11;
    internal const byte UserPacketRoom = 0x12;

    /// <summary>First and last of the types that carry their length and are skipped when unknown (W-3.7).</summary>
    internal const byte FirstSkippable = 0x40;
    internal const byte LastSkippable = 0x5F;

    internal static bool IsSkippable(ulong type) => type is >= FirstSkippable and <= LastSkippable;

    /// <summary>Reads a frame's type, which must stand in its shortest form (as RFC 9000 section 12.4 asks).</summary>
    /// <returns>The bytes read; 0 if the type is cut or stands in a longer form.</returns>
    internal static int TryRead(System.ReadOnlySpan<byte> frames, out ulong type)
    {
        int bytes = VarInt.TryRead(frames, out type);
        return bytes == VarInt.Size(type) ? bytes : 0;
    }
}

/// <summary>Types of handshake packets: the low four bits of the first byte (W-2.5).</summary>
internal enum LongPacketType : byte
{
    None = 0,
    Hello = 1,
    Cookie = 2,
    HelloPlus = 3,
    Answer = 4,
    Finish = 5,
    VersionList = 6,
    Refuse = 7,
}
