using System;
using System.Collections.Generic;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <content>
/// The session with the server: hello, welcome, and the way back into it over another connection or from another
/// process. Commits that the server does not have are said again; a batch that was cut short comes again whole.
/// </content>
internal sealed partial class MemberEngine
{
    private readonly List<string> _roster = [];
    private readonly List<byte[]> _heldFrames = [];
    private readonly FrameWriter _hello = new();
    private readonly MemberOptions _options;
    private UInt128 _token;
    private ulong _epoch;
    private ulong _session;
    private ulong _grants;
    private ulong _appliedBefore;
    private DigestPoint _atGrant;
    private readonly FrameWriter _notice = new();
    private bool _isSuspended;
    private bool _isHelloSent;
    private bool _awaitsWelcome;
    private bool _holdsBatch;
    private Tag _heldTag;
    private long _heldBytes;

    /// <summary>A process goes on for one that died at the ticket's sequence point.</summary>
    internal MemberEngine(ResumeTicket ticket)
        : this(ticket, MemberOptions.From(ticket.Hello))
    {
    }

    /// <summary>The same with options that a ticket does not hold.</summary>
    internal MemberEngine(ResumeTicket ticket, MemberOptions options)
        : this(options)
    {
        _roster.AddRange(ticket.Roster);
        _digest = new Digest(ticket.RunConfigHash, Name);
        _digest.Return(ticket.DigestPoint);
        _atGrant = ticket.DigestPoint;
        _said.Return(ticket.CommitPoint);
        _token = ticket.Session.Token;
        _epoch = ticket.Session.Epoch;
        _session = ticket.Session.Session;
        _grants = ticket.Session.Grants;
        _step = _stepAtGrant = ticket.Step;
        _speech.State = ticket.State;
        Ordinal = ticket.Ordinal;
        ConfigHash = ticket.RunConfigHash;
        Phase = MemberPhase.Running;
        SayHello();
    }

    internal bool IsWelcome => _digest is not null;

    /// <summary>Said hello and was not answered yet: nothing else leaves before.</summary>
    internal bool AwaitsWelcome => _awaitsWelcome;

    /// <summary>Nothing was said since the last grant: all there is to the member is what a ticket holds.</summary>
    internal bool IsAtSequencePoint
        => Phase == MemberPhase.Running && !_awaitsWelcome && !_options.Observes && _step == _stepAtGrant && _speech.IsEmpty
        && !_isFinal;

    /// <summary>The next message to the server. Valid until the next call into the engine.</summary>
    internal bool TryPeekOutgoing(out ReadOnlySpan<byte> message)
    {
        message = _isHelloSent ? _notice.Written : _hello.Written;

        if (!_isHelloSent || _awaitsWelcome)
        {
            return !_isHelloSent;
        }

        if (_notice.Length > 0 || _commits.TryPeek(out message))
        {
            return true;
        }

        message = _question.Written;
        return !_isQuestionSent;
    }

    /// <summary>
    /// A debugger was attached or detached: until it is gone, losing this member means waiting for it, whatever its
    /// policy (lock-time 8.4, clause ).
    /// </summary>
    internal void Suspend(bool isSuspended)
    {
        if (isSuspended != _isSuspended && IsWelcome && Phase != MemberPhase.Failed)
        {
            _isSuspended = isSuspended;
            _notice.Clear();
            SuspendFrame.Write(_notice, isSuspended, _epoch, _session);
        }
    }

    /// <summary>The peeked message was accepted by the link.</summary>
    internal void OnSent()
    {
        if (_isHelloSent && _notice.Length > 0)
        {
            _notice.Clear();
        }
        else if (_isHelloSent && _commits.TryPeek(out _))
        {
            _commits.OnSent();
        }
        else
        {
            _isQuestionSent |= _isHelloSent;
        }

        _isHelloSent = true;
    }

