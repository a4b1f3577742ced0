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
//   - commits are kept until the server says that it has them for good.

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Config;
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
    // Room for a step's head and its request beside the largest payload, within one message of the transport.
    private const int MaxCommitBytes = SequencingConfig.LargestPayloadBytes + (64 * 1024);
    private const int ElementHeadBytes = 64;

    // The run's own limit is known to the server only; here just the end of a time is out of the question.
    private const uint MaxRounds = uint.MaxValue - 1;

    private readonly MemberDeclaration _declaration;
    private readonly ulong _expectedConfigHash;
    private readonly (string Name, InterestBits Bits)[] _interests;
    private readonly Dictionary<string, int> _interestOf = [];
    private readonly FrameWriter _publications = new();
    private readonly FrameWriter _writer = new();

    private readonly CommitStore _commits = new();
    private readonly List<SequencedMessage> _batch = [];

    private MemberState _state;
    private Delay? _newLookahead;
    private bool _hasPromise;
    private ulong _step;
    private ulong _stepAtGrant;
    private ulong[]? _channelKeys;
    private Digest? _digest;
    private Grant? _grant;
    private readonly MemberHealth _health = new();

    /// <summary>Says hello at once; the message waits in the outbox.</summary>
    internal MemberEngine(MemberOptions options)
    {
        _declaration = options.ToDeclaration();
        _expectedConfigHash = options.ConfigHash;
        _interests = RunLayout.InterestsOf(_declaration);

        for (int id = 0; id < _interests.Length; id++)
        {
            _interestOf.Add(_interests[id].Name, id);
        }

        _state = new MemberState
        {
            Sends = _declaration.Sends,
            Receives = _declaration.Receives,
            Lookahead = _declaration.Lookahead,
        };

        _options = options;
        SayHello();
    }

    internal MemberPhase Phase { get; private set; }

    internal string Name => _declaration.Name;

    /// <summary>Place in the sorted roster; known once welcomed.</summary>
    internal int Ordinal { get; private set; }

    /// <summary>The last grant.</summary>
    internal Tag Now => _state.Now;

    /// <summary>The smallest tag a publication may have now.</summary>
    internal Tag EarliestPublication => EndToNext(_state.EarliestPublication);

    internal ulong Digest => _digest?.Value ?? 0;

    internal ulong ConfigHash { get; private set; }

    /// <summary>Of the whole run; null until everybody has resigned.</summary>
    internal ulong? RunDigest { get; private set; }

    internal SequencingError Error { get; private set; }

    internal string ErrorDetail { get; private set; } = "";

    /// <summary>Promises below what was promised already; they change nothing.</summary>
    internal long IgnoredPromises { get; private set; }

    /// <summary>Commits whose fate is not known yet.</summary>
    internal int KeptCommits => _commits.Count;

    /// <summary>What the server says about waits.</summary>
    internal MemberHealth Health => _health;

    /// <summary>Asks who blocks this member; to be sent as it is, after the commits.</summary>
    internal byte[] AskWhoBlocks(out ulong request)
    {
        request = _health.NextRequest();
        FrameWriter question = new();
        new WhoBlocksFrame(request, Name).Write(question, _epoch, _session);
        return question.Written.ToArray();
    }

    /// <summary>Buffers a message for the next commit.</summary>
    /// <returns>None, or why nothing was buffered.</returns>
    internal SequencingError Publish(string channel, ReadOnlySpan<byte> payload, Tag? at)
    {
        if (CheckRunning() is var refusal and not SequencingError.None)
        {
            return refusal;
        }

        if (!_state.Sends)
        {
            return SequencingError.NotASender;
        }

        if (!_interestOf.TryGetValue(channel, out int interest))
        {
            return SequencingError.UnknownChannel;
        }

        if (!_interests[interest].Bits.HasFlag(InterestBits.Publish))
        {
            return SequencingError.NotDeclared;
        }

        Tag tag = at ?? EarliestPublication;
        SequencingError error = CommitCheck.CheckTag(tag, _state.EarliestPublication, MaxRounds);

        if (error == SequencingError.None && _publications.Length + payload.Length > MaxCommitBytes - ElementHeadBytes)
        {
            error = SequencingError.TooLarge;
        }

        if (error == SequencingError.None)
        {
            CommitElements.WritePublication(_publications, interest, _state.Now, tag, payload);
        }

        return error;
    }

    /// <summary>Promises that nothing later arrives below <paramref name="promise"/>; a lower one is ignored.</summary>
    internal SequencingError Promise(Tag promise)
    {
        SequencingError error = CheckRunning();

        if (error != SequencingError.None || !_state.Sends)
        {
            return error != SequencingError.None ? error : SequencingError.NotASender;
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

        _state.Promise = promise;
        _hasPromise = true;
        return SequencingError.None;
    }

    /// <summary>Changes the look-ahead from the next commit on; what was promised by the old one still holds.</summary>
    internal SequencingError SetLookahead(Delay lookahead)
    {
        SequencingError error = CheckRunning();

        if (error != SequencingError.None || !_state.Sends)
        {
            return error != SequencingError.None ? error : SequencingError.NotASender;
        }

        if (lookahead < Delay.OneRound)
        {
            return SequencingError.LookaheadViolation;
        }

        if (!IsWritable(lookahead.Time))
        {
            return SequencingError.Overflow;
        }

        _state.Promise = _state.EarliestPublication;
        _state.Lookahead = lookahead;
        _newLookahead = lookahead;
        return SequencingError.None;
    }

    /// <summary>Sends everything said since the last commit and asks to advance.</summary>
    internal SequencingError Request(AdvanceMode mode, Tag target, Grid grid = default)
    {
        SequencingError error = CheckRunning();

        if (error != SequencingError.None)
        {
            return error;
        }

        if (target < _state.Now)
        {
            return SequencingError.PastTag;
        }

        if (_state.Now.IsInfinite)
        {
            return SequencingError.Stopped;
        }

        if (!IsWithinReach(target) || !IsWritable(grid.Period) || !IsWritable(grid.MinStep))
        {
            return SequencingError.Overflow;
        }

        _state.Request = new AdvanceRequest(mode, target, grid);
        BeginCommit();
        CommitElements.WriteRequest(_writer, _state.Now, _state.Request);
        CommitElements.WriteDigest(_writer, Digest);
        EndCommit();
        Phase = MemberPhase.Waiting;
        TakeHeldBatch();
        return SequencingError.None;
    }

    /// <summary>Sends what was said so far without asking for anything.</summary>
    internal SequencingError Flush()
    {
        SequencingError error = CheckRunning();

        if (error == SequencingError.None && !IsNothingSaid)
        {
            BeginCommit();
            EndCommit();
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
            CommitElements.WriteDigest(_writer, Digest);
            EndCommit();
            Phase = MemberPhase.Resigned;
        }

        return error;
    }

    /// <summary>The grant of the outstanding request, or the start grant.</summary>
    internal bool TryTakeGrant(out Grant grant)
    {
        grant = _grant!;
        _grant = null;
        return grant is not null;
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
            Error = error;
            ErrorDetail = detail;
        }
    }

    // As much as the next commit would say.
    private bool IsNothingSaid => _publications.Length == 0 && !_hasPromise && _newLookahead is null;

    // At the end of a time nothing can be published, so the first place after it is the start of the next.
    private static Tag EndToNext(Tag tag) => tag.Round == uint.MaxValue ? tag + Delay.OneRound : tag;

    private void HandleFrame(in Frame frame)
    {
        if (!IsOfThisSession(in frame) || TryHold(in frame))
        {
            return;
        }

        bool isUnderstood = frame.Type switch
        {
            FrameType.Welcome => TryWelcome(in frame),
            FrameType.Reject or FrameType.Error => TryRefusal(frame.Body),
            FrameType.PeerEvent => TryPeerEvent(frame.Body),
            FrameType.Deliver => TryDeliver(frame.Body),
            FrameType.Health => _health.TryRead(frame.Body),
            FrameType.Grant => TryGrant(frame.Body),
            FrameType.End => TryEnd(frame.Body),
            FrameType.Heartbeat => HeartbeatFrame.TryRead(frame.Body, out _),
            _ => true,
        };

        if (!isUnderstood)
        {
            Fail(SequencingError.BadFrame, $"The server's frame {frame.Type} is malformed or out of place.");
        }
    }

    private bool TryDeliver(ReadOnlySpan<byte> body)
    {
        if (Phase != MemberPhase.Waiting || _digest is null)
        {
            return false;
        }

        // One piece of memory per frame, owned by the grant: the caller may keep a payload without copying it.
        byte[] owned = body.ToArray();
        FrameReader reader = new(owned);

        while (!reader.IsAtEnd)
        {
            DeliveryRecord record = DeliveryRecord.Read(ref reader, _state.Now);

            if (reader.IsMalformed || !IsInPlace(in record))
            {
                return false;
            }

            int payloadAt = owned.Length - reader.Remaining - record.Payload.Length;
            string channel = _interests[record.Interest].Name;
            DeliveryKey key = record.Key;
            _digest.AddDelivery(in key, ChannelKeyOf(record.Interest), record.Payload);
            _batch.Add(new SequencedMessage(
                channel, key.Arrival, key.Sent, _roster[key.Publisher], key.Publisher, key.SubSequence,
                owned.AsMemory(payloadAt, record.Payload.Length)));
        }

        return true;
    }

    private bool IsInPlace(in DeliveryRecord record)
        => record.Key.Arrival > _state.Now
        && record.Key.Publisher < _roster.Count
        && record.Interest < _interests.Length
        && (_batch.Count == 0 || _batch[^1].Arrival <= record.Key.Arrival);

    private ulong ChannelKeyOf(int interest)
    {
        _channelKeys ??= Array.ConvertAll(_interests, entry => Time.Digest.ChannelKey(entry.Name));
        return _channelKeys[interest];
    }

    private bool TryGrant(ReadOnlySpan<byte> body)
    {
        bool isStart = Phase == MemberPhase.Joining;

        bool isExpected = _digest is not null && (isStart || Phase == MemberPhase.Waiting);

        if (!GrantFrame.TryRead(body, out GrantFrame frame) || !isExpected || _digest is null)
        {
            return false;
        }

        bool isInPlace = frame.Tag >= _state.Now && frame.Tag <= Tag.Infinity && frame.Count == _batch.Count
            && (_batch.Count == 0 || _batch[^1].Arrival <= frame.Tag);

        if (!isInPlace)
        {
            return false;
        }

        bool isFinal = (frame.Flags & GrantFlags.Final) != 0;

        if (!isStart)
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

        _state.Now = frame.Tag;
        _state.Request = default;
        _grants++;
        _stepAtGrant = _step;
        _atGrant = _digest.Point;
        Phase = MemberPhase.Running;
        _grant = new Grant(frame.Tag, _batch.ToArray())
        {
            IsFinal = isFinal,
            Digest = frame.Digest,
            IsLate = (frame.Flags & GrantFlags.Late) != 0,
            WaitedFor = _health.WaitedFor,
            WaitedBecause = _health.Kind,
            Waited = _health.Waited,
        };

        _batch.Clear();
        _health.Forget();
        _commits.Forget(frame.DurableStep);
        return true;
    }

    private bool TryEnd(ReadOnlySpan<byte> body)
    {
        if (!EndFrame.TryRead(body, out EndFrame end))
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

    // Clause: a distance must fit the wire's 62 bits; the two ends of time have names of their own.
    private bool IsWithinReach(Tag tag)
        => tag == Tag.Infinity
        || (!tag.IsInfinite && (tag.Time <= _state.Now.Time
            || IsWritable(tag.Time - _state.Now.Time)));

    private static bool IsWritable(long ticks) => (ulong)ticks <= VarInt.MaxValue;

    private void BeginCommit()
    {
        _writer.BeginFrame(FrameType.Commit, _epoch, _session);
        _writer.WriteNumber(++_step);
        _writer.WriteBytes(_publications.Written);
        _publications.Clear();

        // The server applies a promise before a look-ahead, and keeps by the second what the first one said.
        if (_hasPromise)
        {
            CommitElements.WritePromise(_writer, _state.Now, _state.Promise);
        }

        if (_newLookahead is Delay lookahead)
        {
            CommitElements.WriteLookahead(_writer, lookahead);
        }

        _hasPromise = false;
        _newLookahead = null;
    }

    private void EndCommit()
    {
        _writer.EndFrame();
        Keep(_step);
    }

    private void Keep(ulong step)
    {
        _commits.Add(step, _writer.Written);
        _writer.Clear();
    }
}
