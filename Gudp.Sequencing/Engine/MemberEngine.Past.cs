using System;
using System.Collections.Generic;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <content>
/// What comes before the messages of a late joiner's first batch (lock-time 10): the state to start with, and from where
/// on nothing is missing.
/// </content>
internal sealed partial class MemberEngine
{
    private SequenceSnapshot? _snapshot;
    private long? _historyFrom;

    /// <summary>Names of members by ordinal, as far as this member was told.</summary>
    internal IReadOnlyList<string> Roster => _roster;

    internal UInt128 RunId => _options.RunId;

    /// <summary>Its number in a record: its ordinal, or that of all observers, who have none.</summary>
    internal int RecordNumber => _options.Observes ? Config.SequencingRules.MaxMembers : Ordinal;

    private bool TryTrimmed(ReadOnlySpan<byte> body)
    {
        if (Phase != MemberPhase.Joining || !TrimmedFrame.TryRead(body, out TrimmedFrame trimmed))
        {
            return false;
        }

        _historyFrom = trimmed.First;
        return true;
    }

    private bool TrySnapshot(ReadOnlySpan<byte> body)
    {
        bool isInPlace = Phase == MemberPhase.Joining && _digest is not null && _snapshot is null && _batch.Count == 0;

        if (!SnapshotFrame.TryRead(body, out SnapshotFrame frame, out ReadOnlySpan<byte> bytes) || !isInPlace
            || frame.Tag > Now || frame.Publisher >= _roster.Count)
        {
            return false;
        }

        _digest!.AddSnapshot(frame.Tag, frame.Publisher, frame.Name, bytes);
        _snapshot = new SequenceSnapshot(frame.Tag, _roster[frame.Publisher], frame.Name, bytes.ToArray());
        return true;
    }

    /// <summary>What was taken in since the last grant.</summary>
    private void ForgetNotes()
    {
        _health.Forget();
        _snapshot = null;
        _historyFrom = null;
    }
}
