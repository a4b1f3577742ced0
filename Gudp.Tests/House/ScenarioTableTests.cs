using System.Text.RegularExpressions;
using Gudp.Tests.Sequencing;
using Gudp.Tests.Sequencing.Rule;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>The tables of scenarios in docs/TESTING.md name the tests there are, and no others.</summary>
[TestFixture]
public sealed partial class ScenarioTableTests
{
    [Test]
    public void Every_scenario_of_the_table_has_a_test_of_its_number_in_the_fixture_named_there_and_the_other_way_round()
    {
        string page = File.ReadAllText(Repository.PathOf("docs", "TESTING.md"));
        IEnumerable<string> written = Row().Matches(page)
            .SelectMany(row => Fixture().Matches(row.Groups["tests"].Value)
                .Select(fixture => $"{row.Groups["id"].Value} {fixture.Groups["name"].Value}"));

        IEnumerable<string> tests = typeof(ScenarioTableTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Select(method => (type, match: Number().Match(method.Name))))
            .Where(test => test.match.Success)
            .Select(test => $"{test.match.Groups["id"].Value.Replace('_', '-')} {test.type.Name}")
            .Distinct();

        Assert.That(written, Is.EquivalentTo(tests.Concat(Rows()).Distinct()).And.Not.Empty);
    }

    private static IEnumerable<string> Rows()
        => ScenarioTests.Rows.Select(row => $"{IdOf(row)} {nameof(ScenarioTests)}")
            .Concat(RuleScenarioTests.Rows.Select(row => $"{IdOf(row)} {nameof(RuleScenarioTests)}"));

    // A number may have several rows: "S-A9 again".
    private static string IdOf(Scenario row) => row.Number.Split(' ')[0];

    [GeneratedRegex(@"^\| (?<id>T\d+|S-[A-Z]\d+) \|[^|]+\| (?<tests>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<name>[A-Za-z]+)`")]
    private static partial Regex Fixture();

    [GeneratedRegex(@"^(?<id>T\d+|S_[A-Z]\d+)_")]
    private static partial Regex Number();
}
