using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Config;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <summary>
/// One or several local addresses for messages: connects to peers, and takes in those that connect. The daemon it stands
/// on drives it.
/// </summary>
/// <remarks>Any thread may call any member.</remarks>
/// <example><code>
/// MessagingConfig config = new()
/// {
///     Core = new() { Connections = new() { Security = new() { Protection = Protection.Plain } } },
/// };
/// using Daemon daemon = new(config.Core);
/// using MessageEndpoint endpoint = new(daemon, PeerAddress.LoopbackIPv4(0), config);
/// daemon.Start();
/// using Peer peer = endpoint.Connect(PeerAddress.LoopbackIPv4(7000));
/// peer.TrySend("hello"u8);
/// </code></example>
public sealed partial class MessageEndpoint : IDisposable
{
    private readonly MessagingConfig _config;
    private readonly SessionConfig _sessionConfig;
    private readonly IMessageSink? _sink;
    private readonly Daemon _daemon;
    private readonly Endpoint _endpoint;
    private readonly Lock _addressGate = new();
    private Endpoint[] _endpoints;
    private bool _isListening;
    private readonly MessageMeter? _meter;
    private bool _isDisposed;

    /// <summary>Opens a local address.</summary>
    /// <param name="daemon">Drives the endpoint; outlives it.</param>
    /// <param name="local">Port 0 lets the system pick.</param>
    /// <param name="config">
    /// How; of <see cref="MessagingConfig.Core"/> only <see cref="GudpConfig.Connections"/> counts here, the rest is
    /// the daemon's, but for <see cref="GudpConfig.Metrics"/> and <see cref="GudpConfig.Name"/>: with them the endpoint
    /// shows its counters as the meter "Gudp.Messaging".
    /// </param>
    /// <param name="sink">
    /// Takes all messages at once, on the thread that leads the turn; null to receive or poll. With a sink, peers need
    /// not be accepted: the sink hears of them, once <see cref="Listen"/> was called.
    /// </param>
    /// <exception cref="GudpConfigException">The configuration breaks a rule; all mistakes are listed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be used.</exception>
    public MessageEndpoint(
        Daemon daemon, PeerAddress local, MessagingConfig config = default, IMessageSink? sink = null)
    {
        ArgumentNullException.ThrowIfNull(daemon);
        config.Validate();
        _daemon = daemon;
        _config = config;
        _sessionConfig = new SessionConfig(config);
        _sink = sink;
        Ready = new ReadyPeers(daemon.Watch);
        Memory = new MessageMemory(
            config.EndpointMemoryBytes,
            toReceiveBytes: config.ToReceiveBytes,
            toBeginBytes: config.EndpointMemoryBytes / 4);
        Peers = new PeerTable(this, config);
        _endpoint = daemon.Open(local, config.Core.Connections with { Payload = new SessionFactory(this) });
        _endpoints = [_endpoint];

        // Last: an endpoint that could not be opened is not shown, since nobody can dispose it.
        _meter = config.Core.Metrics ? new MessageMeter(config.Core.Name, this) : null;
    }

    /// <summary>The address it is bound to, with the port the system picked if 0 was asked for.</summary>
    public PeerAddress LocalAddress => _endpoint.LocalAddress;

    /// <summary>All addresses it is bound to, the first one first. A new array.</summary>
    public PeerAddress[] LocalAddresses
        => Array.ConvertAll(Volatile.Read(ref _endpoints), static endpoint => endpoint.LocalAddress);

    /// <summary>
    /// Who this endpoint is to its peers: <see cref="ConnectionConfig.PeerId"/> of
    /// <see cref="GudpConfig.Connections"/>, or drawn when it was opened.
    /// </summary>
    public PeerId Id => _endpoint.PeerId;

    internal MessageMemory Memory { get; }

    /// <summary>Set before any connection; see <see cref="Lanes.FirstPlaces"/>.</summary>
    internal FirstPlaces FirstPlaces { get; set; }

    internal SessionRegister Sessions { get; } = new();

    internal int LargestMessageBytes => _config.MaxMessageBytes;

    internal PeerTable Peers { get; }

    internal IMessageSink? Sink => _sink;

