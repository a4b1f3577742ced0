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
        .Count(nameof(MostPacketsPerAck), c => c.MostPacketsPerAck, (c, v) => c with { MostPacketsPerAck = v },
            (1, 256), "rarer acks than that tell the sender too little")
        .Count(nameof(MaxAcksPerSecond), c => c.MaxAcksPerSecond, (c, v) => c with { MaxAcksPerSecond = v },
            (0, 1_000_000), "a limit that high is none")
        .Flag(nameof(AskSameAcks), c => c.AskSameAcks, (c, v) => c with { AskSameAcks = v })
        .Flag(nameof(EagerResend), c => c.EagerResend, (c, v) => c with { EagerResend = v })
        .Duration(nameof(TimerGranularity), c => c.TimerGranularity, (c, v) => c with { TimerGranularity = v },
            (TimeSpan.FromMicroseconds(100), TimeSpan.FromMilliseconds(50)),
            "deadlines finer than the system's timer fire late, coarser ones waste time")
        .Duration(nameof(LeastProbeTimeout), c => c.LeastProbeTimeout, (c, v) => c with { LeastProbeTimeout = v },
            (TimeSpan.Zero, TimeSpan.FromSeconds(10)), "a lost tail would stand still for longer than users wait")
        .Duration(nameof(LargestProbeTimeout), c => c.LargestProbeTimeout, (c, v) => c with { LargestProbeTimeout = v },
            (TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)),
            "shorter floods a path that is only slow, longer never notices that it is back")
        .Rule((c, errors) => c.CheckRelations(errors));

    private const int DefaultPacketThreshold = 3;
    private const int DefaultAckEveryPackets = 2;
    private const int DefaultMostPacketsPerAck = 32;
    private static readonly TimeSpan DefaultFirstRoundTrip = TimeSpan.FromMilliseconds(333);
    private static readonly TimeSpan DefaultMaxAckDelay = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan DefaultTimerGranularity = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan DefaultLargestProbeTimeout = TimeSpan.FromSeconds(1);

    // Only deviations are stored: a struct's initialisers do not run for default(LossConfig) or new LossConfig[n].
    private readonly TimeSpan? _firstRoundTrip;
    private readonly int? _packetThreshold;
    private readonly TimeSpan? _maxAckDelay;
    private readonly int? _ackEveryPackets;
    private readonly int? _mostPacketsPerAck;
    private readonly TimeSpan? _timerGranularity;
    private readonly TimeSpan? _largestProbeTimeout;

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
    /// How rare acks may become on a fast path where nothing is missing. Default 32 packets (RFC 9000 section 13.2.2);
    /// 1 to 256.
    /// </summary>
    /// <remarks>
    /// There they go eight times per round trip, and not after more packets than this, or four times as many on a path
    /// below 0.8 ms if this end's socket holds 32 times that. At or below
    /// <see cref="AckEveryPackets"/> they never become rarer. A peer that asks for a rhythm of its own gets that.
    /// </remarks>
    public int MostPacketsPerAck
    {
        get => _mostPacketsPerAck ?? DefaultMostPacketsPerAck;
        init => _mostPacketsPerAck = value == DefaultMostPacketsPerAck ? null : value;
    }

    /// <summary>
    /// How many packets that carry nothing but an ack may leave in a second (M19). Default 0: no limit; 0 to 1,000,000,
    /// and at least one per <see cref="MaxAckDelay"/>.
    /// </summary>
    /// <remarks>
    /// For links where each packet costs. Acks on packets that leave anyway are not limited. The sender then learns
    /// late of what is missing.
    /// </remarks>
    public int MaxAcksPerSecond { get; init; }

    /// <summary>
    /// Asks the peer to acknowledge as this end does, by <see cref="AckEveryPackets"/> and <see cref="MaxAckDelay"/>,
    /// whatever it is set to itself; a shorter delay of its own stays. Default false.
    /// </summary>
    /// <remarks>
    /// One frame per connection (AckFrequency of the wire). With 1 packet and no delay the sender learns of a loss one
    /// round trip after it, at the cost of an ack per packet; a millisecond lets the ack ride on an answer.
    /// </remarks>
    public bool AskSameAcks { get; init; }

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

    /// <summary>
    /// The shortest wait before unanswered packets are asked about (M20). Default 0: what the round trip gives (RFC
    /// 9002 section 6.2.1); 0 to 10 s.
    /// </summary>
    /// <remarks>For paths that stall more than their round trips show; a lost tail is then noticed no sooner.</remarks>
    public TimeSpan LeastProbeTimeout { get; init; }

    /// <summary>
    /// The longest wait from one unanswered probe to the next (M20). Default 1 s; 100 ms to 10 min, at least
    /// <see cref="LeastProbeTimeout"/>.
    /// </summary>
    /// <remarks>
    /// RFC 9002 doubles the wait without end. Here it stops at this, or at the wait for the first probe if that is
    /// longer: a path that comes back is used again at once, at the cost of a heartbeat's packets.
    /// </remarks>
    public TimeSpan LargestProbeTimeout
    {
        get => _largestProbeTimeout ?? DefaultLargestProbeTimeout;
        init => _largestProbeTimeout = value == DefaultLargestProbeTimeout ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);

    private void CheckRelations(ConfigErrors errors)
    {
        if (MaxAcksPerSecond > 0 && MaxAcksPerSecond * MaxAckDelay < TimeSpan.FromSeconds(1))
        {
            errors.Add(nameof(MaxAcksPerSecond), Table.ValueOf(this, nameof(MaxAcksPerSecond)),
                "at least one ack per MaxAckDelay",
                $"the peer waits no longer than MaxAckDelay, which is {Table.ValueOf(this, nameof(MaxAckDelay))}");
        }

        if (LeastProbeTimeout > LargestProbeTimeout)
        {
            errors.Add(nameof(LeastProbeTimeout), Table.ValueOf(this, nameof(LeastProbeTimeout)),
                "at most LargestProbeTimeout",
                $"no wait exceeds it, and it is {Table.ValueOf(this, nameof(LargestProbeTimeout))}");
        }
    }
}
