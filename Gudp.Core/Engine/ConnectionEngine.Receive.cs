using System;
using Gudp.Core.Wire;
using static Gudp.Core.Spans;

namespace Gudp.Core.Engine;

// Datagram -> checksum -> window -> frames checked -> acks -> payload -> Core's frames taken -> window marked.
// One pass, in that order: nothing is believed before the checksum, nothing is marked before the payload holds it.
internal sealed partial class ConnectionEngine
{
    /// <summary>Takes one short-form datagram that names our id.</summary>
    /// <returns><see cref="DropReason.None"/> if it was accepted.</returns>
    internal DropReason HandleDatagram(
        in ShortHeader header, ReadOnlySpan<byte> datagram, PeerAddress from, Instant now)
    {
        if ((from != RemoteAddress && !MayChangeAddress) || IsRetired(header.DestinationId))
        {
            // In Plain a copied packet must not move a connection: a path changes only where that is asked for.
            return DropReason.UnknownConnection;
        }

        if (header.IsFromServer == IsServer)
        {
            return DropReason.Reflected;
        }

        if (!_endpoint.Trailer.IsShortIntact(datagram))
        {
            return DropReason.BadChecksum;
        }

        PacketNumber number = PacketNumber.Expand(
            header.NumberBits, header.NumberWidthBytes, new PacketNumber(_received.Largest + 1));

        switch (_received.Check(number))
        {
            case WindowVerdict.Duplicate:
                // The ack may have been lost, or the sender was too eager: tell it again.
                _acks.OnDuplicate(mayAnswer: _state is ConnectionState.Open or ConnectionState.Flushing);
                return DropReason.Duplicate;
            case WindowVerdict.TooOld:
                return DropReason.TooOld;
            default:
                break;
        }

        if (_state is ConnectionState.Idle or ConnectionState.Opening)
        {
            // Overtook the answer, or forged: without the peer's terms nothing can be made of it. It will come again.
            return DropReason.NotEstablished;
        }

        if (_state is not (ConnectionState.Open or ConnectionState.Flushing))
        {
            return HandleLatePacket(header, datagram, now);
        }

        ReadOnlySpan<byte> frames = datagram[header.HeaderBytes..^WireFormat.TrailerBytes];
        bool isNewest = number.Value > _received.Largest;
        _arrival = new PathArrival(from, header.DestinationId, datagram.Length);
        DropReason dropped = HandleFrames(number, frames, now);

        if (dropped == DropReason.None)
        {
            HandlePathArrival(isNewest, now);
            _counters.DatagramsReceived++;
            _counters.BytesReceived += datagram.Length;
            _trace?.OnReceived(number, frames, datagram.Length, now);
        }

        return dropped;
    }

    private DropReason HandleFrames(PacketNumber number, ReadOnlySpan<byte> frames, Instant now)
    {
        FrameReader check = new(frames);
        bool isEliciting = false;
        bool hasAck = false;
        bool hasControl = false;

        while (check.TryNext(out Frame frame))
        {
            isEliciting |= frame.IsAckEliciting;
            hasAck |= frame.Type == FrameType.Ack;
            hasControl |= frame.Type is not (FrameType.Ack or FrameType.Padding or FrameType.Ping);
        }

        if (check.IsMalformed)
        {
            CloseCode code = check.IsUnknownType ? CloseCode.UnknownFrame : CloseCode.MalformedFrame;
            string detail = $"Frame type {check.MalformedType:x2} at offset {check.Offset} is malformed or unknown.";
            Violate(code, detail, now);
            return DropReason.Malformed;
        }

        ReadOnlySpan<byte> payload = check.Payload;
        isEliciting |= !payload.IsEmpty;
        _alive.OnReceived(now);
        _timers.Set(TimerKind.Idle, _alive.IdleDeadline);
        _handshake?.HandlePeerOpen();

        if (hasAck && !HandleAckFrames(frames, now))
        {
            return DropReason.Malformed;
        }

        if (!payload.IsEmpty)
        {
            NoteBusy(now);
            PayloadVerdict verdict = _payload.HandleFrames(number, payload, now);

            if (_owner.TakeProbeAsked())
            {
                ProbeForRoom(now);
            }

            if (verdict == PayloadVerdict.Refused)
            {
                return DropReason.Refused;
            }

            if (verdict != PayloadVerdict.Held)
            {
                Violate(CodeOf(verdict), $"The payload of packet {number.Value} broke a rule: {verdict}.", now);
                return DropReason.Malformed;
            }

            _counters.PayloadBytesReceived += payload.Length;
        }

        if (hasControl)
        {
            HandleControlFrames(number, frames, now);
        }

        MarkReceived(number, isEliciting, now);
        return DropReason.None;
    }

