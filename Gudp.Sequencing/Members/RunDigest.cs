using System;
using System.Buffers.Binary;
using CommunityToolkit.HighPerformance.Buffers;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Members;

/// <summary>The digest of a whole run (lock-time section 18).</summary>
internal static class RunDigest
{
    /// <summary>
    /// One number for the whole run, over the digests of all members in the order of their ordinals; without those of no
    /// roster who come too late for the stop: whether they were admitted before it was known is a matter of the moment.
    /// </summary>
    /// <param name="members">All there were.</param>
    /// <param name="rostered">So many of them, the first ones, are the roster's.</param>
    /// <param name="stop">X, or top.</param>
    internal static ulong Of(ReadOnlySpan<Member> members, int rostered, Tag stop)
    {
        const int MemberBytes = 44;
        using SpanOwner<byte> all = SpanOwner<byte>.Allocate(MemberBytes * members.Length);
        Span<byte> rest = all.Span;

        foreach (Member member in members)
        {
            if (member.Ordinal >= rostered && member.IsTooLate(stop))
            {
                continue;
            }

            Digest digest = member.Digest;
            BinaryPrimitives.WriteUInt64LittleEndian(rest, digest.NameHash);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[8..], digest.Value);
            BinaryPrimitives.WriteInt64LittleEndian(rest[16..], digest.Grants);
            BinaryPrimitives.WriteInt64LittleEndian(rest[24..], digest.Deliveries);
            Digest.WriteTag(rest[32..], digest.LastTag);
            rest = rest[MemberBytes..];
        }

        return XxHash64.Hash(0, all.Span[..^rest.Length]);
    }
}
