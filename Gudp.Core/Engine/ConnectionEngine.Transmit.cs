using System;
using Gudp.Core.Congestion;
using Gudp.Core.Wire;
using static Gudp.Core.Spans;

namespace Gudp.Core.Engine;

// What to say now. One call builds at most one datagram, in the order the wire asks for: acks first, then Core's own
// frames, then the payload layer's, then the checksum.
internal sealed partial class ConnectionEngine
{
    private const int InitialSentSlots = 256;

    private const int ProbesAtMost = 2;

    // Packets shorter than a full one leave while the window has room for this part of it, and heads as long as this.
    private const int LeastPartOfPacket = 4;
    private const int MostHeadBytes = 64;

    private int _probesOwed;
    private Instant _nextRoomProbeAt;
    private bool _pingOwed;
    private OwedFrame _handshakeDone;
    private OwedFrame _ackFrequency;
    private Instant _nextGoodbyeAt;

    /// <summary>
    /// Eager resend needs a flow that the application limits: a full pipe has later acks to tell losses by.
    /// </summary>
    /// <remarks>P-4.1. The share is asked for the packet concerned: it may be larger than any that may leave now.</remarks>
    private bool MayResendEagerly => _config.Loss.EagerResend && _state == ConnectionState.Open
        && !_payload.HasDataToSend
        && _loss.TryFindOverdue(out PacketNumber first) && _eager.Allows(_sent.Peek(first).Bytes);

    /// <summary>Content that was never sent, as its layer counts it.</summary>
    internal long WaitingBytes => _payload.Backlog.Bytes;

    /// <summary>Builds the next datagram.</summary>
    /// <param name="datagram">Room for one datagram; at least the connection's packet size.</param>
    /// <param name="now">The turn's moment.</param>
    /// <param name="to">Where it goes.</param>
    /// <returns>Bytes written; 0 if there is nothing to say now.</returns>
    internal int PollTransmit(Span<byte> datagram, Instant now, out PeerAddress to)
    {
        to = RemoteAddress;
        int written = _state switch
        {
            ConnectionState.Opening => PollHandshake(datagram, now),
            ConnectionState.Open or ConnectionState.Flushing => PollOpen(datagram, now, ref to),
            ConnectionState.Closing => PollGoodbye(datagram, now),
            ConnectionState.Draining => PollLateAnswer(datagram, now),
            _ => 0,
        };

        if (written > 0)
        {
            _counters.DatagramsSent++;
            _counters.BytesSent += written;
        }

        return written;
    }

    private int PollHandshake(Span<byte> datagram, Instant now)
    {
        int written = _handshake!.PollTransmit(datagram, now);
        _trace?.OnHandshakeSent(written, now);
        _timers.Set(TimerKind.Handshake, _handshake.NextDeadline);
        return written;
    }

    private int PollOpen(Span<byte> datagram, Instant now, ref PeerAddress to)
    {
        if (_handshake is not null && !_handshake.IsConfirmed)
        {
            int finish = _handshake.PollFinish(datagram, now, beforePackets: WantsToSay(now));
            _timers.Set(TimerKind.Handshake, _handshake.NextDeadline);

            if (finish > 0)
            {
                _trace?.OnHandshakeSent(finish, now);
                return finish;
            }
        }

        int asked = PollPathPacket(datagram, now, ref to);
        return asked > 0 ? asked : PollPacket(datagram, now);
    }

    private bool WantsToSay(Instant now) => _acks.IsDue(now) || _pingOwed || _probesOwed > 0 || _payload.HasDataToSend;

