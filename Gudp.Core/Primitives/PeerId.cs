using System;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Gudp.Core;

/// <summary>
/// Who an end of a connection is, wherever it is: 16 bytes that travel in the handshake (wire parameter 0A).
/// </summary>
/// <remarks>
/// Drawn at random when an endpoint is opened, unless <see cref="ConnectionConfig.PeerId"/> names one. A name and no
/// proof: without a protection that proves who speaks, anybody may use any id.
/// </remarks>
/// <param name="Value">The 16 bytes as a number, the first byte the most significant; 0 is nobody.</param>
public readonly record struct PeerId(UInt128 Value) : IComparable<PeerId>
{
    /// <summary>Bytes of an id.</summary>
    public const int Bytes = 16;

    private const int Digits = 2 * Bytes;

    /// <summary>False for <c>default</c>, which is nobody's id: not known yet, or to be drawn.</summary>
    public bool IsKnown => Value != UInt128.Zero;

    /// <summary>Reads an id from 16 bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 16 bytes.</exception>
    public static PeerId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>Reads 1 to 32 hexadecimal digits, as <see cref="ToString"/> writes them.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static PeerId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out PeerId id)
            ? id
            : throw new FormatException($"'{text}' is not the id of a peer: 1 to {Digits} hexadecimal digits.");
    }

    /// <summary>As <see cref="Parse"/>, without an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId id)
    {
        bool isRead = UInt128.TryParse(
            text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 value);
        id = new PeerId(value);
        return isRead && text!.Length <= Digits;
    }

    /// <summary>Writes the 16 bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 16 bytes of room.</exception>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    /// <inheritdoc/>
    public int CompareTo(PeerId other) => Value.CompareTo(other.Value);

    /// <summary>As numbers; of use only to choose between two.</summary>
    public static bool operator <(PeerId left, PeerId right) => left.Value < right.Value;

    /// <summary>As numbers; of use only to choose between two.</summary>
    public static bool operator <=(PeerId left, PeerId right) => left.Value <= right.Value;

    /// <summary>As numbers; of use only to choose between two.</summary>
    public static bool operator >(PeerId left, PeerId right) => left.Value > right.Value;

    /// <summary>As numbers; of use only to choose between two.</summary>
    public static bool operator >=(PeerId left, PeerId right) => left.Value >= right.Value;

    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
