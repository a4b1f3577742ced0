namespace Gudp.Core;

/// <summary>How much may be in flight and how fast it leaves. <c>default</c> is the documented default.</summary>
public readonly record struct CongestionConfig
{
    internal static readonly ConfigTable<CongestionConfig> Table = new ConfigTable<CongestionConfig>()
        .Choice(nameof(Algorithm), c => c.Algorithm, (c, v) => c with { Algorithm = v }, "there are no others")
        .Count(nameof(InitialWindowPackets), c => c.InitialWindowPackets, (c, v) => c with { InitialWindowPackets = v },
            (2, 1_000), "fewer than two cannot measure, and more flood a path nothing is known about")
        .Flag(nameof(Pacing), c => c.Pacing, (c, v) => c with { Pacing = v })
        .Count(nameof(LossBoundPpm), c => c.LossBoundPpm, (c, v) => c with { LossBoundPpm = v }, (1_000, 500_000),
            "below a packet in a thousand chance looks like congestion, above half nothing does")
        .Bytes(nameof(FixedBytesPerSecond), c => c.FixedBytesPerSecond, (c, v) => c with { FixedBytesPerSecond = v },
            (LeastFixedBytes, MostFixedBytes), "less cannot keep a connection alive, more no network carries")
        .Count(nameof(GoodPacketsPerSecond), c => c.GoodPacketsPerSecond,
            (c, v) => c with { GoodPacketsPerSecond = v }, (1, MostPacketsPerSecond),
            "without packets nothing is measured, and faster ticks no program has")
        .Count(nameof(BadPacketsPerSecond), c => c.BadPacketsPerSecond, (c, v) => c with { BadPacketsPerSecond = v },
            (1, MostPacketsPerSecond), "without packets nothing is measured, and faster ticks no program has")
        .Rule(static (c, errors) => c.CheckRelations(errors));

    private const int DefaultInitialWindowPackets = 10;

    private const int DefaultLossBoundPpm = 20_000;
    private const long DefaultFixedBytesPerSecond = 1024 * 1024;
    private const long LeastFixedBytes = 1024;
    private const long MostFixedBytes = 10L * 1024 * 1024 * 1024;
    private const int DefaultGoodPackets = 30;
    private const int DefaultBadPackets = 10;
    private const int MostPacketsPerSecond = 10_000;

    private readonly int? _initialWindowPackets;
    private readonly int? _lossBoundPpm;
    private readonly long? _fixedBytesPerSecond;
    private readonly int? _goodPacketsPerSecond;
    private readonly int? _badPacketsPerSecond;
    private readonly bool _pacingIsOff;

    /// <summary>The rule that decides how much may be in flight. Default Cubic (RFC 9438).</summary>
    public CongestionAlgorithm Algorithm { get; init; }

    /// <summary>Window before the first ack. Default 10 packets (RFC 9002 section 7.2); 2 to 1,000 packets.</summary>
    /// <remarks>32 suits a local network; a large value on a slow path loses most of the first burst.</remarks>
    public int InitialWindowPackets
    {
        get => _initialWindowPackets ?? DefaultInitialWindowPackets;
        init => _initialWindowPackets = value == DefaultInitialWindowPackets ? null : value;
    }

    /// <summary>
    /// Spreads packets over the round trip instead of sending bursts. Default true (RFC 9002 section 7.7).
    /// </summary>
    /// <remarks>
    /// Without it short queues on the path overflow; with it a burst takes part of a round trip to leave. Bbr, TwoMode
    /// and Fixed decide a rate rather than a window and are paced always.
    /// </remarks>
    public bool Pacing
    {
        get => !_pacingIsOff;
        init => _pacingIsOff = !value;
    }

    /// <summary>
    /// Bbr: what share of a flight may be lost before it counts as congestion, in parts per million. Default 20,000,
    /// that is 2 % (BBR version 3); 1,000 to 500,000.
    /// </summary>
    /// <remarks>
    /// 250,000 where losses are the radio's, not the queue's, as in the Lossy preset; it then also fills queues of
    /// others until a quarter of its packets is lost.
    /// </remarks>
    public int LossBoundPpm
    {
        get => _lossBoundPpm ?? DefaultLossBoundPpm;
        init => _lossBoundPpm = value == DefaultLossBoundPpm ? null : value;
    }

    /// <summary>Fixed: the rate in bytes per second. Default 1 MB; 1 KB to 10 GB.</summary>
    /// <remarks>More than the path carries is lost over and over: nothing makes this controller slow down.</remarks>
    public long FixedBytesPerSecond
    {
        get => _fixedBytesPerSecond ?? DefaultFixedBytesPerSecond;
        init => _fixedBytesPerSecond = value == DefaultFixedBytesPerSecond ? null : value;
    }

    /// <summary>TwoMode: packets per second while the path is good. Default 30 (section G); 1 to 10,000.</summary>
    /// <remarks>At least <see cref="BadPacketsPerSecond"/>. Packets of every length count alike.</remarks>
    public int GoodPacketsPerSecond
    {
        get => _goodPacketsPerSecond ?? DefaultGoodPackets;
        init => _goodPacketsPerSecond = value == DefaultGoodPackets ? null : value;
    }

    /// <summary>
    /// TwoMode: packets per second at first and while the path is bad. Default 10 (section G); 1 to 10,000.
    /// </summary>
    public int BadPacketsPerSecond
    {
        get => _badPacketsPerSecond ?? DefaultBadPackets;
        init => _badPacketsPerSecond = value == DefaultBadPackets ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);

    private void CheckRelations(ConfigErrors errors)
    {
        if (BadPacketsPerSecond > GoodPacketsPerSecond)
        {
            errors.Add(
                nameof(BadPacketsPerSecond), Table.ValueOf(this, nameof(BadPacketsPerSecond)),
                $"at most GoodPacketsPerSecond, {GoodPacketsPerSecond}", "a bad path does not carry more than a good one");
        }
    }
}
