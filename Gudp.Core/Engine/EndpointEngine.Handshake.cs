using System;
using System.Buffers.Binary;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

// Handshake packets: the server's half here (S-10), the client's handed to the connection that waits for them.
internal sealed partial class EndpointEngine
{
    // One instance for all: a packet is read and answered before the next one is looked at.
    private readonly HandshakeParameters _theirs = new();
    private readonly HandshakeParameters _reply = new();

    private DropReason HandleLongForm(
        ReadOnlySpan<byte> datagram, PeerAddress from, Instant now, out ConnectionEngine? connection)
    {
        connection = null;
        DropReason dropped = LongHeader.TryParse(datagram, out LongHeader header);

        if (dropped == DropReason.UnknownVersion)
        {
            return HandleUnknownVersion(header, datagram.Length, from);
        }

        if (dropped != DropReason.None)
        {
            return dropped;
        }

        if (!PacketTrailer.IsLongIntact(datagram))
        {
            return DropReason.BadChecksum;
        }

        if (!_theirs.TryRead(LongHeader.ParametersOf(datagram), out _, out _)
            || _theirs.FirstMissing(header.Type) != ParameterId.None)
        {
            return DropReason.BadParameter;
        }

        switch (header.Type)
        {
            case LongPacketType.Hello:
                return HandleHello(header, datagram.Length, from, now);
            case LongPacketType.HelloPlus:
                return HandleHelloPlus(header, datagram.Length, from, now);
            case LongPacketType.Finish:
                return HandleFinish(header, from, now, out connection);
            default:
                return HandleForClient(header, from, now, out connection);
        }
    }

    private DropReason HandleUnknownVersion(in LongHeader header, int bytes, PeerAddress from)
    {
        // H6: only a datagram as long as a hello is answered, and never by more than it brought.
        if (_acceptor.IsListening && bytes >= WireFormat.MinimumHelloBytes)
        {
            _reply.Clear();
            _reply.SetVersions([WireFormat.Version]);
            Reply(LongPacketType.VersionList, header.SourceId, sourceId: header.DestinationId, from);
        }

        return DropReason.UnknownVersion;
    }

    private DropReason HandleHello(in LongHeader header, int bytes, PeerAddress from, Instant now)
    {
        DropReason dropped = CheckStranger(bytes);
        return dropped != DropReason.None ? dropped : ReplyCookie(header, from, now);
    }

    private DropReason CheckStranger(int bytes)
    {
        if (!_acceptor.IsListening)
        {
            return DropReason.Unexpected;
        }

        if (bytes < WireFormat.MinimumHelloBytes)
        {
            // S-10.2: the answer may be as long as a hello must be.
            return DropReason.HelloTooShort;
        }

        return _theirs.ApplicationId == _settings.ApplicationId ? DropReason.None : DropReason.ForeignApplication;
    }

    private DropReason ReplyCookie(in LongHeader header, PeerAddress from, Instant now)
    {
        Span<byte> cookie = stackalloc byte[CookieJar.CookieBytes];
        Span<byte> lists = stackalloc byte[MostListBytes];
        _cookies.Make(new CookieClaim(from, header.SourceId, _theirs.Nonce), ListsOf(_theirs, lists), now, cookie);

        _reply.Clear();
        _reply.Cookie = cookie;
        WriteOurLists(_reply);
        return Reply(LongPacketType.Cookie, header.SourceId, sourceId: 0, from);
    }

    private DropReason HandleHelloPlus(in LongHeader header, int bytes, PeerAddress from, Instant now)
    {
        DropReason dropped = CheckStranger(bytes);

        if (dropped != DropReason.None)
        {
            return dropped;
        }

        Span<byte> lists = stackalloc byte[MostListBytes];
        CookieClaim claim = new(from, header.SourceId, _theirs.Nonce);

        if (!_cookies.IsGood(claim, ListsOf(_theirs, lists), _theirs.Cookie, now))
        {
            ReplyCookie(header, from, now);
            return DropReason.BadCookie;
        }

        if (_acceptor.HasOneConnectionPerPeer && IsOursToOpen(from))
        {
            return DropReason.Busy;
        }

        if (_candidates.TryRefresh(from, header.SourceId, now, out Candidate? known))
        {
            return Reply(known!.Answer, from);
        }

        return Consider(header, from, now);
    }

