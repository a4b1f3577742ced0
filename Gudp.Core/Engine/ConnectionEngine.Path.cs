using System;
using Gudp.Core.Congestion;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

// The path: how large a datagram it carries, which address it leads to, and the ids that name the connection (P-9).
// What to do is decided by PathProbe, BlackHoleWatch, PathValidator and ConnectionIds; here it becomes packets.
//
// Always true:
//   - but for challenges and echoes nothing leaves for an address that was not proved;
//   - a probe of the size is invisible to the congestion controller, sent, acked or lost.
internal sealed partial class ConnectionEngine
{
    private readonly PathProbe _probe;
    private readonly BlackHoleWatch _holes = new();
    private readonly PathValidator _validator;
    private ConnectionIds? _ids;        // made with the first id beside those of the handshake
    private PathArrival _arrival;       // of the packet being handled
    private ulong _idInUse;             // the one of ours that the peer uses on the present path
    private long _pathFrom;             // packets below left on a former path
    private int _peerBufferBytes = AssumedPeerBufferBytes;

    /// <summary>No datagram it says next is longer; what builds them needs so much room.</summary>
    internal int LargestDatagramBytes => Math.Max(PacketBytes, _probe.WantedBytes);

    /// <summary>False while the peer is at an address that it has not proved (for the status word).</summary>
    internal bool IsPathValidated
        => _state is ConnectionState.Open or ConnectionState.Flushing && !_validator.IsValidating;

    /// <summary>True while packets are smaller than they were on this path (for the status word).</summary>
    internal bool IsPacketSizeReduced => _probe.IsReduced;

    /// <summary>What the path is known to carry; only a probe of its size is longer.</summary>
    internal int PacketBytes => _probe.PacketBytes;

    // P-9.3: the last of two probes is small, so that it gets through a path that large ones do not.
    private int ProbeBytes => _probesOwed == 1 && (_loss.PtoCount > 1 || _holes.IsSuspicious)
        ? Math.Min(PacketBytes, PathProbe.LeastBytes)
        : PacketBytes;

    // P-9.5
    private bool MayChangeAddress => _config.Path.AllowAddressChange
        && _state is ConnectionState.Open or ConnectionState.Flushing;

    private bool HasIdFrames => _ids is not null && _ids.HasOwed;

    /// <summary>The system refused a datagram of this connection as too large (P-9.4).</summary>
    internal void HandleTooLarge(int bytes, Instant now)
    {
        if (_state is not (ConnectionState.Open or ConnectionState.Flushing))
        {
            return;
        }

        if (_sent.TryFind(_probe.OnItsWay, out SentPacket probe) && probe.Bytes == bytes)
        {
            // It never left: waiting for its loss would only ask the peer in vain. Its size tells it from a packet that
            // was built before the size in use sank: a later probe may be on its way by now, and keeps its fate.
            _sent.TryLose(_probe.OnItsWay, out _);
        }

        if (_probe.OnTooLarge(bytes, _sent.Next, now))
        {
            OnPacketSizeReduced();
        }
    }

    /// <summary>The connection has ended: its further ids mean nothing any more.</summary>
    internal void ReleaseSpareIds()
    {
        for (int i = 0; _ids is not null && i < _ids.OwnCount; i++)
        {
            _endpoint.SpareIds.Remove(_ids.OwnIdAt(i));
        }
    }

    private bool IsOfThisPath(long packet) => packet >= _pathFrom;

    private bool IsRetired(ulong id) => _ids is not null && !_ids.IsOwn(id);

    /// <summary>The first path: the peer has said what it takes (P-9.1).</summary>
    private void BeginPath(in PeerTerms peer)
    {
        int start = Math.Min(peer.LargestDatagramBytes, _config.Path.PacketBytes);
        int most = Math.Min(peer.LargestDatagramBytes, _config.Path.LargestBytes);

        // Two of the largest must fit the peer's socket, or probes drown in its other packets.
        most = _endpoint.CanProbeSize ? Math.Min(most, peer.SocketBufferBytes / 2) : start;
        _peerBufferBytes = peer.SocketBufferBytes;
        _probe.Start(start, Math.Max(start, most));
        _pacer.OnPeerBufferKnown(peer.SocketBufferBytes);
        OnPacketSizeChanged();

        for (int i = 0; _config.Path.AllowAddressChange && i < _config.Path.SpareIds; i++)
        {
            OfferSpareId();
        }
    }

