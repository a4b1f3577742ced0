using System;
using System.Collections.Generic;

namespace Gudp.Sequencing;

/// <summary>
/// A sequence point: the member may act at <see cref="Tag"/>, has been given everything that arrives up to it, and
/// nothing that arrives at or before it will ever come any more.
/// </summary>
public sealed class Grant
{
    private readonly GrantHead _head;
    private readonly SequencedMessage[] _messages;

    internal Grant(in GrantHead head, SequencedMessage[] messages)
    {
        _head = head;
        _messages = messages;
    }

    /// <summary>How far the member has come; it publishes from here.</summary>
    public Tag Tag => _head.Tag;

    /// <summary>What arrived since the last grant, in the one total order. Empty on the start grant.</summary>
    public IReadOnlyList<SequencedMessage> Messages => _messages;

    /// <summary>Nothing can happen any more; all that is left is to resign.</summary>
    public bool IsFinal => _head.IsFinal;

    /// <summary>The member's digest after this grant (lock-time section 18); the same in every execution.</summary>
    public ulong Digest => _head.Digest;

    /// <inheritdoc cref="GrantHead.CommitDigest"/>
    internal ulong CommitDigest => _head.CommitDigest;

    /// <summary>
    /// The state to start with, on the first grant of a member that joins late and asked for
    /// <see cref="HistoryStart.Snapshot"/>; <see cref="Messages"/> are what arrived after it. Null if there was none.
    /// </summary>
    public SequenceSnapshot? Snapshot => _head.Snapshot;

    /// <summary>
    /// On the first grant of a member that joins late: the log does not have all that it asked for any more, and from this
    /// global sequence number on nothing is missing. Null if all of it is there.
    /// </summary>
    public long? HistoryFrom => _head.HistoryFrom;

    /// <summary>
    /// It was given later than the run's pace allowed. A measurement: it may differ between executions and must not
    /// influence what the member does.
    /// </summary>
    public bool IsLate => _head.IsLate;

    /// <summary>
    /// The member whose progress released this grant, if it did not come at once; null also if a barrier or the run's
    /// pace held it. A measurement too.
    /// </summary>
    public string? WaitedFor => _head.WaitedFor;

    /// <summary>What kept this grant at last; none if it came at once. A measurement too.</summary>
    public WaitKind WaitedBecause => _head.WaitedBecause;

    /// <summary>How long the server held the request, in whole milliseconds. A measurement too.</summary>
    public TimeSpan Waited => _head.Waited;

    /// <inheritdoc cref="GrantHead.Index"/>
    internal long Index => _head.Index;

    /// <summary>Looked at as those are that were never made.</summary>
    internal GrantView View => new(in _head, _messages);
}
