// One member of a run as a state machine without clock, threads or sockets. What the member says is kept back until it
// asks for a grant and then leaves as one commit; what the server sends becomes a grant with its batch.
//
// Everything is checked here as the server will check it, at the call that is wrong: a refusal by the server means
// that the two do not agree on the state of the run, and ends this member.
//
// Always true:
//   - at most one request is outstanding, and nothing is published while it is;
//   - grants never go back, and no message arrives at or before the last one;
//   - after every grant this side's digest is the server's;
//   - what the server sends ends in a grant or in a typed error, and is kept up to MaxBatchBytes;
//   - commits are kept until the server says that it has them for good.

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal enum MemberPhase : byte
{
    /// <summary>Said hello, or waits for the others and the start grant.</summary>
    Joining,

    /// <summary>Has control: publishes, promises, then asks.</summary>
    Running,

    /// <summary>Has asked.</summary>
    Waiting,

    /// <summary>Has left the run.</summary>
    Resigned,

    /// <summary>Was refused, or found the server wrong; see the error.</summary>
    Failed,
}

internal sealed partial class MemberEngine
{
    private readonly MemberDeclaration _declaration;
    private readonly ulong _expectedConfigHash;
    private readonly DeclaredInterest[] _interests;
    private readonly Speech _speech;
    private readonly FrameWriter _writer = new();

    private readonly CommitStore _commits = new();
    private readonly MemberBatch _batch = new();

    private ulong _step;
    private bool _isFinal;
    private ulong _stepAtGrant;
    private ulong[]? _channelKeys;
    private readonly CommitDigest _said;
    private int _elementsAt;
    private Digest? _digest;
    private GrantHead _grant;
    private bool _hasGrant;
    private Grant? _leftGrant;
    private readonly MemberHealth _health = new();

    /// <summary>What is counted at this end.</summary>
    internal ClientTally Tally { get; } = new();

    /// <summary>Says hello at once; the message waits in the outbox.</summary>
    internal MemberEngine(MemberOptions options)
    {
        _declaration = options;
        _expectedConfigHash = options.ConfigHash;
        _interests = RunLayout.InterestsOf(_declaration);

        _speech = new Speech(_declaration, _interests);
        _said = new CommitDigest(_declaration.Name);
        _options = options;
        SayHello();
    }

    internal MemberPhase Phase { get; private set; }

    internal string Name => _declaration.Name;

    /// <summary>Place in the sorted roster; known once welcomed.</summary>
    internal int Ordinal { get; private set; }

    /// <summary>The last grant.</summary>
    internal Tag Now => _speech.State.Now;

    /// <summary>The smallest tag a publication may have now.</summary>
    internal Tag EarliestPublication => _speech.EarliestPublication;

    internal ulong Digest => _digest?.Value ?? 0;

    /// <summary>Over what this member has committed (clause ).</summary>
    internal ulong CommitDigest => _said.Value;

    internal ulong ConfigHash { get; private set; }

    /// <summary>Over what members cannot see of the configuration; for records only.</summary>
    internal ulong SettingsHash { get; private set; }

    /// <summary>Of the whole run; null until everybody has resigned.</summary>
    internal ulong? RunDigest { get; private set; }

    internal SequencingError Error { get; private set; }

    internal string ErrorDetail { get; private set; } = "";

    /// <summary>Promises below what was promised already; they change nothing.</summary>
    internal long IgnoredPromises => _speech.IgnoredPromises;

    /// <summary>Commits whose fate is not known yet.</summary>
    internal int KeptCommits => _commits.Count;

    /// <summary>What the server says about waits.</summary>
    internal MemberHealth Health => _health;

    /// <summary>Asks who blocks this member; once welcomed, to be sent as it is, after the commits.</summary>
    internal byte[] AskWhoBlocks(ulong request)
    {
        FrameWriter question = new();
        new WhoBlocksFrame(request, Name).Write(question, _epoch, _session);
        return question.Written.ToArray();
    }

    /// <summary>Whether the last grant was final: all that is left is to resign.</summary>
    internal bool IsFinal => _isFinal;

    /// <summary>Buffers a message for the next commit.</summary>
    /// <returns>None, or why nothing was buffered.</returns>
    internal SequencingError Publish(string channel, ReadOnlySpan<byte> payload, Tag? at)
        => channel == SystemEvent.Channel ? SequencingError.NotDeclared : PublishAnywhere(channel, payload, at);

    private SequencingError PublishAnywhere(string channel, ReadOnlySpan<byte> payload, Tag? at)
        => CheckSpeaking() is var error and not SequencingError.None ? error : _speech.Publish(channel, payload, at);

