using System;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Gudp.Core;

/// <summary>
/// An IP address with port and, for link-local IPv6, a scope; comparable and hashable without allocation.
/// An IPv4 address mapped into IPv6 is unmapped on the way in, so that limits, block lists and cookies see one form.
/// </summary>
public readonly record struct PeerAddress
{
    // The 16 bytes of the address, big-endian; IPv4 sits in the low 4 bytes of _low behind the ::ffff: prefix.
    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    private readonly ulong _high;
    private readonly ulong _low;
    private readonly uint _scope;

    private PeerAddress(ulong high, ulong low, uint scope, ushort port)
    {
        _high = high;
        _low = low;
        _scope = scope;
        Port = port;
    }

    /// <summary>The UDP port, 0 to 65,535; 0 lets the system pick one when opened.</summary>
    public ushort Port { get; }

    /// <summary>True for an IPv4 address, also one that came mapped into IPv6.</summary>
    public bool IsIPv4 => _high == 0 && (_low & 0xFFFF_FFFF_0000_0000) == MappedPrefix;

    /// <summary>True for 0.0.0.0 and ::, which stand for every local address.</summary>
    public bool IsAny => (_high == 0 && _low == 0) || (IsIPv4 && (uint)_low == 0);

    /// <summary>All local IPv4 addresses.</summary>
    public static PeerAddress AnyIPv4(int port) => FromIPv4(0, port);

    /// <summary>All local addresses of both families, through one dual-mode socket.</summary>
    public static PeerAddress AnyIPv6(int port) => new(0, 0, 0, CheckedPort(port));

    /// <summary>127.0.0.1.</summary>
    public static PeerAddress LoopbackIPv4(int port) => FromIPv4(0x7F00_0001, port);

    /// <summary>::1.</summary>
    public static PeerAddress LoopbackIPv6(int port) => new(0, 1, 0, CheckedPort(port));

    /// <summary>An IPv4 address from its 32 bits, the first octet on top.</summary>
    public static PeerAddress FromIPv4(uint bits, int port) => new(0, MappedPrefix | bits, 0, CheckedPort(port));

    /// <summary>The same host at another port.</summary>
    public PeerAddress WithPort(int port) => new(_high, _low, _scope, CheckedPort(port));

    /// <summary>From the framework's type. Cold path.</summary>
    public static PeerAddress From(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return From(endPoint.Address, endPoint.Port);
    }

    /// <summary>From the framework's types. Cold path.</summary>
    public static PeerAddress From(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        uint scope = address.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)address.ScopeId : 0;
        return FromBytes(bytes, scope, CheckedPort(port));
    }

    /// <summary>Reads "1.2.3.4:5" or "[::1]:5". No names: resolve them first.</summary>
    public static bool TryParse(string text, out PeerAddress address)
    {
        address = default;

        if (!IPEndPoint.TryParse(text, out IPEndPoint? endPoint))
        {
            return false;
        }

        address = From(endPoint);
        return true;
    }

    /// <summary>To the framework's type. Cold path: allocates.</summary>
    public IPEndPoint ToIPEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        CopyAddressTo(bytes);
        IPAddress address = IsIPv4 ? new IPAddress(bytes[12..]) : new IPAddress(bytes, _scope);
        return new IPEndPoint(address, Port);
    }

    /// <summary>Writes the 16 address bytes (IPv4 as ::ffff:a.b.c.d), without port.</summary>
    /// <param name="destination">At least 16 bytes.</param>
    public void CopyAddressTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <summary>Reads what the system wrote into a socket address; no allocation.</summary>
    /// <remarks>Layout of sockaddr_in and sockaddr_in6 behind the family, the same on all systems .NET runs on.</remarks>
    public static PeerAddress Read(SocketAddress source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return ReadSystem(source.Buffer.Span[..source.Size], source.Family == AddressFamily.InterNetwork);
    }

    /// <summary>As the other, from the bytes of sockaddr_in or sockaddr_in6.</summary>
    internal static PeerAddress ReadSystem(ReadOnlySpan<byte> bytes, bool isIPv4)
    {
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);

        return isIPv4
            ? FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]), port)
            : FromBytes(bytes[8..24], BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]), port);
    }

    /// <summary>Writes this address into a socket address made for <paramref name="family"/>; no allocation.</summary>
    /// <param name="destination">Made by <c>new SocketAddress(family)</c>; the caller keeps and reuses it.</param>
    /// <param name="family">The socket's family; an IPv4 address is mapped for a dual-mode IPv6 socket.</param>
    public void Write(SocketAddress destination, AddressFamily family)
    {
        ArgumentNullException.ThrowIfNull(destination);
        destination.Size = WriteSystem(destination.Buffer.Span, family == AddressFamily.InterNetwork);
    }

    /// <summary>As the other, into the bytes of sockaddr_in or sockaddr_in6, all but the family.</summary>
    /// <param name="bytes">At least 28.</param>
    /// <param name="isIPv4">The socket's family; an IPv4 address is mapped for the other.</param>
    /// <returns>The length of the whole.</returns>
    internal int WriteSystem(Span<byte> bytes, bool isIPv4)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], Port);

        if (isIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)_low);
            bytes.Slice(8, 8).Clear();
            return 16;
        }

        bytes.Slice(4, 4).Clear();
        CopyAddressTo(bytes[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], _scope);
        return 28;
    }

    /// <summary>As "1.2.3.4:5" or "[::1]:5".</summary>
    public override string ToString() => ToIPEndPoint().ToString();

    private static PeerAddress FromBytes(ReadOnlySpan<byte> bytes, uint scope, ushort port)
        => new(
            BinaryPrimitives.ReadUInt64BigEndian(bytes),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            scope,
            port);

    private static ushort CheckedPort(int port)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)port, ushort.MaxValue, nameof(port));
        return (ushort)port;
    }
}
