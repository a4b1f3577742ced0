// Writes down what the run grants and delivers, and what came from outside. It only listens: nothing in the run depends
// on it, and a record that fails is the writer's affair.
//
// Always true: members and channels are named in the record before anything of them stands in it.

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal sealed class RunRecorder(RunState run, RunRecordWriter writer)
{
    // A record that nobody reads while it is written loses this much at most if the process is killed.
    private static readonly TimeSpan FlushAfter = TimeSpan.FromSeconds(1);

    private readonly List<long> _checksums = [];
    private readonly HashSet<string> _names = [];
    private Instant? _start;
    private long _milliseconds;
    private Instant _now;
    private int _channels;
    private bool _isComplete;

    /// <inheritdoc cref="RunRecordWriter.Failure"/>
    internal Exception? Failure => writer.Failure;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

    /// <summary>What is recorded from now on happens at this moment.</summary>
    internal void At(Instant now)
    {
        _start ??= now;
        _now = now;
        _milliseconds = (long)(now - _start.Value).TotalMilliseconds;
    }

    /// <summary>The run has been quiet for a while, or busy: what it said so far goes to the disk.</summary>
    internal void HandleTimeout(Instant now)
    {
        if (now >= NextDeadline)
        {
            NextDeadline = Instant.Never;
            writer.Flush();
        }
    }

    /// <summary>A message of the batch of the next grant.</summary>
    internal void AddDelivery(in DeliveryKey key, int channel, ReadOnlySpan<byte> payload)
    {
        NameAll();
        MessageKey message = new(key.Arrival, key.Sent, key.Publisher, key.SubSequence, key.Copy);
        writer.AddDelivery(in message, channel, payload);
    }

    /// <summary>A grant, behind its batch; the member's digest is the one after it.</summary>
    /// <param name="member">Who was granted.</param>
    /// <param name="grant">Tag and flags; what is the member's own is filled in.</param>
    internal void AddGrant(Member member, in RecordedGrant grant)
    {
        NameAll();
        bool hasChecksum = member.Checksums.Count > _checksums[member.Ordinal];
        _checksums[member.Ordinal] = member.Checksums.Count;

        writer.AddGrant(grant with
        {
            Member = member.Ordinal,
            Index = member.Digest.Grants,
            Digest = member.Digest.Value,
            CommitDigest = member.CommitDigest.Value,
            StateChecksum = hasChecksum ? member.Checksums.Last : null,
            WallMilliseconds = _milliseconds,
        });

        NextDeadline = NextDeadline == Instant.Never ? _now + FlushAfter : NextDeadline;
    }

    internal void AddFact(in ExternalFact fact)
    {
        if (!_isComplete)
        {
            writer.AddFact(new RecordedFact(fact.Member, fact.Kind.ToString(), fact.Tag, _milliseconds));
        }
    }

    /// <summary>Everybody has resigned.</summary>
    internal void Complete()
    {
        if (!_isComplete)
        {
            _isComplete = true;
            NameAll();
            writer.Complete(run.RunDigest);
            NextDeadline = Instant.Never;
        }
    }

    private void NameAll()
    {
        for (; _checksums.Count < run.Members.Count; _checksums.Add(0))
        {
            Member member = run.Members[_checksums.Count];

            // A name may be taken again by another member, which is told apart by its number.
            string name = _names.Add(member.Name) ? member.Name : $"{member.Name} #{member.Ordinal}";
            _names.Add(name);
            writer.AddMember(member.Ordinal, name);
        }

        for (; _channels < run.Channels.Count; _channels++)
        {
            writer.AddChannel(_channels, run.Channels[_channels].Name);
        }
    }
}