    private int PollPacket(Span<byte> datagram, Instant now)
    {
        bool isProbe = _probesOwed > 0;
        int room = WindowRoom;
        _owner.ShowWindowRoom(room);
        bool isAckDue = _acks.IsDue(now);
        bool mustAskForAck = _acks.ShouldAsk(_received.Ranges.Length, now);
        bool hasData = _payload.HasDataToSend;
        bool hasWork = hasData || isProbe || _pingOwed || HasIdFrames || _handshakeDone.IsOwed || _ackFrequency.IsOwed
            || mustAskForAck;
        int allowed = !hasWork ? 0 : isProbe ? ProbeBytes : AllowedBytes(room, now);
        bool mayElicit = allowed > 0;

        if (!mayElicit && !isAckDue)
        {
            return 0;
        }

        if (isProbe ? _sent.IsExhausted : _sent.IsFull)
        {
            // Acks stop too: a peer that acknowledges nothing must not push the oldest packet out of the ring.
            return 0;
        }

        if (mayElicit && !_sent.IsFull && _skips.IsDue(_sent.Next))
        {
            // P-2.4: whoever acknowledges this number did not receive it.
            _skips.OnSkipped(_sent.Skip());
            _counters.NumbersSkipped++;
        }

        PacketNumber number = _sent.Next;
        int limit = Math.Min(datagram.Length, mayElicit ? allowed : PacketBytes) - WireFormat.TrailerBytes;
        int position = WriteHeader(datagram, number);
        int headerBytes = position;
        long largestAckedInIt = -1;

        if (_acks.IsOwed && _received.Ranges.Length > 0)
        {
            position += WriteAck(datagram[position..limit], now);
            largestAckedInIt = position > headerBytes ? _received.Largest : -1;
        }

        position += WriteSettled(datagram[position..limit]);

        int controlBytes = mayElicit ? WriteControl(datagram[position..limit], number) : 0;
        position += controlBytes;
        int payloadBytes = 0;

        if (mayElicit && hasData)
        {
            payloadBytes = _payload.WriteFrames(number, datagram[position..limit], now);
        }

        bool isEliciting = controlBytes + payloadBytes > 0;

        if (mayElicit && !isEliciting && (isProbe || mustAskForAck))
        {
            position += FrameWriter.WritePing(datagram[position..limit]);
            isEliciting = true;
        }

        if (payloadBytes > 0)
        {
            position = PadBeforePayload(datagram, position + payloadBytes, payloadBytes);
        }
        else if (isEliciting)
        {
            // P-2.3
            position = PadTo(datagram, position, WireFormat.MinAckElicitingBytes - WireFormat.TrailerBytes);
        }

        if (position == headerBytes)
        {
            return 0;
        }

        int total = position + WireFormat.TrailerBytes;
        _endpoint.Trailer.SealShort(datagram[..total]);
        RecordSent(total, largestAckedInIt, isEliciting, payloadBytes, now);
        TraceSent(number, datagram[..total], isProbe);
        return total;
    }

    private void TraceSent(PacketNumber number, ReadOnlySpan<byte> datagram, bool isProbe)
    {
        if (_trace is not null
            && _sent.TryFind(number, out SentPacket packet)
            && ShortHeader.TryParse(datagram, out ShortHeader header) == DropReason.None)
        {
            ReadOnlySpan<byte> frames = datagram[header.HeaderBytes..^WireFormat.TrailerBytes];
            _trace.OnSent(packet, frames, isProbe, _counters.Retransmits);
        }
    }

    private int WriteHeader(Span<byte> datagram, PacketNumber number) => ShortHeader.Write(
        datagram, _peerId, IsServer, number, _sent.LargestAcked, WireFormat.LeastNumberBytesInPlain);

    private int WindowRoom => Math.Max(0, WindowBytes - _sent.BytesInFlight);

    // P-5.1. How long a packet may be that asks for an ack; 0: none may leave.
    private int AllowedBytes(int room, Instant now)
    {
        if (_sent.IsFull || _sent.OpenPackets >= _config.Path.MaxPacketsInFlight)
        {
            return 0;
        }

        if (room < PacketBytes && !FitsIn(room))
        {
            return 0;
        }

        if (!IsPaced || _pacer.Allowance(now) >= PacketBytes)
        {
            return Math.Min(room, PacketBytes);
        }

        _timers.Set(TimerKind.Pace, _pacer.NextRelease(PacketBytes, now));
        return 0;
    }

    // All that waits, with its heads. Who has more to say waits for room for a full packet, else the window would be
    // used up by ever shorter ones.
    private bool FitsIn(int room)
        => room >= PacketBytes / LeastPartOfPacket && _payload.Backlog.Bytes <= room - MostHeadBytes;

    private int WriteAck(Span<byte> destination, Instant now)
    {
        int written = FrameWriter.WriteAck(destination, _received.Ranges, now - _received.LargestReceivedAt);

        if (written > 0)
        {
            _acks.OnWritten();
            _received.OnAckWritten();
        }

        return written;
    }

    // P-2.7: only on packets that leave anyway, and it makes none of them ask for an acknowledgement.
    private int WriteSettled(Span<byte> destination)
    {
        int written = _settled.IsDue ? FrameWriter.WriteSettled(destination, _settled.Below) : 0;

        if (written > 0)
        {
            _settled.OnWritten();
        }

        return written;
    }

