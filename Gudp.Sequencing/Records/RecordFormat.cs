using System;
using System.Buffers.Binary;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Records;

/// <summary>Kinds of entries; clause R-3. Numbers never change their meaning.</summary>
internal enum EntryKind : byte
{
    Head = 1,
    Configuration = 2,
    Member = 3,
    Channel = 4,
    Delivery = 5,
    Grant = 6,
    Fact = 7,
    End = 8,
}

/// <summary>What stands behind the numbers of a grant.</summary>
[Flags]
internal enum GrantParts : byte
{
    None = 0,
    StateChecksum = 1,
    CommitDigest = 2,
    Wait = 4,
    All = 7,
}

/// <summary>Constants of the file, and the head of a block (docs/protocol/record.md).</summary>
internal static class RecordFormat
{
    /// <summary>A block is written as soon as it has this many bytes.</summary>
    internal const int BlockBytes = 64 * 1024;

    /// <summary>No block is longer: one entry behind a block that was nearly full. Clause .</summary>
    internal const int MaxBlockBytes = 1 << 25;

    /// <summary>A payload above this stands as its hash, so that an entry fits in a block.</summary>
    internal const int MaxWholeBytes = 16 << 20;

    internal const int MaxConfigurationBytes = 64 << 20;
    internal const int MaxTextBytes = 1024;

    /// <summary>Ordinals and channel numbers are below this.</summary>
    internal const int MaxNumbers = 1 << 20;

    internal const int BlockHeadBytes = 16;

    private const int HashedBytes = 12;

    /// <summary>"gudprec" and the version of the format; clause .</summary>
    internal static ReadOnlySpan<byte> Magic => "gudprec\u0001"u8;

    // The position seeds both checks: a block that was moved, doubled or left out is damage as well.
    internal static void WriteBlockHead(Span<byte> head, long position, ReadOnlySpan<byte> content)
    {
        BinaryPrimitives.WriteUInt32BigEndian(head, (uint)content.Length);
        BinaryPrimitives.WriteUInt64BigEndian(head[4..], CheckOf(position, content));
        BinaryPrimitives.WriteUInt32BigEndian(head[HashedBytes..], HeadCheckOf(position, head));
    }

    internal static bool TryReadBlockHead(ReadOnlySpan<byte> head, long position, out uint length, out ulong check)
    {
        length = BinaryPrimitives.ReadUInt32BigEndian(head);
        check = BinaryPrimitives.ReadUInt64BigEndian(head[4..]);
        return BinaryPrimitives.ReadUInt32BigEndian(head[HashedBytes..]) == HeadCheckOf(position, head);
    }

    internal static ulong CheckOf(long position, ReadOnlySpan<byte> content)
        => XxHash64.Hash((ulong)position, content);

    private static uint HeadCheckOf(long position, ReadOnlySpan<byte> head)
        => (uint)XxHash64.Hash((ulong)position, head[..HashedBytes]);
}
