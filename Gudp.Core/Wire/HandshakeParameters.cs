using System;
using System.Buffers.Binary;

namespace Gudp.Core.Wire;

/// <summary>A way of protecting a connection: mode (1 Plain; keyed modes follow) and suite (0 in Plain).</summary>
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
internal sealed partial class HandshakeParameters
{
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

    /// <summary>Whose the payload is: 0 Core's own packets, 1 Messaging; null if absent.</summary>
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
}