    /// <summary>
    /// S-10.4: both ends dial each other. The connection of the end with the larger id is the one that opens, and the
    /// other end's waits unanswered until then; also once ours is open here and the other end may not know it yet.
    /// </summary>
    private bool IsOursToOpen(PeerAddress peer)
    {
        PeerId theirs = PeerId.Read(_theirs.PeerId);

        foreach (ConnectionEngine connection in _byId.Values)
        {
            if (connection.IsDialling && connection.RemoteAddress == peer
                && (connection.State == ConnectionState.Open || _settings.PeerId > theirs))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The address is proved: decide whether this peer may become a candidate.</summary>
    private DropReason Consider(in LongHeader header, PeerAddress from, Instant now)
    {
        PayloadParameters ours = _acceptor.Announced;

        if (_theirs.Choice != new HandshakeChoice(WireFormat.Version, ModeSuite.Plain))
        {
            return Refuse(header, CloseCode.VersionMismatch, from);
        }

        if (_theirs.PayloadProtocol != ours.Protocol || _theirs.PayloadVersion != ours.Version)
        {
            return Refuse(header, CloseCode.PayloadMismatch, from);
        }

        if (_byId.Count >= _settings.MaxConnections || !_acceptor.HasRoom)
        {
            Refuse(header, CloseCode.Busy, from);
            return DropReason.Busy;
        }

        if (!_candidates.HasRoomFor(from, now))
        {
            return DropReason.CandidateTableFull;
        }

        ulong serverId = NextFreeId();
        byte[] answer = MakeAnswer(header, serverId, ours);
        Instant expiresAt = now + CandidateTable.Lifetime;
        _candidates.Add(new Candidate(from, header.SourceId, serverId, PeerTerms.Read(_theirs), expiresAt)
        {
            Answer = answer,
        });
        return Reply(answer, from);
    }

    private byte[] MakeAnswer(in LongHeader header, ulong serverId, in PayloadParameters ours)
    {
        Span<byte> token = stackalloc byte[WireFormat.ResetTokenBytes];
        _settings.Identity.WriteResetToken(serverId, token);

        _reply.Clear();
        WriteOurLists(_reply);
        _reply.ResetToken = token;
        _reply.Choice = _theirs.Choice;
        _reply.SetListsAsReceived(_theirs);
        PeerTerms.Write(_reply, _settings, _acceptor.Config, ours);

        byte[] datagram = new byte[WireFormat.MinimumHelloBytes];
        int written = HandshakePacket.Write(datagram, LongPacketType.Answer, header.SourceId, serverId, _reply);
        Invariant.Require(written > 0, "An answer is not longer than the hello it answers.");
        return datagram[..written];
    }

    private DropReason HandleFinish(
        in LongHeader header, PeerAddress from, Instant now, out ConnectionEngine? connection)
    {
        if (_byId.TryGetValue(header.DestinationId, out connection))
        {
            // Repeated until the client hears us; what it waits for is on its way.
            return DropReason.Duplicate;
        }

        if (!_candidates.Contains(header.DestinationId))
        {
            return DropReason.UnknownConnection;
        }

        // Asked before the candidate is taken: the client repeats its Finish, and there may be room by then.
        if (!_acceptor.IsListening || !_acceptor.HasRoom || _byId.Count >= _settings.MaxConnections)
        {
            return DropReason.Busy;
        }

        if (!_candidates.TryPromote(header.DestinationId, header.SourceId, from, out Candidate? candidate))
        {
            return DropReason.UnknownConnection;
        }

        // A layer that knows its peers by id says itself what is over, before the new connection opens: the same peer's.
        // What is left then belongs to somebody who is not there any more.
        bool isLayerFirst = _acceptor.HasOneConnectionPerPeer;

        if (!isLayerFirst)
        {
            RetireFormerOf(from, candidate!.Terms.Instance, null, now);
        }

        IConnectionOwner owner = _acceptor.Admit(from);
        connection = new ConnectionEngine(_settings, owner, from, candidate!.ServerId, handshake: null);
        _byId.Add(candidate.ServerId, connection);

        // Open first: from the moment users may accept it, another thread uses it.
        connection.Admit(candidate.ClientId, candidate.Terms, now);

        if (isLayerFirst)
        {
            RetireFormerOf(from, candidate.Terms.Instance, connection, now);
        }

        _acceptor.HandleAdmitted(owner, connection);
        return DropReason.None;
    }

    /// <summary>
    /// The same address has opened anew: what it had before is over, and said to be before the new one is.
    /// </summary>
    private void RetireFormerOf(PeerAddress address, ulong instance, ConnectionEngine? present, Instant now)
    {
        foreach (ConnectionEngine former in _byId.Values)
        {
            if (former != present && former.IsServer && former.RemoteAddress == address && former.State != ConnectionState.Ended)
            {
                CloseReason reason = former.PeerInstance == instance
                    ? new CloseReason(CloseCode.PeerLostState, "The peer opened anew from the same address.")
                    : new CloseReason(CloseCode.PeerRestarted, "The peer was restarted and opened anew.");
                former.End(FinalReasons.ClosedByPeer, reason, now);
                _disturbed.Enqueue(former);
            }
        }
    }

    private DropReason HandleForClient(
        in LongHeader header, PeerAddress from, Instant now, out ConnectionEngine? connection)
    {
        if (!_byId.TryGetValue(header.DestinationId, out connection))
        {
            return DropReason.UnknownConnection;
        }

        return connection.HandleHandshake(header.Type, header.SourceId, _theirs, from, now);
    }

    private DropReason Refuse(in LongHeader header, CloseCode code, PeerAddress from)
    {
        _reply.Clear();
        _reply.SetRefusal((long)code, retryAfterMilliseconds: 0);
        return Reply(LongPacketType.Refuse, header.SourceId, sourceId: 0, from);
    }

    private DropReason Reply(LongPacketType type, ulong destinationId, ulong sourceId, PeerAddress to)
    {
        Span<byte> slot = _replies.Reserve();

        if (slot.IsEmpty)
        {
            return DropReason.AmplificationLimited;
        }

        _replies.Commit(HandshakePacket.Write(slot, type, destinationId, sourceId, _reply), to);
        return DropReason.None;
    }

    private DropReason Reply(ReadOnlySpan<byte> packet, PeerAddress to)
    {
        Span<byte> slot = _replies.Reserve();

        if (slot.IsEmpty)
        {
            return DropReason.AmplificationLimited;
        }

        packet.CopyTo(slot);
        _replies.Commit(packet.Length, to);
        return DropReason.None;
    }

    private const int MostListBytes = 512;

    private static void WriteOurLists(HandshakeParameters into)
    {
        into.SetModes([ModeSuite.Plain]);
        into.SetVersions([WireFormat.Version]);
    }

    private static ReadOnlySpan<byte> ListsOf(HandshakeParameters parameters, Span<byte> buffer)
    {
        ReadOnlySpan<byte> modes = parameters.ModeBytes;
        ReadOnlySpan<byte> versions = parameters.VersionBytes;
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)modes.Length);
        modes.CopyTo(buffer[2..]);
        versions.CopyTo(buffer[(2 + modes.Length)..]);
        return buffer[..(2 + modes.Length + versions.Length)];
    }
}