    private void OnPacketSizeChanged()
    {
        _controller.OnPacketSizeChanged(PacketBytes);
        _pacer.OnPacketSizeChanged(PacketBytes);
        _counters.PacketBytes = PacketBytes;
        _owner.Publish(MaxFrameBytes, _rtt.HasSample ? _rtt.Smoothed : TimeSpan.Zero);
    }

    private void OnPacketSizeReduced()
    {
        _counters.PacketSizeReductions++;
        _holes.Restart();
        OnPacketSizeChanged();
    }

    private void OnSizeProbeAcked(in SentPacket packet, Instant now)
    {
        if (!IsOfThisPath(packet.Number))
        {
            return;
        }

        _holes.OnAcked(packet.Bytes);

        if (_probe.OnAcked(new PacketNumber(packet.Number), packet.Bytes, now))
        {
            OnPacketSizeChanged();
        }
    }

    private void OnSizeProbeLost(in SentPacket packet, Instant now)
    {
        _counters.SizeProbesLost++;
        _probe.OnLost(new PacketNumber(packet.Number), now);
    }

    /// <summary>A packet declared lost came after all.</summary>
    /// <returns>False if congestion control must hear of it.</returns>
    private bool TakeLateAck(in SentPacket packet, Instant now)
    {
        if (packet.IsSizeProbe)
        {
            OnSizeProbeAcked(packet, now);
            return true;
        }

        _holes.OnAcked(packet.Bytes);
        return !IsCounted(packet.Number);
    }

    private void EndLossBurst(Instant now)
    {
        if (_holes.EndBurst(now) && _probe.OnBlackHole())
        {
            OnPacketSizeReduced();
        }
    }

    private void ArmPathTimer(Instant now)
    {
        Instant next = Instant.Earlier(_probe.NextDeadline, _validator.NextDeadline);

        // What is due and could not leave now, for want of a number, is tried again a little later.
        _timers.Set(
            TimerKind.Path, next <= now ? now + _config.Loss.TimerGranularity : next);
    }

    private void HandlePathTimer(Instant now)
    {
        _probe.HandleTimeout(now);
        _counters.PathsRefused += _validator.RemoveExpired(now);
    }

    /// <summary>Echoes, challenges and probes of the size: datagrams of their own, before all others.</summary>
    private int PollPathPacket(Span<byte> datagram, Instant now, ref PeerAddress to)
    {
        if (_sent.IsFull)
        {
            return 0;
        }

        if (_validator.TryTakeAnswer(out PathAnswer echo))
        {
            to = echo.To;
            return WritePathPacket(datagram, FrameType.PathResponse, echo, now);
        }

        if (_validator.TryTakePresentChallenge(out ulong token))
        {
            PathAnswer present = new(RemoteAddress, token, WireFormat.MinAckElicitingBytes);
            return WritePathPacket(datagram, FrameType.PathChallenge, present, now);
        }

        if (_validator.TryNextChallenge(now, PathProbe.LeastBytes, out PathAnswer challenge))
        {
            to = challenge.To;
            return WritePathPacket(datagram, FrameType.PathChallenge, challenge, now);
        }

        if (_holes.WantsProof && PacketBytes <= datagram.Length && !_validator.IsValidating)
        {
            // P-9.3: one for a burst of losses, whatever window and backoff have become by it.
            _holes.OnProofSent();
            WriteSizeProbe(datagram[..PacketBytes], now);
            return PacketBytes;
        }

        if (!MayProbeSize(datagram.Length, now))
        {
            return 0;
        }

        int bytes = _probe.WantedBytes;
        _probe.OnSent(WriteSizeProbe(datagram[..bytes], now));
        return bytes;
    }

