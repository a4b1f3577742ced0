using System;

namespace Gudp.Core;

/// <summary>
/// When a connection counts as too poor to go on. <c>default</c> is the documented default: never.
/// </summary>
/// <remarks>
/// For applications that would rather look for another server than go on badly. Whoever finds a limit broken for all of
/// <see cref="Patience"/> closes with <see cref="CloseCode.QualityTooLow"/>, and the peer is told.
/// </remarks>
public readonly record struct QualityConfig
{
    internal static readonly ConfigTable<QualityConfig> Table = new ConfigTable<QualityConfig>()
        .Count(nameof(MostLossPercent), c => c.MostLossPercent, (c, v) => c with { MostLossPercent = v }, (0, 100),
            "it is a share of the packets sent")
        .Duration(nameof(LongestRoundTrip), c => c.LongestRoundTrip, (c, v) => c with { LongestRoundTrip = v },
            (TimeSpan.Zero, TimeSpan.FromHours(1)), "no path takes longer")
        .Duration(nameof(Patience), c => c.Patience, (c, v) => c with { Patience = v },
            (TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), "shorter takes any hiccup for a poor path");

    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(10);

    private readonly TimeSpan? _patience;

    /// <summary>
    /// The share of sent packets that may be lost. Default 0: no limit; 0 to 100 percent.
    /// </summary>
    /// <remarks>
    /// Judged over windows of a second or more and at least 20 packets. Losses the queue of a busy path makes count as
    /// any other: below about 5 it ends connections that only transfer much.
    /// </remarks>
    public int MostLossPercent { get; init; }

    /// <summary>The longest smoothed round trip. Default 0: no limit; 0 to 1 h.</summary>
    /// <remarks>A full queue on the path makes a round trip long, too.</remarks>
    public TimeSpan LongestRoundTrip { get; init; }

    /// <summary>For how long a limit must be broken without a break. Default 10 s; 1 s to 1 h.</summary>
    /// <remarks>Shorter ends a connection for what a moment would have cured.</remarks>
    public TimeSpan Patience
    {
        get => _patience ?? DefaultPatience;
        init => _patience = value == DefaultPatience ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
