using System;
using System.Buffers.Binary;

namespace Gudp.Core.Wire;

/// <summary>
/// The last four bytes of a Plain packet (W-2.4): a CRC-32C. In the short form it also covers application id and
/// version, which are not sent, so that another application's packets look damaged. In the long form it covers the
/// packet alone, so that a wrong application id can be told from damage.
/// </summary>
internal readonly struct PacketTrailer
{
    private const int PrefixBytes = sizeof(ulong) + WireFormat.VersionBytes;

    private readonly uint _shortPrefix;

    internal PacketTrailer(ulong applicationId)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        BinaryPrimitives.WriteUInt64BigEndian(prefix, applicationId);
        BinaryPrimitives.WriteUInt32BigEndian(prefix[sizeof(ulong)..], WireFormat.Version);
        _shortPrefix = Crc32C.Append(Crc32C.Begin(), prefix);
    }

    /// <summary>Completes a packet of the short form.</summary>
    /// <param name="packet">All of it; its last four bytes are overwritten.</param>
    internal void SealShort(Span<byte> packet) => Seal(_shortPrefix, packet);

    /// <summary>Whether a short datagram is as its sender made it, and of our application and version.</summary>
    /// <param name="datagram">At least four bytes.</param>
    internal bool IsShortIntact(ReadOnlySpan<byte> datagram) => IsIntact(_shortPrefix, datagram);

    /// <summary>Completes a packet of the long form.</summary>
    /// <param name="packet">All of it; its last four bytes are overwritten.</param>
    internal static void SealLong(Span<byte> packet) => Seal(Crc32C.Begin(), packet);

    /// <summary>Whether a datagram of the long form is as its sender made it.</summary>
    /// <param name="datagram">At least four bytes.</param>
    internal static bool IsLongIntact(ReadOnlySpan<byte> datagram) => IsIntact(Crc32C.Begin(), datagram);

    private static void Seal(uint prefix, Span<byte> packet)
    {
        uint checksum = Crc32C.Compute(prefix, packet[..^WireFormat.TrailerBytes]);
        BinaryPrimitives.WriteUInt32BigEndian(packet[^WireFormat.TrailerBytes..], checksum);
    }

    private static bool IsIntact(uint prefix, ReadOnlySpan<byte> datagram)
        => Crc32C.Compute(prefix, datagram[..^WireFormat.TrailerBytes])
            == BinaryPrimitives.ReadUInt32BigEndian(datagram[^WireFormat.TrailerBytes..]);
}
