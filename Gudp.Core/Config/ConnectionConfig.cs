using System;

namespace Gudp.Core;

/// <summary>One connection, or all of an endpoint or daemon. <c>default</c> is the documented default.</summary>
public readonly record struct ConnectionConfig
{
    /// <summary>
    /// Bytes of frames that every packet has room for, whatever its header takes: 1,200 minus the largest.
    /// </summary>
    internal const int MinimumFrameBytes = 1_100;

    /// <summary>
    /// So many heartbeats fit into the time-out: the peer survives the loss of all but one (G26, house rule).
    /// </summary>
    private const int HeartbeatsPerTimeout = 3;

    internal static readonly ConfigTable<ConnectionConfig> Table = new ConfigTable<ConnectionConfig>()
        .Duration(nameof(IdleTimeout), c => c.IdleTimeout, (c, v) => c with { IdleTimeout = v },
            (TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(24)),
            "shorter takes any hiccup for the peer's end, longer keeps what is dead")
        .Duration(nameof(HeartbeatStart), c => c.HeartbeatStart, (c, v) => c with { HeartbeatStart = v },
            (TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(8)), "shorter is traffic without need")
        .Duration(nameof(HeartbeatInterval), c => c.HeartbeatInterval, (c, v) => c with { HeartbeatInterval = v },
            (TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(8)), "shorter is traffic without need")
        .Duration(nameof(UnfinishedTimeout), c => c.UnfinishedTimeout, (c, v) => c with { UnfinishedTimeout = v },
            (TimeSpan.Zero, TimeSpan.FromHours(24)), "longer keeps what is dead")
        .Duration(nameof(HandshakeTimeout), c => c.HandshakeTimeout, (c, v) => c with { HandshakeTimeout = v },
            (TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)), "shorter gives up before an answer can come")
        .Duration(nameof(HandshakeRetry), c => c.HandshakeRetry, (c, v) => c with { HandshakeRetry = v },
            (TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10)), "shorter floods a peer that is only slow")
        .Duration(nameof(LingerTimeout), c => c.LingerTimeout, (c, v) => c with { LingerTimeout = v },
            (TimeSpan.Zero, TimeSpan.FromHours(1)), "a closed connection may not hold its memory for longer")
        .Identifier(nameof(PeerId), c => c.PeerId, (c, v) => c with { PeerId = v })
        .Include(nameof(Path), PathConfig.Table, c => c.Path, (c, v) => c with { Path = v })
        .Include(nameof(Loss), LossConfig.Table, c => c.Loss, (c, v) => c with { Loss = v })
        .Include(nameof(Congestion), CongestionConfig.Table, c => c.Congestion, (c, v) => c with { Congestion = v })
        .Include(nameof(Security), SecurityConfig.Table, c => c.Security, (c, v) => c with { Security = v })
        .Include(nameof(Quality), QualityConfig.Table, c => c.Quality, (c, v) => c with { Quality = v })
        .Include(nameof(Queues), QueueConfig.Table, c => c.Queues, (c, v) => c with { Queues = v })
        .Rule((c, errors) => c.CheckRelations(errors));

    private static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DefaultHeartbeatStart = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultHeartbeatInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultHandshakeTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultHandshakeRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan DefaultLingerTimeout = TimeSpan.FromSeconds(5);

    private readonly TimeSpan? _idleTimeout;
    private readonly TimeSpan? _heartbeatStart;
    private readonly TimeSpan? _heartbeatInterval;
    private readonly TimeSpan? _handshakeTimeout;
    private readonly TimeSpan? _handshakeRetry;
    private readonly TimeSpan? _lingerTimeout;

    /// <summary>
    /// Silence after which the peer is gone. Default 15 s (G26, M18); 100 ms to 24 h, at least 3 heartbeats.
    /// </summary>
    /// <remarks>Shorter notices a dead peer sooner and takes a long pause for death.</remarks>
    public TimeSpan IdleTimeout
    {
        get => _idleTimeout ?? DefaultIdleTimeout;
        init => _idleTimeout = value == DefaultIdleTimeout ? null : value;
    }

    /// <summary>
    /// Silence after which the peer is gone even though something accepted has not reached it (M35). Default 0: twice
    /// <see cref="IdleTimeout"/>; 0 to 24 h.
    /// </summary>
    /// <remarks>
    /// Applies while something is undelivered that has not timed out itself; otherwise <see cref="IdleTimeout"/> alone
    /// counts. At or below that it extends nothing. Longer rides out longer outages and keeps dead peers' queues.
    /// </remarks>
    public TimeSpan UnfinishedTimeout { get; init; }

    /// <summary>
    /// How long nothing was sent before the first heartbeat goes. Default 1 s (G25, M16); 10 ms to 8 h, at most a third
    /// of <see cref="IdleTimeout"/>.
    /// </summary>
    /// <remarks>One small packet per silence; shorter also keeps address translators awake.</remarks>
    public TimeSpan HeartbeatStart
    {
        get => _heartbeatStart ?? DefaultHeartbeatStart;
        init => _heartbeatStart = value == DefaultHeartbeatStart ? null : value;
    }

    /// <summary>
    /// From one heartbeat to the next while the silence lasts. Default 1 s (M17); 10 ms to 8 h, at most a third of
    /// <see cref="IdleTimeout"/>.
    /// </summary>
    /// <remarks>One small packet each.</remarks>
    public TimeSpan HeartbeatInterval
    {
        get => _heartbeatInterval ?? DefaultHeartbeatInterval;
        init => _heartbeatInterval = value == DefaultHeartbeatInterval ? null : value;
    }

    /// <summary>How long connecting may take. Default 10 s (G20); 50 ms to 1 h.</summary>
    /// <remarks>Then the connection ends with <c>HandshakeTimeout</c>.</remarks>
    public TimeSpan HandshakeTimeout
    {
        get => _handshakeTimeout ?? DefaultHandshakeTimeout;
        init => _handshakeTimeout = value == DefaultHandshakeTimeout ? null : value;
    }

    /// <summary>
    /// From the first hello to the second; later steps grow. Default 250 ms; 10 ms to 10 s, shorter than
    /// <see cref="HandshakeTimeout"/>.
    /// </summary>
    /// <remarks>Hellos are padded to 1,200 bytes, so a short step is noticeable traffic.</remarks>
    public TimeSpan HandshakeRetry
    {
        get => _handshakeRetry ?? DefaultHandshakeRetry;
        init => _handshakeRetry = value == DefaultHandshakeRetry ? null : value;
    }

    /// <summary>
    /// How long a closed connection still delivers what was accepted, before it says goodbye. Default 5 s (G24); 0 to
    /// 1 h.
    /// </summary>
    /// <remarks>Zero says goodbye at once and drops what waits. Until then the connection keeps its memory.</remarks>
    public TimeSpan LingerTimeout
    {
        get => _lingerTimeout ?? DefaultLingerTimeout;
        init => _lingerTimeout = value == DefaultLingerTimeout ? null : value;
    }

    /// <summary>
    /// Who an endpoint is to its peers. Default 0: drawn when it is opened; 128 bits (M34).
    /// </summary>
    /// <remarks>
    /// Set one and keep it to be known again after a restart. One live endpoint per id: peers end what they had with the
    /// former. Counts when an endpoint is opened; a connection has that of its endpoint.
    /// </remarks>
    public PeerId PeerId { get; init; }

    /// <summary>What the path can carry.</summary>
    public PathConfig Path { get; init; }

    /// <summary>When a packet counts as lost and how soon acks go.</summary>
    public LossConfig Loss { get; init; }

    /// <summary>How much may be in flight.</summary>
    public CongestionConfig Congestion { get; init; }

    /// <summary>How packets are protected; must be named before anything is opened.</summary>
    public SecurityConfig Security { get; init; }

    /// <summary>When a connection counts as too poor to go on.</summary>
    public QualityConfig Quality { get; init; }

    /// <summary>Limits of what waits inside a connection.</summary>
    public QueueConfig Queues { get; init; }

    /// <summary>
    /// Makes the layer above packets for each connection; null, the default, gives plain packets. The one property
    /// without a text form.
    /// </summary>
    public IPacketPayloadFactory? Payload { get; init; }

    /// <summary>Checks every value and relation.</summary>
    /// <exception cref="GudpConfigException">Lists every problem.</exception>
    public void Validate() => Table.Validate(this);

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);

    /// <summary>Checks everything a connection needs, also that its protection is named. Called when opening.</summary>
    /// <exception cref="GudpConfigException">Lists every problem.</exception>
    internal void ValidateForOpening()
    {
        var errors = new ConfigErrors();
        ConfigErrors inside = errors.Under("Connections");
        Table.Check(this, inside);

        if (Security.Protection == Protection.Unset)
        {
            inside.Add("Security.Protection", nameof(Protection.Unset), "Protection.Plain",
                "packets would go unprotected; say so by naming Protection.Plain");
        }

        errors.ThrowIfAny(nameof(GudpConfig));
    }

    private void CheckRelations(ConfigErrors errors)
    {
        TimeSpan mostHeartbeat = IdleTimeout / HeartbeatsPerTimeout;
        string idle = Table.ValueOf(this, nameof(IdleTimeout));

        if (HeartbeatStart > mostHeartbeat)
        {
            errors.Add(nameof(HeartbeatStart), Table.ValueOf(this, nameof(HeartbeatStart)), "a third of IdleTimeout",
                $"three heartbeats must fit into IdleTimeout, which is {idle}");
        }

        if (HeartbeatInterval > mostHeartbeat)
        {
            errors.Add(nameof(HeartbeatInterval), Table.ValueOf(this, nameof(HeartbeatInterval)),
                "a third of IdleTimeout", $"three heartbeats must fit into IdleTimeout, which is {idle}");
        }

        if (HandshakeRetry >= HandshakeTimeout)
        {
            errors.Add(nameof(HandshakeRetry), Table.ValueOf(this, nameof(HandshakeRetry)),
                "less than HandshakeTimeout", $"the second hello must go before {Table.ValueOf(this, nameof(HandshakeTimeout))} are over");
        }
    }
}
