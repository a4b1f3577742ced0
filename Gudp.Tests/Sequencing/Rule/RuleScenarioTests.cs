using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>The rows of <see cref="ScenarioTests"/> on the bare rule.</summary>
[TestFixture]
public sealed class RuleScenarioTests
{
    // They are about what the engines add: looking ahead, grids that cannot be made, the limit of rounds.
    private static readonly string[] OfTheEngines = ["S-A27", "S-D3", "S-F10"];

    internal static IEnumerable<Scenario> Rows
        => ScenarioTests.Rows.Where(row => !OfTheEngines.Contains(row.Number));

    private static IEnumerable<TestCaseData> Cases()
        => Rows.Select(row => new TestCaseData(row).SetArgDisplayNames(row.Number));

    [TestCaseSource(nameof(Cases))]
    public void A_scenario_gives_the_same_grants_by_the_bare_rule(Scenario scenario)
        => scenario.Play(new RuleScenario(scenario.Configure()));

    [Test]
    public void S_B16_A_barrier_holds_what_is_at_it_and_nothing_else()
    {
        Scenario row = new(
            "S-B16", "a(S) b(S)",
            "operator barrier 200; a To 300 =>", "b To 189 => b 189", "operator barrier 400 => a 300",
            "operator barrier off; a To 500 => a 500");

        row.Play(new RuleScenario(row.Configure()));
    }

    [Test]
    public void S_B8_A_sender_may_run_8001_steps_ahead_and_its_receiver_gets_them_one_by_one()
    {
        const int Steps = 8_001;
        Scenario row = new(
            "S-B8", "s(S) r(R)",
            [
                .. Enumerable.Range(1, Steps).Select(k => $"s sends {k} at {k}; s To {k} => s {k}"),
                "s resigns =>",
                .. Enumerable.Range(1, Steps).Select(k => $"r Next 10000 => r {k} [{k}@{k}]"),
                "r Next 10000 => r 10000",
            ]);

        row.Play(new RuleScenario(row.Configure()));
    }
}