    /// <summary>Begins to connect to a peer. Returns at once; <see cref="Peer.WaitUntilOpen"/> waits.</summary>
    /// <param name="remote">Address and port of the peer.</param>
    /// <returns>To be disposed. It may be sent to at once: what is sent before the handshake is done waits.</returns>
    /// <exception cref="ObjectDisposedException">The endpoint was disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="MessagingConfig.MaxKnownPeers"/> are known already.
    /// </exception>
    /// <remarks>
    /// An endpoint holds one connection to a given peer at a time: one that is connected or connecting at that address
    /// is returned as it is, and one that is known and not connected is dialled again.
    /// </remarks>
    public Peer Connect(PeerAddress remote) => Peers.Dial(remote, isPinned: false);

    /// <summary>
    /// Opens another local address for the same endpoint (M37): the same identity, the same peers, memory and sink; who
    /// connects there is accepted here.
    /// </summary>
    /// <param name="local">Port 0 lets the system pick.</param>
    /// <returns>The address it is bound to.</returns>
    /// <exception cref="ObjectDisposedException">The endpoint was disposed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be used.</exception>
    /// <remarks>
    /// A connection leaves from the first address of the family of the peer's address, and from the first one if there is
    /// none. A peer that changes from one of our addresses to another one opens a new connection, and is the same peer.
    /// </remarks>
    public PeerAddress AddAddress(PeerAddress local)
    {
        lock (_addressGate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Endpoint added = _daemon.Open(local, _endpoint);
            Volatile.Write(ref _endpoints, [.. _endpoints, added]);
            return added.LocalAddress;
        }
    }

    /// <summary>Wishes the peer at an address to be connected, now and from then on (M6).</summary>
    /// <param name="remote">Address and port of the peer.</param>
    /// <returns>As <see cref="Connect"/>, pinned; <see cref="Peer.Pin"/> says what that means.</returns>
    /// <exception cref="ObjectDisposedException">The endpoint was disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="MessagingConfig.MaxKnownPeers"/> are known already.
    /// </exception>
    public Peer Pin(PeerAddress remote) => Peers.Dial(remote, isPinned: true);

    /// <summary>Copies peers of a kind (M9).</summary>
    /// <param name="filter">Which.</param>
    /// <param name="destination">Filled from its start, in no order.</param>
    /// <returns>How many; if the span was filled there may be more, <see cref="CountPeers"/> tells.</returns>
    /// <remarks>Costs what is known, not what is copied.</remarks>
    public int CopyPeers(PeerFilter filter, Span<Peer> destination) => Peers.Copy(filter, destination);

    /// <summary>How many peers of a kind there are now.</summary>
    /// <param name="filter">Which.</param>
    public int CountPeers(PeerFilter filter) => Peers.CountOf(filter);

    /// <summary>
    /// What changed in the set of active peers since the last call (M10): of each peer the net change, once.
    /// </summary>
    /// <param name="events">Filled from its start, in the order in which the changes began.</param>
    /// <returns>How many; call again while the span was filled.</returns>
    /// <remarks>
    /// The first call tells of everybody who is active. A peer that came and went between two calls is not told. Takes
    /// no more memory than there are peers known or told, however seldom it is called. With a sink it works as well.
    /// </remarks>
    public int TakePeerChanges(Span<PeerEvent> events) => Peers.TakeChanges(events);

    /// <summary>
    /// Peers that found <see cref="MessagingConfig.MaxKnownPeers"/> others known, and were closed with Busy or not
    /// dialled.
    /// </summary>
    public long PeersRefused => Peers.Refused;

    /// <summary>
    /// Ended connections whose unread messages or unfetched updates were given up, because another connection of the same
    /// peer had ended since: at most one is kept.
    /// </summary>
    public long SessionsGivenUp => Peers.GivenUp;

    /// <summary>From now on peers that connect are taken in.</summary>
    public void Listen()
    {
        Volatile.Write(ref _isListening, true);
        _endpoint.Listen();
    }

    /// <summary>Waits for the next peer that connects. Begins to listen.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>The peer, open; null if none came in time. To be disposed.</returns>
    /// <remarks>In manual mode another thread must call <see cref="Daemon.ProcessIO"/> meanwhile.</remarks>
    public Peer? Accept(TimeSpan timeout)
    {
        Listen();
        return _endpoint.Accept(timeout) is { } connection ? PeerOf(connection) : null;
    }

