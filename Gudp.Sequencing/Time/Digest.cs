using System;
using System.Buffers.Binary;
using System.Text;

namespace Gudp.Sequencing.Time;

/// <summary>A digest as it stood after a grant.</summary>
internal readonly record struct DigestPoint(ulong Value, long Grants, long Deliveries, Tag LastTag);

/// <summary>
/// Chain of hashes over everything delivered to one member, kept by server and member alike (lock-time section 18).
/// Packing is little-endian because it is a hash input; on the wire only the value travels.
/// </summary>
internal sealed class Digest
{
    private const byte DeliveryRecord = 0x44;
    private const byte GrantRecord = 0x47;
    private const byte SnapshotRecord = 0x53;
    private const int SnapshotHeadBytes = 29;
    private const int DeliveryHeadBytes = 50;
    private const int GrantBytes = 18;
    private const byte FinalFlag = 1;

    private byte[] _scratch = new byte[256];

    internal Digest(ulong configHash, string name)
    {
        byte[] nameBytes = Encoding.UTF8.GetBytes(name);
        byte[] start = [.. "gudp-lt/1"u8, 0, .. nameBytes];
        NameHash = XxHash64.Hash(0, nameBytes);
        Value = XxHash64.Hash(configHash, start);
    }

    internal ulong NameHash { get; }
    internal ulong Value { get; private set; }
    internal long Grants { get; private set; }
    internal long Deliveries { get; private set; }
    internal Tag LastTag { get; private set; }

    /// <summary>Where it stands; <see cref="Return"/> goes back there.</summary>
    internal DigestPoint Point => new(Value, Grants, Deliveries, LastTag);

    internal static ulong ChannelKey(string channel) => XxHash64.Hash(0, Encoding.UTF8.GetBytes(channel));

    /// <summary>A batch that was cut short comes again whole, or a member comes back where it stood.</summary>
    internal void Return(in DigestPoint point)
        => (Value, Grants, Deliveries, LastTag) = (point.Value, point.Grants, point.Deliveries, point.LastTag);

    internal void AddDelivery(in DeliveryKey key, ulong channelKey, ReadOnlySpan<byte> payload)
    {
        int bytes = DeliveryHeadBytes + payload.Length;

        if (_scratch.Length < bytes)
        {
            _scratch = new byte[Math.Max(bytes, 2 * _scratch.Length)];
        }

        Span<byte> record = _scratch;
        record[0] = DeliveryRecord;
        WriteTag(record[1..], key.Arrival);
        WriteTag(record[13..], key.Sent);
        BinaryPrimitives.WriteInt32LittleEndian(record[25..], key.Publisher);
        BinaryPrimitives.WriteInt64LittleEndian(record[29..], key.SubSequence);
        record[37] = key.Copy;
        BinaryPrimitives.WriteUInt64LittleEndian(record[38..], channelKey);
        BinaryPrimitives.WriteInt32LittleEndian(record[46..], payload.Length);
        payload.CopyTo(record[DeliveryHeadBytes..]);

        Value = XxHash64.Hash(Value, record[..bytes]);
        Deliveries++;
    }

    /// <summary>The state that a late joiner starts with, before its first batch (clause ).</summary>
    internal void AddSnapshot(Tag tag, int publisher, string name, ReadOnlySpan<byte> bytes)
    {
        byte[] record = new byte[SnapshotHeadBytes + bytes.Length];
        record[0] = SnapshotRecord;
        WriteTag(record.AsSpan(1), tag);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(13), publisher);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(17), ChannelKey(name));
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(25), bytes.Length);
        bytes.CopyTo(record.AsSpan(SnapshotHeadBytes));
        Value = XxHash64.Hash(Value, record);
    }

    internal void AddGrant(Tag tag, int count, bool isFinal)
    {
        Span<byte> record = stackalloc byte[GrantBytes];
        record[0] = GrantRecord;
        WriteTag(record[1..], tag);
        BinaryPrimitives.WriteInt32LittleEndian(record[13..], count);
        record[17] = isFinal ? FinalFlag : (byte)0;

        Value = XxHash64.Hash(Value, record);
        Grants++;
        LastTag = tag;
    }

    internal static void WriteTag(Span<byte> destination, Tag tag)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, tag.Time);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], tag.Round);
    }
}
