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
        }

        // Or the cases would not be about what is hard: E that hangs on others, and over more than one of them.
        Assert.That(woken, Is.GreaterThan(50));
        Assert.That(rounds, Is.GreaterThan(2));
    }

    // Whoever is named as the reason of a bound does give it its value.
    private static void RequireReasons(MemberState[] states, Reach reach, BoundTable table)
    {
        for (int member = 0; member < states.Length; member++)
        {
            int holder = table.HeldBy[member];
            RuleBrokenException.Require(
                holder == BoundTable.Nobody || holder == table.StopHeldBy
                || LinksFrom(reach, holder, member).Any(
                    link => table.Earliest[holder] + link == table.Bound[member]),
                $"{holder} holds {member}.");

            int waker = table.WokenBy[member];
            RuleBrokenException.Require(
                waker == BoundTable.Nobody || table.Earliest[waker] < table.Earliest[member],
                $"{waker} wakes {member} from below.");
        }
    }

    private static IEnumerable<Delay> LinksFrom(Reach reach, int from, int to)
        => reach.PublishedBy(from).ToArray()
            .Intersect(reach.HeardBy(to).ToArray().Select(heard => heard.Channel)).Select(reach.LinkOf);

    private static Reach DrawReach(Prng draws, out int members)
    {
        Reach reach = new();
        int channels = (int)draws.NextBelow(7);
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
                [.. all.Where(_ => draws.NextChance(400_000))],
                [.. all.Where(_ => draws.NextChance(400_000))
                    .Select(channel => (channel, channel, draws.NextChance(800_000)))],
                mayStop: draws.NextChance(100_000));
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