    // Its fate is the validator's business, not that of loss recovery, which belongs to the present path: the packet is
    // recorded as one that nobody waits for.
    private int WritePathPacket(Span<byte> datagram, byte type, in PathAnswer what, Instant now)
    {
        int position = WriteHeader(datagram, _sent.Next);

        if (type == FrameType.PathChallenge)
        {
            position += FrameWriter.WritePathChallenge(datagram[position..], what.Token);
            _counters.PathChallengesSent++;
        }
        else
        {
            position += FrameWriter.WritePathResponse(datagram[position..], what.Token);
        }

        PadTo(datagram, position, what.Bytes - WireFormat.TrailerBytes);
        _endpoint.Trailer.SealShort(datagram[..what.Bytes]);
        PacketNumber number = _sent.Add(new SentPacket { SentAt = now, Bytes = what.Bytes, IsAckEliciting = false });
        TraceSent(number, datagram[..what.Bytes], isProbe: false);
        _alive.OnSent(hasPayload: false, now);
        return what.Bytes;
    }

    // P-9.2: like any packet it waits for window and pacer, but takes nothing of them: its size is not theirs.
    private bool MayProbeSize(int room, Instant now)
        => _probe.WantedBytes > 0
            && _probe.WantedBytes <= room
            && _state == ConnectionState.Open
            && (_handshake is null ? _handshakeDone.IsSettled : _handshake.IsConfirmed)
            && _loss.PtoCount == 0
            && _probesOwed == 0
            && !_validator.IsValidating
            && AllowedBytes(WindowRoom, now) >= PacketBytes;

    /// <summary>A Ping and padding: nothing in it can be refused.</summary>
    private PacketNumber WriteSizeProbe(Span<byte> datagram, Instant now)
    {
        int position = WriteHeader(datagram, _sent.Next);
        position += FrameWriter.WritePing(datagram[position..]);
        PadTo(datagram, position, datagram.Length - WireFormat.TrailerBytes);
        _endpoint.Trailer.SealShort(datagram);

        PacketNumber number = _sent.Add(new SentPacket
        {
            SentAt = now,
            Bytes = datagram.Length,
            IsAckEliciting = true,
            IsSizeProbe = true,
        });
        TraceSent(number, datagram, isProbe: false);
        _pacer.OnSent(datagram.Length, now);
        _counters.SizeProbesSent++;
        _alive.OnSent(hasPayload: false, now);
        return number;
    }

    /// <summary>An intact packet was taken: what its address says about the peer's place (P-9.5).</summary>
    private void HandlePathArrival(bool isNewest, Instant now)
    {
        if (_state is not (ConnectionState.Open or ConnectionState.Flushing))
        {
            return;
        }

        if (_arrival.From == RemoteAddress)
        {
            if (isNewest)
            {
                _idInUse = _arrival.Id;
                _validator.Cancel();
            }

            return;
        }

        bool isCandidate = _validator.TryCredit(_arrival.From, _arrival.Bytes, now);

        if (!isCandidate && isNewest)
        {
            TimeSpan assumed = 3 * _config.Loss.FirstRoundTrip;
            TimeSpan wait = _loss.ProbeTimeout > assumed ? _loss.ProbeTimeout : assumed;
            _validator.Begin(_arrival.From, _arrival.Bytes, wait, now);
        }
    }

    private void HandlePathFrame(in Frame frame, Instant now)
    {
        switch (frame.Type)
        {
            case FrameType.PathChallenge:
                // One echo for a datagram and not longer than it, or three challenges in it would send three times its
                // bytes to whoever it claims to be from.
                OweEcho(frame.PathToken);
                break;
            case FrameType.PathResponse:
                HandleEcho(frame.PathToken, now);
                break;
            case FrameType.NewId:
                HandleNewId(frame, now);
                break;
            default:
                HandleRetireId(frame, now);
                break;
        }
    }

    private void OweEcho(ulong token)
    {
        int bytes = Math.Min(_arrival.Bytes, PathProbe.LeastBytes);

        if (!_arrival.HasChallenge && bytes >= WireFormat.MinAckElicitingBytes)
        {
            _arrival = _arrival with { HasChallenge = true };
            _validator.Owe(new PathAnswer(_arrival.From, token, bytes));
        }
    }

