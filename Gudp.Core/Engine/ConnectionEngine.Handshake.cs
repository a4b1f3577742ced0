using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

// Handshake packets that come back to the client. They are routed by our random id, which only the server we asked
// and those on the path have seen.
internal sealed partial class ConnectionEngine
{
    internal DropReason HandleHandshake(
        LongPacketType type, ulong sourceId, HandshakeParameters packet, PeerAddress from, Instant now)
    {
        if (from != RemoteAddress || _handshake is null || _state != ConnectionState.Opening)
        {
            return DropReason.Unexpected;
        }

        DropReason dropped = type switch
        {
            LongPacketType.Cookie => _handshake.HandleCookie(packet, now),
            LongPacketType.Answer => HandleAnswer(sourceId, packet, now),
            LongPacketType.Refuse => HandleRefusal(packet, now),
            LongPacketType.VersionList => HandleVersionList(packet, now),
            _ => DropReason.Unexpected,
        };

        if (_state == ConnectionState.Opening)
        {
            _timers.Set(TimerKind.Handshake, _handshake.NextDeadline);
        }

        return dropped;
    }

    private DropReason HandleAnswer(ulong serverId, HandshakeParameters answer, Instant now)
    {
        DropReason dropped = _handshake!.HandleAnswer(serverId, answer, now, out CloseReason? problem);

        if (problem is not null)
        {
            _status.End(FinalReasons.ProtocolViolated, problem);
            Enter(ConnectionEvent.RuleBroken, now);
        }
        else if (dropped == DropReason.None)
        {
            Enter(ConnectionEvent.PeerAnswered, now);
            TakePeerTerms(serverId, PeerTerms.Read(answer), now);
            _timers.Set(TimerKind.Handshake, _handshake.NextDeadline);
        }

        return dropped;
    }

    private DropReason HandleRefusal(HandshakeParameters packet, Instant now)
    {
        CloseReason reason = CloseReason.FromWire(
            (ulong)packet.RefusalCode!.Value, $"{RemoteAddress} refused the connection.");
        _status.End(FinalReasons.Refused, reason);
        Enter(ConnectionEvent.PeerRefused, now);
        return DropReason.None;
    }

    private DropReason HandleVersionList(HandshakeParameters packet, Instant now)
    {
        // Believed only before any other answer, and only if it does not hold the version we speak (security 4.5).
        if (_handshake!.HasHeardServer)
        {
            return DropReason.Unexpected;
        }

        for (int i = 0; i < packet.VersionCount; i++)
        {
            if (packet.VersionAt(i) == WireFormat.Version)
            {
                return DropReason.Unexpected;
            }
        }

        _status.End(
            FinalReasons.Refused,
            new CloseReason(
                CloseCode.VersionMismatch, $"{RemoteAddress} does not speak version {WireFormat.Version}."));
        Enter(ConnectionEvent.PeerRefused, now);
        return DropReason.None;
    }
}