    /// <summary>The connection is gone. What leaves next takes the session up on another one.</summary>
    /// <returns>False: there is nothing to go on with, the member has failed or the run has ended.</returns>
    internal bool TryResume()
    {
        // An observer reads on after the end of the run.
        bool isOver = RunDigest is not null && (!_options.Observes || _isFinal || Phase == MemberPhase.Resigned);

        if (Phase == MemberPhase.Failed || isOver)
        {
            return false;
        }

        // Half a batch is none: it comes again, and the digest goes back to where it began. A whole one is the grant's.
        if (Phase != MemberPhase.Running)
        {
            _batch.Clear();
        }

        ForgetNotes();
        _heldFrames.Clear();
        _heldBytes = 0;
        _holdsBatch = false;
        _digest?.Return(in _atGrant);
        _notice.Clear();
        AskAgain();

        if (_isSuspended)
        {
            SuspendFrame.Write(_notice, isSuspended: true, _epoch, _session);
        }

        SayHello();
        return true;
    }

    /// <summary>Says, for the next commit, that another member joins at its <see cref="MemberDeclaration.Join"/>.</summary>
    internal SequencingError Admit(MemberDeclaration declaration)
    {
        // A sponsor reaches all receivers, a stop reaches everybody: it cannot give what it has not.
        if (!_declaration.MaySponsor || declaration.MayStop)
        {
            return SequencingError.NotDeclared;
        }

        FrameWriter order = new();
        AdmissionOrder.Write(order, declaration, _options.RunId);
        return AdmissionOrder.TryRead(order.Written, out _)
            ? PublishAnywhere(SystemEvent.Channel, order.Written, declaration.Join)
            : SequencingError.LookaheadViolation;
    }

    /// <summary>See <see cref="IsAtSequencePoint"/>.</summary>
    internal ResumeTicket CreateTicket() => new()
    {
        Hello = Hello(_interests, default),
        State = _speech.State with { Request = default, Head = default },
        Session = Session,
        DigestPoint = _atGrant,
        CommitPoint = _said.Point,
        Step = _step,
        RunConfigHash = ConfigHash,
        Ordinal = Ordinal,
        Roster = [.. _roster],
    };

    private ResumePoint Session => new(_token, _epoch, _session, _grants, _roster.Count);

    private void SayHello()
    {
        _hello.Clear();
        _isHelloSent = false;
        _awaitsWelcome = true;
        (IsWelcome ? Hello([], Session) : Hello(_interests, default)).Write(_hello);
    }

    private HelloFrame Hello(DeclaredInterest[] interests, in ResumePoint resume) => new()
    {
        RunId = _options.RunId,
        Name = Name,
        ConfigHash = _expectedConfigHash,
        Flags = RoleBits.Of(_declaration) | (_options.Observes ? RoleBits.Observes : 0),
        Lookahead = _declaration.Lookahead,
        Interests = interests,
        Join = _options.JoinEarliest ? JoinKind.Earliest : _declaration.Join > Tag.Zero ? JoinKind.At : JoinKind.Start,
        JoinTag = _declaration.Join,
        From = _options.History,
        Resume = resume,
    };

    // A welcome sets the session; before it there is only a reject. Anything of another session is not looked at.
    private bool IsOfThisSession(in Frame frame)
        => _awaitsWelcome
            ? frame.Type is FrameType.Welcome or FrameType.Reject
            : frame.Epoch == _epoch && frame.Session == _session && frame.Type != FrameType.Reject;

