using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.World;

/// <summary>How an application reads.</summary>
internal enum ReadManner
{
    /// <summary>In place; each message is taken when its handler returns.</summary>
    Poll,

    /// <summary>One after the other, disposed at once.</summary>
    Receive,

    /// <summary>Holds some for a while, disposes them in any order, and refuses a few.</summary>
    Hold,
}

/// <summary>What one direction of mixed traffic sends and how it is read. Chances in parts per million.</summary>
internal sealed record MixedPlan
{
    internal const int LaneCount = 8;

    private const int Million = 1_000_000;

    /// <summary>How each lane carries what is sent on it.</summary>
    internal required IReadOnlyList<LaneOptions> Lanes { get; init; }

    internal int Messages { get; init; } = 100;

    /// <summary>Of most messages.</summary>
    internal int MostBytes { get; init; } = 64 * 1024;

    /// <summary>Of the few large ones on reliable lanes.</summary>
    internal int LargeBytes { get; init; } = 64 * 1024;

    internal int LargePpm { get; init; }

    internal int MostPerMoment { get; init; } = 8;

    /// <summary>At each moment, up to <see cref="MostBurst"/> messages at once.</summary>
    internal int BurstPpm { get; init; }

    internal int MostBurst { get; init; }

    internal int AskReceivedPpm { get; init; }

    internal int AskTakenPpm { get; init; }

    internal int TimeoutPpm { get; init; }

    internal int AttemptsPpm { get; init; }

    internal int CancelPpm { get; init; }

    internal TimeSpan MostTimeout { get; init; } = TimeSpan.FromSeconds(1);

    internal int ClaimPpm { get; init; }

    internal ReadManner Manner { get; init; }

    /// <summary>At a moment at which the reader is not paused.</summary>
    internal int ReadPpm { get; init; } = Million;

    /// <summary>At each moment, a pause of the reader begins.</summary>
    internal int PausePpm { get; init; }

    internal int MostPausedMoments { get; init; } = 200;

    /// <summary>A handler throws instead of taking the message.</summary>
    internal int ThrowPpm { get; init; }

    /// <summary>A held message is refused.</summary>
    internal int RefusePpm { get; init; }

    /// <summary>A plan from a seed: each wish is off with a chance of one half, else drawn.</summary>
    internal static MixedPlan Drawn(Prng draws, IReadOnlyList<LaneOptions> lanes, int messages) => new()
    {
        Lanes = lanes,
        Messages = messages,
        MostBytes = draws.NextBelow(4) switch { 0 => 100, 1 => 1_500, 2 => 8_000, _ => 64 * 1024 },
        LargePpm = OffOr(draws, 20_000),
        LargeBytes = (int)draws.NextBetween(64 * 1024, 256 * 1024),
        MostPerMoment = (int)draws.NextBetween(1, 16),
        AskReceivedPpm = OffOr(draws, Million),
        AskTakenPpm = OffOr(draws, Million),
        TimeoutPpm = OffOr(draws, Million / 2),
        AttemptsPpm = OffOr(draws, Million / 2),
        CancelPpm = OffOr(draws, Million / 4),
        MostTimeout = TimeSpan.FromMilliseconds(draws.NextBetween(1, 400)),
        ClaimPpm = OffOr(draws, Million / 2),
        Manner = (ReadManner)draws.NextBelow(3),
        ReadPpm = draws.NextChance(Million / 2) ? Million : (int)draws.NextBetween(20_000, Million),
        PausePpm = OffOr(draws, 20_000),
        ThrowPpm = OffOr(draws, 100_000),
        RefusePpm = OffOr(draws, 300_000),
    };

    private static int OffOr(Prng draws, int most)
    {
        int drawn = (int)draws.NextBetween(1, most);
        return draws.NextChance(Million / 2) ? 0 : drawn;
    }
}
