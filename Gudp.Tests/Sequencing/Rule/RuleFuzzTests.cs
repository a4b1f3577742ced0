using System.Globalization;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>The rule alone: whatever the schedule, one history, nobody too late, nobody stuck.</summary>
[TestFixture]
public sealed class RuleFuzzTests
{
    private const int Schedules = 5;

    [Test]
    public void S_F2_random_systems_have_one_history_whatever_the_schedule([Range(1, 91, 10)] int first)
        => PlayAll(first, first + 9);

    [Test]
    public void S_F2_seeds_of_the_environment()
    {
        string? seeds = Environment.GetEnvironmentVariable("GUDP_RULE_SEEDS");

        if (seeds is null)
        {
            Assert.Ignore("GUDP_RULE_SEEDS=1-10000 for as many systems.");
        }

        string[] range = seeds.Split('-');
        PlayAll(
            long.Parse(range[0], CultureInfo.InvariantCulture), long.Parse(range[^1], CultureInfo.InvariantCulture));
    }

    [Test]
    public void Whoever_takes_up_sending_late_reaches_nobodys_past([Range(1, 40)] int seed)
    {
        RuleSystem system = RuleSystem.Draw(
            (ulong)seed, (RuleFeatures.Deterministic & ~RuleFeatures.Stops) | RuleFeatures.LateSenders);

        for (ulong schedule = 1; schedule <= Schedules; schedule++)
        {
            Assert.That(() => RulePlayer.Play(system, new RandomSchedule(schedule)), Throws.Nothing);
        }
    }

    [Test]
    public void S_F1_all_120_orders_of_who_acts_next_give_one_history([Values(1, 2, 3)] int seed)
    {
        RuleSystem system = RuleSystem.Draw((ulong)seed, RuleFeatures.Deterministic, members: 5);
        RuleHistory? first = null;

        foreach (int[] order in OrderedSchedule.All([0, 1, 2, 3, 4]))
        {
            RuleHistory history = RulePlayer.Play(system, new OrderedSchedule(order));
            first ??= history;

            Assert.That(history.DifferenceTo(first), Is.Null);
        }
    }

    [Test]
    public void The_systems_do_all_that_members_may()
    {
        SortedDictionary<string, int> deeds = new(StringComparer.Ordinal);

        for (ulong seed = 1; seed <= 100; seed++)
        {
            RuleSystem system = RuleSystem.Draw(seed, RuleFeatures.Deterministic);

            foreach ((string deed, int count) in RulePlayer.Play(system, new RandomSchedule(1)).Deeds)
            {
                deeds[deed] = deeds.GetValueOrDefault(deed) + count;
            }
        }

        TestContext.Out.WriteLine(string.Join(", ", deeds.Select(deed => $"{deed.Key} {deed.Value}")));
        Assert.That(deeds.Keys, Is.SupersetOf(Enum.GetNames<RuleVerb>().Except(["None", "Request", "Admit", "Snapshot"])));
        Assert.That(deeds.Keys, Is.SupersetOf((string[])["To", "Next", "grid", "stopped", "quiescent", "several messages"]));
        Assert.That(deeds.Values, Is.All.GreaterThan(10));
    }

    private static void PlayAll(long from, long to)
    {
        long grants = 0;
        long deliveries = 0;

        for (long seed = from; seed <= to; seed++)
        {
            RuleSystem system = RuleSystem.Draw((ulong)seed, RuleFeatures.Deterministic);
            RuleHistory? first = null;

            for (ulong schedule = 1; schedule <= Schedules; schedule++)
            {
                RuleHistory history;

                try
                {
                    history = RulePlayer.Play(system, new RandomSchedule(schedule), comparesBounds: true);
                }
                catch (RuleBrokenException broken)
                {
                    throw new AssertionException($"System {seed}, schedule {schedule}: {broken.Message}", broken);
                }

                first ??= history;
                grants += history.Grants;
                deliveries += history.Deliveries;
                Assert.That(history.DifferenceTo(first), Is.Null, $"System {seed}, schedules 1 and {schedule}");
            }
        }

        TestContext.Out.WriteLine($"{grants} grants, {deliveries} deliveries");
    }
}
