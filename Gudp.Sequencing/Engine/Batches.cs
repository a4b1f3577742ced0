// Cuts the batch of a grant from the inbox of its receiver (lock-time 3.3, 6.3), writes it, and takes it into the digest.
//
// Always true:
//   - everything that arrives up to the grant leaves the inbox, whether it is delivered or not;
//   - what is dropped by a policy, an interest that is off or a role is in neither the digest nor the count.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Batches(RunState run, Outbox outbox)
{
    private readonly List<BatchEntry> _cut = [];
    private readonly JoinHistory _history = new(run);
    private int[] _interests = [];
    private bool[] _kept = [];
    private readonly TieCounter _ties = new();
    private bool _isOpen;

    /// <summary>
    /// The batch of a late joiner's first grant: of the past what it asked for, <see cref="Member.History"/>, up to its
    /// join. Its inbox holds only what arrives later.
    /// </summary>
    /// <returns>How many messages were delivered.</returns>
    internal int WriteFirst(Member member, Tag join)
    {
        Invariant.Require(member.Inbox.Head > join, "What arrives until the join is history.");

        if (!run.Members.StateOf(member).Receives)
        {
            return 0;
        }

        foreach (BatchEntry entry in _history.Select(member, join))
        {
            entry.Letter.Hold();
            _cut.Add(entry);
        }

        WriteHead(member);
        _history.Forget();
        _isOpen = false;
        int count = WriteCut(member, lastGrant: null);

        if (_isOpen)
        {
            outbox.Writer.EndFrame();
        }

        return count;
    }

    // Clause: what is missing, and the state to start with, before the messages.
    private void WriteHead(Member member)
    {
        if (_history.TrimmedFrom > 0)
        {
            new TrimmedFrame(_history.TrimmedFrom).Write(outbox.Writer, Outbox.Epoch, member.Session);
        }

        if (_history.Snapshot is StoredSnapshot snapshot)
        {
            new SnapshotFrame(snapshot.Tag, snapshot.Publisher, snapshot.Name)
                .Write(outbox.Writer, (Outbox.Epoch, member.Session), snapshot.Bytes);
            member.Digest.AddSnapshot(snapshot.Tag, snapshot.Publisher, snapshot.Name, snapshot.Bytes);
        }

        if (outbox.Writer.Length >= RunLayout.DeliverBytes)
        {
            outbox.SendKept(member);
        }
    }

    /// <summary>What arrives after the last grant and not after this one.</summary>
    /// <returns>How many messages were delivered.</returns>
    internal int Write(Member member, Tag lastGrant, Tag grant)
    {
        int count = 0;
        _isOpen = false;
        _ties.BeginBatch();

        if (!run.Members.StateOf(member).Receives)
        {
            Drop(member, grant);
        }
        else if (member.Subscriptions.Filter.KeepsAll)
        {
            count = WriteAll(member, lastGrant, grant);
        }
        else
        {
            count = WriteKept(member, lastGrant, grant);
        }

        if (_isOpen)
        {
            outbox.Writer.EndFrame();
        }

        return count;
    }

    private void Drop(Member member, Tag grant)
    {
        while (member.Inbox.TryTake(grant, out _, out Letter letter, out _))
        {
            run.Tally[RunCount.MessagesDropped]++;
            letter.Release();
        }
    }

    private int WriteAll(Member member, Tag lastGrant, Tag grant)
    {
        int count = 0;

        while (member.Inbox.TryTake(grant, out DeliveryKey key, out Letter letter, out int interest))
        {
            CountTie(in key);
            WriteOne(member, lastGrant, new DeliveryRecord(key, interest, letter.Payload), letter.Channel);
            letter.Release();
            count++;
        }

        return count;
    }

    private int WriteKept(Member member, Tag lastGrant, Tag grant)
    {
        while (member.Inbox.TryTake(grant, out DeliveryKey key, out Letter letter, out int interest))
        {
            CountTie(in key);
            _cut.Add(new BatchEntry(key, letter, interest));
        }

        return WriteCut(member, lastGrant);
    }

    // Over all receivers, clause.
    private void CountTie(in DeliveryKey key) => run.Tally[RunCount.Ties] += _ties.Add(in key) ? 1 : 0;

    private int WriteCut(Member member, Tag? lastGrant)
    {
        if (_interests.Length < _cut.Count)
        {
            _interests = new int[Math.Max(_cut.Count, 2 * _interests.Length)];
            _kept = new bool[_interests.Length];
        }

        for (int i = 0; i < _cut.Count; i++)
        {
            _interests[i] = _cut[i].Interest;
        }

        int count = member.Subscriptions.Filter.Mark(_interests.AsSpan(0, _cut.Count), _kept.AsSpan(0, _cut.Count));
        run.Tally[RunCount.MessagesDropped] += _cut.Count - count;

        for (int i = 0; i < _cut.Count; i++)
        {
            (DeliveryKey key, Letter letter, int interest) = _cut[i];

            if (_kept[i])
            {
                WriteOne(member, lastGrant, new DeliveryRecord(key, interest, letter.Payload), letter.Channel);
            }

            letter.Release();
        }

        _cut.Clear();
        return count;
    }

    private void WriteOne(Member member, Tag? lastGrant, in DeliveryRecord record, int channel)
    {
        if (!_isOpen)
        {
            outbox.Writer.BeginFrame(FrameType.Deliver, Outbox.Epoch, member.Session);
            _isOpen = true;
        }

        run.Tally[RunCount.MessagesDelivered]++;
        DeliveryKey key = record.Key;
        record.Write(outbox.Writer, lastGrant);
        member.Digest.AddDelivery(in key, run.Channels[channel].Key, record.Payload);

        if (!member.IsObserver)
        {
            run.Recorder?.AddDelivery(in key, channel, record.Payload);
        }

        if (outbox.Writer.Length >= RunLayout.DeliverBytes)
        {
            outbox.Writer.EndFrame();
            outbox.SendKept(member);
            _isOpen = false;
        }
    }
}
