using System.Globalization;
using Gudp.Core;
using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// The systems of <see cref="RuleFuzzTests"/> on the engines, held against the bare rule as well; and others with what
/// the bare rule does not know: who comes late, who is lost, what breaks.
/// </summary>
[TestFixture]
public sealed class EngineFuzzTests
{
    private const RuleFeatures Features = RuleFeatures.Deterministic;
    private const int Schedules = 5;
    private const int MostFrames = 80;

    [Test]
    public void S_F2_engines_have_the_history_of_the_rule_whatever_the_schedule([Range(1, 381, 20)] int first)
        => PlayAll(first, first + 19);

    [Test]
    public void S_F2_so_they_do_with_those_who_come_late([Range(1, 81, 20)] int first)
        => PlayAll(first, first + 19, RuleFeatures.Joining);

    [Test]
    public void S_F2_so_they_do_given_what_came_from_outside([Range(1, 81, 20)] int first)
        => PlayAll(first, first + 19, RuleFeatures.FromOutside);

    // Whoever joins with the last state waited for what a member sends, and that for the join: a chain with a circle.
    [TestCase(965), TestCase(1263), TestCase(1968), TestCase(2854), TestCase(4161)]
    public void Joins_that_once_went_wrong(int seed) => PlayAll(seed, seed, RuleFeatures.Joining);

    // The same; a full member that was still to come held everybody far below its join; a run aborted at its last
    // turn; an admission that was not decided in the copy of a run.
    [TestCase(3738), TestCase(1454), TestCase(1551), TestCase(188)]
    public void What_came_from_outside_and_once_went_wrong(int seed)
        => PlayAll(seed, seed, RuleFeatures.FromOutside);

    [Test]
    public void S_F2_schedules_of_the_environment()
    {
        string? schedules = Environment.GetEnvironmentVariable("GUDP_LOCKTIME_SCHEDULES");

        if (schedules is null)
        {
            Assert.Ignore("GUDP_LOCKTIME_SCHEDULES=100000 for as many schedules.");
        }

        long systems = long.Parse(schedules, CultureInfo.InvariantCulture) / Schedules;
        PlayAll(1, systems / 2);
        PlayAll(1, systems / 4, RuleFeatures.Joining);
        PlayAll(1, systems / 4, RuleFeatures.FromOutside);
    }

    [Test]
    public void S_B23_a_stall_after_any_frame_of_a_member_changes_nothing([Values(1, 4, 6)] int seed)
    {
        RuleSystem system = RuleSystem.Draw((ulong)seed, Features, members: 3);
        RuleHistory undisturbed = EnginePlayer.Play(system, new OrderedSchedule([0, 1, 2]));

        for (int frames = 0; frames <= MostFrames; frames++)
        {
            StallSchedule stall = new(member: 1, frames);
            RuleHistory stalled = EnginePlayer.Play(system, stall);

            Assert.That(stall.HasStalled, $"The run has {frames} frames of the member.");
            Assert.That(stalled.DifferenceTo(undisturbed), Is.Null, $"stalled after {frames}");
            Assert.That(stalled.RunDigest, Is.EqualTo(undisturbed.RunDigest));
        }
    }

    [Test]
    public void Whoever_takes_up_sending_late_reaches_nobodys_past([Range(1, 60)] int seed)
    {
        RuleSystem system = RuleSystem.Draw(
            (ulong)seed, (RuleFeatures.Deterministic & ~RuleFeatures.Stops) | RuleFeatures.LateSenders);

        for (ulong schedule = 1; schedule <= Schedules; schedule++)
        {
            Assert.That(
                () => EnginePlayer.Play(system, new RandomSchedule(schedule)), Throws.Nothing, $"Schedule {schedule}");
        }
    }

    private static void PlayAll(long from, long to, RuleFeatures features = Features)
    {
        for (long seed = from; seed <= to; seed++)
        {
            RuleSystem system = RuleSystem.Draw((ulong)seed, features);
            RuleHistory? first = features == Features ? RulePlayer.Play(system, new RandomSchedule(0)) : null;
            RuleFacts? facts = null;

            for (ulong schedule = 1; schedule <= Schedules; schedule++)
            {
                string where = $"System {seed}, schedule {schedule}";

                try
                {
                    RuleHistory history = EnginePlayer.Play(system, new RandomSchedule(schedule), facts);
                    facts ??= features.HasFlag(RuleFeatures.Losses) ? history.Facts : null;
                    first ??= history;
                    Assert.That(history.DifferenceTo(first), Is.Null, where);
                    first = schedule == 1 ? history : first;
                }
                catch (Exception broken) when (broken is RuleBrokenException or InvariantException)
                {
                    throw new AssertionException($"{where}: {broken.Message}", broken);
                }
            }
        }
    }
}
