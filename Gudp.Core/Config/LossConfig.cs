using System;

namespace Gudp.Core;

/// <summary>When a packet counts as lost and how soon acks go. <c>default</c> is the documented default.</summary>
public readonly record struct LossConfig
{
    internal static readonly ConfigTable<LossConfig> Table = new ConfigTable<LossConfig>()
        .Duration(nameof(FirstRoundTrip), c => c.FirstRoundTrip, (c, v) => c with { FirstRoundTrip = v },
            (TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10)), "outside this range the first probe is useless")
        .Count(nameof(PacketThreshold), c => c.PacketThreshold, (c, v) => c with { PacketThreshold = v }, (3, 64),
            "a smaller threshold takes reordering for loss, RFC 9002 section 6.1.1")
        .Duration(nameof(MaxAckDelay), c => c.MaxAckDelay, (c, v) => c with { MaxAckDelay = v },
            (TimeSpan.Zero, TimeSpan.FromSeconds(1)), "the sender waits for that long on top of the round trip")
        .Count(nameof(AckEveryPackets), c => c.AckEveryPackets, (c, v) => c with { AckEveryPackets = v }, (1, 64),
            "rarer acks make the sender send in bursts")
        .Flag(nameof(AskImmediateAcks), c => c.AskImmediateAcks, (c, v) => c with { AskImmediateAcks = v })
        .Flag(nameof(EagerResend), c => c.EagerResend, (c, v) => c with { EagerResend = v })
        .Duration(nameof(TimerGranularity), c => c.TimerGranularity, (c, v) => c with { TimerGranularity = v },
            (TimeSpan.FromMicroseconds(100), TimeSpan.FromMilliseconds(50)),
            "deadlines finer than the system's timer fire late, coarser ones waste time");

    private const int DefaultPacketThreshold = 3;
    private const int DefaultAckEveryPackets = 2;
    private static readonly TimeSpan DefaultFirstRoundTrip = TimeSpan.FromMilliseconds(333);
    private static readonly TimeSpan DefaultMaxAckDelay = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan DefaultTimerGranularity = TimeSpan.FromMilliseconds(1);

    // Only deviations are stored: a struct's initialisers do not run for default(LossConfig) or new LossConfig[n].
    private readonly TimeSpan? _firstRoundTrip;
    private readonly int? _packetThreshold;
    private readonly TimeSpan? _maxAckDelay;
    private readonly int? _ackEveryPackets;
    private readonly TimeSpan? _timerGranularity;

    /// <summary>
    /// Round trip assumed before the first measurement. Default 333 ms (RFC 9002 section 6.2.2); 1 ms to 10 s.
    /// </summary>
    /// <remarks>
    /// Too small: the first packets are sent twice. Too large: a lost first packet is noticed late. On a local network
    /// 50 ms is better.
    /// </remarks>
    public TimeSpan FirstRoundTrip
    {
        get => _firstRoundTrip ?? DefaultFirstRoundTrip;
        init => _firstRoundTrip = value == DefaultFirstRoundTrip ? null : value;
    }

    /// <summary>
    /// How many later packets must be acknowledged before an earlier one counts as lost. Default 3 (RFC 9002 section
    /// 6.1.1); 3 to 64 packets.
    /// </summary>
    /// <remarks>Larger values suit paths that reorder; each step delays recovery by one packet.</remarks>
    public int PacketThreshold
    {
        get => _packetThreshold ?? DefaultPacketThreshold;
        init => _packetThreshold = value == DefaultPacketThreshold ? null : value;
    }

    /// <summary>
    /// How long a received packet waits for its ack, at most. Default 25 ms (RFC 9000 section 18.2, M19); 0 to 1 s.
    /// </summary>
    /// <remarks>
    /// Zero acks in the same turn: least latency for the sender's bookkeeping, up to one ack per packet.
    /// </remarks>
    public TimeSpan MaxAckDelay
    {
        get => _maxAckDelay ?? DefaultMaxAckDelay;
        init => _maxAckDelay = value == DefaultMaxAckDelay ? null : value;
    }

    /// <summary>
    /// An ack goes at once after this many packets. Default 2 (RFC 9000 section 13.2.2, M19); 1 to 64 packets.
    /// </summary>
    /// <remarks>
    /// More saves ack packets in bulk transfers; the sender then learns later and sends in larger bursts.
    /// </remarks>
    public int AckEveryPackets
    {
        get => _ackEveryPackets ?? DefaultAckEveryPackets;
        init => _ackEveryPackets = value == DefaultAckEveryPackets ? null : value;
    }

    /// <summary>
    /// Asks the peer to acknowledge every packet at once, whatever it is set to itself. Default false.
    /// </summary>
    /// <remarks>
    /// One frame per connection (AckFrequency of the wire, packets 1, delay 0). The sender then learns of a loss one
    /// round trip after it; costs the peer an ack per packet.
    /// </remarks>
    public bool AskImmediateAcks { get; init; }

    /// <summary>
    /// Sends unacked content once more before it counts as lost, as soon as its ack is overdue. Default false.
    /// </summary>
    /// <remarks>
    /// Hides most losses on paths with spare capacity; costs up to as many bytes again where acks come late.
    /// </remarks>
    public bool EagerResend { get; init; }

    /// <summary>The finest step of the loss timers. Default 1 ms (RFC 9002 section 6.1.2); 100 us to 50 ms.</summary>
    /// <remarks>5 ms or more on systems with coarse timers.</remarks>
    public TimeSpan TimerGranularity
    {
        get => _timerGranularity ?? DefaultTimerGranularity;
        init => _timerGranularity = value == DefaultTimerGranularity ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
