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

    internal MemberRecorder(MemberEngine engine, RunRecording recording)
    {
        _engine = engine;
        _writer = recording.Open(new RunRecordHead
        {
            ConfigHash = engine.ConfigHash,
            OtherHash = engine.SettingsHash,
            RunId = engine.RunId,
            RecordedBy = engine.Ordinal,
            Version = RunRecording.Version,
            KeepPayloadBytes = recording.KeepPayloadBytes,
        });
    }

    internal Exception? Failure => _writer.Failure;

    /// <param name="grant">As the application gets it.</param>
    /// <param name="elapsed">Since the record began. A measurement.</param>
    internal void Add(Grant grant, TimeSpan elapsed)
    {
        for (; _members < _engine.Roster.Count; _members++)
        {
            string name = _engine.Roster[_members];
            string unique = _names.Add(name) ? name : $"{name} #{_members}";
            _names.Add(unique);
            _writer.AddMember(_members, unique);
        }

        foreach (SequencedMessage message in grant.Messages)
        {
            MessageKey key = new(
                message.Arrival, message.SendTag, message.SenderOrdinal, message.SubSequence, message.Copy);
            _writer.AddDelivery(in key, ChannelOf(message.Channel), message.Payload.Span);
        }

        _writer.AddGrant(new RecordedGrant(_engine.Ordinal, _engine.DigestedGrants, grant.Tag, grant.Digest)
        {
            Flags = (byte)((grant.IsFinal ? Wire.GrantFlags.Final : 0) | (grant.IsLate ? Wire.GrantFlags.Late : 0)),
            WallMilliseconds = (long)elapsed.TotalMilliseconds,
            CommitDigest = grant.CommitDigest,
            WaitedBecause = grant.WaitedBecause,
            WaitedMilliseconds = (long)grant.Waited.TotalMilliseconds,
        });
    }

    /// <summary>The member leaves; the record is complete if the run has ended.</summary>
    internal void Close()
    {
        if (_engine.RunDigest is ulong digest)
        {
            _writer.Complete(digest);
        }

        _writer.Dispose();
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
