using System;

namespace Gudp.Core.Wire;

/// <summary>What the bytes of a parameter must look like to be accepted.</summary>
internal enum ParameterShape : byte
{
    /// <summary>No parameter of ours.</summary>
    Unknown,

    /// <summary>Bytes, their number within limits.</summary>
    Bytes,

    /// <summary>One or two integers of variable width in their shortest form, and nothing else.</summary>
    Numbers,

    /// <summary>Entries of a fixed width, at least one.</summary>
    List,

    /// <summary>A length, as many bytes of a mode list, then a version list.</summary>
    TwoLists,

    /// <summary>Zeros, not kept.</summary>
    Zeros,
}

/// <summary>Rules for a parameter: its shape; the least and most bytes or integers; the width of an entry.</summary>
internal readonly record struct ParameterRule(ParameterShape Shape, int Least, int Most, int EntryBytes = 1)
{
    internal const int NonceBytes = 32;
    internal const int CookieBytes = 20;
    internal const int PeerIdBytes = 16;
    internal const int ModeEntryBytes = 2;          // mode 1, suite 1
    internal const int VersionEntryBytes = 4;
    internal const int MaxListEntries = 16;
    internal const int ChoiceBytes = 6;             // version 4, mode 1, suite 1
    internal const int MaxApplicationBytes = 1024;

    /// <summary>An unknown parameter with this bit in its id may be skipped.</summary>
    internal const ulong SkippableBit = 0x20;

    private const int MaxModeBytes = MaxListEntries * ModeEntryBytes;
    private const int MaxVersionBytes = MaxListEntries * VersionEntryBytes;

    /// <summary>What is known about a parameter; cold, so a switch is clearer than a table.</summary>
    internal static ParameterRule Of(ulong id) => id switch
    {
        (ulong)ParameterId.ApplicationId => Bytes(sizeof(ulong)),
        (ulong)ParameterId.Nonce => Bytes(NonceBytes),
        (ulong)ParameterId.Cookie => Bytes(CookieBytes),
        (ulong)ParameterId.Modes => List(MaxModeBytes, ModeEntryBytes),
        (ulong)ParameterId.Versions => List(MaxVersionBytes, VersionEntryBytes),
        (ulong)ParameterId.Padding => new(ParameterShape.Zeros, 0, WireFormat.MaxDatagramBytes),
        (ulong)ParameterId.InstanceNumber => Bytes(sizeof(ulong)),
        (ulong)ParameterId.PeerId => Bytes(PeerIdBytes),
        (ulong)ParameterId.ResetToken => Bytes(WireFormat.ResetTokenBytes),
        >= (ulong)ParameterId.IdleTimeout and <= (ulong)ParameterId.Lanes => Numbers(1),
        (ulong)ParameterId.Payload => Numbers(2),
        (ulong)ParameterId.Choice => Bytes(ChoiceBytes),
        (ulong)ParameterId.ListsAsReceived => new(
            ParameterShape.TwoLists,
            1 + ModeEntryBytes + VersionEntryBytes,
            1 + MaxModeBytes + MaxVersionBytes),
        (ulong)ParameterId.Refusal => Numbers(2),
        (ulong)ParameterId.ApplicationBytes => new(ParameterShape.Bytes, 0, MaxApplicationBytes),
        _ => default,
    };

    /// <summary>Whether the bytes of a parameter have the form that this rule asks for.</summary>
    internal bool Accepts(ReadOnlySpan<byte> value) => Shape switch
    {
        ParameterShape.Bytes => IsWithin(value.Length),
        ParameterShape.Numbers => HoldsNumbers(value, Most),
        ParameterShape.List => IsWithin(value.Length) && value.Length % EntryBytes == 0,
        ParameterShape.TwoLists => HoldsTwoLists(value),
        ParameterShape.Zeros => value.IndexOfAnyExcept((byte)0) < 0,
        _ => false,
    };

    private bool IsWithin(int length) => length >= Least && length <= Most;

    private static ParameterRule Bytes(int count) => new(ParameterShape.Bytes, count, count);

    private static ParameterRule Numbers(int count) => new(ParameterShape.Numbers, count, count);

    private static ParameterRule List(int mostBytes, int entryBytes)
        => new(ParameterShape.List, entryBytes, mostBytes, entryBytes);

    private static bool HoldsNumbers(ReadOnlySpan<byte> value, int count)
    {
        for (int i = 0; i < count; i++)
        {
            int bytes = VarInt.TryRead(value, out ulong number);

            if (bytes == 0 || bytes != VarInt.Size(number))
            {
                return false;
            }

            value = value[bytes..];
        }

        return value.IsEmpty;
    }

    private static bool HoldsTwoLists(ReadOnlySpan<byte> value)
    {
        int lengthBytes = VarInt.TryRead(value, out ulong modeBytes);

        if (lengthBytes != 1 || modeBytes > (ulong)(value.Length - lengthBytes))
        {
            return false;
        }

        ReadOnlySpan<byte> modes = value.Slice(lengthBytes, (int)modeBytes);
        ReadOnlySpan<byte> versions = value[(lengthBytes + modes.Length)..];
        return Of((ulong)ParameterId.Modes).Accepts(modes) && Of((ulong)ParameterId.Versions).Accepts(versions);
    }
}
