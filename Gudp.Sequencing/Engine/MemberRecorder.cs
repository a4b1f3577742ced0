// Writes down what one member was granted and given. It only listens.
//
// Always true: members are named in the record before anything of them stands in it.

using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Engine;

internal sealed class MemberRecorder
{
    private readonly MemberEngine _engine;
    private readonly RunRecordWriter _writer;
    private readonly Dictionary<string, int> _channels = [];
    private readonly HashSet<string> _names = [];
    private int _members;
    private long _last = -1;
    private Exception? _failure;

    internal MemberRecorder(MemberEngine engine, RunRecording recording)
    {
        _engine = engine;
        _writer = recording.Open(new RunRecordHead
        {
            ConfigHash = engine.ConfigHash,
            OtherHash = engine.SettingsHash,
            RunId = engine.RunId,
            RecordedBy = engine.RecordNumber,
            Version = RunRecording.Version,
            KeepPayloadBytes = recording.KeepPayloadBytes,
        });
    }

    internal Exception? Failure => _failure ?? _writer.Failure;

    /// <param name="grant">As the application gets it.</param>
    /// <param name="elapsed">Since the record began. A measurement.</param>
    internal void Add(Grant grant, TimeSpan elapsed)
    {
        if (_last >= 0 && grant.Index != _last + 1)
        {
            _failure ??= new InvalidOperationException(
                $"The member took grant {grant.Index} after {_last}: what it did not look at cannot be recorded.");
        }

        if (_failure is not null)
        {
            return;
        }

        NameMembers();

        foreach (SequencedMessage message in grant.Messages)
        {
            MessageKey key = new(
                message.Arrival, message.SendTag, message.SenderOrdinal, message.SubSequence, message.Copy);
            _writer.AddDelivery(in key, ChannelOf(message.Channel), message.Payload.Span);
        }

        _writer.AddGrant(new RecordedGrant(_engine.RecordNumber, grant.Index, grant.Tag, grant.Digest)
        {
            Flags = (byte)((grant.IsFinal ? Wire.GrantFlags.Final : 0) | (grant.IsLate ? Wire.GrantFlags.Late : 0)),
            WallMilliseconds = (long)elapsed.TotalMilliseconds,
            CommitDigest = grant.CommitDigest,
            WaitedBecause = grant.WaitedBecause,
            WaitedMilliseconds = (long)grant.Waited.TotalMilliseconds,
        });
        _last = grant.Index;
    }

    /// <summary>The member leaves; the record is complete if the run has ended.</summary>
    internal void Close()
    {
        if (_failure is null && _engine.RunDigest is ulong digest)
        {
            _writer.Complete(digest);
        }

        _writer.Dispose();
    }

    // Clause: a name is one member's in a record.
    private void NameMembers()
    {
        if (_last < 0 && _engine.RecordNumber >= _engine.Roster.Count)
        {
            Name(_engine.RecordNumber, _engine.Name);
        }

        for (; _members < _engine.Roster.Count; _members++)
        {
            Name(_members, _engine.Roster[_members]);
        }
    }

    private void Name(int number, string name)
    {
        string unique = name;

        while (!_names.Add(unique))
        {
            unique = $"{unique} #{number}";
        }

        _writer.AddMember(number, unique);
    }

    private int ChannelOf(string name)
    {
        if (!_channels.TryGetValue(name, out int channel))
        {
            channel = _channels.Count;
            _channels.Add(name, channel);
            _writer.AddChannel(channel, name);
        }

        return channel;
    }
}