    /// <summary>Promises that nothing later arrives below <paramref name="promise"/>; a lower one is ignored.</summary>
    internal SequencingError Promise(Tag promise)
        => CheckSpeaking() is var error and not SequencingError.None ? error : _speech.Promise(promise);

    /// <summary>Changes the look-ahead from the next commit on; what was promised by the old one still holds.</summary>
    internal SequencingError SetLookahead(Delay lookahead)
        => CheckSpeaking() is var error and not SequencingError.None ? error : _speech.SetLookahead(lookahead);

    /// <inheritdoc cref="Speech.SetRoles"/>
    internal SequencingError SetRoles(bool sends, bool receives)
        => CheckSpeaking() is var error and not SequencingError.None ? error : _speech.SetRoles(sends, receives);

    /// <summary>Switches a declared subscription off or on, from the next commit on.</summary>
    internal SequencingError SetInterest(string channel, bool isOn)
        => CheckSpeaking() is var error and not SequencingError.None ? error : _speech.SetInterest(channel, isOn);

    /// <inheritdoc cref="Speech.StopAt"/>
    internal SequencingError StopAt(Tag stop)
        => CheckSpeaking() is var error and not SequencingError.None ? error : _speech.StopAt(stop);

    /// <inheritdoc cref="Speech.Snapshot"/>
    internal SequencingError Snapshot(string name, ReadOnlySpan<byte> bytes)
        => CheckSpeaking() is var error and not SequencingError.None ? error : _speech.Snapshot(name, bytes);

    /// <summary>Adds the member's own checksum of its state to the next commit.</summary>
    internal SequencingError Checksum(ulong checksum)
    {
        SequencingError error = CheckRunning();

        if (error == SequencingError.None)
        {
            _speech.Checksum(checksum);
        }

        return error;
    }

    /// <summary>What would have been allowed instead, for the text of a refused call.</summary>
    internal string Allowed(SequencingError error) => error switch
    {
        SequencingError.AlreadyRequesting => "it has asked to advance, and says nothing before the grant",
        SequencingError.NotJoined => $"it speaks from the start grant to its resignation, and is {Phase}",
        SequencingError.Stopped => "the last grant was final; allowed is to resign",
        SequencingError.PastTag => $"the target is the last grant, {Now}, or later",
        _ => _speech.Allowed(error),
    };

    /// <summary>Sends everything said since the last commit and asks to advance.</summary>
    internal SequencingError Request(AdvanceMode mode, Tag target, Grid grid = default)
    {
        SequencingError error = CheckRunning();
        error = error == SequencingError.None ? _speech.CheckRequest(target, in grid) : error;

        if (error != SequencingError.None || _isFinal)
        {
            return error != SequencingError.None ? error : SequencingError.Stopped;
        }

        AdvanceRequest request = new(mode, target, grid);
        BeginCommit();
        CommitElements.WriteRequest(_writer, Now, request);
        EndCommit(withDigest: true);
        _speech.State.Request = request;
        LeaveBatch();
        Phase = MemberPhase.Waiting;
        TakeHeldBatch();
        return SequencingError.None;
    }

    /// <summary>Sends what was said so far without asking for anything.</summary>
    internal SequencingError Flush()
    {
        SequencingError error = CheckRunning();

        if (error == SequencingError.None && !_speech.IsEmpty)
        {
            BeginCommit();
            EndCommit(withDigest: false);
        }

        return error;
    }

    /// <summary>Leaves the run. What was said so far still counts.</summary>
    internal SequencingError Resign()
    {
        SequencingError error = CheckRunning();

        if (error == SequencingError.None)
        {
            BeginCommit();
            CommitElements.WriteResign(_writer);
            EndCommit(withDigest: true);
            ForgetPeek();
            Phase = MemberPhase.Resigned;
        }

        return error;
    }

    /// <summary>The grant of the outstanding request, or the start grant, as its taker's own.</summary>
    internal bool TryTakeGrant(out Grant grant)
    {
        Grant? taken = _leftGrant ?? (_hasGrant ? new Grant(in _grant, _batch.ToOwned()) : null);
        grant = taken!;
        OnTaken();
        return taken is not null;
    }

    /// <summary>As <see cref="TryTakeGrant"/>, valid until the member asks again.</summary>
    internal bool TryReadGrant(out GrantView grant)
    {
        bool isThere = _leftGrant is not null || _hasGrant;
        grant = _leftGrant is { } left
            ? left.View
            : new GrantView(in _grant, isThere ? _batch.Messages : default);

        OnTaken();
        return isThere;
    }

    private void OnTaken()
    {
        _hasGrant &= _leftGrant is not null;
        _leftGrant = null;
    }

