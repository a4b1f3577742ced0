using Gudp.Core;
using Gudp.Sequencing;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>What the members of a drawn system may do beyond publishing, promising and asking.</summary>
[Flags]
internal enum RuleFeatures : ushort
{
    None = 0,

    /// <summary>Give up roles, and take up receiving again.</summary>
    Roles = 1,

    /// <summary>Switch interests.</summary>
    Interests = 2,

    /// <summary>Ask for the end of the run.</summary>
    Stops = 4,

    /// <summary>Channels draw latencies, losses and duplicates.</summary>
    Networks = 8,

    /// <summary>Subscriptions keep only some of a batch, and ties are reshuffled.</summary>
    Policies = 16,

    /// <summary>Take up sending again. Where they are heard first depends on the schedule, so histories differ.</summary>
    LateSenders = 32,

    /// <summary>Small inboxes, so that senders are kept back; nothing of it may be seen in a history.</summary>
    FlowLimits = 64,

    /// <summary>Members of the roster that come in at a tag, with history or without.</summary>
    LateJoins = 128,

    /// <summary>Members that admit others.</summary>
    Sponsors = 256,

    /// <summary>Somebody hears who comes and who goes.</summary>
    News = 512,

    /// <summary>Members leave states for those that come late.</summary>
    Snapshots = 1024,

    /// <summary>Readers that nobody knows of.</summary>
    Observers = 2048,

    /// <summary>Members whose loss takes them out of the run: a fact from outside.</summary>
    Losses = 4096,

    /// <summary>All that the bare rule knows and that has one history.</summary>
    Deterministic = Roles | Interests | Stops | Networks | Policies | FlowLimits,

    /// <summary>
    /// All that has one history given what came from outside. Where the news of a lost member arrives is not among it.
    /// </summary>
    FromOutside = Deterministic | LateJoins | Sponsors | Snapshots | Losses,

    /// <summary>All that has one history.</summary>
    Joining = Deterministic | LateJoins | Sponsors | News | Snapshots | Observers,
}

/// <summary>How a member of a drawn system behaves; chances in parts per million.</summary>
internal sealed record RuleHabits(RuleFeatures Features)
{
    /// <summary>Most ticks it asks for at a time.</summary>
    internal int Stride { get; init; } = 8;

    internal int ToChance { get; init; }

    internal int GridChance { get; init; }

    internal int LookaheadChance { get; init; }

    internal int StopChance { get; init; }

    /// <summary>It resigns when it is granted this time or a later one.</summary>
    internal long Until { get; init; }

    internal int SnapshotChance { get; init; }

    /// <summary>What of the past it asks for when it comes late.</summary>
    internal HistoryStart History { get; init; }

    /// <summary>Whom it admits, one after the other.</summary>
    internal IReadOnlyList<RuleNewcomer> Admits { get; init; } = [];
}

/// <summary>A member that is not in the roster. Whoever admits it says where it joins.</summary>
internal sealed record RuleNewcomer(MemberDeclaration Declaration, RuleHabits Habits);

/// <summary>A run and the behaviour of its members, all of it from one seed.</summary>
internal sealed record RuleSystem(ulong Seed, SequencingConfig Config, RuleHabits[] Habits)
{
    private static readonly string[] Names = ["c0", "c1", "c2", "c3", "c4"];

    /// <summary>Readers beside the run, with the tags at which they join.</summary>
    internal IReadOnlyList<RuleNewcomer> Observers { get; init; } = [];

    /// <summary>The script of each member, in the order of the roster.</summary>
    internal RuleScript[] Scripts()
        => [.. Config.Roster.Select((member, i) => new RuleScript(member, Habits[i], Seed))];

