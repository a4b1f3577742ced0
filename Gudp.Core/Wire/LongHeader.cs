using System;
using System.Buffers.Binary;

namespace Gudp.Core.Wire;

/// <summary>
/// The start of a handshake packet (W-2.5): type, version, both connection ids. Made only by <see cref="TryParse"/>.
/// </summary>
internal readonly struct LongHeader
{
    private const int VersionOffset = WireFormat.FirstByteBytes;
    private const int DestinationOffset = VersionOffset + WireFormat.VersionBytes;
    private const int SourceOffset = DestinationOffset + WireFormat.ConnectionIdBytes;

    private LongHeader(ReadOnlySpan<byte> datagram, LongPacketType type)
    {
        Type = type;
        IsFromServer = (datagram[0] & WireFormat.FromServerBit) != 0;
        Version = BinaryPrimitives.ReadUInt32BigEndian(datagram[VersionOffset..]);
        DestinationId = BinaryPrimitives.ReadUInt64BigEndian(datagram[DestinationOffset..]);
        SourceId = BinaryPrimitives.ReadUInt64BigEndian(datagram[SourceOffset..]);
    }

    /// <summary><see cref="LongPacketType.None"/> if the version is unknown: the type belongs to the version.</summary>
    internal LongPacketType Type { get; }

    /// <summary>The sender's role; meaningless if the version is unknown.</summary>
    internal bool IsFromServer { get; }

    /// <summary>The version of everything that is not frozen.</summary>
    internal uint Version { get; }

    /// <summary>The id that the receiver chose; 0 if the sender does not know it yet.</summary>
    internal ulong DestinationId { get; }

    /// <summary>The id that the sender chose.</summary>
    internal ulong SourceId { get; }

    /// <summary>The parameters of a datagram that <see cref="TryParse"/> accepted.</summary>
    internal static ReadOnlySpan<byte> ParametersOf(ReadOnlySpan<byte> datagram)
        => datagram[WireFormat.LongHeaderBytes..^WireFormat.TrailerBytes];

    /// <summary>Reads the header. Nothing is believed yet: <see cref="PacketTrailer"/> comes next.</summary>
    /// <returns>
    /// <see cref="DropReason.None"/>, or why the datagram cannot be a handshake packet of this version. After
    /// <see cref="DropReason.UnknownVersion"/> version and ids may be read, to answer with a version list.
    /// </returns>
    internal static DropReason TryParse(ReadOnlySpan<byte> datagram, out LongHeader header)
    {
        const byte FormBits = WireFormat.LongFormBit | WireFormat.FixedBit;
        header = default;

        if (datagram.Length < WireFormat.LongHeaderBytes)
        {
            return DropReason.TooShort;
        }

        if ((datagram[0] & FormBits) != FormBits)
        {
            return DropReason.BadFirstByte;
        }

        LongHeader candidate = new(datagram, (LongPacketType)(datagram[0] & WireFormat.LongTypeMask));

        if (candidate.Version is not (WireFormat.Version or WireFormat.VersionListVersion))
        {
            header = new LongHeader(datagram, LongPacketType.None);
            return DropReason.UnknownVersion;
        }

        if ((datagram[0] & WireFormat.LongReservedBit) != 0)
        {
            return DropReason.ReservedBits;
        }

        if (!candidate.HasPossibleType)
        {
            return DropReason.BadFirstByte;
        }

        if (datagram.Length < WireFormat.LongHeaderBytes + WireFormat.TrailerBytes)
        {
            return DropReason.TooShort;
        }

        header = candidate;
        return DropReason.None;
    }

    /// <param name="destination">At least <see cref="WireFormat.LongHeaderBytes"/>.</param>
    /// <param name="type">Tells the role and the version too.</param>
    /// <param name="destinationId">The receiver's id, 0 if unknown.</param>
    /// <param name="sourceId">The sender's id.</param>
    /// <returns>The bytes written.</returns>
    internal static int Write(Span<byte> destination, LongPacketType type, ulong destinationId, ulong sourceId)
    {
        int role = IsSentByServer(type) ? WireFormat.FromServerBit : 0;

        destination[0] = (byte)(WireFormat.LongFormBit | WireFormat.FixedBit | role | (int)type);
        BinaryPrimitives.WriteUInt32BigEndian(destination[VersionOffset..], VersionOf(type));
        BinaryPrimitives.WriteUInt64BigEndian(destination[DestinationOffset..], destinationId);
        BinaryPrimitives.WriteUInt64BigEndian(destination[SourceOffset..], sourceId);
        return WireFormat.LongHeaderBytes;
    }

    /// <summary>Who sends packets of this type; nobody else may.</summary>
    internal static bool IsSentByServer(LongPacketType type)
        => type is LongPacketType.Cookie or LongPacketType.Answer or LongPacketType.VersionList
            or LongPacketType.Refuse;

    private bool HasPossibleType
        => Type is >= LongPacketType.Hello and <= LongPacketType.Refuse
            && Version == VersionOf(Type)
            && IsFromServer == IsSentByServer(Type);

    private static uint VersionOf(LongPacketType type)
        => type == LongPacketType.VersionList ? WireFormat.VersionListVersion : WireFormat.Version;
}
