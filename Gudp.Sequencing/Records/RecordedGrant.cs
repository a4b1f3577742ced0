using System;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing;

/// <summary>One grant as it stands in a run record (clause ).</summary>
/// <param name="Member">Ordinal of the member.</param>
/// <param name="Index">
/// Which of its grants: 0 is the start grant, whose digest is H(0); the following are counted without a gap.
/// </param>
/// <param name="Tag">How far the member came.</param>
/// <param name="Digest">The member's digest after it (lock-time 18).</param>
public readonly record struct RecordedGrant(int Member, long Index, Tag Tag, ulong Digest)
{
    /// <summary>
    /// Flags of the Grant frame. Only bit 0, final, is compared: the others tell of circumstances.
    /// </summary>
    public byte Flags { get; init; }

    /// <summary>Messages in the batch. A writer counts them itself.</summary>
    public int Count { get; init; }

    /// <summary>
    /// What the member said of its own state in the commit that asked for this grant; null if nothing.
    /// </summary>
    public ulong? StateChecksum { get; init; }

    /// <summary>
    /// Chain over the member's commits up to the one that asked for this grant (lock-time 7.1); null if not recorded.
    /// </summary>
    public ulong? CommitDigest { get; init; }

    /// <summary>
    /// Wall-clock milliseconds since the recording began, 0 to 2^62 - 1. A measurement: no comparison looks at it.
    /// </summary>
    public long WallMilliseconds { get; init; }

    /// <summary>How long the request waited, 0 to 2^62 - 1. A measurement too.</summary>
    public long WaitedMilliseconds { get; init; }

    /// <summary>What kept it at last; none if it came at once. A measurement too.</summary>
    public WaitKind WaitedBecause { get; init; }

    /// <summary>Ordinal of the member that kept it; null if none did, or if it came at once. A measurement too.</summary>
    public int? WaitedFor { get; init; }

    /// <summary>Nothing can happen any more after it.</summary>
    public bool IsFinal => (Flags & 1) != 0;
}

/// <summary>Something from outside that the run took in: a loss, a join, a live input, an operator's stop.</summary>
/// <param name="Name">Whom it concerns, at most 1,024 bytes of UTF-8.</param>
/// <param name="What">What it was, at most 1,024 bytes of UTF-8.</param>
/// <param name="Tag">Where it entered the run.</param>
/// <param name="WallMilliseconds">
/// Since the recording began, 0 to 2^62 - 1. A measurement: no comparison looks at it.
/// </param>
public readonly record struct RecordedFact(string Name, string What, Tag Tag, long WallMilliseconds)
{
    /// <summary>
    /// It changed what members were granted or given, and not only when: a run without it is another one. False for what
    /// no server of this version writes.
    /// </summary>
    public bool Influences
        => Enum.TryParse(What, out ExternalFactKind kind) && kind.ToString() == What && ExternalFact.IsInfluence(kind);
}

/// <summary>One member of a run record, as far as it goes.</summary>
/// <param name="Ordinal">Its number in the run.</param>
/// <param name="Name">Its name.</param>
public readonly record struct RecordedMember(int Ordinal, string Name)
{
    /// <summary>Index of its first grant in the record, 0 in most.</summary>
    public long FirstGrant { get; init; }

    /// <summary>One more than the index of its last grant; equal to <see cref="FirstGrant"/> if it has none.</summary>
    public long EndGrant { get; init; }

    /// <summary>Messages delivered to it.</summary>
    public long Deliveries { get; init; }

    /// <summary>Tag of its last grant.</summary>
    public Tag LastTag { get; init; }

    /// <summary>Its digest after its last grant; 0 if it has none.</summary>
    public ulong LastDigest { get; init; }

    /// <summary>The last state checksum it gave; null if it gave none.</summary>
    public ulong? LastState { get; init; }

    /// <summary>The last value of its commit digest; null if none was recorded.</summary>
    public ulong? LastCommit { get; init; }
}