    private void MarkReceived(PacketNumber number, bool isEliciting, Instant now)
    {
        Arrival arrival = _received.Add(number, now, isEliciting);

        if (isEliciting)
        {
            _acks.OnArrived(arrival, _received.ElicitingSinceAck, _rtt.Sample, now);
        }
    }

    /// <returns>False if the peer acknowledged what was never sent; the connection is then closing.</returns>
    private bool HandleAckFrames(ReadOnlySpan<byte> frames, Instant now)
    {
        FrameReader reader = new(frames);

        while (reader.TryNext(out Frame frame))
        {
            if (frame.Type == FrameType.Ack && !HandleAck(frame, now))
            {
                return false;
            }
        }

        return true;
    }

    private bool HandleAck(in Frame frame, Instant now)
    {
        PacketNumber largest = frame.LargestAcked;

        // P-2.4: all ranges are looked at before any is believed.
        if (!_sent.WasSent(largest) || AcksSkipped(frame.AckRanges))
        {
            Violate(
                CloseCode.AckedUnsent, $"An ack up to packet {largest.Value} covers one that was never sent.", now);
            return false;
        }

        // A sample is taken only from a packet that is acknowledged for the first time: a second ack of it would
        // measure the peer's batching, not the path (RFC 9002 section 5.1).
        bool isLargestNew = _sent.TryFind(largest, out SentPacket newest) && newest.Fate == PacketFate.Open
            && IsOfThisPath(newest.Number) && MeasuresRoundTrip(newest);
        bool anyEliciting = false;
        int rangeCount = 0;
        AckRangeReader ranges = frame.AckRanges;

        while (ranges.TryNext(out AckRange range))
        {
            rangeCount++;
            anyEliciting |= TakeRange(range, now, isLargestNew ? newest.SentAt : Instant.Never, frame.AckDelay);
            isLargestNew = false;
        }

        if (anyEliciting)
        {
            _payload.HandleAckEnd(now);
            _loss.OnAckReceived(now);
            DeclareLost(now);
        }

        _settled.OnAck(rangeCount, _sent.OldestUnsettled, _rtt.Smoothed, now);
        return true;
    }

    private bool AcksSkipped(AckRangeReader ranges)
    {
        while (ranges.TryNext(out AckRange range))
        {
            if (_skips.IsIn(range))
            {
                return true;
            }
        }

        return false;
    }

    /// <param name="newestSentAt">When the largest acknowledged packet left; never if it brings no sample.</param>
    /// <returns>True if a packet that asked for it was acknowledged for the first time.</returns>
    private bool TakeRange(AckRange range, Instant now, Instant newestSentAt, TimeSpan ackDelay)
    {
        if (!newestSentAt.IsNever)
        {
            _rtt.AddSample(now - newestSentAt, Shorter(ackDelay, _loss.MaxAckDelay));
            _twoMode.OnRoundTrip(_rtt.Latest, now);
        }

        bool anyEliciting = false;
        PacketNumber from = new(range.Smallest);

        while (_sent.TryNextUnacked(from, new PacketNumber(range.Largest), out PacketNumber number))
        {
            from = new PacketNumber(number.Value + 1);

            if (_sent.TrySettle(number, out SentPacket packet))
            {
                anyEliciting = true;
                TakeAcked(packet, now);
            }
            else if (_sent.TryAckLate(number, out packet) && packet.Fate == PacketFate.Lost
                && !TakeLateAck(packet, now))
            {
                _counters.PacketsSpuriouslyLost++;
                _trace?.OnFate(TraceEventKind.SpuriousLoss, packet.Number, now);
                _quality?.OnSpuriousLoss();
                _loss.OnSpuriousLoss(packet, now);
                _counters.ReductionsUndone += _controller.OnSpuriousLoss(packet.SentAt, now) ? 1 : 0;
            }

            if (packet.LargestAckedInIt >= 0)
            {
                // Wire section 3: acknowledged until the packet that carried an ack of it is itself acknowledged.
                _received.ForgetBelow(packet.LargestAckedInIt + 1);
            }
        }

        return anyEliciting;
    }

