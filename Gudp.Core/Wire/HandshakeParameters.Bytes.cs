using System;
using System.Buffers.Binary;

namespace Gudp.Core.Wire;

// The block as it stands on the wire, and the room that its values are kept in.
internal sealed partial class HandshakeParameters
{
    // The longest values of all parameters together are below this.
    private const int CapacityBytes = 1536;
    private const int Slots = (int)ParameterId.ApplicationBytes + 1;

    /// <summary>More parameters than this in one packet are refused, which bounds the search for repetitions.</summary>
    private const int MaxParameters = 64;

    /// <summary>Id and length: the least a padding parameter takes.</summary>
    internal const int MinPaddingBytes = 2;

    private readonly byte[] _values = new byte[CapacityBytes];
    private readonly short[] _starts = new short[Slots];
    private readonly short[] _lengths = new short[Slots];       // -1: absent
    private int _used;

    internal bool Has(ParameterId id) => _lengths[(int)id] >= 0;

    /// <summary>The first parameter that a packet of this type must hold in Plain and does not.</summary>
    /// <returns><see cref="ParameterId.None"/> if nothing is missing.</returns>
    internal ParameterId FirstMissing(LongPacketType type)
    {
        foreach (ParameterId id in HandshakePacket.RequiredIn(type))
        {
            if (!Has(id))
            {
                return id;
            }
        }

        return ParameterId.None;
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        _lengths.AsSpan().Fill(-1);
        _used = 0;
    }

    /// <summary>Reads a whole parameter block; what was held before is forgotten.</summary>
    /// <param name="block">The packet between header and trailer.</param>
    /// <param name="badId">The id of the parameter that broke a rule; 0 if it could not be read.</param>
    /// <param name="badOffset">Where in the block that parameter starts.</param>
    /// <returns>
    /// False, and nothing is held, if a parameter is cut, repeated, of the wrong length or shape, or unknown without
    /// <see cref="ParameterRule.SkippableBit"/>; or if there are too many.
    /// </returns>
    internal bool TryRead(ReadOnlySpan<byte> block, out ulong badId, out int badOffset)
    {
        Span<ulong> seen = stackalloc ulong[MaxParameters];
        int count = 0;
        int offset = 0;
        Clear();

        while (offset < block.Length)
        {
            int bytes = TryReadOne(block[offset..], seen[..count], out badId);

            if (bytes == 0 || count == MaxParameters)
            {
                badOffset = offset;
                Clear();
                return false;
            }

            seen[count++] = badId;
            offset += bytes;
        }

        badId = 0;
        badOffset = 0;
        return true;
    }

    /// <summary>Writes what is held, by growing id, without padding (see <see cref="WritePadding"/>).</summary>
    /// <returns>The bytes written; 0 if they do not fit (or nothing is held).</returns>
    internal int Write(Span<byte> destination)
    {
        int offset = 0;

        for (int id = 0; id < Slots; id++)
        {
            if (_lengths[id] < 0)
            {
                continue;
            }

            ReadOnlySpan<byte> value = Value((ParameterId)id);
            int idBytes = VarInt.Size((ulong)id);
            int lengthBytes = VarInt.Size((ulong)value.Length);

            if (destination.Length - offset < idBytes + lengthBytes + value.Length)
            {
                return 0;
            }

            VarInt.Write(destination[offset..], (ulong)id);
            VarInt.Write(destination[(offset + idBytes)..], (ulong)value.Length);
            value.CopyTo(destination[(offset + idBytes + lengthBytes)..]);
            offset += idBytes + lengthBytes + value.Length;
        }

        return offset;
    }

    /// <summary>Writes one padding parameter that fills the destination to its last byte.</summary>
    /// <returns>
    /// The bytes written; 0 if no parameter has exactly this length (a single byte, or more than 16,386).
    /// </returns>
    internal static int WritePadding(Span<byte> destination)
    {
        const int LongHeadBytes = 3;
        const int MostInOneByte = 63;
        const int MostInTwoBytes = 16_383;

        if (destination.Length < MinPaddingBytes || destination.Length > LongHeadBytes + MostInTwoBytes)
        {
            return 0;
        }

        destination.Clear();
        destination[0] = (byte)ParameterId.Padding;

        if (destination.Length <= MinPaddingBytes + MostInOneByte)
        {
            VarInt.Write(destination[1..], (ulong)(destination.Length - MinPaddingBytes));
        }
        else
        {
            // Two bytes even for a length of 63, which no shorter form reaches: lengths may stand in any form.
            VarInt.WriteTwoBytes(destination[1..], destination.Length - LongHeadBytes);
        }

        return destination.Length;
    }