    /// <summary>Takes one message of the server.</summary>
    internal void HandleMessage(ReadOnlySpan<byte> message)
    {
        FrameReader reader = new(message);

        while (Phase != MemberPhase.Failed && Frame.TryNext(ref reader, out Frame frame))
        {
            HandleFrame(in frame);
        }

        if (reader.IsMalformed)
        {
            Fail(SequencingError.BadFrame, "The server's bytes are not a frame.");
        }
    }

    /// <summary>Ends this member; the first reason stays.</summary>
    internal void Fail(SequencingError error, string detail)
    {
        if (Phase != MemberPhase.Failed)
        {
            Phase = MemberPhase.Failed;
            Tally.Refuse(error);
            Error = error;
            ErrorDetail = detail;
        }
    }

    private void HandleFrame(in Frame frame)
    {
        if (!IsOfThisSession(in frame))
        {
            Tally[ClientCount.FramesIgnored]++;
            return;
        }

        if (TryHold(in frame))
        {
            return;
        }

        bool isUnderstood = frame.Type switch
        {
            FrameType.Welcome => TryWelcome(in frame),
            FrameType.Reject or FrameType.Error => TryRefusal(frame.Body),
            FrameType.PeerEvent => TryPeerEvent(frame.Body),
            FrameType.Trimmed => TryTrimmed(frame.Body),
            FrameType.Snapshot => TrySnapshot(frame.Body),
            FrameType.Deliver => TryDeliver(frame.Body),
            FrameType.Health => _health.TryRead(frame.Body),
            FrameType.Grant => TryGrant(frame.Body),
            FrameType.Peeked => TryPeeked(frame.Body),
            FrameType.RoleTaken => TryRoleTaken(frame.Body),
            FrameType.End => TryEnd(frame.Body),
            FrameType.Heartbeat => HeartbeatFrame.TryRead(frame.Body, out _),
            _ => Tally.Ignore(),
        };

        if (!isUnderstood)
        {
            Fail(SequencingError.BadFrame, $"The server's frame {frame.Type} is malformed or out of place.");
        }
    }

    private bool TryDeliver(ReadOnlySpan<byte> body)
    {
        bool isFirst = Phase == MemberPhase.Joining;

        if ((Phase != MemberPhase.Waiting && !isFirst) || _digest is null)
        {
            return false;
        }

        ReadOnlyMemory<byte> held = _batch.Hold(body);
        FrameReader reader = new(held.Span);

        while (!reader.IsAtEnd)
        {
            DeliveryRecord record = DeliveryRecord.Read(ref reader, isFirst ? null : Now);

            if (reader.IsMalformed || !IsInPlace(in record, _batch.Last))
            {
                return false;
            }

            DeliveryKey key = record.Key;
            _digest.AddDelivery(in key, ChannelKeyOf(record.Interest), record.Payload);
            _batch.Add(
                MessageOf(in record, held[^(reader.Remaining + record.Payload.Length)..]), record.Interest);

            if (_batch.Bytes > _options.MaxBatchBytes)
            {
                FailAsTooLarge("The next batch");
                return true;
            }
        }

        return true;
    }

    private void FailAsTooLarge(string what) => Fail(
        SequencingError.TooLarge,
        $"{what} has more than the {_options.MaxBatchBytes} bytes of this member's MaxBatchBytes.");

    private bool TryRoleTaken(ReadOnlySpan<byte> body)
    {
        // Clause: just before the grant of the request that took the role up, or that of who came as early as possible.
        if (Phase is not (MemberPhase.Joining or MemberPhase.Waiting) || !RoleTakenFrame.TryRead(body, out RoleTakenFrame taken))
        {
            return false;
        }

        _speech.TakeRoles(in taken);
        return true;
    }

    private SequencedMessage MessageOf(in DeliveryRecord record, ReadOnlyMemory<byte> fromPayload)
    {
        DeliveryKey key = record.Key;
        return new SequencedMessage(
            _interests[record.Interest].Name, key.Arrival, key.Sent, _roster[key.Publisher], key.Publisher,
            key.SubSequence, fromPayload[..record.Payload.Length])
        {
            Copy = key.Copy,
        };
    }

    private bool IsInPlace(in DeliveryRecord record, Tag before)
        => (Phase == MemberPhase.Joining ? record.Key.Arrival <= Now : record.Key.Arrival > Now)
        && record.Key.Publisher < _roster.Count
        && record.Interest < _interests.Length
        && (_interests[record.Interest].Bits & InterestBits.Subscribe) != 0
        && before <= record.Key.Arrival;

    private ulong[] ChannelKeys
        => _channelKeys ??= Array.ConvertAll(_interests, entry => Time.Digest.ChannelKey(entry.Name));

    private ulong ChannelKeyOf(int interest) => ChannelKeys[interest];

