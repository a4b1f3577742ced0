using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Gudp.Core.Wire;

/// <summary>
/// The start of every packet after the handshake (W-2.2): flags, the receiver's connection id, the low bytes of the
/// packet's number. Made only by <see cref="TryParse"/>.
/// </summary>
internal readonly struct ShortHeader
{
    private const int IdOffset = 1;
    private const int NumberOffset = IdOffset + WireFormat.ConnectionIdBytes;

    private ShortHeader(byte first, ulong destinationId, uint numberBits)
    {
        IsFromServer = (first & WireFormat.FromServerBit) != 0;
        NumberWidthBytes = WidthOf(first);
        DestinationId = destinationId;
        NumberBits = numberBits;
    }

    /// <summary>The sender's role; a packet of the receiver's own role is <see cref="DropReason.Reflected"/>.</summary>
    internal bool IsFromServer { get; }

    /// <summary>The id that the receiver chose for the connection.</summary>
    internal ulong DestinationId { get; }

    /// <summary>The low bytes of the number, to be completed by <see cref="PacketNumber.Expand"/>.</summary>
    internal uint NumberBits { get; }

    /// <summary>How many bytes of the number were sent, 1 to 4.</summary>
    internal int NumberWidthBytes { get; }

    /// <summary>Where the frames start.</summary>
    internal int HeaderBytes => NumberOffset + NumberWidthBytes;

    /// <summary>Whether a datagram claims to be of the long form. The empty one does not.</summary>
    internal static bool IsLongForm(ReadOnlySpan<byte> datagram)
        => !datagram.IsEmpty && (datagram[0] & WireFormat.LongFormBit) != 0;

    /// <summary>Reads the header. Nothing is believed yet: <see cref="PacketTrailer"/> comes next.</summary>
    /// <returns><see cref="DropReason.None"/>, or why the datagram cannot be a packet of the short form.</returns>
    internal static DropReason TryParse(ReadOnlySpan<byte> datagram, out ShortHeader header)
    {
        header = default;

        if (datagram.Length < WireFormat.MinShortHeaderBytes + WireFormat.TrailerBytes)
        {
            return DropReason.TooShort;
        }

        byte first = datagram[0];

        if ((first & (WireFormat.LongFormBit | WireFormat.FixedBit)) != WireFormat.FixedBit)
        {
            return DropReason.BadFirstByte;
        }

        if ((first & (WireFormat.ShortReservedMask | WireFormat.KeyPhaseBit)) != 0)
        {
            return DropReason.ReservedBits;
        }

        if (datagram.Length < NumberOffset + WidthOf(first) + WireFormat.TrailerBytes)
        {
            return DropReason.TooShort;
        }

        ulong id = BinaryPrimitives.ReadUInt64BigEndian(datagram[IdOffset..]);
        header = new ShortHeader(first, id, ReadNumber(datagram.Slice(NumberOffset, WidthOf(first))));
        return DropReason.None;
    }

    /// <param name="destination">At least <see cref="WireFormat.MaxShortHeaderBytes"/>.</param>
    /// <param name="destinationId">The id that the receiver chose.</param>
    /// <param name="isFromServer">The sender's role.</param>
    /// <param name="number">Greater than <paramref name="largestAcked"/>.</param>
    /// <param name="largestAcked">The largest number the receiver acknowledged; -1 while there is none.</param>
    /// <param name="leastNumberBytes">
    /// 1 to 4: how much of the number is sent even if less would do. What a late copy is told by, where nothing vouches
    /// for the bytes that are not sent.
    /// </param>
    /// <returns>The bytes written.</returns>
    internal static int Write(
        Span<byte> destination, ulong destinationId, bool isFromServer, PacketNumber number, long largestAcked,
        int leastNumberBytes = WireFormat.MinNumberBytes)
    {
        int width = Math.Max(NumberWidth(number.Value, largestAcked), leastNumberBytes);
        int role = isFromServer ? WireFormat.FromServerBit : 0;

        destination[0] = (byte)(WireFormat.FixedBit | role | (width - 1));
        BinaryPrimitives.WriteUInt64BigEndian(destination[IdOffset..], destinationId);

        Span<byte> place = destination.Slice(NumberOffset, width);

        for (int i = 0; i < place.Length; i++)
        {
            place[i] = (byte)(number.Value >> (8 * (width - 1 - i)));
        }

        return NumberOffset + width;
    }

    /// <summary>
    /// How many bytes of a number must be sent (W-2.3): those that twice the distance to the largest acknowledged
    /// one needs, because the receiver is at least that far and takes the nearest candidate.
    /// </summary>
    /// <param name="number">The number to send, greater than <paramref name="largestAcked"/>.</param>
    /// <param name="largestAcked">-1 while nothing was acknowledged.</param>
    /// <returns>1 to 4. Four bytes stay right until 2^31 packets in a row are lost.</returns>
    internal static int NumberWidth(long number, long largestAcked)
    {
        Invariant.Require(number > largestAcked, "A new packet has a larger number than any acknowledged one.");

        ulong twice = 2 * (ulong)(number - largestAcked);
        int bits = BitOperations.Log2(twice) + 1;
        return Math.Min((bits + 7) / 8, WireFormat.MaxNumberBytes);
    }

    private static int WidthOf(byte first) => (first & WireFormat.NumberWidthMask) + 1;

    private static uint ReadNumber(ReadOnlySpan<byte> place)
    {
        uint bits = 0;

        foreach (byte piece in place)
        {
            bits = (bits << 8) | piece;
        }

        return bits;
    }
}
