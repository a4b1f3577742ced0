using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>The table of back-pressure rules in docs/TESTING.md names all rules, and only tests there are.</summary>
[TestFixture]
public sealed partial class RuleTableTests
{
    private static readonly string Page = File.ReadAllText(Repository.PathOf("docs", "TESTING.md"));

    [Test]
    public void Every_rule_of_the_table_has_a_test_of_its_number_in_each_fixture_named_there()
    {
        IEnumerable<string> written = Row().Matches(Page)
            .SelectMany(row => Name().Matches(row.Groups["tests"].Value)
                .Select(fixture => $"{row.Groups["id"].Value} {fixture.Groups["name"].Value}"));

        IEnumerable<string> tests = typeof(RuleTableTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Select(method => (type, match: Number().Match(method.Name))))
            .Where(test => test.match.Success)
            .Select(test => $"{test.match.Groups["id"].Value} {test.type.Name}")
            .Distinct();

        Assert.That(written, Is.Not.Empty);
        Assert.That(written.Except(tests), Is.Empty);
    }

    [Test]
    public void All_twenty_rules_have_a_row_and_the_tests_of_core_they_name_exist()
    {
        HashSet<string> methods = [.. typeof(RuleTableTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Select(method => method.Name)];
        string[] named = [.. Row().Matches(Page)
            .Where(row => row.Groups["tests"].Value == "-")
            .SelectMany(row => Name().Matches(row.Groups["what"].Value))
            .Select(name => name.Groups["name"].Value)];

        Assert.That(
            Row().Matches(Page).Select(row => row.Groups["id"].Value),
            Is.EqualTo(Enumerable.Range(1, 20).Select(number => $"R{number}")));
        Assert.That(named, Is.Not.Empty);
        Assert.That(named.Except(methods), Is.Empty);
    }

    [GeneratedRegex(@"^\| (?<id>R\d+) \| (?<what>[^|]+) \| (?<tests>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<name>[A-Za-z0-9_]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"^(?<id>R\d+)_")]
    private static partial Regex Number();
}
