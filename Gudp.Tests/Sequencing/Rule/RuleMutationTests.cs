using Gudp.Core;
using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// Is the fuzz blind? It plays the same systems and schedules with a defect planted, and must notice: a promise of the
/// rule broken, or two histories of one system.
/// </summary>
[TestFixture]
public sealed class RuleMutationTests
{
    private const int Systems = 100;
    private const int Schedules = 5;

    private static IEnumerable<string> Defects => SeededDefects.All.Keys;

    [TestCaseSource(nameof(Defects))]
    public void S_F3_a_seeded_defect_is_found_within_the_systems_of_the_fuzz(string defect)
    {
        for (ulong seed = 1; seed <= Systems; seed++)
        {
            string? symptom = SymptomOf(RuleSystem.Draw(seed, RuleFeatures.Deterministic), defect);

            if (symptom is not null)
            {
                TestContext.Out.WriteLine($"{defect}: system {seed}, {symptom}");
                Assert.Pass();
            }
        }

        Assert.Fail($"{Systems} systems with {Schedules} schedules each did not show it.");
    }

    private static string? SymptomOf(RuleSystem system, string defect)
    {
        RuleHistory? first = null;

        for (ulong schedule = 1; schedule <= Schedules; schedule++)
        {
            RuleSeams seams = SeededDefects.All[defect](schedule, system.Config.Roster.Count);

            try
            {
                RuleHistory history = RulePlayer.Play(system, new RandomSchedule(schedule), seams);
                first ??= history;

                if (history.DifferenceTo(first) is string difference)
                {
                    return $"schedule {schedule}: {difference}";
                }
            }
            catch (Exception broken) when (broken is RuleBrokenException or InvariantException)
            {
                return $"schedule {schedule}: {broken.Message}";
            }
        }

        return null;
    }
}
