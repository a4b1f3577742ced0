using System;

namespace Gudp.Sequencing;

/// <summary>
/// A grant as it lies in the client's own memory, for loops that must not allocate; otherwise as <see cref="Grant"/>.
/// </summary>
/// <remarks>
/// <see cref="Messages"/> and their payloads are valid until the member asks to advance again or is disposed: the memory
/// is then used for the next batch. What is kept longer is copied, or taken as a <see cref="Grant"/>.
/// </remarks>
public readonly ref struct GrantView
{
    private readonly GrantHead _head;

    internal GrantView(scoped in GrantHead head, ReadOnlySpan<SequencedMessage> messages)
    {
        _head = head;
        Messages = messages;
    }

    /// <summary>How far the member has come; it publishes from here.</summary>
    public Tag Tag => _head.Tag;

    /// <summary>What arrived since the last grant, in the one total order.</summary>
    public ReadOnlySpan<SequencedMessage> Messages { get; }

    /// <inheritdoc cref="Grant.IsFinal"/>
    public bool IsFinal => _head.IsFinal;

    /// <inheritdoc cref="Grant.Digest"/>
    public ulong Digest => _head.Digest;

    /// <inheritdoc cref="Grant.Snapshot"/>
    public SequenceSnapshot? Snapshot => _head.Snapshot;

    /// <inheritdoc cref="Grant.HistoryFrom"/>
    public long? HistoryFrom => _head.HistoryFrom;

    /// <inheritdoc cref="Grant.IsLate"/>
    public bool IsLate => _head.IsLate;

    /// <inheritdoc cref="Grant.WaitedFor"/>
    public string? WaitedFor => _head.WaitedFor;

    /// <inheritdoc cref="Grant.WaitedBecause"/>
    public WaitKind WaitedBecause => _head.WaitedBecause;

    /// <inheritdoc cref="Grant.Waited"/>
    public TimeSpan Waited => _head.Waited;

    /// <summary>The first one, as it may be kept. Its batch is a late joiner's history, which only the view has.</summary>
    internal Grant ToStart() => new(in _head, []);

    /// <summary>For who looks at it before the member asks again.</summary>
    internal Grant ToGrant() => new(in _head, Messages.ToArray());
}

/// <summary>What a grant says besides its messages.</summary>
internal readonly record struct GrantHead
{
    internal Tag Tag { get; init; }

    internal bool IsFinal { get; init; }

    internal ulong Digest { get; init; }

    /// <summary>Of the member, over all it had said when it was granted.</summary>
    internal ulong CommitDigest { get; init; }

    internal bool IsLate { get; init; }

    internal string? WaitedFor { get; init; }

    internal WaitKind WaitedBecause { get; init; }

    internal TimeSpan Waited { get; init; }

    internal SequenceSnapshot? Snapshot { get; init; }

    internal long? HistoryFrom { get; init; }

    /// <summary>Grants in the digest with this one: its number in a record.</summary>
    internal long Index { get; init; }
}
