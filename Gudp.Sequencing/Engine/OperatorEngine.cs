// What an operator asks and what comes back, without clock, threads or sockets.
//
// Always true:
//   - one question is open at a time; what belongs to an older one is not looked at;
//   - an answer is of the kind that was asked for: there is a status, or there are waits, never both;
//   - a status is handed out only whole: its parts are asked for one after the other.

using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class OperatorEngine(string name) : IAsker
{
    private readonly FrameWriter _writer = new();
    private List<MemberStatus> _members = [];
    private readonly List<WaitReport> _waits = [];
    private ulong _request;
    private bool _isSent = true;
    private bool _wantsStatus;

    internal string Name { get; } = name;

    /// <summary>What is counted at this end.</summary>
    internal ClientTally Tally { get; } = new();

    /// <summary>The answer is whole, or the question was refused.</summary>
    internal bool IsAnswered { get; private set; }

    internal SequencingError Error { get; private set; }

    internal string ErrorDetail { get; private set; } = "";

    internal RunStatus? Status { get; private set; }

    internal IReadOnlyList<WaitReport> Waits => _waits.ToArray();

    internal void AskStatus()
    {
        Begin(wantsStatus: true);
        new StatusQueryFrame(_request, 0).Write(_writer);
    }

    /// <param name="member">Empty: all that wait.</param>
    internal void AskWhoBlocks(string member)
    {
        Begin(wantsStatus: false);
        new WhoBlocksFrame(_request, member).Write(_writer, 0, 0);
    }

    internal void Hold(BarrierAction action, Tag tag, long steps)
    {
        Begin(wantsStatus: true);
        new BarrierFrame(_request, Name, action) { Tag = tag, Steps = steps }.Write(_writer);
    }

    internal void Stop(Tag? at)
    {
        Begin(wantsStatus: true);
        new StopFrame(_request, Name, at).Write(_writer);
    }

    internal void Start()
    {
        Begin(wantsStatus: true);
        new StartFrame(_request, Name).Write(_writer);
    }

    public bool TryPeekOutgoing(out ReadOnlySpan<byte> message)
    {
        message = _writer.Written;
        return !_isSent;
    }

    public void OnSent() => _isSent = true;

    public void HandleMessage(ReadOnlySpan<byte> message)
    {
        FrameReader reader = new(message);

        while (!IsAnswered && Frame.TryNext(ref reader, out Frame frame))
        {
            bool isUnderstood = frame.Type switch
            {
                FrameType.Status => TryStatus(frame.Body),
                FrameType.Health => TryHealth(frame.Body),
                FrameType.Error => TryRefusal(frame.Body),
                _ => Tally.Ignore(),
            };

            if (!isUnderstood)
            {
                Fail(SequencingError.BadFrame, $"The server's frame {frame.Type} is malformed.");
            }
        }

        if (reader.IsMalformed)
        {
            Fail(SequencingError.BadFrame, "The server's bytes are not a frame.");
        }
    }

    public void HandleLost(CloseReason? reason)
        => Fail(SequencingError.ConnectionLost, $"The connection to the server ended. {reason}");

    private void Fail(SequencingError error, string detail)
    {
        Tally.Refuse(error);
        Error = error;
        ErrorDetail = detail;
        IsAnswered = true;
    }

    private void Begin(bool wantsStatus)
    {
        _wantsStatus = wantsStatus;
        _request++;
        // The list of the last answer is the asker's now.
        _members = [];
        _waits.Clear();
        Status = null;
        Error = SequencingError.None;
        IsAnswered = false;
        _writer.Clear();
        _isSent = false;
    }

    private bool TryStatus(ReadOnlySpan<byte> body)
    {
        FrameReader head = new(body);

        if (head.ReadNumber() != _request || !_wantsStatus)
        {
            return !head.IsMalformed && Tally.Ignore();
        }

        int before = _members.Count;
        RunStatus? status = StatusFrame.Read(body, _members, out _, out int total);

        if (status is null)
        {
            return false;
        }

        // A part without a member would be asked for for ever.
        if (_members.Count >= total || _members.Count == before)
        {
            Status = status;
            IsAnswered = true;
            return true;
        }

        _writer.Clear();
        new StatusQueryFrame(_request, _members.Count).Write(_writer);
        _isSent = false;
        return true;
    }

    private bool TryHealth(ReadOnlySpan<byte> body)
    {
        List<WaitReport> read = [];

        if (!HealthFrame.TryRead(body, out HealthPurpose purpose, out ulong number, read))
        {
            return false;
        }

        bool isAnswer = number == _request && !_wantsStatus
            && purpose is HealthPurpose.Answer or HealthPurpose.PartOfAnswer;

        if (isAnswer)
        {
            _waits.AddRange(read);
            IsAnswered = purpose == HealthPurpose.Answer;

            // A member has one wait.
            return _waits.Count <= SequencingRules.MaxMembers;
        }

        return Tally.Ignore();
    }

    private bool TryRefusal(ReadOnlySpan<byte> body)
    {
        if (!RefusalFrame.TryRead(body, out RefusalFrame refusal) || refusal.Error == SequencingError.None)
        {
            return false;
        }

        // A frame that could not be read has no number to come back.
        if (refusal.Step == _request || refusal.Error == SequencingError.BadFrame)
        {
            Fail(refusal.Error, refusal.Detail);
            return true;
        }

        return Tally.Ignore();
    }
}
