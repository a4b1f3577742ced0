using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Records;

/// <summary>A value that a member gave with one of its grants.</summary>
internal readonly record struct GrantValue(long Grant, ulong Value);

/// <summary>
/// What is kept of one member in memory: the digest after each grant and where its batch begins in the file, 16 bytes
/// per grant, and the checksums it gave.
/// </summary>
/// <remarks>
/// Always true: grants are dense from the first one on; the digest of a grant is a chain over all before it, so equal
/// values at one index mean equal histories up to it.
/// </remarks>
internal sealed class MemberTrail(int ordinal, string name)
{
    private readonly List<ulong> _digests = [];
    private readonly List<RecordPlace> _places = [];

    internal int Ordinal { get; } = ordinal;
    internal string Name { get; } = name;
    internal long First { get; private set; }
    internal long End => First + _digests.Count;
    internal long Deliveries { get; private set; }
    internal Tag LastTag { get; private set; }
    internal List<GrantValue> States { get; } = [];
    internal List<GrantValue> Commits { get; } = [];

    internal ulong DigestOf(long grant) => _digests[(int)(grant - First)];

    internal RecordPlace PlaceOf(long grant) => _places[(int)(grant - First)];

    internal bool Has(long grant) => grant >= First && grant < End;

    /// <returns>False if the grant does not follow the last one.</returns>
    internal bool TryAdd(in RecordedGrant grant, RecordPlace place)
    {
        //
        if (_digests.Count == 0 && grant.Index <= long.MaxValue - Array.MaxLength)
        {
            First = grant.Index;
        }

        if (grant.Index != End || _digests.Count == Array.MaxLength)
        {
            return false;
        }

        _digests.Add(grant.Digest);
        _places.Add(place);
        Deliveries += grant.Count;
        LastTag = grant.Tag;

        if (grant.StateChecksum is { } state)
        {
            States.Add(new GrantValue(grant.Index, state));
        }

        if (grant.CommitDigest is { } commit)
        {
            Commits.Add(new GrantValue(grant.Index, commit));
        }

        return true;
    }

    internal RecordedMember Describe() => new(Ordinal, Name)
    {
        FirstGrant = First,
        EndGrant = End,
        Deliveries = Deliveries,
        LastTag = LastTag,
        LastDigest = _digests.Count > 0 ? _digests[^1] : 0,
        LastState = States.Count > 0 ? States[^1].Value : null,
        LastCommit = Commits.Count > 0 ? Commits[^1].Value : null,
    };
}

/// <summary>Where an entry lies: the position of its block, and how far behind the block's head it begins.</summary>
internal readonly record struct RecordPlace
{
    /// <summary>What is left of 64 bits for the position of a block.</summary>
    internal const long MaxFileBytes = 1L << (63 - OffsetBits);

    // Blocks have at most 2^25 bytes.
    private const int OffsetBits = 26;

    private readonly long _packed;

    internal RecordPlace(long block, int offset) => _packed = (block << OffsetBits) | (uint)offset;

    internal long Block => _packed >> OffsetBits;

    internal int Offset => (int)(_packed & ((1L << OffsetBits) - 1));
}
