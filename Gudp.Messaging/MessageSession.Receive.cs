using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging;

/// <content>What comes in: first every frame is checked, then every frame is taken.</content>
internal sealed partial class MessageSession
{
    // What an end must allow at least, so that what is sent before its parameters are known always fits.
    private const int LeastLaneCredit = 64 * 1024;

    private ReceiveLane?[] _receiveLanes;       // as _sendLanes; the leader makes its own
    private readonly ReceiveWindow _window;
    private LaneSet _receiveLanesInUse;

    // Of the packet being taken.
    private LaneSet _lanesInPacket;
    private LaneSet _opensInPacketReceived;
    private LaneSet _arrivedInPacket;
    private Instant _partialDeadline = Instant.Never;

    /// <summary>Frames of kinds that may be unknown, passed over.</summary>
    internal long FramesSkipped { get; private set; }

    /// <inheritdoc/>
    public PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now)
    {
        _lanesInPacket.Clear();
        _opensInPacketReceived.Clear();
        _arrivedInPacket.Clear();
        _window.BeginPacket();
        PayloadVerdict verdict = CheckAll(frames, out int skipped);

        if (verdict == PayloadVerdict.Held && !TryPrepare())
        {
            verdict = PayloadVerdict.Refused;
        }

        if (verdict == PayloadVerdict.Held)
        {
            FramesSkipped += skipped;
            TakeAll(frames, now);
        }

        FinishPacket();

        if (verdict == PayloadVerdict.Held && _sink is not null && _hasArrived)
        {
            HandToSink(_sink, now);
        }

        return verdict;
    }

    private PayloadVerdict CheckAll(ReadOnlySpan<byte> frames, out int skipped)
    {
        PayloadVerdict verdict = PayloadVerdict.Held;
        LaneFrameReader reader = new(frames);
        skipped = 0;

        while (reader.TryNext(out LaneFrame frame))
        {
            PayloadVerdict judged = Check(frame);

            // Lack of memory is no crime: a later frame of the packet may still be one.
            if (judged is not (PayloadVerdict.Held or PayloadVerdict.Refused))
            {
                return judged;
            }

            verdict = judged == PayloadVerdict.Refused ? judged : verdict;
        }

        skipped = reader.Skipped;
        return !reader.IsMalformed ? verdict
            : reader.IsUnknownType ? PayloadVerdict.UnknownFrame
            : PayloadVerdict.Malformed;
    }

    private void TakeAll(ReadOnlySpan<byte> frames, Instant now)
    {
        LaneFrameReader reader = new(frames);

        while (reader.TryNext(out LaneFrame frame))
        {
            Take(frame, now);
        }

        for (int lane = _arrivedInPacket.Next(0); lane >= 0; lane = _arrivedInPacket.Next(lane + 1))
        {
            // A full fence after the message was published: see StrikeOffIfRead.
            _lanesToRead.AddAtomic(lane);
            _hasArrived = true;
        }
    }

    // Whatever became of the packet.
    private void FinishPacket()
    {
        for (int number = _lanesInPacket.Next(0); number >= 0; number = _lanesInPacket.Next(number + 1))
        {
            ReceiveLane lane = _receiveLanes[number]!;
            lane.EndPacket();

            if (lane.HasFacts)
            {
                _lanesWithFacts.AddAtomic(number);
            }

            Instant deadline = lane.NextDeadline;
            _partialDeadline = deadline < _partialDeadline ? deadline : _partialDeadline;

            if (lane.Violation != CloseCode.None)
            {
                CloseFor(lane);
            }
        }
    }

    private PayloadVerdict Check(in LaneFrame frame)
    {
        if (frame.Lane >= _config.Lanes)
        {
            return PayloadVerdict.LaneViolation;
        }

        switch (frame.Type)
        {
            case FrameType.LaneOpen:
                return CheckOpen(frame);
            case FrameType.LaneData:
            case FrameType.LaneSkip:
            case FrameType.Message:
            case FrameType.Fragment:
            case FrameType.LaneSettled:
                return CheckContent(frame);
            case FrameType.LaneTaken:
            case FrameType.MessagesTaken:
            case FrameType.MessagesRefused:
                return IsAboutSentContent(frame) ? PayloadVerdict.Held : PayloadVerdict.LaneViolation;
            case FrameType.LaneCredit:
                // D-8.2: what this end sends unreliably has no credit.
                return _config.LanePlan[frame.Lane].Mode > LaneMode.SequencedReliable
                    ? PayloadVerdict.LaneViolation
                    : PayloadVerdict.Held;
            case FrameType.LaneBlocked:
                return _receiveLanes[frame.Lane] is { Mode: > LaneMode.SequencedReliable }
                    ? PayloadVerdict.LaneViolation
                    : PayloadVerdict.Held;
            default:
                return PayloadVerdict.Held;
        }
    }

    private PayloadVerdict CheckOpen(in LaneFrame frame)
    {
        if (frame.Code > (byte)LaneMode.Unreliable)
        {
            return PayloadVerdict.Malformed;
        }

        LaneMode mode = (LaneMode)frame.Code;
        ReceiveLane? lane = _receiveLanes[frame.Lane];

        // D-1.1
        if (frame.Lane == ControlLane && mode != LaneMode.OrderedReliable)
        {
            return PayloadVerdict.LaneViolation;
        }

        lane ??= MakeReceiveLane(frame.Lane, mode);
        _opensInPacketReceived.Add(frame.Lane);
        return lane.Mode == mode ? PayloadVerdict.Held : PayloadVerdict.LaneViolation;
    }

    // D-1.3
    private PayloadVerdict CheckContent(in LaneFrame frame)
    {
        if (_receiveLanes[frame.Lane] is not { } lane
            || (!lane.IsOpen && !_opensInPacketReceived.Contains(frame.Lane)))
        {
            return PayloadVerdict.LaneViolation;
        }

        if (!_lanesInPacket.Contains(frame.Lane))
        {
            _lanesInPacket.Add(frame.Lane);
            lane.BeginPacket();
        }

        return lane.Check(frame);
    }

    // A peer can only have taken or refused what was sent to it.
    private bool IsAboutSentContent(in LaneFrame frame)
        => Volatile.Read(ref _sendLanes[frame.Lane]) is { } lane && lane.Admits(frame.Type, frame.Offset);

    private bool TryPrepare()
    {
        for (int lane = _lanesInPacket.Next(0); lane >= 0; lane = _lanesInPacket.Next(lane + 1))
        {
            if (!_receiveLanes[lane]!.TryPrepare())
            {
                return false;
            }
        }

        return true;
    }

    private void Take(in LaneFrame frame, Instant now)
    {
        switch (frame.Type)
        {
            case FrameType.LaneOpen:
                _receiveLanes[frame.Lane]!.IsOpen = true;
                break;
            case FrameType.LaneData:
            case FrameType.LaneSkip:
            case FrameType.Message:
            case FrameType.Fragment:
            case FrameType.LaneSettled:
                if (_receiveLanes[frame.Lane]!.Take(frame, now))
                {
                    _arrivedInPacket.Add(frame.Lane);
                }

                break;
            case FrameType.LaneCredit:
                if (Volatile.Read(ref _sendLanes[frame.Lane]) is { } credited)
                {
                    credited.RaiseCredit(frame.Offset);
                    _hasProgressed |= credited.IsRoomWanted;
                }

                break;
            case FrameType.ConnectionCredit:
                _connectionLimit = Math.Max(_connectionLimit, frame.Offset);
                _schedule.RaiseCredit(ConnectionRoom);
                break;
            case FrameType.LaneTaken:
                _hasProgressed |= _sendLanes[frame.Lane]!.HandleTaken(frame.Offset);
                break;
            case FrameType.MessagesRefused:
                _sendLanes[frame.Lane]!.HandleRefused(new IdRangeReader(frame.Content));
                _hasProgressed = true;
                break;
            case FrameType.MessagesTaken:
                _sendLanes[frame.Lane]!.HandleTaken(new IdRangeReader(frame.Content));
                _hasProgressed = true;
                break;
            default:
                // LaneBlocked only informs.
                break;
        }
    }

    private ReceiveLane MakeReceiveLane(int number, LaneMode mode)
    {
        ReceiveLane lane = mode == LaneMode.OrderedReliable
            ? new OrderedReceiveLane(
                number,
                _config.LaneRingBytes,
                _config.MaxMessageBytes,
                _memory,
                number == ControlLane ? null : _window)
            : new MessageReceiveLane(
                number,
                mode,
                new ReceiveLimits(_config.DatagramQueueBytes, _config.MaxMessageBytes),
                _memory,
                new ReceiveLedgers(_window, TallyOf(number)));
        lane.BeginAt(FirstPlaces);

        if (_receiveLanes == _config.NoReceiveLanes)
        {
            Volatile.Write(ref _receiveLanes, new ReceiveLane?[_config.Lanes]);
        }

        Volatile.Write(ref _receiveLanes[number], lane);
        _receiveLanesInUse.AddAtomic(number);

        if (Volatile.Read(ref _discarded))
        {
            lane.Discard();
        }

        return lane;
    }

    private void HandlePartialDeadline(Instant now)
    {
        if (now < _partialDeadline)
        {
            return;
        }

        Instant next = Instant.Never;

        for (int number = _receiveLanesInUse.Next(0); number >= 0; number = _receiveLanesInUse.Next(number + 1))
        {
            ReceiveLane lane = _receiveLanes[number]!;
            lane.HandleTimeout(now);
            next = lane.NextDeadline < next ? lane.NextDeadline : next;

            if (lane.HasFacts)
            {
                _lanesWithFacts.AddAtomic(number);
            }
        }

        _partialDeadline = next;
    }

    private void EndReceiveLanes()
    {
        for (int lane = _receiveLanesInUse.Next(0); lane >= 0; lane = _receiveLanesInUse.Next(lane + 1))
        {
            _receiveLanes[lane]!.End();
        }
    }

    // Any thread. Each lane is in the set only once it can be seen.
    private void DiscardReceiveLanes()
    {
        for (int lane = _receiveLanesInUse.Next(0); lane >= 0; lane = _receiveLanesInUse.Next(lane + 1))
        {
            Volatile.Read(ref _receiveLanes[lane])!.Discard();
        }
    }

    private void CloseFor(ReceiveLane lane) => _host.Close(new CloseReason(
        lane.Violation, $"Lane {lane.Number} carries what it may not: {lane.Violation}."));
}
