using System;
using System.Buffers.Binary;

namespace Gudp.Core.Wire;

/// <summary>One way of protecting a connection: mode (1 Plain; keyed modes follow) and cipher suite (0 in Plain).</summary>
internal readonly record struct ModeSuite(byte Mode, byte Suite)
{
    /// <summary>Checksum and random ids only.</summary>
    internal static ModeSuite Plain => new(Mode: 1, Suite: 0);
}

/// <summary>What a handshake chose (parameter 15).</summary>
internal readonly record struct HandshakeChoice(uint Version, ModeSuite ModeSuite);

/// <summary>
/// The parameters of one handshake packet (W-2.9). Reusable: <see cref="Clear"/> or <see cref="TryRead"/> starts anew.
/// Numbers that are absent are null, bytes that are absent are empty.
/// </summary>
/// <remarks>
/// The values are kept as they stand on the wire and decoded when asked for. Always true: every value held has the
/// shape its rule asks for; each parameter is held at most once; padding is never held.
/// Spans handed out are valid until the next <see cref="Clear"/> or <see cref="TryRead"/>.
/// </remarks>
internal sealed class HandshakeParameters
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

    internal HandshakeParameters() => Clear();

    internal ulong? ApplicationId
    {
        get => ReadFixed(ParameterId.ApplicationId);
        set => SetFixed(ParameterId.ApplicationId, value);
    }

    /// <summary>32 random bytes of the client.</summary>
    internal ReadOnlySpan<byte> Nonce
    {
        get => Value(ParameterId.Nonce);
        set => Set(ParameterId.Nonce, value);
    }

    /// <summary>20 bytes: the server's proof that the client receives at its address.</summary>
    internal ReadOnlySpan<byte> Cookie
    {
        get => Value(ParameterId.Cookie);
        set => Set(ParameterId.Cookie, value);
    }

    /// <summary>The mode and suite list as it stands on the wire, to be compared or repeated.</summary>
    internal ReadOnlySpan<byte> ModeBytes
    {
        get => Value(ParameterId.Modes);
        set => Set(ParameterId.Modes, value);
    }

    /// <summary>The version list as it stands on the wire, to be compared or repeated.</summary>
    internal ReadOnlySpan<byte> VersionBytes
    {
        get => Value(ParameterId.Versions);
        set => Set(ParameterId.Versions, value);
    }

    internal int ModeCount => ModeBytes.Length / ParameterRule.ModeEntryBytes;

    internal int VersionCount => VersionBytes.Length / ParameterRule.VersionEntryBytes;

    /// <summary>Drawn once per process start; tells a restarted peer from a forgetful one.</summary>
    internal ulong? InstanceNumber
    {
        get => ReadFixed(ParameterId.InstanceNumber);
        set => SetFixed(ParameterId.InstanceNumber, value);
    }

    /// <summary>16 bytes: who the peer claims to be.</summary>
    internal ReadOnlySpan<byte> PeerId
    {
        get => Value(ParameterId.PeerId);
        set => Set(ParameterId.PeerId, value);
    }

    /// <summary>16 bytes: the token that a reset for the sender's id will carry.</summary>
    internal ReadOnlySpan<byte> ResetToken
    {
        get => Value(ParameterId.ResetToken);
        set => Set(ParameterId.ResetToken, value);
    }

    internal long? IdleTimeoutMilliseconds
    {
        get => ReadNumber(ParameterId.IdleTimeout);
        set => SetNumber(ParameterId.IdleTimeout, value);
    }

    internal long? MaxAckDelayMicroseconds
    {
        get => ReadNumber(ParameterId.MaxAckDelay);
        set => SetNumber(ParameterId.MaxAckDelay, value);
    }

    /// <summary>The largest datagram the sender of the parameter accepts.</summary>
    internal long? LargestDatagramBytes
    {
        get => ReadNumber(ParameterId.LargestDatagram);
        set => SetNumber(ParameterId.LargestDatagram, value);
    }

    /// <summary>What the operating system granted its socket; the other side's bursts and window respect it.</summary>
    internal long? ReceiveBufferBytes
    {
        get => ReadNumber(ParameterId.ReceiveBuffer);
        set => SetNumber(ParameterId.ReceiveBuffer, value);
    }

    internal long? ConnectionCreditBytes
    {
        get => ReadNumber(ParameterId.ConnectionCredit);
        set => SetNumber(ParameterId.ConnectionCredit, value);
    }

    internal long? LaneCreditBytes
    {
        get => ReadNumber(ParameterId.LaneCredit);
        set => SetNumber(ParameterId.LaneCredit, value);
    }

    internal long? LargestMessageBytes
    {
        get => ReadNumber(ParameterId.LargestMessage);
        set => SetNumber(ParameterId.LargestMessage, value);
    }

    internal long? Lanes
    {
        get => ReadNumber(ParameterId.Lanes);
        set => SetNumber(ParameterId.Lanes, value);
    }

    /// <summary>Which layer the packets' payload belongs to: 0 Core's own packets, 1 Messaging; null if absent.</summary>
    internal long? PayloadProtocol => ReadPair(ParameterId.Payload)?.First;

    /// <summary>The version of that layer; null if absent.</summary>
    internal long? PayloadVersion => ReadPair(ParameterId.Payload)?.Second;

    internal HandshakeChoice? Choice
    {
        get
        {
            ReadOnlySpan<byte> value = Value(ParameterId.Choice);
            return value.IsEmpty
                ? null
                : new HandshakeChoice(BinaryPrimitives.ReadUInt32BigEndian(value), new ModeSuite(value[4], value[5]));
        }

        set
        {
            if (value is not { } choice)
            {
                return;
            }

            Span<byte> place = Reserve(ParameterId.Choice, ParameterRule.ChoiceBytes);
            BinaryPrimitives.WriteUInt32BigEndian(place, choice.Version);
            place[4] = choice.ModeSuite.Mode;
            place[5] = choice.ModeSuite.Suite;
        }
    }

    /// <summary>Why the server refused: a close code; null if absent.</summary>
    internal long? RefusalCode => ReadPair(ParameterId.Refusal)?.First;

    /// <summary>When to try again, in milliseconds; null if absent.</summary>
    internal long? RetryAfterMilliseconds => ReadPair(ParameterId.Refusal)?.Second;

    /// <summary>The application's own, at most 1024 bytes. Unlike others it may be present and empty.</summary>
    internal ReadOnlySpan<byte> ApplicationBytes
    {
        get => Value(ParameterId.ApplicationBytes);
        set => Set(ParameterId.ApplicationBytes, value);
    }

    internal bool Has(ParameterId id) => _lengths[(int)id] >= 0;

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        _lengths.AsSpan().Fill(-1);
        _used = 0;
    }

    internal ModeSuite ModeAt(int index)
    {
        ReadOnlySpan<byte> entry = ModeBytes.Slice(index * ParameterRule.ModeEntryBytes, ParameterRule.ModeEntryBytes);
        return new ModeSuite(entry[0], entry[1]);
    }

    internal uint VersionAt(int index)
        => BinaryPrimitives.ReadUInt32BigEndian(VersionBytes[(index * ParameterRule.VersionEntryBytes)..]);

    /// <param name="modes">1 to 16 entries, the preferred first.</param>
    internal void SetModes(ReadOnlySpan<ModeSuite> modes)
    {
        RequireListLength(modes.Length);
        Span<byte> place = Reserve(ParameterId.Modes, modes.Length * ParameterRule.ModeEntryBytes);

        for (int i = 0; i < modes.Length; i++)
        {
            place[i * ParameterRule.ModeEntryBytes] = modes[i].Mode;
            place[(i * ParameterRule.ModeEntryBytes) + 1] = modes[i].Suite;
        }
    }

    /// <param name="versions">1 to 16 entries, the preferred first.</param>
    internal void SetVersions(ReadOnlySpan<uint> versions)
    {
        RequireListLength(versions.Length);
        Span<byte> place = Reserve(ParameterId.Versions, versions.Length * ParameterRule.VersionEntryBytes);

        for (int i = 0; i < versions.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(place[(i * ParameterRule.VersionEntryBytes)..], versions[i]);
        }
    }

    internal void SetPayload(long protocol, long version) => SetPair(ParameterId.Payload, protocol, version);

    internal void SetRefusal(long code, long retryAfterMilliseconds)
        => SetPair(ParameterId.Refusal, code, retryAfterMilliseconds);

    /// <summary>Repeats to the client the lists that came from it, so that it sees whether they were changed.</summary>
    internal void SetListsAsReceived(HandshakeParameters from)
    {
        ReadOnlySpan<byte> modes = from.ModeBytes;
        ReadOnlySpan<byte> versions = from.VersionBytes;
        Span<byte> place = Reserve(ParameterId.ListsAsReceived, 1 + modes.Length + versions.Length);

        place[0] = (byte)modes.Length;      // below 64: an integer of one byte
        modes.CopyTo(place[1..]);
        versions.CopyTo(place[(1 + modes.Length)..]);
    }

    /// <summary>Whether the other side received the very lists that <paramref name="sent"/> holds.</summary>
    internal bool AreListsAsSent(HandshakeParameters sent)
    {
        ReadOnlySpan<byte> value = Value(ParameterId.ListsAsReceived);
        return !value.IsEmpty
            && value[1..(1 + value[0])].SequenceEqual(sent.ModeBytes)
            && value[(1 + value[0])..].SequenceEqual(sent.VersionBytes);
    }

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
