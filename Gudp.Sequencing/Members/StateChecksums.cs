using System;
using System.Buffers.Binary;
using System.Text;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Members;

/// <summary>
/// What a member said of its own state, grant by grant (lock-time 18, clause ): compared between runs like a digest,
/// and kept apart from it, because it says where a member's own computation differs and not what it was told.
/// </summary>
internal sealed class StateChecksums
{
    private const int RecordBytes = 20;

    internal StateChecksums(string name)
    {
        byte[] start = [.. "gudp-sc/1"u8, 0, .. Encoding.UTF8.GetBytes(name)];
        Value = XxHash64.Hash(0, start);
    }

    /// <summary>Chain over all of them with their tags.</summary>
    internal ulong Value { get; private set; }

    internal long Count { get; private set; }

    /// <summary>The last one; 0 before the first.</summary>
    internal ulong Last { get; private set; }

    /// <summary>Where the member was when it said the last one.</summary>
    internal Tag LastTag { get; private set; }

    internal void Add(Tag now, ulong checksum)
    {
        Span<byte> record = stackalloc byte[RecordBytes];
        Digest.WriteTag(record, now);
        BinaryPrimitives.WriteUInt64LittleEndian(record[12..], checksum);
        Value = XxHash64.Hash(Value, record);
        (Last, LastTag) = (checksum, now);
        Count++;
    }
}
