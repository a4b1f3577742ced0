namespace Gudp.Messaging;

/// <summary>How the message layer is tuned. <c>default</c> is the documented default.</summary>
public readonly record struct MessagingConfig
{
    // Only deviations are stored: a struct's initialisers do not run for default(MessagingConfig).
    private readonly int? _maxMessageBytes;
    private readonly int? _laneRingBytes;
    private readonly int? _lanes;
    private readonly int? _datagramQueueBytes;
    private readonly long? _peerMemoryBytes;
    private readonly long? _endpointMemoryBytes;

    /// <summary>The largest message, in both directions. Default 16 MB; 64 KB to 1 GB.</summary>
    /// <remarks>A larger one is refused with TooLarge. One that comes from a peer ends the connection.</remarks>
    public int MaxMessageBytes
    {
        get => _maxMessageBytes ?? 16 * 1024 * 1024;
        init => _maxMessageBytes = value;
    }

    /// <summary>
    /// Memory of an ordered lane in each direction, rented when the lane is first used; also the credit a peer gets
    /// for the lane. Default 1 MB; a power of two, 64 KB to 64 MB.
    /// </summary>
    /// <remarks>
    /// Bounds what a lane may have under way, so at least bandwidth times round trip. Messages above a quarter of it
    /// take a block of their own and one copy more.
    /// </remarks>
    public int LaneRingBytes
    {
        get => _laneRingBytes ?? 1024 * 1024;
        init => _laneRingBytes = value;
    }

    /// <summary>
    /// Lanes in each direction: 0 control, 1 the default lane, 2 unreliable messages, the rest ordered lanes for the
    /// application. Default 16; 3 to 64.
    /// </summary>
    /// <remarks>A lane that is not used costs nothing.</remarks>
    public int Lanes
    {
        get => _lanes ?? 16;
        init => _lanes = value;
    }

    /// <summary>
    /// Memory for unreliable messages of a peer that wait, in each direction, rented on first use. Default 256 KB; a
    /// power of two, 128 KB to 64 MB.
    /// </summary>
    /// <remarks>Full when sending: refused with LaneFull. Full when receiving: the newest are dropped and counted.</remarks>
    public int DatagramQueueBytes
    {
        get => _datagramQueueBytes ?? 256 * 1024;
        init => _datagramQueueBytes = value;
    }

    /// <summary>
    /// Most memory one peer may cause, both directions, messages the application holds included. Default 64 MB;
    /// at least 4 rings and 2 largest messages.
    /// </summary>
    public long PeerMemoryBytes
    {
        get => _peerMemoryBytes ?? 64 * 1024 * 1024;
        init => _peerMemoryBytes = value;
    }

    /// <summary>Most memory all peers of an endpoint may cause together. Default 1 GB; at least that of one peer.</summary>
    public long EndpointMemoryBytes
    {
        get => _endpointMemoryBytes ?? 1024L * 1024 * 1024;
        init => _endpointMemoryBytes = value;
    }

    /// <summary>
    /// Credit for all ordered lanes but the control lane together: a ring more than a quarter ring of each lane, so
    /// that messages half arrived on every lane can never use up what one of them needs to complete.
    /// </summary>
    internal long ConnectionCreditBytes => ((Lanes / 4) + 2L) * LaneRingBytes;
}
