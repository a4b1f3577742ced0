// What a member has said since its last commit, and how far it may go: the member's side of lock-time 5.3. Everything is
// checked here at the call, as the server will check the whole commit.
//
// Always true:
//   - what is kept back can be written as one commit, in the order of its elements;
//   - promise and look-ahead are as the server will have them after that commit.

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Speech
{
    // Room for a step's head and its request beside the largest payload, within one message of the transport.
    private const int MaxCommitBytes = SequencingConfig.LargestPayloadBytes + (64 * 1024);
    private const int ElementHeadBytes = 64;
    private const int SwitchBytes = 10;

    // The run's own limit is known to the server only; here just the end of a time is out of the question.
    private const uint MaxRounds = uint.MaxValue - 1;

    private readonly DeclaredInterest[] _interests;
    private readonly Dictionary<string, int> _interestOf = [];
    private readonly FrameWriter _publications = new();
    private readonly List<(int Interest, bool IsOn)> _switches = [];
    private readonly bool _mayStop;
    private readonly BatchFilter _filter;
    private bool[] _kept = [];

    private MemberState _state;
    private bool _hasPromise;
    private Delay? _newLookahead;
    private (bool Sends, bool Receives)? _newRoles;
    private Tag? _stop;
    private ulong? _checksum;
    private (string Name, byte[] Bytes)? _snapshot;

    internal Speech(MemberDeclaration declaration, DeclaredInterest[] interests)
    {
        _interests = interests;
        _mayStop = declaration.MayStop;
        _filter = new BatchFilter(Array.ConvertAll(interests, interest => interest.Policy));

        for (int id = 0; id < interests.Length; id++)
        {
            _interestOf.Add(interests[id].Name, id);
        }

        _state = new MemberState
        {
            Sends = declaration.Sends,
            Receives = declaration.Receives,
            Lookahead = declaration.Lookahead,
        };
    }

    /// <summary>The member as the rule sees it, what was said and not sent included.</summary>
    internal ref MemberState State => ref _state;

    /// <summary>Whether there is nothing to send.</summary>
    internal bool IsEmpty => _publications.Length == 0 && !_hasPromise && _newLookahead is null && _newRoles is null
        && _switches.Count == 0 && _stop is null && _checksum is null && _snapshot is null;

    /// <summary>The smallest tag a publication may have now.</summary>
    internal Tag EarliestPublication => EndToNext(_state.EarliestPublication);

    /// <summary>Promises below what was promised already; they change nothing.</summary>
    internal long IgnoredPromises { get; private set; }

    internal SequencingError Publish(string channel, ReadOnlySpan<byte> payload, Tag? at)
    {
        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        SequencingError error = Find(channel, InterestBits.Publish, out int interest);

        if (error != SequencingError.None)
        {
            return error;
        }

        Tag tag = at ?? EarliestPublication;
        error = CommitCheck.CheckTag(tag, _state.EarliestPublication, MaxRounds);

        if (error == SequencingError.None && Length + payload.Length > MaxCommitBytes - ElementHeadBytes)
        {
            error = SequencingError.TooLarge;
        }

        if (error == SequencingError.None)
        {
            CommitElements.WritePublication(_publications, interest, _state.Now, tag, payload);
        }

        return error;
    }

    internal SequencingError Promise(Tag promise)
    {
        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        if (!IsWithinReach(promise))
        {
            return SequencingError.Overflow;
        }

        // Not above what the look-ahead says anyway: true already, and nothing worth a byte.
        if (promise <= _state.EarliestPublication)
        {
            IgnoredPromises++;
            return SequencingError.None;
        }

        if (IsAboveStop(promise))
        {
            return SequencingError.LookaheadViolation;
        }

        _state.Promise = promise;
        _hasPromise = true;
        return SequencingError.None;
    }

    internal SequencingError SetLookahead(Delay lookahead)
    {
        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        if (lookahead < Delay.OneRound)
        {
            return SequencingError.LookaheadViolation;
        }

        if (!IsWritable(lookahead.Time))
        {
            return SequencingError.Overflow;
        }

        if (IsAboveStop(Tag.Later(_state.EarliestPublication, _state.Now + lookahead)))
        {
            return SequencingError.LookaheadViolation;
        }

        // The server hears the last of several in a commit only, and knows nothing of what one between promised.
        _hasPromise |= _newLookahead is not null;
        _state.Promise = _state.EarliestPublication;
        _state.Lookahead = lookahead;
        _newLookahead = lookahead;
        return SequencingError.None;
    }

    /// <summary>
    /// From after the commit: until then the old roles hold. Sending is taken up when the server says from which tag on.
    /// </summary>
    internal SequencingError SetRoles(bool sends, bool receives)
    {
        _newRoles = (sends, receives);
        return SequencingError.None;
    }

    internal SequencingError SetInterest(string channel, bool isOn)
    {
        SequencingError error = Find(channel, InterestBits.Subscribe, out int interest);

        if (error == SequencingError.None)
        {
            _switches.RemoveAll(entry => entry.Interest == interest);
            _switches.Add((interest, isOn));
        }

        return error;
    }

    /// <summary>Asks that the run ends at a tag; the smallest counts.</summary>
    internal SequencingError StopAt(Tag stop)
    {
        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        if (!_mayStop)
        {
            return SequencingError.NotDeclared;
        }

        SequencingError error = CommitCheck.CheckTag(stop, _state.EarliestPublication, MaxRounds);

        if (error == SequencingError.None)
        {
            _stop = _stop is Tag before ? Tag.Earlier(before, stop) : stop;
        }

        return error;
    }

    /// <summary>The last one of a commit counts.</summary>
    internal SequencingError Snapshot(string name, ReadOnlySpan<byte> bytes)
    {
        int before = _snapshot?.Bytes.Length ?? 0;

        if (bytes.Length > MaxCommitBytes - ElementHeadBytes - SequencingRules.MaxNameBytes - Length + before)
        {
            return SequencingError.TooLarge;
        }

        _snapshot = (name, bytes.ToArray());
        return SequencingError.None;
    }

    internal void Checksum(ulong checksum) => _checksum = checksum;

    /// <summary>Whether a request can be made and written.</summary>
    internal SequencingError CheckRequest(Tag target, in Grid grid)
    {
        if (target < _state.Now)
        {
            return SequencingError.PastTag;
        }

        return IsWithinReach(target) && IsWritable(grid.Period) && IsWritable(grid.MinStep)
            ? SequencingError.None
            : SequencingError.Overflow;
    }

    /// <summary>What would have been allowed instead, for the text of a refused call.</summary>
    internal string Allowed(SequencingError error) => error switch
    {
        SequencingError.LookaheadViolation => _stop is Tag stop
            ? $"the earliest is {EarliestPublication}, the stop asked for {stop}, and the least look-ahead {Delay.OneRound}"
            : $"the earliest is {EarliestPublication}, and the least look-ahead {Delay.OneRound}",
        SequencingError.NotASender => "it has not the role to send now",
        SequencingError.UnknownChannel or SequencingError.NotDeclared => $"it declared {Declared()}",
        SequencingError.TooLarge => $"a commit has at most {MaxCommitBytes - ElementHeadBytes} bytes",
        SequencingError.RoundLimit => $"a publication has at most round {MaxRounds}",
        SequencingError.Overflow => $"times go to {CommitCheck.MaxPublicationTime}, and steps are no longer than that",
        _ => $"{error}",
    };

    /// <summary>The roles the server says the member has, and where it may first be heard.</summary>
    internal void TakeRoles(in RoleTakenFrame taken)
    {
        _state.Sends = (taken.Roles & RoleBits.Sends) != 0;
        _state.Promise = Tag.Later(_state.Promise, taken.Earliest);
    }

    /// <summary>Whether the policies of the member keep all of a batch: the server has cut it by the same function.</summary>
    /// <param name="batch">The interest of each message.</param>
    internal bool IsWhatWasAskedFor(ReadOnlySpan<int> batch)
    {
        if (_filter.KeepsAll || batch.IsEmpty)
        {
            return true;
        }

        if (_kept.Length < batch.Length)
        {
            _kept = new bool[Math.Max(batch.Length, 2 * _kept.Length)];
        }

        return _filter.Mark(batch, _kept.AsSpan(0, batch.Length)) == batch.Length;
    }

    /// <summary>Writes what was said before the end of a commit: publications to snapshot.</summary>
    internal void WriteElements(FrameWriter writer)
    {
        writer.WriteBytes(_publications.Written);

        // The server applies a promise before a look-ahead, and keeps by the second what the first one said.
        if (_hasPromise)
        {
            CommitElements.WritePromise(writer, _state.Now, _state.Promise);
        }

        if (_newLookahead is Delay lookahead)
        {
            CommitElements.WriteLookahead(writer, lookahead);
        }

        if (_newRoles is (bool sends, bool receives))
        {
            CommitElements.WriteRole(writer, sends, receives);
            _state.Sends &= sends;
            _state.Receives = receives;
        }

        foreach ((int interest, bool isOn) in _switches)
        {
            CommitElements.WriteInterest(writer, interest, isOn);
            _filter[interest] = isOn ? _interests[interest].Policy : BufferPolicy.None;
        }

        if (_stop is Tag stop)
        {
            CommitElements.WriteStop(writer, _state.Now, stop);
        }

        if (_snapshot is (string name, byte[] bytes))
        {
            CommitElements.WriteSnapshot(writer, name, bytes);
        }

        Clear();
    }

    /// <summary>Writes what stands after the digest.</summary>
    internal void WriteChecksum(FrameWriter writer)
    {
        if (_checksum is ulong checksum)
        {
            CommitElements.WriteStateChecksum(writer, checksum);
            _checksum = null;
        }
    }

    // At the end of a time nothing can be published, so the first place after it is the start of the next.
    private static Tag EndToNext(Tag tag) => tag.Round == uint.MaxValue ? tag + Delay.OneRound : tag;

    // What was said so far, written out.
    private int Length => _publications.Length + (_switches.Count * SwitchBytes) + (_snapshot?.Bytes.Length ?? 0);

    private static bool IsWritable(long ticks) => (ulong)ticks <= VarInt.MaxValue;

    private string Declared()
    {
        string flag = _mayStop ? "that it may stop the run; " : "";

        return flag + (_interests.Length == 0
            ? "no channel"
            : string.Join(", ", Array.ConvertAll(_interests, interest => $"'{interest.Name}' as {interest.Bits}")));
    }

    private void Clear()
    {
        _publications.Clear();
        _switches.Clear();
        _hasPromise = false;
        _newLookahead = null;
        _newRoles = null;
        _stop = null;
        _snapshot = null;
    }

    private SequencingError Find(string channel, InterestBits use, out int interest)
    {
        if (!_interestOf.TryGetValue(channel, out interest))
        {
            return SequencingError.UnknownChannel;
        }

        return (_interests[interest].Bits & use) != 0 ? SequencingError.None : SequencingError.NotDeclared;
    }

    // In a commit the stop comes after promise and look-ahead, so a promise above an earlier stop would refuse it.
    private bool IsAboveStop(Tag earliest) => _stop is Tag stop && stop < earliest;

    // Clause: a distance must fit the wire's 62 bits; the two ends of time have names of their own.
    private bool IsWithinReach(Tag tag)
        => tag == Tag.Infinity
        || (!tag.IsInfinite && (tag.Time <= _state.Now.Time
            || IsWritable(tag.Time - _state.Now.Time)));
}
