// The reading side of the sealed log, without clock, threads or sockets (lock-time 21, clause ): asks for what
// comes next, puts what came early aside, asks once for each hole, and gives everything out in order, each number once.
//
// Always true:
//   - numbers given out ascend; between two of them there is no message, or the reader was told of the gap;
//   - a hole is asked for once;
//   - what waits to be read, and what came early, is within limits: who does not read asks for no more.

using System;
using System.Collections.Generic;
using System.Linq;
using Gudp.Core;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class LogFollower : IAsker
{
    /// <summary>Numbers asked for at once.</summary>
    internal const long FetchCount = 16_384;

    private const long MaxUnreadBytes = 4L << 20;

    // A message and its place take about as much, whatever its payload.
    private const int EntryBytes = 128;
    private const int MaxEarlyPieces = 1_024;

    private readonly Tag? _fromTag;
    private readonly FrameWriter _writer = new();
    private readonly Queue<LogRead> _ready = new();
    private readonly SortedList<long, (long Next, List<LoggedMessage> Messages)> _early = [];
    private readonly List<string> _members = [];
    private readonly List<string> _channels = [];
    private long _unreadBytes;
    private long _earlyBytes;
    private long _readFrom;
    private long? _gap;
    private bool _isPastTag;
    private long _repairedTo;
    private bool _isAsked;
    private bool _isAnswered;
    private bool _isPositionAsked;
    private bool _isSent = true;

    /// <param name="from">Live, a tag or a number; number 0 is the oldest kept.</param>
    internal LogFollower(HistoryStart from)
    {
        _fromTag = from.Kind == HistoryKind.Tag ? from.Tag : null;
        _isPositionAsked = from.Kind == HistoryKind.Live;
        _isPastTag = _fromTag is null;

        // From the first one, not the oldest kept: what is gone may have been asked for, and that must be told.
        Position = _fromTag is not null ? 1 : from.Kind == HistoryKind.Number ? from.Number : 0;
        _readFrom = Position;
    }

    /// <summary>The number that is expected next; 0 before it is known.</summary>
    internal long Position { get; private set; }

    /// <summary>Where another reader would go on from: nothing below it is still to be taken here.</summary>
    internal long ReadPosition => _ready.Count == 0 && _gap is null ? Position : _readFrom;

    /// <summary>The number the log's next message will have, as last heard; 0 before it was.</summary>
    internal long Next { get; private set; }

    /// <summary>W, as last heard.</summary>
    internal Tag Floor { get; private set; }

    internal bool IsEnded { get; private set; }

    internal SequencingError Error { get; private set; }

    internal string ErrorDetail { get; private set; } = "";

    /// <summary>What is counted at this end.</summary>
    internal ClientTally Tally { get; } = new();

    public bool TryPeekOutgoing(out ReadOnlySpan<byte> message)
    {
        if (_isSent && !_isAsked && !IsEnded && Error == SequencingError.None && _unreadBytes < MaxUnreadBytes)
        {
            Ask(Position, _isPositionAsked ? 0 : FetchCount);
        }

        message = _writer.Written;
        return !_isSent;
    }

    public void OnSent() => _isSent = true;

    internal bool TryTake(out LogRead read)
    {
        if (!_ready.TryDequeue(out read))
        {
            return false;
        }

        _unreadBytes -= read.Message is { } message ? BytesOf(message) : 0;
        _readFrom = read.Kind == LogReadKind.Trimmed ? read.Number : read.Number + 1;
        return true;
    }

    public void HandleMessage(ReadOnlySpan<byte> message)
    {
        FrameReader reader = new(message);

        while (Error == SequencingError.None && Frame.TryNext(ref reader, out Frame frame))
        {
            bool isUnderstood = frame.Type switch
            {
                FrameType.PeerEvent => TryMember(frame.Body),
                FrameType.ChannelName => TryChannel(frame.Body),
                FrameType.Log => TryLog(frame.Body),
                FrameType.Trimmed => TryTrimmed(frame.Body),
                FrameType.Heartbeat => TryHeartbeat(frame.Body),
                FrameType.End => TryEnd(frame.Body),
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

    public void HandleLost(CloseReason? reason) => Fail(
        SequencingError.ConnectionLost,
        $"The connection to the server ended; number {Position} is next. {reason}");

    private static long BytesOf(LoggedMessage message) => message.Payload.Length + EntryBytes;

    private void Fail(SequencingError error, string detail)
    {
        if (Error == SequencingError.None)
        {
            Tally.Refuse(error);
            Error = error;
            ErrorDetail = detail;
        }
    }

    private void Ask(long first, long count)
    {
        _writer.Clear();
        new FetchFrame(first, count, _members.Count, _channels.Count).Write(_writer);
        _isSent = false;
        _isAsked = true;
        _isAnswered = false;
    }

    private bool TryMember(ReadOnlySpan<byte> body)
    {
        if (!PeerEventFrame.TryRead(body, out PeerEventFrame member))
        {
            return false;
        }

        _members.Add(member.Name);
        return _members.Count <= Config.SequencingRules.MaxMembers;
    }

    private bool TryChannel(ReadOnlySpan<byte> body)
    {
        if (!ChannelNameFrame.TryRead(body, out ChannelNameFrame channel) || channel.Index != _channels.Count)
        {
            return false;
        }

        _channels.Add(channel.Name);
        return _channels.Count <= Config.SequencingRules.MaxChannels;
    }

    private bool TryLog(ReadOnlySpan<byte> body)
    {
        byte[] owned = body.ToArray();
        FrameReader reader = new(owned);
        long first = LogRecord.ReadFirst(ref reader);
        long before = first - 1;
        List<LoggedMessage> messages = [];
        long next;

        while (LogRecord.TryRead(ref reader, before, out LogRecord record, out next))
        {
            bool isKnown = record.Key.Publisher < _members.Count && record.Channel < _channels.Count;

            if (reader.IsMalformed || !isKnown)
            {
                return false;
            }

            before = record.Number;
            messages.Add(new LoggedMessage(
                record.Number, _channels[record.Channel], record.Key.Arrival, record.Key.Sent,
                _members[record.Key.Publisher], record.Key.Publisher, record.Key.SubSequence,
                owned.AsMemory(owned.Length - reader.Remaining - record.Payload.Length, record.Payload.Length)));
        }

        if (!reader.IsComplete || first < 1)
        {
            return false;
        }

        _isAnswered = true;

        if (Position == 0)
        {
            Position = _readFrom = first;
        }

        if (first > Position)
        {
            PutAside(first, next, messages);
        }
        else
        {
            Take(next, messages);
            TakeEarly();
        }

        return true;
    }

    // S-E1: what lies between is asked for once, and what came early waits for it.
    private void PutAside(long first, long next, List<LoggedMessage> messages)
    {
        // More comes again: it is asked for once what is before it is there.
        if (_early.Count < MaxEarlyPieces && _earlyBytes < MaxUnreadBytes && _early.TryAdd(first, (next, messages)))
        {
            _earlyBytes += messages.Sum(BytesOf);
        }
        else
        {
            Tally.Ignore();
        }

        if (_repairedTo > Position)
        {
            return;
        }

        _repairedTo = first;
        Tally[ClientCount.LogHolesAsked]++;
        Ask(Position, first - Position);
    }

    private void Take(long next, List<LoggedMessage> messages)
    {
        foreach (LoggedMessage message in messages)
        {
            if (message.Number < Position)
            {
                Tally[ClientCount.LogMessagesRepeated]++;
            }
            else if (_isPastTag || message.Arrival >= _fromTag)
            {
                TellGap();
                _isPastTag = true;
                _ready.Enqueue(new LogRead(LogReadKind.Message, message.Number, message, 0));
                _unreadBytes += BytesOf(message);
            }
            else
            {
                // What is gone came before it, and so before the tag.
                _gap = null;
            }
        }

        Position = Math.Max(Position, next);
    }

    private void TakeEarly()
    {
        while (_early.Count > 0 && _early.GetKeyAtIndex(0) <= Position)
        {
            (long next, List<LoggedMessage> messages) = _early.GetValueAtIndex(0);
            _early.RemoveAt(0);
            _earlyBytes -= messages.Sum(BytesOf);
            Take(next, messages);
        }
    }

    private bool TryTrimmed(ReadOnlySpan<byte> body)
    {
        if (!TrimmedFrame.TryRead(body, out TrimmedFrame trimmed) || trimmed.First <= Position)
        {
            return false;
        }

        Position = trimmed.First;
        _isAsked = false;
        _gap = trimmed.First;

        if (_isPastTag)
        {
            TellGap();
        }

        TakeEarly();
        return true;
    }

    // Who asked for a tag is told only if what is gone may have arrived there.
    private void TellGap()
    {
        if (_gap is long first)
        {
            _ready.Enqueue(new LogRead(LogReadKind.Trimmed, first, null, 0));
            _gap = null;
        }
    }

    private bool TryHeartbeat(ReadOnlySpan<byte> body)
    {
        if (!HeartbeatFrame.TryRead(body, out HeartbeatFrame heartbeat))
        {
            return false;
        }

        Next = (long)heartbeat.NextNumber;
        Floor = heartbeat.Floor;

        if (_isPositionAsked)
        {
            Position = _readFrom = Next;
            _isPositionAsked = false;
            _isAsked = false;
        }

        if (Floor <= _fromTag)
        {
            _gap = null;
        }

        // S-E2: it closes an answer; and a tail that was missed is asked for again.
        _isAsked &= !_isAnswered && !(Position > 0 && Next > Position);
        return true;
    }

    private bool TryEnd(ReadOnlySpan<byte> body)
    {
        if (!EndFrame.TryRead(body, out EndFrame end))
        {
            return false;
        }

        Next = (long)end.LastNumber + 1;
        _isAsked = false;

        if (Position == 0 || Position >= Next)
        {
            IsEnded = true;
            TellGap();
            _ready.Enqueue(new LogRead(LogReadKind.End, (long)end.LastNumber, null, end.RunDigest));
        }

        return true;
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
}