    /// <summary>The next peer that has connected, if there is one. Begins to listen.</summary>
    /// <param name="peer">To be disposed.</param>
    public bool TryAccept(out Peer? peer)
    {
        Listen();
        bool accepted = _endpoint.TryAccept(out Connection? connection);
        peer = accepted ? PeerOf(connection!) : null;
        return accepted;
    }

    /// <summary>
    /// Stops new peers; live ones go on until they are disposed, and the socket goes with the last (G22).
    /// </summary>
    public void Dispose()
    {
        Volatile.Write(ref _isDisposed, true);
        LeaveUnaccepted();
        _meter?.Dispose();

        lock (_addressGate)
        {
            // The first one last: the others take in for it.
            for (int i = _endpoints.Length - 1; i >= 0; i--)
            {
                _endpoints[i].Dispose();
            }
        }

        Ready.Changes.Signal();
    }

    /// <summary>Leader only, with a sink: a connection that opened leaves the queue of those to be accepted.</summary>
    internal void AcceptForSink()
    {
        // Taking from the queue would begin to listen, which an endpoint that only connects does not want.
        while (Volatile.Read(ref _isListening) && _endpoint.TryAccept(out _))
        {
            // The sink has heard of it; nobody else will ask.
        }
    }

    internal Prng Choices => _endpoint.Choices;

    /// <summary>Begins a connection: of that peer, or of one that is not known yet. Under the table's gate.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="peer">Whose; null for a new one.</param>
    /// <param name="waiting">The peer's session that goes on there, because it never opened; null for a new one.</param>
    /// <param name="after">When.</param>
    internal Peer Dial(PeerAddress remote, Peer? peer, MessageSession? waiting, TimeSpan after)
    {
        ConnectionConfig config = _config.Core.Connections with { Payload = new SessionFactory(this, peer, waiting) };
        return PeerOf(EndpointFor(remote, peer).Connect(remote, config, after));
    }

    // A peer is dialled again from where it was dialled before.
    private Endpoint EndpointFor(PeerAddress remote, Peer? peer)
    {
        Endpoint[] endpoints = Volatile.Read(ref _endpoints);
        PeerAddress? before = peer?.Connection.LocalAddress;
        return Array.Find(endpoints, endpoint => endpoint.LocalAddress == before)
            ?? Array.Find(endpoints, endpoint => endpoint.LocalAddress.IsIPv4 == remote.IsIPv4)
            ?? endpoints[0];
    }

    private static Peer PeerOf(Connection connection) => ((ConnectionHost)connection.Payload).Peer.Home;

    private sealed class SessionFactory(
        MessageEndpoint endpoint, Peer? peer = null, MessageSession? waiting = null) : IPacketPayloadFactory
    {
        public bool HasOneConnectionPerPeer => true;

        public bool CallsApplication => endpoint._sink is not null;

        public IPayloadTimer? Timer { get; } = endpoint._sink is ITimedMessageSink sink ? new SinkTimer(sink) : null;

        public PayloadParameters Parameters { get; } = MessageSession.ParametersOf(endpoint._config);

        public IPacketPayload Create(PayloadHost host)
        {
            ConnectionHost door = new(host, endpoint);

            if (waiting is not null)
            {
                door.Begin(waiting);
                return door;
            }

            MessageSession session = new(door, endpoint._sessionConfig, endpoint.Memory, endpoint._sink)
            {
                Incarnation = endpoint.Peers.NextIncarnation(),
                EndpointSalt = (ulong)endpoint.Id.Value,
                FirstPlaces = endpoint.FirstPlaces,
            };

            if (peer is null)
            {
                session.Peer = new Peer(session, endpoint.Peers);
            }
            else
            {
                endpoint.Peers.Attach(peer, session);
            }

            door.Begin(session);
            return door;
        }
    }

    private sealed class SinkTimer(ITimedMessageSink sink) : IPayloadTimer
    {
        public Instant NextDeadline => sink.NextDeadline;

        public void HandleTimeout(Instant now) => sink.HandleTimeout(now);
    }
}