    private bool TryWelcome(in Frame frame)
    {
        if (!_awaitsWelcome || !WelcomeFrame.TryRead(frame.Body, out WelcomeFrame welcome) || welcome.Start < Tag.Zero
            || (!IsWelcome && welcome.Start > Tag.Infinity))
        {
            return false;
        }

        if (_expectedConfigHash != 0 && welcome.ConfigHash != _expectedConfigHash)
        {
            Fail(
                SequencingError.ConfigMismatch,
                $"The server's configuration is {welcome.ConfigHash:x16}, this member's is {_expectedConfigHash:x16}.");
            return true;
        }

        // Clause: ahead of the member is only the server of one that died, and that is at a sequence point.
        if (welcome.AppliedStep > _step && (Phase != MemberPhase.Running || !IsWelcome))
        {
            return false;
        }

        _awaitsWelcome = false;
        return IsWelcome ? TryGoOn(in frame, in welcome) : TryBegin(in frame, in welcome);
    }

    private bool TryBegin(in Frame frame, in WelcomeFrame welcome)
    {
        _epoch = frame.Epoch;
        _session = frame.Session;
        _token = welcome.Token;
        Ordinal = welcome.Ordinal;
        ConfigHash = welcome.ConfigHash;
        SettingsHash = welcome.SettingsHash;
        _speech.State.Now = welcome.Start;
        _digest = new Digest(welcome.ConfigHash, Name);
        _atGrant = _digest.Point;
        return true;
    }

    private bool TryGoOn(in Frame frame, in WelcomeFrame welcome)
    {
        // An observer's is no place in the numbering: it grows with that.
        bool isSame = frame.Epoch == _epoch && frame.Session == _session && welcome.ConfigHash == ConfigHash
            && (_options.Observes || welcome.Ordinal == Ordinal);

        // Commits the server has and this process has not made: it will make them again.
        _appliedBefore = welcome.AppliedStep;
        _commits.Rewind(welcome.AppliedStep);
        return isSame;
    }

    private bool TryRefusal(ReadOnlySpan<byte> body)
    {
        if (!RefusalFrame.TryRead(body, out RefusalFrame refusal) || refusal.Error == SequencingError.None)
        {
            return false;
        }

        Fail(refusal.Error, refusal.Detail);
        return true;
    }

    private bool TryPeerEvent(ReadOnlySpan<byte> body)
    {
        if (!PeerEventFrame.TryRead(body, out PeerEventFrame peerEvent))
        {
            return false;
        }

        // Clause: names come in the order of their ordinals.
        if (peerEvent.Kind == PeerEventKind.Joined)
        {
            _roster.Add(peerEvent.Name);
        }

        return _roster.Count <= SequencingRules.MaxMembers;
    }

    // A process that died after it asked comes back before it asks: the answer waits for the question.
    private bool TryHold(in Frame frame)
    {
        bool isEarly = Phase == MemberPhase.Running && _appliedBefore > _step && !_holdsBatch
            && frame.Type is FrameType.Deliver or FrameType.Grant or FrameType.Health or FrameType.RoleTaken;

        if (!isEarly)
        {
            return false;
        }

        _heldBytes += ArrivalQueue.BytesOf(frame.Body.Length);

        if (_heldBytes > _options.MaxBatchBytes)
        {
            FailAsTooLarge("What came for a request that was not made again");
            return true;
        }

        FrameWriter copy = new();
        copy.BeginFrame(frame.Type, frame.Epoch, frame.Session);
        copy.WriteBytes(frame.Body);
        copy.EndFrame();
        _heldFrames.Add(copy.Written.ToArray());
        _holdsBatch = frame.Type == FrameType.Grant;
        _heldTag = _holdsBatch && GrantFrame.TryRead(frame.Body, out GrantFrame grant) ? grant.Tag : Now;
        return true;
    }

    private void TakeHeldBatch()
    {
        // The first time the request was the last thing said; whoever asks sooner does something else now.
        if (_appliedBefore > _step)
        {
            Fail(SequencingError.Diverged, $"Step {_step} asks to advance; before the resumption {_appliedBefore} did.");
            return;
        }

        foreach (byte[] frame in _heldFrames)
        {
            HandleMessage(frame);
        }

        _heldFrames.Clear();
        _heldBytes = 0;
        _holdsBatch = false;
    }
}