    private int WriteControl(Span<byte> destination, PacketNumber number)
    {
        int written = 0;

        if (_handshakeDone.IsOwed && destination.Length > 0)
        {
            written += FrameWriter.WriteHandshakeDone(destination);
            _handshakeDone.OnWritten(number);
        }

        if (_ackFrequency.IsOwed)
        {
            LossConfig same = _config.Loss;
            int asked = FrameWriter.WriteAckFrequency(
                destination[written..],
                (ulong)same.AckEveryPackets,
                same.MaxAckDelay,
                (ulong)same.PacketThreshold);

            if (asked > 0)
            {
                _ackFrequency.OnWritten(number);
                written += asked;
            }
        }

        if (_pingOwed && destination.Length > written)
        {
            written += FrameWriter.WritePing(destination[written..]);
            _pingOwed = false;
        }

        return HasIdFrames ? written + WriteIdFrames(destination[written..], number) : written;
    }

    /// <summary>
    /// Padding stands before the payload, which owns the rest of the packet; only tiny packets need it.
    /// </summary>
    private static int PadBeforePayload(Span<byte> datagram, int end, int payloadBytes)
    {
        int missing = WireFormat.MinAckElicitingBytes - WireFormat.TrailerBytes - end;

        if (missing <= 0)
        {
            return end;
        }

        int start = end - payloadBytes;
        datagram[start..end].CopyTo(datagram[(start + missing)..]);
        datagram.Slice(start, missing).Clear();
        return end + missing;
    }

    private static int PadTo(Span<byte> datagram, int end, int atLeast)
    {
        if (end >= atLeast)
        {
            return end;
        }

        datagram[end..atLeast].Clear();
        return atLeast;
    }

    private void RecordSent(int bytes, long largestAckedInIt, bool isEliciting, int payloadBytes, Instant now)
    {
        int roomBehind = WindowBytes - _sent.BytesInFlight - bytes;
        bool limited = roomBehind > 0 && !_payload.HasDataToSend;
        bool hasRoomLeft = limited && roomBehind >= PacketBytes;
        DeliveryMark mark = isEliciting ? MarkSent(bytes, limited, now) : default;
        _sent.Add(new SentPacket
        {
            SentAt = now,
            Bytes = bytes,
            IsAckEliciting = isEliciting,
            HasPayload = payloadBytes > 0,
            ApplicationLimited = hasRoomLeft,
            Mark = mark,
            LargestAckedInIt = largestAckedInIt,
        });
        _alive.OnSent(hasPayload: payloadBytes > 0, now);
        _acks.OnPacketSent(isEliciting, now);

        if (!isEliciting)
        {
            _counters.PureAcksSent++;
            return;
        }

        if (payloadBytes > 0)
        {
            NoteBusy(now);
        }

        _probesOwed = Math.Max(0, _probesOwed - 1);
        _counters.PayloadBytesSent += payloadBytes;
        TellSent(bytes, mark, now);
        _eager.OnSent(bytes);
    }

    private void HandleLossTimer(Instant now)
    {
        if (_loss.LossDeadline <= now)
        {
            DeclareLost(now);
            return;
        }

        if (!_loss.TryProbe(now))
        {
            return;
        }

        if (_sent.IsExhausted)
        {
            // P-3.3. No number is left to probe with: a peer that speaks and acknowledges nothing is not worth the waiting.
            _status.End(FinalReasons.TimedOut, new CloseReason(
                CloseCode.IdleTimeout, $"{RemoteAddress} acknowledges nothing."));
            Enter(ConnectionEvent.SilenceElapsed, now);
            return;
        }

        // RFC 9002 section 6.2.4: a probe says nothing about loss; it carries the oldest content that is unsettled.
        OweProbes(_holes.IsSuspicious ? ProbesAtMost : Math.Min(_loss.PtoCount, ProbesAtMost), now);
    }

    /// <summary>P-8.8: a peer that refused packets has room again, so it is asked without waiting for a time-out.</summary>
    private void ProbeForRoom(Instant now)
    {
        // Once per time-out, as probes without backoff would go: more often only a peer would ask that means no good.
        if (_sent.OpenPackets > 0 && !_sent.IsExhausted && now >= _nextRoomProbeAt)
        {
            _nextRoomProbeAt = now + _loss.ProbeTimeout;
            _loss.ForgetBackoff();
            OweProbes(ProbesAtMost, now);
            ForgiveRefusals();
        }
    }

