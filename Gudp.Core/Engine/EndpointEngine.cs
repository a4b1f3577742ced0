using System;
using System.Collections.Generic;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

// One socket's worth of protocol: finds the connection a datagram belongs to, and speaks with strangers without
// remembering them until they have proved their address.
//
// Always true:
//   - a datagram gets one verdict, and only a finished handshake makes a connection (I11);
//   - nothing sent to an address that has proved nothing is longer than what came from it (T2);
//   - heartbeats and data for an unknown id create nothing (M38).

/// <summary>The protocol of one endpoint, without I/O. Owned by whoever leads the turn.</summary>
internal sealed partial class EndpointEngine
{
    private readonly EndpointSettings _settings;
    private readonly IConnectionAcceptor _acceptor;
    private readonly Dictionary<ulong, ConnectionEngine> _byId = [];
    private readonly CandidateTable _candidates = new();
    private readonly CookieJar _cookies;
    private readonly ReplyQueue _replies = new();
    private readonly Queue<ConnectionEngine> _disturbed = new();

    internal EndpointEngine(EndpointSettings settings, IConnectionAcceptor acceptor)
    {
        _settings = settings;
        _acceptor = acceptor;
        _cookies = new CookieJar(settings.Identity.Secrets);
    }

    internal int ConnectionCount => _byId.Count;

    internal IPacketTrace? Trace => _settings.Trace;

    internal Dictionary<ulong, ConnectionEngine>.ValueCollection Connections => _byId.Values;

    /// <summary>Starts a connection to a peer.</summary>
    internal ConnectionEngine Connect(IConnectionOwner owner, PeerAddress remote, Instant now)
    {
        ulong id = NextFreeId();
        ClientHandshake handshake = new(_settings, owner.Config.Whole, owner.Announced, id);
        ConnectionEngine connection = new(_settings, owner, remote, id, handshake);
        _byId.Add(id, connection);
        connection.Open(now);
        return connection;
    }

    /// <summary>Takes one datagram; records only, nothing is sent.</summary>
    /// <param name="datagram">Untrusted; valid during the call.</param>
    /// <param name="connection">The connection it concerned, if any: it may have something to say now.</param>
    /// <returns><see cref="DropReason.None"/> if it was accepted, else the one reason why not.</returns>
    internal DropReason HandleDatagram(
        ReadOnlySpan<byte> datagram, PeerAddress from, Instant now, out ConnectionEngine? connection)
    {
        connection = null;

        if (ShortHeader.IsLongForm(datagram))
        {
            return HandleLongForm(datagram, from, now, out connection);
        }

        DropReason dropped = ShortHeader.TryParse(datagram, out ShortHeader header);

        if (dropped != DropReason.None)
        {
            return dropped;
        }

        if (!_byId.TryGetValue(header.DestinationId, out connection)
            && !_settings.SpareIds.TryFind(header.DestinationId, out connection))
        {
            return _candidates.Contains(header.DestinationId)
                ? DropReason.NotEstablished
                : DropReason.UnknownConnection;
        }

        return connection.HandleDatagram(header, datagram, from, now);
    }

    /// <summary>A connection that was changed by a datagram of another one; to be asked after each datagram.</summary>
    internal bool TryNextDisturbed(out ConnectionEngine? connection) => _disturbed.TryDequeue(out connection);

    /// <summary>The next answer to a stranger.</summary>
    internal bool TryNextReply(Span<byte> destination, out int bytes, out PeerAddress to)
        => _replies.TryTake(destination, out bytes, out to);

    /// <summary>Nobody will be taken in any more: whoever waits to accept goes on.</summary>
    internal void StopAccepting() => _acceptor.HandleEnd();

    /// <summary>Ends every connection without a goodbye: there is nothing left to say it with.</summary>
    internal void EndAll(FinalReasons reasons, CloseReason reason, Instant now)
    {
        StopAccepting();

        foreach (ConnectionEngine connection in _byId.Values)
        {
            connection.End(reasons, reason, now);
        }
    }

    /// <summary>The connection has ended: its id means nothing any more.</summary>
    internal void Forget(ConnectionEngine connection)
    {
        connection.ReleaseSpareIds();
        _byId.Remove(connection.LocalId);
    }

    private ulong NextFreeId()
    {
        ulong id;

        do
        {
            id = _settings.Identity.NextId();
        }
        while (_byId.ContainsKey(id) || _candidates.Contains(id) || _settings.SpareIds.Contains(id));

        return id;
    }
}