    /// <returns>The bytes of the parameter at the front; 0 if it breaks a rule.</returns>
    private int TryReadOne(ReadOnlySpan<byte> block, ReadOnlySpan<ulong> seen, out ulong id)
    {
        int idBytes = VarInt.TryRead(block, out id);
        int lengthBytes = VarInt.TryRead(block[idBytes..], out ulong length);
        ReadOnlySpan<byte> rest = block[(idBytes + lengthBytes)..];

        if (idBytes == 0 || idBytes != VarInt.Size(id) || lengthBytes == 0 || length > (ulong)rest.Length
            || seen.Contains(id))
        {
            return 0;
        }

        ReadOnlySpan<byte> value = rest[..(int)length];
        ParameterRule rule = ParameterRule.Of(id);

        if (rule.Shape == ParameterShape.Unknown)
        {
            return (id & ParameterRule.SkippableBit) != 0 ? idBytes + lengthBytes + value.Length : 0;
        }

        if (!rule.Accepts(value))
        {
            return 0;
        }

        if (rule.Shape != ParameterShape.Zeros)
        {
            Set((ParameterId)id, value);
        }

        return idBytes + lengthBytes + value.Length;
    }

    private ReadOnlySpan<byte> Value(ParameterId id)
        => Has(id) ? _values.AsSpan(_starts[(int)id], _lengths[(int)id]) : default;

    private static void RequireListLength(int entries)
        => Invariant.Require(entries is >= 1 and <= ParameterRule.MaxListEntries, "A list has 1 to 16 entries.");

    private Span<byte> Reserve(ParameterId id, int length)
    {
        Invariant.Require(!Has(id), "A parameter stands at most once in a packet.");
        Invariant.Require(length <= _values.Length - _used, "The parameters of a packet outgrow their limits.");

        _starts[(int)id] = (short)_used;
        _lengths[(int)id] = (short)length;
        _used += length;
        return _values.AsSpan(_used - length, length);
    }

    private void Set(ParameterId id, ReadOnlySpan<byte> value)
    {
        Invariant.Require(ParameterRule.Of((ulong)id).Accepts(value), "A parameter has the shape its rule asks for.");
        value.CopyTo(Reserve(id, value.Length));
    }

    private ulong? ReadFixed(ParameterId id)
        => Has(id) ? BinaryPrimitives.ReadUInt64BigEndian(Value(id)) : null;

    private void SetFixed(ParameterId id, ulong? value)
    {
        if (value is { } number)
        {
            BinaryPrimitives.WriteUInt64BigEndian(Reserve(id, sizeof(ulong)), number);
        }
    }

    private long? ReadNumber(ParameterId id)
    {
        int bytes = VarInt.TryRead(Value(id), out ulong number);
        return bytes == 0 ? null : (long)number;
    }

    private void SetNumber(ParameterId id, long? value)
    {
        if (value is { } number)
        {
            VarInt.Write(Reserve(id, VarInt.Size((ulong)number)), (ulong)number);
        }
    }

    private (long First, long Second)? ReadPair(ParameterId id)
    {
        ReadOnlySpan<byte> value = Value(id);

        if (value.IsEmpty)
        {
            return null;
        }

        int firstBytes = VarInt.TryRead(value, out ulong first);
        VarInt.TryRead(value[firstBytes..], out ulong second);
        return ((long)first, (long)second);
    }

    private void SetPair(ParameterId id, long first, long second)
    {
        int firstBytes = VarInt.Size((ulong)first);
        Span<byte> place = Reserve(id, firstBytes + VarInt.Size((ulong)second));
        VarInt.Write(place, (ulong)first);
        VarInt.Write(place[firstBytes..], (ulong)second);
    }
}
