using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>The table of the message layer's requirements in docs/TESTING.md names fixtures for every row.</summary>
[TestFixture]
public sealed partial class RequirementTableTests
{
    private const int Rows = 46;

    private static readonly (string Id, string Tests)[] Table =
        [.. Row().Matches(File.ReadAllText(Repository.PathOf("docs", "TESTING.md")))
            .Select(row => (row.Groups["id"].Value, row.Groups["tests"].Value))];

    [Test]
    public void Every_requirement_of_the_message_layer_has_one_row()
    {
        IEnumerable<string> wanted = Enumerable.Range(1, Rows)
            .Select(number => string.Create(CultureInfo.InvariantCulture, $"M{number}"));

        Assert.That(Table.Select(row => row.Id), Is.EqualTo(wanted));
    }

    [Test]
    public void Every_row_names_fixtures_there_are_or_says_that_it_comes_later()
    {
        HashSet<string> fixtures = [.. typeof(RequirementTableTests).Assembly.GetTypes().Select(type => type.Name)];

        foreach ((string id, string tests) in Table)
        {
            string[] named = [.. Fixture().Matches(tests).Select(match => match.Groups["name"].Value)];
            bool comesLater = tests.StartsWith("later:", StringComparison.Ordinal);

            Assert.That(named.Where(name => !fixtures.Contains(name)), Is.Empty, id);
            Assert.That(named.Length > 0 || comesLater, Is.True, $"{id} is held by nothing.");
        }
    }

    [Test]
    public void A_test_with_the_number_of_a_row_is_in_a_fixture_of_that_row()
    {
        IEnumerable<string> tests = typeof(RequirementTableTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Select(method => (type, match: Number().Match(method.Name))))
            .Where(test => test.match.Success)
            .Select(test => $"{test.match.Groups["id"].Value} {test.type.Name}")
            .Distinct();
        IEnumerable<string> written = Table.SelectMany(row => Fixture().Matches(row.Tests)
            .Select(match => $"{row.Id} {match.Groups["name"].Value}"));

        Assert.That(tests, Is.SubsetOf(written).And.Not.Empty);
    }

    [GeneratedRegex(@"^\| (?<id>M\d+) \|[^|]+\| (?<tests>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<name>[A-Za-z0-9]+)`")]
    private static partial Regex Fixture();

    [GeneratedRegex(@"^(?<id>M\d+)_")]
    private static partial Regex Number();
}
