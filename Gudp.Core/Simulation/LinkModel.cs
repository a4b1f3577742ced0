using System;

namespace Gudp.Core.Simulation;

/// <summary>
/// How one direction between two hosts treats datagrams. The default is perfect: everything arrives at once, in order.
/// </summary>
/// <remarks>
/// Chances are parts per million of the datagrams sent, 0 to 1,000,000. Which datagrams are hit is decided by
/// <see cref="LinkDraws"/> from the seed and the datagram's number, one draw per fault: switching one fault on or off
/// does not change whom the others hit. What comes and goes by the clock counts from the network's time 0. In this
/// order: <see cref="Cut"/>, outage, <see cref="LargestBytes"/>, the queue of the rate, loss, duplication, corruption,
/// clog, delay.
/// </remarks>
public sealed record LinkModel
{
    private const int Million = 1_000_000;

    /// <summary>The largest UDP payload over IPv4: 65,535 less the headers of IP and UDP.</summary>
    internal const int MaxDatagramBytes = 65_507;

    /// <summary>The default: no delay, no fault.</summary>
    public static LinkModel Perfect { get; } = new();

    /// <summary>Time every datagram takes; 0 or more.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Up to this much is added to the delay, uniformly; so datagrams can overtake each other.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Chance to be lost, independent of the others.</summary>
    public int LossPpm { get; init; }

    /// <summary>Chance that a burst of losses begins with this datagram.</summary>
    public int BurstPpm { get; init; }

    /// <summary>A burst takes 1 to this many datagrams in a row, uniformly; 1 to 64.</summary>
    public int BurstPackets { get; init; } = 8;

    /// <summary>Chance to arrive twice. The copy has a jitter of its own.</summary>
    public int DuplicatePpm { get; init; }

    /// <summary>The copy comes up to this much later, uniformly; 0 or more, also seconds.</summary>
    public TimeSpan DuplicateBy { get; init; }

    /// <summary>Chance to be held back by <see cref="ReorderBy"/>, so that later ones overtake.</summary>
    public int ReorderPpm { get; init; }

