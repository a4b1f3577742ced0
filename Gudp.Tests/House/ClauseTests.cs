using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// The clauses of the protocol documents: each stands once, none is cited that does not exist, and those of the
/// checklist are cited where they are built and where they are proved.
/// </summary>
[TestFixture]
public sealed partial class ClauseTests
{
    private const string Checklist = "docs/protocol/checklist.md";

    private static readonly string[] Defined = [.. Repository.Documents()
        .Where(document => document.StartsWith("docs/protocol/", StringComparison.Ordinal) && document != Checklist)
        .SelectMany(document => Definition().Matches(Read(document)))
        .Select(match => match.Groups["clause"].Value)];

    private static readonly (string Source, string Clause)[] Citations = [.. Repository.AllSources()
        .Where(source => !source.EndsWith("/ClauseTests.cs", StringComparison.Ordinal))
        .SelectMany(source => Clause().Matches(Read(source)).Select(match => (source, match.Value)))];

    private static IEnumerable<TestCaseData> Rows => Row().Matches(Read(Checklist))
        .Select(match => new TestCaseData(match.Groups["mechanism"].Value.Trim(), match.Groups["clauses"].Value));

    [Test]
    public void A_clause_is_defined_once()
    {
        IEnumerable<string> repeated = Defined.GroupBy(clause => clause)
            .Where(group => group.Count() > 1)
            .Select(group => group.Key);

        Assert.That(Defined, Is.Not.Empty);
        Assert.That(repeated, Is.Empty);
    }

    [Test]
    public void A_clause_that_is_cited_exists()
    {
        IEnumerable<string> unknown = Citations
            .Where(citation => !IsDefined(citation.Clause))
            .Select(citation => $"{citation.Source}: {citation.Clause}");

        Assert.That(unknown, Is.Empty);
    }

    [TestCaseSource(nameof(Rows))]
    public void A_mechanism_of_the_checklist_is_cited_where_it_is_built_and_where_it_is_proved(
        string mechanism, string clauses)
    {
        string[] named = [.. Clause().Matches(clauses).Select(match => match.Value)];
        IEnumerable<string> undefined = named.Where(clause => !Defined.Contains(clause));
        IEnumerable<string> unbuilt = named.Where(clause => !IsCited(IsLibrary, clause));
        IEnumerable<string> unproved = named.Where(clause => !IsCited(IsTest, clause));

        Assert.Multiple(() =>
        {
            Assert.That(named, Is.Not.Empty, mechanism);
            Assert.That(undefined, Is.Empty, "no document says it");
            Assert.That(unbuilt, Is.Empty, "no code cites it");
            Assert.That(unproved, Is.Empty, "no test cites it");
        });
    }

    // "S-1" stands for a table, "P-9" for a whole section.
    private static bool IsDefined(string clause)
        => Defined.Contains(clause)
            || (!clause.Contains('.', StringComparison.Ordinal)
                && Defined.Any(defined => defined.StartsWith(clause + ".", StringComparison.Ordinal)));

    private static bool IsCited(Func<string, bool> where, string clause)
        => Citations.Any(citation => citation.Clause == clause && where(citation.Source));

    private static bool IsTest(string source) => source.StartsWith("Gudp.Tests/", StringComparison.Ordinal);

    private static bool IsLibrary(string source)
        => Repository.Libraries.Any(library => source.StartsWith(library + "/", StringComparison.Ordinal));

    private static string Read(string path) => File.ReadAllText(Repository.PathOf(path));

    [GeneratedRegex(@"^(?:\* |\| |#+ )?(?:\*\*)?(?<clause>[DPQRSTW]-\d+(\.\d+)?)\b", RegexOptions.Multiline)]
    private static partial Regex Definition();

    [GeneratedRegex(@"\b[DPQRSTW]-\d+(\.\d+)?\b")]
    private static partial Regex Clause();

    [GeneratedRegex(@"^\|(?<mechanism>[^|\r\n]+)\|[^|\r\n]+\|[^|\r\n]+\|(?<clauses>[^|\r\n]*[DPQRSTW]-\d[^|\r\n]*)\|\r?$",
        RegexOptions.Multiline)]
    private static partial Regex Row();
}
