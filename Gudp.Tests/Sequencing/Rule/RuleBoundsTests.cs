using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>The bounds as computed against the bounds as defined, over states that no run need ever reach.</summary>
[TestFixture]
public sealed class RuleBoundsTests
{
    [Test]
    public void Bounds_are_those_of_the_definition_in_2000_random_states([Range(0, 1_800, 200)] int first)
    {
        BoundTable table = new();
        int woken = 0;
        int rounds = 0;
        int crowded = 0;

        for (int seed = first; seed < first + 200; seed++)
        {
            Prng draws = new((ulong)seed);
            Reach reach = DrawReach(draws, out int members);
            MemberState[] states = [.. Enumerable.Range(0, members).Select(_ => DrawState(draws))];
            Tag stop = draws.NextChance(700_000) ? Tag.Top : DrawTag(draws);

            AdvanceRule.Bounds(states, reach, stop, table);

            SlowBounds slow = SlowBounds.Of(states, reach, stop);
            Assert.That(() => slow.RequireEqual(table), Throws.Nothing, $"seed {seed}");
            Assert.That(() => RequireReasons(states, reach, table), Throws.Nothing, $"seed {seed}");
            woken += table.WokenBy[..members].ToArray().Count(by => by != BoundTable.Nobody);
            rounds = Math.Max(rounds, slow.Rounds);
            crowded += reach.Edges > 16 * members ? 1 : 0;
        }

        // Or the cases would not be about what is hard: E that hangs on others, and over more than one of them; and both
        // ways of finding B.
        Assert.That(woken, Is.GreaterThan(50));
        Assert.That(rounds, Is.GreaterThan(2));
        Assert.That(crowded, Is.InRange(10, 100));
    }

    [Test, Category("Release")]
    public void A_pass_allocates_nothing_once_its_room_is_there()
    {
        Prng draws = new(3);
        Reach reach = DrawReach(draws, out int members);
        MemberState[] states = [.. Enumerable.Range(0, members).Select(_ => DrawState(draws))];
        BoundTable table = new();
        AdvanceRule.Bounds(states, reach, Tag.Top, table);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int pass = 0; pass < 100; pass++)
        {
            AdvanceRule.Bounds(states, reach, Tag.Top, table);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    // Whoever is named as the reason of a bound does give it its value, and nobody with a lower ordinal does.
    private static void RequireReasons(MemberState[] states, Reach reach, BoundTable table)
    {
        for (int member = 0; member < states.Length; member++)
        {
            int[] holders = [.. Enumerable.Range(0, states.Length)
                .Where(other => GivesBound(other, member, states, reach, table))];
            RuleBrokenException.Require(
                table.Bound[member] == Tag.Top || table.Bound[member] == reach.Undecided
                || table.HeldBy[member] == holders[0],
                $"{table.HeldBy[member]} holds {member}.");

            int waker = table.WokenBy[member];
            RuleBrokenException.Require(
                waker == BoundTable.Nobody || table.Earliest[waker] < table.Earliest[member],
                $"{waker} wakes {member} from below.");
        }
    }

    private static bool GivesBound(int other, int member, MemberState[] states, Reach reach, BoundTable table)
    {
        Tag earliest = table.Earliest[other];
        Tag bound = table.Bound[member];

        if (earliest == bound && reach.MayStop(other))
        {
            return true;
        }

        if (earliest == bound && reach.MaySponsor(other) && states[other].Sends && states[member].Receives)
        {
            return true;
        }

        return states[member].Receives && reach.HeardBy(member).ToArray().Any(
            heard => ((states[other].Sends && reach.PublishedBy(other).Contains(heard.Channel))
                    || heard.Channel == reach.System)
                && earliest == table.ChannelEarliest[heard.Channel]
                && earliest + reach.LinkOf(heard.Channel) == bound);
    }

    private static Reach DrawReach(Prng draws, out int members)
    {
        Reach reach = new();
        int channels = (int)(draws.NextChance(200_000) ? draws.NextBetween(20, 50) : draws.NextBelow(7));
        int chance = channels < 20 ? 400_000 : 700_000;
        members = (int)draws.NextBetween(1, 8);

        for (int channel = 0; channel < channels; channel++)
        {
            reach.AddChannel(draws.NextBelow(3) switch
            {
                0 => Delay.None,
                1 => Delay.Rounds((uint)draws.NextBelow(4)),
                _ => Delay.Of(draws.NextBelow(5), (uint)draws.NextBelow(3)),
            });
        }

        for (int member = 0; member < members; member++)
        {
            int[] all = [.. Enumerable.Range(0, channels)];
            reach.AddMember(
                [.. all.Where(_ => draws.NextChance(channels < 20 ? 400_000 : 100_000))],
                [.. all.Where(_ => draws.NextChance(chance))
                    .Select(channel => (channel, channel, draws.NextChance(800_000)))],
                mayStop: draws.NextChance(100_000),
                maySponsor: draws.NextChance(60_000));
        }

        if (draws.NextChance(50_000))
        {
            reach.Undecided = DrawTag(draws);
        }

        if (channels > 0 && draws.NextChance(150_000))
        {
            reach.System = (int)draws.NextBelow(channels);
        }

        return reach;
    }

    private static MemberState DrawState(Prng draws)
    {
        Tag now = draws.NextChance(900_000) ? new Tag(draws.NextBelow(6), (uint)draws.NextBelow(2)) : DrawTag(draws);
        AdvanceMode mode = (AdvanceMode)Math.Min(2, draws.NextBelow(6));
        Tag target = draws.NextChance(700_000) ? DrawTag(draws) + Delay.Ticks(12) : DrawTag(draws);

        return new MemberState
        {
            Sends = draws.NextChance(850_000),
            IsOut = draws.NextChance(30_000),
            Receives = draws.NextChance(850_000),
            Lookahead = RuleSystem.DrawLookahead(draws),
            Now = now,
            Promise = draws.NextChance(800_000) ? now : DrawTag(draws),
            Head = draws.NextChance(700_000) ? Tag.Top : Tag.Later(now + Delay.OneRound, DrawTag(draws)),
            Request = mode == AdvanceMode.None ? default : new AdvanceRequest(mode, target, DrawGrid(draws)),
        };
    }

    private static Grid DrawGrid(Prng draws) => draws.NextChance(700_000)
        ? default
        : new Grid(draws.NextBetween(1, 6), draws.NextBelow(4), draws.NextBelow(4));

    // Small numbers, so that many tags are equal or next to each other; and the ends of times and of time.
    private static Tag DrawTag(Prng draws) => draws.NextBelow(20) switch
    {
        0 => Tag.Infinity,
        1 => Tag.EndOf(draws.NextBelow(12)),
        2 => new Tag(Tag.MaxTime - draws.NextBelow(3), (uint)draws.NextBelow(3)),
        3 => new Tag(draws.NextBelow(12), uint.MaxValue - (uint)draws.NextBelow(3)),
        _ => new Tag(draws.NextBelow(12), (uint)draws.NextBelow(3)),
    };
}
