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

    // Per lane, for the packet being checked; valid where the lane's bit is set.
    private readonly long[] _highestInPacket = new long[LaneFrameReader.MostLanes];
    private readonly int[] _newRangesInPacket = new int[LaneFrameReader.MostLanes];
    private readonly int[] _skipsInPacket = new int[LaneFrameReader.MostLanes];
    private ulong _lanesInPacket;
    private ulong _opensSeen;
    private long _connectionSeen;
    private long _connectionReceived;
    private long _grantedConnectionLimit;
    private bool _isDatagramLaneSeen;

    /// <summary>Frames of kinds that may be unknown, passed over.</summary>
    internal long FramesSkipped { get; private set; }

    /// <summary>Unreliable messages that nobody read in time, or of a kind this version cannot put together.</summary>
    internal long DatagramsDropped { get; private set; }

    private bool IsConnectionCreditDue
        => ReadByApplication() + _config.ConnectionCreditBytes - _grantedConnectionLimit >= _config.LaneRingBytes / 4;

    /// <inheritdoc/>
    public PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now)
    {
        _lanesInPacket = 0;
        _opensSeen = 0;
        _connectionSeen = _connectionReceived;
        PayloadVerdict verdict = PayloadVerdict.Held;
        LaneFrameReader reader = new(frames);

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

        if (reader.IsMalformed)
        {
            return reader.IsUnknownType ? PayloadVerdict.UnknownFrame : PayloadVerdict.Malformed;
        }

        if (verdict == PayloadVerdict.Refused || !TryRentRings())
        {
            return PayloadVerdict.Refused;
        }

        FramesSkipped += reader.Skipped;
        _connectionReceived = _connectionSeen;
        reader = new LaneFrameReader(frames);

        while (reader.TryNext(out LaneFrame frame))
        {
            Take(frame);
        }

        if (_sink is not null && _hasArrived)
        {
            HandToSink(_sink, now);
        }

        return PayloadVerdict.Held;
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
                return CheckRange(frame);
            case FrameType.Message:
            case FrameType.Fragment:
                return frame.Lane == DatagramLane && (_isDatagramLaneSeen || IsOpenedHere(DatagramLane))
                    ? PayloadVerdict.Held
                    : PayloadVerdict.LaneViolation;
            case FrameType.LaneTaken:
                return IsAboutSentContent(frame) ? PayloadVerdict.Held : PayloadVerdict.LaneViolation;
            case FrameType.MessagesRefused:
                return IsAboutSentContent(frame) ? PayloadVerdict.Held : PayloadVerdict.LaneViolation;
            case FrameType.LaneCredit:
            case FrameType.LaneBlocked:
                return frame.Lane == DatagramLane ? PayloadVerdict.LaneViolation : PayloadVerdict.Held;
            case FrameType.MessagesTaken:
            case FrameType.LaneSettled:
                return frame.Lane == DatagramLane ? PayloadVerdict.Held : PayloadVerdict.LaneViolation;
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

        // Modes 1 to 3 have no lanes in this version.
        LaneMode mode = frame.Lane == DatagramLane ? LaneMode.Unreliable : LaneMode.OrderedReliable;

        if (frame.Code != (byte)mode)
        {
            return PayloadVerdict.LaneViolation;
        }

        _opensSeen |= 1UL << frame.Lane;
        return PayloadVerdict.Held;
    }

    private PayloadVerdict CheckRange(in LaneFrame frame)
    {
        OrderedReceiveLane? known = _receiveLanes[frame.Lane];

        if (frame.Lane == DatagramLane || (known is not { IsOpen: true } && !IsOpenedHere(frame.Lane)))
        {
            return PayloadVerdict.LaneViolation;
        }

        OrderedReceiveLane lane = known ?? MakeReceiveLane(frame.Lane);

        // D-3.1
        if (frame.End > lane.GrantedLimit)
        {
            return PayloadVerdict.CreditExceeded;
        }

        ulong bit = 1UL << frame.Lane;

        if ((_lanesInPacket & bit) == 0)
        {
            _lanesInPacket |= bit;
            _highestInPacket[frame.Lane] = lane.Highest;
            _newRangesInPacket[frame.Lane] = 0;
            _skipsInPacket[frame.Lane] = 0;
        }

        if (frame.End > _highestInPacket[frame.Lane])
        {
            _connectionSeen += frame.Lane == ControlLane ? 0 : frame.End - _highestInPacket[frame.Lane];
            _highestInPacket[frame.Lane] = frame.End;

            if (_connectionSeen > _grantedConnectionLimit)
            {
                return PayloadVerdict.CreditExceeded;
            }
        }

        _newRangesInPacket[frame.Lane] += lane.StandsAlone(frame.Offset, frame.End) ? 1 : 0;
        _skipsInPacket[frame.Lane] += frame.Type == FrameType.LaneSkip ? 1 : 0;

        return _newRangesInPacket[frame.Lane] > lane.FreeRanges || _skipsInPacket[frame.Lane] > lane.FreeSkips
            ? PayloadVerdict.Refused
            : PayloadVerdict.Held;
    }

    // A peer can only have taken or refused what was sent to it.
    private bool IsAboutSentContent(in LaneFrame frame)
        => Volatile.Read(ref _sendLanes[frame.Lane]) is { } lane && lane.Admits(frame.Type, frame.Offset);

    private bool IsOpenedHere(int lane) => (_opensSeen & (1UL << lane)) != 0;

    private bool TryRentRings()
    {
        for (ulong left = _lanesInPacket; left != 0; left &= left - 1)
        {
            if (!ReceiveLaneAt(left)!.TryRentRing())
            {
                return false;
            }
        }

        return true;
    }

    private void Take(in LaneFrame frame)
    {
        switch (frame.Type)
        {
            case FrameType.LaneOpen when frame.Lane == DatagramLane:
                _isDatagramLaneSeen = true;
                break;
            case FrameType.LaneOpen:
                (_receiveLanes[frame.Lane] ?? MakeReceiveLane(frame.Lane)).IsOpen = true;
                break;
            case FrameType.LaneData:
                _hasArrived |= _receiveLanes[frame.Lane]!.Accept(frame.Offset, frame.Content);
                break;
            case FrameType.LaneSkip:
                _hasArrived |= _receiveLanes[frame.Lane]!.AcceptSkip(frame.Offset, frame.End);
                break;
            case FrameType.Message:
                TakeDatagram(frame.Content);
                break;
            case FrameType.Fragment:
                DatagramsDropped++;
                break;
            case FrameType.LaneCredit:
                Volatile.Read(ref _sendLanes[frame.Lane])?.RaiseCredit(frame.Offset);
                break;
            case FrameType.ConnectionCredit:
                _connectionLimit = Math.Max(_connectionLimit, frame.Offset);
                _schedule.Release();
                break;
            case FrameType.LaneTaken:
                _hasProgressed |= _sendLanes[frame.Lane]!.HandleTaken(frame.Offset);
                break;
            case FrameType.MessagesRefused:
                _sendLanes[frame.Lane]!.HandleRefused(new IdRangeReader(frame.Content));
                _hasProgressed = true;
                break;
            default:
                // LaneBlocked and LaneSettled only inform; nothing asks for MessagesTaken yet.
                break;
        }
    }

    private void TakeDatagram(ReadOnlySpan<byte> message)
    {
        // Longer than any this end could send: the queue must keep room for several.
        bool kept = message.Length <= LongestDatagram
            && !Volatile.Read(ref _discarded)
            && _datagramsIn.TryAdd(message) == SendStatus.Accepted;

        _hasArrived |= kept;
        DatagramsDropped += kept ? 0 : 1;
    }

    private OrderedReceiveLane MakeReceiveLane(int number)
    {
        OrderedReceiveLane lane = new(number, _config.LaneRingBytes, _config.MaxMessageBytes, _memory);
        Volatile.Write(ref _receiveLanes[number], lane);
        Volatile.Write(ref _receiveLanesInUse, _receiveLanesInUse | (1UL << number));

        if (Volatile.Read(ref _discarded))
        {
            lane.Discard();
        }

        return lane;
    }

    // Any thread.
    private long ReadByApplication()
    {
        long read = 0;

        for (ulong left = Volatile.Read(ref _receiveLanesInUse) & ~(1UL << ControlLane); left != 0; left &= left - 1)
        {
            read += ReceiveLaneAt(left)!.ReleasedBytes;
        }

        return read;
    }

    private long GrantConnectionCredit()
    {
        _grantedConnectionLimit = Math.Max(
            _grantedConnectionLimit, ReadByApplication() + _config.ConnectionCreditBytes);
        return _grantedConnectionLimit;
    }
}