    /// <summary>How long a held back datagram is held, in addition to delay and jitter.</summary>
    public TimeSpan ReorderBy { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Chance to be damaged: flipped bits or a missing end.</summary>
    public int CorruptPpm { get; init; }

    /// <summary>Bytes per second the link carries; 0 = no limit. Headers are not counted.</summary>
    public long RateBytesPerSecond { get; init; }

    /// <summary>
    /// Bytes that may wait for the rate, the one being carried included; a datagram beyond is dropped (drop tail). An
    /// idle link takes any datagram. Only with a rate.
    /// </summary>
    public int QueueBytes { get; init; } = 256 * 1024;

    /// <summary>
    /// Bytes per second during the last <see cref="SlowFor"/> of every <see cref="SlowEvery"/>; 0 = the rate does not
    /// change. May be more than <see cref="RateBytesPerSecond"/>. Only with a rate.
    /// </summary>
    public long SlowRateBytesPerSecond { get; init; }

    /// <summary>The period of the changing rate; at least <see cref="SlowFor"/>.</summary>
    public TimeSpan SlowEvery { get; init; }

    /// <summary>How much of each period the other rate lasts; 0 = the rate does not change.</summary>
    public TimeSpan SlowFor { get; init; }

    /// <summary>
    /// A black hole that comes and goes: what is sent during the last <see cref="OutageFor"/> of every such period
    /// vanishes; what is under way arrives. At least <see cref="OutageFor"/>.
    /// </summary>
    public TimeSpan OutageEvery { get; init; }

    /// <summary>How much of each period is dark; 0 = no outage.</summary>
    public TimeSpan OutageFor { get; init; }

    /// <summary>
    /// Chance that the link clogs with this datagram: for <see cref="ClogFor"/> nothing comes out, then all that was
    /// held at once. A clog does not begin within another.
    /// </summary>
    public int ClogPpm { get; init; }

    /// <summary>How long a clog holds everything; 0 or more.</summary>
    public TimeSpan ClogFor { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longer datagrams vanish without a word, as in a path whose router does not tell.</summary>
    public int LargestBytes { get; init; } = MaxDatagramBytes;

    /// <summary>Nothing gets through. One direction only: cut both for a partition.</summary>
    public bool Cut { get; init; }

    internal bool HasSlowTimes => SlowRateBytesPerSecond > 0 && SlowFor > TimeSpan.Zero;

    /// <summary>
    /// A random link for a swarm test: each fault is off with chance 1/2, else drawn from its range. Always takes the
    /// same number of draws.
    /// </summary>
    /// <param name="draws">Where the numbers come from.</param>
    public static LinkModel Drawn(Prng draws)
    {
        ArgumentNullException.ThrowIfNull(draws);

        LinkModel drawn = new()
        {
            Delay = TimeSpan.FromMicroseconds(DrawnOrZero(draws, 200_000)),
            Jitter = TimeSpan.FromMicroseconds(DrawnOrZero(draws, 50_000)),
            LossPpm = (int)DrawnOrZero(draws, 200_000),
            BurstPpm = (int)DrawnOrZero(draws, 5_000),
            BurstPackets = (int)draws.NextBetween(2, 50),
            DuplicatePpm = (int)DrawnOrZero(draws, 200_000),
            DuplicateBy = TimeSpan.FromMicroseconds(DrawnOrZero(draws, 2_000_000)),
            ReorderPpm = (int)DrawnOrZero(draws, 200_000),
            ReorderBy = TimeSpan.FromMicroseconds(draws.NextBetween(1, 50_000)),
            CorruptPpm = (int)DrawnOrZero(draws, 20_000),
            RateBytesPerSecond = RateOrNone(draws),
            QueueBytes = (int)draws.NextBetween(8 * 1024, 1024 * 1024),
            OutageEvery = TimeSpan.FromMicroseconds(draws.NextBetween(500_000, 5_000_000)),
            OutageFor = TimeSpan.FromMicroseconds(DrawnOrZero(draws, 400_000)),
            ClogPpm = (int)DrawnOrZero(draws, 5_000),
            ClogFor = TimeSpan.FromMicroseconds(draws.NextBetween(1_000, 1_000_000)),
            SlowEvery = TimeSpan.FromMicroseconds(draws.NextBetween(500_000, 5_000_000)),
            SlowFor = TimeSpan.FromMicroseconds(DrawnOrZero(draws, 400_000)),
        };

        return drawn with { SlowRateBytesPerSecond = drawn.RateBytesPerSecond / draws.NextBetween(2, 16) };
    }

    /// <summary>Refuses values outside the ranges given at the properties.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        RequireBetween(Delay.Ticks, 0, long.MaxValue / 8, nameof(Delay));
        RequireBetween(Jitter.Ticks, 0, long.MaxValue / 8, nameof(Jitter));
        RequireBetween(LossPpm, 0, Million, nameof(LossPpm));
        RequireBetween(BurstPpm, 0, Million, nameof(BurstPpm));
        RequireBetween(BurstPackets, 1, LinkDraws.LongestBurstPackets, nameof(BurstPackets));
        RequireBetween(DuplicatePpm, 0, Million, nameof(DuplicatePpm));
        RequireBetween(DuplicateBy.Ticks, 0, long.MaxValue / 8, nameof(DuplicateBy));
        RequireBetween(ReorderPpm, 0, Million, nameof(ReorderPpm));
        RequireBetween(ReorderBy.Ticks, 0, long.MaxValue / 8, nameof(ReorderBy));
        RequireBetween(CorruptPpm, 0, Million, nameof(CorruptPpm));
        RequireBetween(RateBytesPerSecond, 0, 1_000_000_000_000, nameof(RateBytesPerSecond));
        RequireBetween(SlowRateBytesPerSecond, 0, 1_000_000_000_000, nameof(SlowRateBytesPerSecond));
        RequireBetween(SlowFor.Ticks, 0, long.MaxValue / 8, nameof(SlowFor));
        RequireBetween(SlowEvery.Ticks, SlowFor.Ticks, long.MaxValue / 8, nameof(SlowEvery));
        RequireBetween(OutageFor.Ticks, 0, long.MaxValue / 8, nameof(OutageFor));
        RequireBetween(OutageEvery.Ticks, OutageFor.Ticks, long.MaxValue / 8, nameof(OutageEvery));
        RequireBetween(ClogPpm, 0, Million, nameof(ClogPpm));
        RequireBetween(ClogFor.Ticks, 0, long.MaxValue / 8, nameof(ClogFor));
        RequireBetween(QueueBytes, 0, int.MaxValue, nameof(QueueBytes));
        RequireBetween(LargestBytes, 0, MaxDatagramBytes, nameof(LargestBytes));
    }

    /// <summary>What the link carries at a moment; only with a rate.</summary>
    internal long RateAt(Instant now) => IsSlowAt(now) ? SlowRateBytesPerSecond : RateBytesPerSecond;

    internal bool IsSlowAt(Instant now)
        => RateBytesPerSecond > 0 && HasSlowTimes && IsInLast(now, SlowFor, SlowEvery);

    internal bool IsOutAt(Instant now) => OutageFor > TimeSpan.Zero && IsInLast(now, OutageFor, OutageEvery);

    private static bool IsInLast(Instant now, TimeSpan last, TimeSpan period)
        => now.Ticks % period.Ticks >= (period - last).Ticks;

    private static long DrawnOrZero(Prng draws, long most)
    {
        bool isOn = draws.NextChance(Million / 2);
        long amount = draws.NextBetween(0, most);
        return isOn ? amount : 0;
    }

    // 64 kbit/s to 1 Gbit/s, each power of two as likely as the next.
    private static long RateOrNone(Prng draws)
    {
        bool isOn = draws.NextChance(Million / 2);
        long rate = 8_000L << (int)draws.NextBelow(15);
        return isOn ? rate : 0;
    }

    private static void RequireBetween(long value, long least, long most, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
    }
}