    private void HandleEcho(ulong token, Instant now)
    {
        // One that nobody asked for, or that comes too late, says nothing. Nor does one from the present address: the
        // peer is where it was, and somebody who read along has handed our challenge on to it.
        if (_arrival.From != RemoteAddress && _validator.TryProve(token, out PeerAddress proved))
        {
            MoveTo(proved, now);
        }
    }

    // P-9.7, RFC 9000 section 9.4.
    private void MoveTo(PeerAddress address, Instant now)
    {
        bool isSameHost = address.WithPort(0) == RemoteAddress.WithPort(0);
        RemoteAddress = address;
        _owner.HandleMoved(address);
        _counters.PathChanges++;

        if (_arrival.From == address && _arrival.Id != _idInUse)
        {
            // The peer moved on purpose, under an id that was not seen on its old path: so do our packets (P-9.9).
            _idInUse = _arrival.Id;
            UseFreshPeerId();
        }

        if (!isSameHost)
        {
            _pathFrom = _sent.Next.Value;
            _rtt.Restart(_config.Loss.FirstRoundTrip);
            _loss.OnPathChanged();
            _probe.Restart();
            _holes.Restart();
            StartCongestionAnew();
            OnPacketSizeChanged();
        }

        // What is in flight went to where nobody may be any more: ask at once instead of after a probe time-out.
        _probesOwed = Math.Max(_probesOwed, 1);
    }

    private void HandleNewId(in Frame frame, Instant now)
    {
        _ids ??= new ConnectionIds(LocalId, _peerId);

        if (_ids.HandleNewId(frame.IdSequence, frame.ConnectionId) == ConnectionIds.Verdict.Broken)
        {
            Violate(CloseCode.CreditExceeded, $"Id {frame.IdSequence} is one more than anybody may offer.", now);
        }
    }

    private void HandleRetireId(in Frame frame, Instant now)
    {
        _ids ??= new ConnectionIds(LocalId, _peerId);

        if (!_ids.TryRetireOwn(frame.IdSequence, _arrival.Id, out ulong retired))
        {
            Violate(CloseCode.MalformedFrame, $"Id {frame.IdSequence} was never given away, or is in use.", now);
        }
        else if (retired != 0)
        {
            _endpoint.SpareIds.Remove(retired);
            OfferSpareId();
        }
    }

    private void OfferSpareId()
    {
        _ids ??= new ConnectionIds(LocalId, _peerId);
        ulong id = _endpoint.Identity.NextId();

        // Two equal draws of 64 bits do not happen; if they did, this peer has an id less.
        if (_endpoint.SpareIds.TryAdd(id, this))
        {
            _ids.Offer(id);
        }
    }

    private void UseFreshPeerId()
    {
        if (_ids is not null && _ids.TryUseFresh())
        {
            _peerId = _ids.PresentPeerId;
        }
    }

    private int WriteIdFrames(Span<byte> destination, PacketNumber number)
    {
        if (_ids is null)
        {
            return 0;
        }

        Span<byte> token = stackalloc byte[WireFormat.ResetTokenBytes];
        int written = 0;

        while (_ids.TryNextOffer(out ulong sequence, out ulong id))
        {
            _endpoint.Identity.WriteResetToken(id, token);
            int bytes = FrameWriter.WriteNewId(destination[written..], sequence, id, token);

            if (bytes == 0)
            {
                return written;
            }

            written += bytes;
            _ids.OnOfferWritten(sequence, number);
        }

        while (_ids.TryNextRetirement(out ulong sequence))
        {
            int bytes = FrameWriter.WriteRetireId(destination[written..], sequence);

            if (bytes == 0)
            {
                return written;
            }

            written += bytes;
            _ids.OnRetirementWritten(sequence, number);
        }

        return written;
    }

    /// <summary>How the packet being handled came.</summary>
    private readonly record struct PathArrival(PeerAddress From, ulong Id, int Bytes)
    {
        internal bool HasChallenge { get; init; }
    }
}