    private bool TryGrant(ReadOnlySpan<byte> body)
    {
        bool isStart = Phase == MemberPhase.Joining;

        bool isExpected = _digest is not null && (isStart || Phase == MemberPhase.Waiting);

        if (!GrantFrame.TryRead(body, out GrantFrame frame) || !isExpected || _digest is null)
        {
            return false;
        }

        bool isFinal = (frame.Flags & GrantFlags.Final) != 0;
        bool isInPlace = IsWhereAsked(frame.Tag, isFinal) && frame.Count == _batch.Count
            && _batch.Last <= frame.Tag
            && _speech.IsWhatWasAskedFor(_batch.Interests);

        if (!isInPlace)
        {
            return false;
        }

        // Clause: the first grant makes a record only if it is not at the start of the run.
        if (!isStart || frame.Tag > Tag.Zero)
        {
            _digest.AddGrant(frame.Tag, frame.Count, isFinal);
        }

        if (_digest.Value != frame.Digest)
        {
            Fail(
                SequencingError.DigestMismatch,
                $"At {frame.Tag} the server's digest is {frame.Digest:x16}, this member's is {_digest.Value:x16}.");
            return true;
        }

        // A member that came back did something else than before it died.
        if (frame.AppliedStep != _step)
        {
            Fail(SequencingError.Diverged, $"The grant answers step {frame.AppliedStep}, this member is at {_step}.");
            return true;
        }

        _speech.State.Now = frame.Tag;
        _speech.State.Request = default;
        _isFinal = isFinal;
        _grants++;
        _stepAtGrant = _step;
        _atGrant = _digest.Point;
        Phase = MemberPhase.Running;
        _hasGrant = true;
        _grant = new GrantHead
        {
            Tag = frame.Tag,
            IsFinal = isFinal,
            Digest = frame.Digest,
            CommitDigest = CommitDigest,
            IsLate = (frame.Flags & GrantFlags.Late) != 0,
            WaitedFor = _health.WaitedFor,
            WaitedBecause = _health.Kind,
            Waited = _health.Waited,
            HistoryFrom = _historyFrom,
            Index = _digest.Grants,
            Snapshot = _snapshot,
        };

        ForgetNotes();
        _commits.Forget(frame.DurableStep);
        return true;
    }

    // Clause. A stop, which the server knows, may come first.
    private bool IsWhereAsked(Tag tag, bool isFinal)
    {
        AdvanceRequest request = _speech.State.Request;

        if (Phase == MemberPhase.Joining)
        {
            // Clause: who starts was told all names, its own as well.
            return (Ordinal < _roster.Count || _options.Observes)
                && (tag == Now || (isFinal && tag >= Tag.Zero && tag < Now));
        }

        Tag target = request.Grid.Next(request.Target, Now);
        bool isEarly = tag < target;
        return tag >= Now && tag <= target && (!isEarly || isFinal || request.Mode == AdvanceMode.Next);
    }

    // Whoever asks without having looked at the last grant gets it first all the same; of two such the later one.
    private void LeaveBatch()
    {
        if (_hasGrant)
        {
            _leftGrant = new Grant(in _grant, _batch.ToOwned());
            _hasGrant = false;
        }

        _batch.Clear();
    }

    private bool TryEnd(ReadOnlySpan<byte> body)
    {
        // Who waits is in the run, so that it has not ended; observers are in no run.
        bool isInPlace = Phase is not (MemberPhase.Joining or MemberPhase.Waiting) || _options.Observes;

        if (!EndFrame.TryRead(body, out EndFrame end) || !isInPlace)
        {
            return false;
        }

        RunDigest = end.RunDigest;
        _commits.Forget(_step);
        return true;
    }

    private SequencingError CheckRunning() => Phase switch
    {
        MemberPhase.Running => SequencingError.None,
        MemberPhase.Joining => SequencingError.NotJoined,
        MemberPhase.Waiting => SequencingError.AlreadyRequesting,
        MemberPhase.Resigned => SequencingError.NotJoined,
        _ => Error,
    };

    private SequencingError CheckSpeaking()
        => CheckRunning() is var error and not SequencingError.None ? error
        : _isFinal ? SequencingError.Stopped
        : SequencingError.None;

    private void BeginCommit()
    {
        _writer.BeginFrame(FrameType.Commit, _epoch, _session);
        _writer.WriteNumber(++_step);
        _elementsAt = _writer.Length;
        _speech.WriteElements(_writer);
    }

    private void EndCommit(bool withDigest)
    {
        if (withDigest)
        {
            CommitElements.WriteDigest(_writer, Digest);
        }

        _speech.WriteChecksum(_writer);
        _said.AddCommit(_writer.Written[_elementsAt..], Now, ChannelKeys);
        _writer.EndFrame();
        Keep(_step);
    }

    private void Keep(ulong step)
    {
        _commits.Add(step, _writer.Written);
        _writer.Clear();
    }
}
