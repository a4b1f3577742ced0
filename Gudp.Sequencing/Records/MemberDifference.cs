namespace Gudp.Sequencing;

/// <summary>In what the first grant that differs does so (clause ).</summary>
public enum GrantDifferenceKind
{
    /// <summary>One of the records does not have the member at all.</summary>
    MissingMember,

    /// <summary>One of the records ends before this grant.</summary>
    MissingGrant,

    /// <summary>The grants are at different tags; what arrives up to the earlier of them is the same.</summary>
    Tag,

    /// <summary>One of the grants is the final one.</summary>
    Final,

    /// <summary>A message of the left record is not in the right one.</summary>
    MissingMessage,

    /// <summary>A message of the right record is not in the left one.</summary>
    ExtraMessage,

    /// <summary>Both have the message, and not at the same place.</summary>
    Order,

    /// <summary>Messages at the same place of the batch that are in the other one nowhere.</summary>
    Key,

    /// <summary>The same message on another channel.</summary>
    Channel,

    /// <summary>The same message with a payload of another length.</summary>
    Length,

    /// <summary>The same message with another byte in its payload.</summary>
    Payload,

    /// <summary>
    /// The digests differ and nothing else that was recorded does: one was computed over something that the record does
    /// not show.
    /// </summary>
    Digest,
}

/// <summary>The first grant of one member in which two records differ.</summary>
public sealed class MemberDifference
{
    internal MemberDifference(string member, int ordinal, long grant, Tag tag)
    {
        Member = member;
        Ordinal = ordinal;
        Grant = grant;
        Tag = tag;
    }

    /// <summary>The member's name.</summary>
    public string Member { get; }

    /// <summary>Its ordinal, in the left record if it is there.</summary>
    public int Ordinal { get; }

    /// <summary>Index of the grant; 0 is the start grant.</summary>
    public long Grant { get; }

    /// <summary>Tag of the grant; of two, the earlier.</summary>
    public Tag Tag { get; }

    /// <summary>In what it differs.</summary>
    public GrantDifferenceKind Kind { get; internal init; }

    /// <summary>Place in the batch of the first message that differs, from 0; null if none does.</summary>
    public int? Record { get; internal init; }

    /// <summary>
    /// The first byte of the payload that differs, from 0; null if it is another difference, or not known.
    /// </summary>
    public long? PayloadOffset { get; internal init; }

    /// <summary>The grant of the left record; null if it has none.</summary>
    public RecordedGrant? Left { get; internal init; }

    /// <summary>The grant of the right record; null if it has none.</summary>
    public RecordedGrant? Right { get; internal init; }

    /// <summary>Of a member that one record does not have: whether the left one has it, be it without a grant.</summary>
    internal bool IsOnlyLeft { get; init; }

    /// <summary>The message of the left record; null if none differs, or only the right one has it.</summary>
    public RecordedMessage? LeftMessage { get; internal init; }

    /// <summary>The message of the right record; null if none differs, or only the left one has it.</summary>
    public RecordedMessage? RightMessage { get; internal init; }
}

/// <summary>A state checksum or a commit digest that differs: the first of a member.</summary>
/// <param name="Member">The member's name.</param>
/// <param name="Grant">The grant it was recorded with.</param>
/// <param name="Tag">The tag of that grant in the left record.</param>
/// <param name="Left">Its value in the left record.</param>
/// <param name="Right">Its value in the right record.</param>
public readonly record struct ChecksumDifference(string Member, long Grant, Tag Tag, ulong Left, ulong Right)
{
    /// <summary>
    /// Everything delivered to the member before was equal in both records: what differs began in the member itself.
    /// </summary>
    public bool AfterEqualDeliveries { get; init; }
}

/// <summary>A line of the configuration that differs.</summary>
/// <param name="Key">What stands before the equals sign.</param>
/// <param name="Left">The value in the left record; null if it does not say.</param>
/// <param name="Right">The value in the right record; null if it does not say.</param>
public readonly record struct ConfigurationDifference(string Key, string? Left, string? Right);

/// <summary>Something from outside that only one of the records has.</summary>
/// <param name="Fact">What it is.</param>
/// <param name="IsLeft">Whether the left record has it.</param>
public readonly record struct FactDifference(RecordedFact Fact, bool IsLeft);