    private void TakeAcked(in SentPacket packet, Instant now)
    {
        _counters.PacketsAcked++;
        _trace?.OnFate(TraceEventKind.PacketAcked, packet.Number, now);

        if (packet.IsSizeProbe)
        {
            // Lost or not, it says nothing of rates and losses (P-5.7).
            OnSizeProbeAcked(packet, now);
            return;
        }

        _quality?.OnAcked();
        _forecast.OnAcked(packet.Bytes);

        if (IsCounted(packet.Number))
        {
            _holes.OnAcked(packet.Bytes);
            TellControllerAcked(packet, now);
        }

        _ids?.OnAcked(packet.Number);

        if (packet.HasPayload)
        {
            _payload.HandleAcked(new PacketNumber(packet.Number), now);
        }

        _handshakeDone.OnAcked(packet.Number);

        if (_ackFrequency.OnAcked(packet.Number))
        {
            // From here on the peer holds acks back no longer than it was asked to: waiting for them allows for that.
            _loss.MaxAckDelay = Shorter(_loss.MaxAckDelay, _config.Loss.MaxAckDelay);
        }
    }

    private void HandleControlFrames(PacketNumber number, ReadOnlySpan<byte> frames, Instant now)
    {
        FrameReader reader = new(frames);

        while (reader.TryNext(out Frame frame))
        {
            switch (frame.Type)
            {
                case FrameType.Close:
                    HandlePeerClose(frame, now);
                    break;
                case FrameType.Settled:
                    _received.ForgetBelow(frame.SettledBelow.Value);
                    break;
                case FrameType.AckFrequency:
                    _acks.OnAsked(number, frame.AckEveryPackets, frame.MaxAckDelay);
                    break;
                case FrameType.PathChallenge or FrameType.PathResponse or FrameType.NewId or FrameType.RetireId:
                    HandlePathFrame(frame, now);
                    break;
                default:
                    // Padding, Ping: their arrival is all they say.
                    break;
            }
        }
    }

    private void HandlePeerClose(in Frame frame, Instant now)
    {
        _status.End(FinalReasons.ClosedByPeer, CloseReason.FromWire(frame.CloseCode, frame.ReadCloseReason()));
        Enter(ConnectionEvent.PeerClosed, now);
    }

    /// <summary>A packet after the goodbye: the peer may have missed it, so it is answered sparingly.</summary>
    private DropReason HandleLatePacket(in ShortHeader header, ReadOnlySpan<byte> datagram, Instant now)
    {
        ReadOnlySpan<byte> frames = datagram[header.HeaderBytes..^WireFormat.TrailerBytes];

        FrameReader reader = new(frames);

        while (reader.TryNext(out Frame frame))
        {
            if (frame.Type == FrameType.Close)
            {
                Enter(ConnectionEvent.PeerClosed, now);
                return DropReason.ConnectionClosed;
            }
        }

        if (_state == ConnectionState.Draining && _lateAnswersLeft > 0)
        {
            _lateAnswerOwed = true;
        }

        return DropReason.ConnectionClosed;
    }

    private static CloseCode CodeOf(PayloadVerdict verdict) => verdict switch
    {
        PayloadVerdict.UnknownFrame => CloseCode.UnknownFrame,
        PayloadVerdict.CreditExceeded => CloseCode.CreditExceeded,
        PayloadVerdict.LaneViolation => CloseCode.LaneViolation,
        PayloadVerdict.TooLarge => CloseCode.MessageTooLarge,
        PayloadVerdict.FragmentConflict => CloseCode.FragmentConflict,
        _ => CloseCode.MalformedFrame,
    };
}