    /// <param name="seed">Of everything.</param>
    /// <param name="features">What members may do.</param>
    /// <param name="members">How many; null for 2 to 7.</param>
    internal static RuleSystem Draw(ulong seed, RuleFeatures features, int? members = null)
    {
        Prng draws = new(seed);
        string[] channels = Names[..(int)draws.NextBetween(1, Names.Length)];
        bool mayStop = features.HasFlag(RuleFeatures.Stops) && draws.NextChance(400_000);
        List<MemberDeclaration> roster = [];
        List<RuleHabits> habits = [];

        for (long left = members ?? draws.NextBetween(2, 7); left > 0; left--)
        {
            MemberDeclaration member = DrawMember(draws, $"m{draws.NextBelow(1_000_000)}-{left}", channels, mayStop);
            roster.Add(member);
            habits.Add(new RuleHabits(features)
            {
                Stride = (int)draws.NextBetween(1, 10),
                ToChance = (int)draws.NextBelow(1_000_000),
                GridChance = (int)draws.NextBelow(2) * 300_000,
                LookaheadChance = (int)draws.NextBelow(2) * 100_000,
                StopChance = member.MayStop ? 40_000 : 0,
                Until = draws.NextBetween(30, 100),
            });
        }

        SequencingConfig config = new()
        {
            Roster = roster,
            Channels = [.. channels.Select(name => DrawChannel(draws, name, features))],
            StopTag = features.HasFlag(RuleFeatures.Stops) && draws.NextChance(100_000)
                ? draws.NextBetween(10, 60)
                : null,
            Seed = seed,
            TieSeed = features.HasFlag(RuleFeatures.Policies) && draws.NextChance(300_000) ? seed : null,
        };
        return RuleComings.Draw(new RuleSystem(seed, config, [.. habits]), features);
    }

    private static MemberDeclaration DrawMember(Prng draws, string name, string[] channels, bool mayStop)
    {
        string[] Some(int chance) => [.. channels.Where(_ => draws.NextChance(chance))];
        string[] loud = Some(400_000);
        string[] quiet = [.. Some(250_000).Except(loud)];
        bool sends = draws.NextChance(850_000);
        bool receives = draws.NextChance(850_000);

        return new MemberDeclaration(name)
        {
            Sends = sends,
            Receives = receives,
            Publish = sends ? Some(500_000) : [],
            Subscribe = receives ? loud : [],
            SubscribeQuietly = receives ? quiet : [],
            Lookahead = DrawLookahead(draws),
            MayStop = sends && mayStop && draws.NextChance(500_000),
        };
    }

    internal static Delay DrawLookahead(Prng draws) => draws.NextBelow(5) switch
    {
        0 => Delay.OneRound,
        1 => Delay.Rounds((uint)draws.NextBetween(1, 3)),
        2 => Delay.Of(draws.NextBetween(1, 4), (uint)draws.NextBelow(3)),
        _ => Delay.Ticks(draws.NextBetween(1, 6)),
    };

    private static ChannelDeclaration DrawChannel(Prng draws, string name, RuleFeatures features)
    {
        Delay link = draws.NextBelow(4) switch
        {
            0 => Delay.Ticks(draws.NextBetween(1, 4)),
            1 => Delay.Of(draws.NextBelow(2), (uint)draws.NextBetween(1, 2)),
            _ => Delay.None,
        };

        BufferPolicy policy = features.HasFlag(RuleFeatures.Policies) ? DrawPolicy(draws) : BufferPolicy.All;

        if (!features.HasFlag(RuleFeatures.Networks) || draws.NextChance(600_000))
        {
            return new ChannelDeclaration(name) { MinimumLatency = link, Policy = policy };
        }

        return new ChannelDeclaration(name)
        {
            Latency = LatencyModel.Uniform(link.Time, link.Time + draws.NextBelow(4)),
            Scatter = draws.NextChance(500_000),
            SenderLossPpm = (int)draws.NextBelow(2) * 100_000,
            ReceiverLossPpm = (int)draws.NextBelow(2) * 100_000,
            SenderDuplicatePpm = (int)draws.NextBelow(2) * 100_000,
            ReceiverDuplicatePpm = (int)draws.NextBelow(2) * 100_000,
            Policy = policy,
        };
    }

    private static BufferPolicy DrawPolicy(Prng draws) => draws.NextBelow(10) switch
    {
        0 => BufferPolicy.None,
        1 => BufferPolicy.Newest((int)draws.NextBetween(1, 3)),
        2 => BufferPolicy.Oldest((int)draws.NextBetween(1, 3)),
        _ => BufferPolicy.All,
    };
}
