using Gudp.Core;
using Gudp.Sequencing;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// What a drawn system gets beside its roster of the start: who comes late and with what of the past, who admits whom,
/// who reads, who may be lost. Drawn apart, so that the systems without it stay what they were.
/// </summary>
internal static class RuleComings
{
    private const ulong Apart = 0x5EED_C0DE;
    private const int MostNewcomers = 3;

    internal static RuleSystem Draw(RuleSystem system, RuleFeatures features)
    {
        Prng draws = new(system.Seed ^ Apart);
        SequencingConfig old = system.Config;
        InboxLimit limit = features.HasFlag(RuleFeatures.FlowLimits) && draws.NextChance(400_000)
            ? new InboxLimit(draws.NextBetween(1, 4), 1L << 20)
            : old.InboxLimit;
        string[] channels = [.. old.Channels.Select(channel => channel.Name)];
        List<MemberDeclaration> roster = [];
        RuleHabits[] habits = [.. system.Habits];

        for (int i = 0; i < habits.Length; i++)
        {
            MemberDeclaration member = Change(draws, old.Roster[i], features, isFirst: i == 0);
            roster.Add(member);
            habits[i] = habits[i] with
            {
                SnapshotChance = features.HasFlag(RuleFeatures.Snapshots) ? (int)draws.NextBelow(2) * 100_000 : 0,
                History = member.Join > Tag.Zero ? DrawHistory(draws, features) : default,
                Admits = member.MaySponsor ? DrawNewcomers(draws, channels, features, habits[i]) : [],
            };
        }

        SequencingConfig config = new()
        {
            Roster = roster,
            Channels = old.Channels,
            StopTag = old.StopTag,
            Seed = old.Seed,
            TieSeed = old.TieSeed,
            InboxLimit = limit,
        };
        return new RuleSystem(system.Seed, config, habits)
        {
            Observers = features.HasFlag(RuleFeatures.Observers) && draws.NextChance(300_000)
                ? [DrawObserver(draws, channels, habits[0])]
                : [],
        };
    }

    /// <summary>The same member at another join.</summary>
    internal static MemberDeclaration Joining(MemberDeclaration member, Tag join)
        => Copy(member, member.Subscribe, member.SubscribeQuietly, join, member.MaySponsor, member.CrashPolicy);

    private static MemberDeclaration Change(Prng draws, MemberDeclaration member, RuleFeatures features, bool isFirst)
    {
        bool comesLate = !isFirst && features.HasFlag(RuleFeatures.LateJoins) && draws.NextChance(300_000);
        bool maySponsor = member.Sends && features.HasFlag(RuleFeatures.Sponsors) && draws.NextChance(250_000);
        bool hearsNews = member.Receives && features.HasFlag(RuleFeatures.News) && draws.NextChance(200_000);
        bool isQuiet = draws.NextChance(700_000);
        CrashPolicy policy = !features.HasFlag(RuleFeatures.Losses) || draws.NextChance(500_000) ? CrashPolicy.Stall
            : draws.NextChance(900_000) ? CrashPolicy.Resign : CrashPolicy.Abort;
        Tag join = comesLate ? new Tag(draws.NextBetween(1, 30), (uint)draws.NextBelow(2)) : Tag.Zero;
        string[] news = hearsNews ? [SystemEvent.Channel] : [];

        return Copy(
            member, [.. member.Subscribe, .. isQuiet ? [] : news],
            [.. member.SubscribeQuietly, .. isQuiet ? news : []], join, maySponsor, policy);
    }

    private static MemberDeclaration Copy(
        MemberDeclaration member, IList<string> loud, IList<string> quiet, Tag join, bool maySponsor, CrashPolicy policy)
        => new(member.Name)
        {
            Sends = member.Sends,
            Receives = member.Receives,
            Publish = member.Publish,
            Subscribe = loud,
            SubscribeQuietly = quiet,
            Policies = member.Policies,
            Lookahead = member.Lookahead,
            MayStop = member.MayStop,
            MaySponsor = maySponsor,
            Join = join,
            CrashPolicy = policy,
        };

    // The same few names for all sponsors: they clash, and are used again when their holders have gone.
    private static RuleNewcomer[] DrawNewcomers(
        Prng draws, string[] channels, RuleFeatures features, RuleHabits habits)
    {
        return [.. Enumerable.Range(0, (int)draws.NextBetween(1, MostNewcomers)).Select(_ => new RuleNewcomer(
            DrawNewcomer(draws, channels),
            habits with
            {
                Admits = [],
                StopChance = 0,
                Until = draws.NextBetween(20, 80),
                History = DrawHistory(draws, features),
            }))];
    }

    private static MemberDeclaration DrawNewcomer(Prng draws, string[] channels)
    {
        string[] Some(int chance) => [.. channels.Where(_ => draws.NextChance(chance))];
        string[] loud = Some(400_000);

        return new MemberDeclaration($"n{draws.NextBelow(3)}")
        {
            Publish = Some(500_000),
            Subscribe = loud,
            SubscribeQuietly = [.. Some(300_000).Except(loud)],
            Lookahead = RuleSystem.DrawLookahead(draws),
        };
    }

    private static RuleNewcomer DrawObserver(Prng draws, string[] channels, RuleHabits habits)
    {
        MemberDeclaration declaration = new("o")
        {
            Subscribe = [.. channels.Where(_ => draws.NextChance(700_000))],
            Receives = true,
            Join = new Tag(draws.NextBetween(1, 30), 0),
        };
        return new RuleNewcomer(
            declaration,
            habits with { Admits = [], StopChance = 0, Features = RuleFeatures.None, SnapshotChance = 0 });
    }

    private static HistoryStart DrawHistory(Prng draws, RuleFeatures features) => draws.NextBelow(6) switch
    {
        0 => HistoryStart.Last((int)draws.NextBelow(4)),
        1 => HistoryStart.Since(new Tag(draws.NextBelow(20), 0)),
        2 => HistoryStart.FromNumber(draws.NextBelow(12)),
        3 when features.HasFlag(RuleFeatures.Snapshots) => HistoryStart.Snapshot,
        _ => HistoryStart.Live,
    };
}
