namespace Gudp.Core;

/// <summary>How much may be in flight and how fast it leaves. <c>default</c> is the documented default.</summary>
public readonly record struct CongestionConfig
{
    internal static readonly ConfigTable<CongestionConfig> Table = new ConfigTable<CongestionConfig>()
        .Choice(nameof(Algorithm), c => c.Algorithm, (c, v) => c with { Algorithm = v }, "there are no others")
        .Count(nameof(InitialWindowPackets), c => c.InitialWindowPackets, (c, v) => c with { InitialWindowPackets = v },
            (2, 1_000), "fewer than two cannot measure, and more flood a path nothing is known about")
        .Flag(nameof(Pacing), c => c.Pacing, (c, v) => c with { Pacing = v });

    private const int DefaultInitialWindowPackets = 10;

    private readonly int? _initialWindowPackets;
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
    /// Without it short queues on the path overflow; with it a burst takes part of a round trip to leave.
    /// </remarks>
    public bool Pacing
    {
        get => !_pacingIsOff;
        init => _pacingIsOff = !value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
