using System;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

// The client's half of the handshake (wire section 2, security section 4.2): Hello until a cookie comes, HelloPlus with
// it until an answer comes, then Finish until the server is heard in the short form.
//
// Always true:
//   - steps only go forward; what belongs to another step is not taken;
//   - Hello and HelloPlus fill 1200 bytes, so that no answer is larger than its cause;
//   - Finish is built once per answer and repeated byte for byte.

/// <summary>Handshake of a connection this end opens. Owned by its <see cref="ConnectionEngine"/>.</summary>
internal sealed class ClientHandshake
{
    private const int NonceBytes = 32;

    // S-5.2. Rarer, and a path that loses three in ten in bursts fails one opening in forty within the usual 10 s.
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FinishGap = TimeSpan.FromMilliseconds(10);

    private readonly EndpointSettings _endpoint;
    private readonly ulong _clientId;
    private readonly TimeSpan _firstRetry;
    private readonly byte[] _nonce = new byte[NonceBytes];
    private readonly HandshakeParameters _ours = new();
    private readonly HandshakeParameters _serverLists = new();
    private readonly HandshakeParameters _finish = new();

    private Step _step = Step.Hello;
    private ulong _serverId;
    private TimeSpan _retry;
    private Instant _nextAt;
    private Instant _finishSentAt;

    internal ClientHandshake(
        EndpointSettings endpoint, in ConnectionConfig config, in PayloadParameters payload, ulong clientId)
    {
        _endpoint = endpoint;
        _clientId = clientId;
        _firstRetry = config.HandshakeRetry;
        _retry = _firstRetry;

        Payload = payload;
        Config = config;
        endpoint.Identity.Secrets.Fill(_nonce);
        FillHello();
    }

    private enum Step : byte
    {
        Hello,
        HelloPlus,
        Finish,
        Confirmed,
    }

    internal PayloadParameters Payload { get; }

    /// <summary>True once the server was heard in the short form: Finish need not be repeated.</summary>
    internal bool IsConfirmed => _step == Step.Confirmed;

    /// <summary>True once the server has shown us a cookie.</summary>
    internal bool HasHeardServer => _step != Step.Hello;

    internal Instant NextDeadline => IsConfirmed ? Instant.Never : _nextAt;

    private ConnectionConfig Config { get; }

    /// <summary>The first Hello goes then.</summary>
    internal void StartAt(Instant start) => _nextAt = start;

    /// <summary>The server has shown us a cookie and its lists.</summary>
    internal DropReason HandleCookie(HandshakeParameters server, Instant now)
    {
        if (_step != Step.Hello)
        {
            // An older cookie was refused: the server gave a fresh one with its complaint.
            if (_step == Step.HelloPlus && !server.Cookie.SequenceEqual(_ours.Cookie))
            {
                UseCookie(server, now);
                return DropReason.None;
            }

            return DropReason.Unexpected;
        }

        for (int i = 0; i < server.ModeCount; i++)
        {
            if (server.ModeAt(i) == ModeSuite.Plain)
            {
                _step = Step.HelloPlus;
                UseCookie(server, now);
                return DropReason.None;
            }
        }

        return DropReason.Unexpected;
    }

    /// <summary>The server has admitted us as a candidate.</summary>
    /// <param name="problem">None, or why the connection must end.</param>
    internal DropReason HandleAnswer(ulong serverId, HandshakeParameters answer, Instant now, out CloseReason? problem)
    {
        problem = null;

        if (_step != Step.HelloPlus)
        {
            return DropReason.Unexpected;
        }

        bool untouched = answer.AreListsAsSent(_ours)
            && answer.Choice == _ours.Choice
            && answer.ModeBytes.SequenceEqual(_serverLists.ModeBytes)
            && answer.VersionBytes.SequenceEqual(_serverLists.VersionBytes);

        if (!untouched)
        {
            problem = new CloseReason(
                CloseCode.NegotiationTampered, "The server's lists are not what was sent and shown before.");
            return DropReason.None;
        }

        if (answer.PayloadProtocol != Payload.Protocol || answer.PayloadVersion != Payload.Version)
        {
            problem = PayloadMismatch(answer, Payload);
            return DropReason.None;
        }

        Span<byte> token = stackalloc byte[WireFormat.ResetTokenBytes];
        _endpoint.Identity.WriteResetToken(_clientId, token);
        _finish.ResetToken = token;
        _serverId = serverId;
        _step = Step.Finish;
        _retry = _firstRetry;
        _nextAt = now;
        return DropReason.None;
    }

    /// <summary>A short packet of the server opened: it holds the connection.</summary>
    internal void HandlePeerOpen() => _step = Step.Confirmed;

    /// <summary>Writes Hello or HelloPlus if one is due.</summary>
    internal int PollTransmit(Span<byte> datagram, Instant now)
    {
        if (now < _nextAt)
        {
            return 0;
        }

        LongPacketType type = _step == Step.Hello ? LongPacketType.Hello : LongPacketType.HelloPlus;
        int written = HandshakePacket.Write(datagram, type, destinationId: 0, _clientId, _ours);
        Invariant.Require(written >= WireFormat.MinimumHelloBytes, "A hello fits the buffer it is built in.");
        WaitLonger(now);
        return written;
    }

    /// <summary>Writes Finish if one is due.</summary>
    /// <param name="beforePackets">True if packets are about to leave, which need the server to know us.</param>
    internal int PollFinish(Span<byte> datagram, Instant now, bool beforePackets)
    {
        bool isDue = now >= _nextAt || (beforePackets && now - _finishSentAt >= FinishGap);

        if (_step != Step.Finish || !isDue)
        {
            return 0;
        }

        _finishSentAt = now;
        WaitLonger(now);
        return HandshakePacket.Write(datagram, LongPacketType.Finish, _serverId, _clientId, _finish);
    }

    internal static CloseReason PayloadMismatch(HandshakeParameters theirs, in PayloadParameters ours)
        => new(
            CloseCode.PayloadMismatch,
            $"The peer speaks payload protocol {theirs.PayloadProtocol}.{theirs.PayloadVersion}, "
            + $"this end {ours.Protocol}.{ours.Version}.");

    private void FillHello()
    {
        _ours.Clear();
        _ours.ApplicationId = _endpoint.ApplicationId;
        _ours.Nonce = _nonce;
        _ours.SetModes([ModeSuite.Plain]);
        _ours.SetVersions([WireFormat.Version]);
    }

    private void UseCookie(HandshakeParameters server, Instant now)
    {
        FillHello();
        _ours.Cookie = server.Cookie;
        _ours.Choice = new HandshakeChoice(WireFormat.Version, ModeSuite.Plain);
        PeerTerms.Write(_ours, _endpoint, Config, Payload);

        _serverLists.Clear();
        _serverLists.ModeBytes = server.ModeBytes;
        _serverLists.VersionBytes = server.VersionBytes;
        _retry = _firstRetry;
        _nextAt = now;
    }

    private void WaitLonger(Instant now)
    {
        _nextAt = now + _retry;
        long longest = Math.Max(_firstRetry.Ticks, LongestRetry.Ticks);
        _retry = new TimeSpan(Math.Min(_retry.Ticks * 3 / 2, longest));
    }
}
