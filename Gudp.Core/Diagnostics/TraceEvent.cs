using System;

namespace Gudp.Core;

/// <summary>What happened; behind each the event's name in a trace file (T-2).</summary>
public enum TraceEventKind : byte
{
    /// <summary>quic:packet_sent. A packet was handed to the socket.</summary>
    PacketSent,

    /// <summary>quic:packet_received. A packet was accepted; comes behind the acks it carried.</summary>
    PacketReceived,

    /// <summary>quic:packet_dropped. A datagram was discarded.</summary>
    PacketDropped,

    /// <summary>quic:packets_acked. The fate of a packet in flight is: acked.</summary>
    PacketAcked,

    /// <summary>quic:packet_lost. The fate of a packet in flight is: lost.</summary>
    PacketLost,

    /// <summary>gudp:spurious_loss. A packet declared lost was acked after all.</summary>
    SpuriousLoss,

    /// <summary>quic:recovery_metrics_updated. At most once per connection and turn.</summary>
    MetricsUpdated,

    /// <summary>quic:congestion_state_updated. The congestion level changed.</summary>
    CongestionStateUpdated,

    /// <summary>quic:connection_state_updated.</summary>
    ConnectionStateUpdated,

    /// <summary>quic:mtu_updated. The size of the largest datagram changed.</summary>
    MtuUpdated,

    /// <summary>gudp:path_updated. The peer's address changed.</summary>
    PathUpdated,
}

/// <summary>The frames of a packet, each kind once.</summary>
[Flags]
public enum TraceFrames
{
    /// <summary>None that anybody could read.</summary>
    None = 0,

    /// <summary>Padding.</summary>
    Padding = 1 << 0,

    /// <summary>Ping.</summary>
    Ping = 1 << 1,

    /// <summary>Ack.</summary>
    Ack = 1 << 2,

    /// <summary>Close; connection_close in qlog.</summary>
    Close = 1 << 3,

    /// <summary>PathChallenge.</summary>
    PathChallenge = 1 << 4,

    /// <summary>PathResponse.</summary>
    PathResponse = 1 << 5,

    /// <summary>NewId; new_connection_id in qlog.</summary>
    NewId = 1 << 6,

    /// <summary>RetireId; retire_connection_id in qlog.</summary>
    RetireId = 1 << 7,

    /// <summary>AckFrequency.</summary>
    AckFrequency = 1 << 8,

    /// <summary>Settled.</summary>
    Settled = 1 << 9,

    /// <summary>HandshakeDone.</summary>
    HandshakeDone = 1 << 10,

    /// <summary>Frames of the layer above, whatever they are.</summary>
    Payload = 1 << 16,
}

/// <summary>What made it happen, as qlog names it.</summary>
public enum TraceTrigger : byte
{
    /// <summary>Nothing special.</summary>
    None,

    /// <summary>Lost: so many later packets were acked (RFC 9002 section 6.1.1).</summary>
    ReorderingThreshold,

    /// <summary>Lost: too old behind an acked one (RFC 9002 section 6.1.2).</summary>
    TimeThreshold,

    /// <summary>Sent: a probe (RFC 9002 section 6.2).</summary>
    PtoProbe,
}

/// <summary>The numbers that loss recovery and congestion control work with; zero times are not measured yet.</summary>
/// <param name="LatestRtt">The last round trip.</param>
/// <param name="SmoothedRtt">Its moving average.</param>
/// <param name="MinRtt">The shortest.</param>
/// <param name="WindowBytes">Bytes allowed in flight.</param>
/// <param name="BytesInFlight">Bytes sent, fate unknown.</param>
public readonly record struct TraceMetrics(
    TimeSpan LatestRtt, TimeSpan SmoothedRtt, TimeSpan MinRtt, long WindowBytes, long BytesInFlight)
{
    /// <summary>Packets leave at this rate, bytes per second; zero if they are not spread.</summary>
    public long PacingBytesPerSecond { get; init; }

    /// <summary>Probe time-outs since the last ack.</summary>
    public int PtoCount { get; init; }
}

/// <summary>One event of a packet trace. Which properties mean something depends on <see cref="Kind"/>.</summary>
public readonly record struct TraceEvent
{
    /// <summary>What happened.</summary>
    public TraceEventKind Kind { get; init; }

    /// <summary>The turn's moment, on the daemon's clock.</summary>
    public Instant At { get; init; }

    /// <summary>Whose: the id in packets that come to us; zero for a datagram of no connection.</summary>
    public ulong ConnectionId { get; init; }

    /// <summary>Sent, received, acked, lost, spurious: which packet; -1 for packets of the handshake.</summary>
    public long PacketNumber { get; init; }

    /// <summary>Sent, received, dropped: length of the datagram, bytes of UDP payload.</summary>
    public int Bytes { get; init; }

    /// <summary>Sent, received: what it carries.</summary>
    public TraceFrames Frames { get; init; }

    /// <summary>Sent: the peer must acknowledge it.</summary>
    public bool IsAckEliciting { get; init; }

    /// <summary>Sent: it carries content that was sent before.</summary>
    public bool IsRepeat { get; init; }

    /// <summary>Sent: it asks whether the path carries datagrams of its length.</summary>
    public bool IsSizeProbe { get; init; }

    /// <summary>Sent, lost: why.</summary>
    public TraceTrigger Trigger { get; init; }

    /// <summary>Dropped: why.</summary>
    public DropReason Drop { get; init; }

    /// <summary>State, congestion state, mtu, path: what it was, as text.</summary>
    public string? Before { get; init; }

    /// <summary>State, congestion state, mtu, path: what it is now, as text.</summary>
    public string? After { get; init; }

    /// <summary>Metrics updated: the numbers.</summary>
    public TraceMetrics Metrics { get; init; }
}