    // What the peer refused was lost for its want of room, not on the path. A window that this took below what a new
    // connection begins with begins as one; never more, since some of the losses may have been the path's.
    private void ForgiveRefusals()
    {
        if (_controller.WindowBytes < CongestionWindow.Initial(PacketBytes, _config.Congestion.InitialWindowPackets))
        {
            StartCongestionAnew();
        }
    }

    private void OweProbes(int probes, Instant now)
    {
        _probesOwed = probes;
        _counters.ProbesSent += _probesOwed;

        if (_sent.TryFindOldestPayload(out PacketNumber oldest))
        {
            _payload.HandleOverdue(oldest, now);
        }

        _handshakeDone.OnProbe();
        _ackFrequency.OnProbe();
    }

    private void DeclareLost(Instant now)
    {
        while (_loss.TryNextLost(now, out SentPacket lost, out bool isPersistent))
        {
            _trace?.OnFate(TraceEventKind.PacketLost, lost.Number, now, _loss.LastTrigger);

            if (lost.IsSizeProbe)
            {
                OnSizeProbeLost(lost, now);
                continue;
            }

            _counters.PacketsLost++;
            _quality?.OnLost();
            _ids?.OnLost(lost.Number);

            if (!IsCounted(lost.Number))
            {
                TellLost(lost, now);
                continue;
            }

            _holes.OnLost(lost.Bytes, lost.SentAt);
            TellControllerLost(lost, isPersistent, now);

            if (isPersistent)
            {
                // The path may have changed for good: its least round trip is measured anew (RFC 9002 section 5.2).
                _rtt.ForgetMinimum();
                _counters.PersistentCongestions++;
            }

            TellLost(lost, now);
        }

        EndLossBurst(now);
        TellAckEnd(now);
    }

    private void TellLost(in SentPacket lost, Instant now)
    {
        if (lost.HasPayload)
        {
            _payload.HandleLost(new PacketNumber(lost.Number), now);
        }

        _handshakeDone.OnLost(lost.Number);
        _ackFrequency.OnLost(lost.Number);
    }

    private void OfferOverdue(Instant now)
    {
        while (MayResendEagerly && _loss.TryNextOverdue(now, out PacketNumber overdue))
        {
            _eager.OnOffered(_sent.Peek(overdue).Bytes);
            _payload.HandleOverdue(overdue, now);
        }
    }

    private int PollGoodbye(Span<byte> datagram, Instant now)
    {
        if (_goodbyesLeft == 0 || now < _nextGoodbyeAt)
        {
            return 0;
        }

        int written = WriteGoodbye(datagram, now);
        _goodbyesLeft--;

        if (_goodbyesLeft == 0)
        {
            Enter(ConnectionEvent.GoodbyesSent, now);
        }
        else
        {
            // Spread a little, so that one burst of loss does not take all three.
            TimeSpan gap = _rtt.HasSample ? _rtt.Smoothed / 2 : LongestGoodbyeGap;
            gap = gap < ShortestGoodbyeGap ? ShortestGoodbyeGap : Shorter(gap, LongestGoodbyeGap);
            _nextGoodbyeAt = now + gap;
            _timers.Set(TimerKind.Close, _nextGoodbyeAt);
        }

        return written;
    }

    private int PollLateAnswer(Span<byte> datagram, Instant now)
    {
        if (!_lateAnswerOwed)
        {
            return 0;
        }

        _lateAnswerOwed = false;
        _lateAnswersLeft--;
        return WriteGoodbye(datagram, now);
    }

    private int WriteGoodbye(Span<byte> datagram, Instant now)
    {
        if (_sent.IsExhausted)
        {
            return 0;
        }

        PacketNumber number = _sent.Skip();
        int position = WriteHeader(datagram, number);
        int headerBytes = position;
        CloseReason reason = _status.Reason ?? CloseReason.ByApplication;
        position += FrameWriter.WriteClose(
            datagram[position..^WireFormat.TrailerBytes], (ulong)reason.Code, reason.Detail);
        int total = position + WireFormat.TrailerBytes;
        _endpoint.Trailer.SealShort(datagram[..total]);
        _trace?.OnSent(
            new SentPacket { Number = number.Value, SentAt = now, Bytes = total },
            datagram[headerBytes..position],
            isProbe: false,
            _counters.Retransmits);
        return total;
    }
}
