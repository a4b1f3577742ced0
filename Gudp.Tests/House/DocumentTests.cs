using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>What the documents promise about themselves: short, and no link into nothing.</summary>
[TestFixture]
public sealed partial class DocumentTests
{
    private const string Readme = "README.md";
    private const int ReadmeLines = 60;

    private static IEnumerable<string> Documents => Repository.Documents();

    [TestCaseSource(nameof(Documents))]
    public void Every_local_link_leads_somewhere(string document)
    {
        string text = File.ReadAllText(Repository.PathOf(document));
        string folder = Path.GetDirectoryName(Repository.PathOf(document))!;

        IEnumerable<string> broken = Link().Matches(WithoutCode(text))
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal))
            .Where(target => !target.StartsWith("mailto:", StringComparison.Ordinal))
            .Where(target => !LeadsSomewhere(folder, Repository.PathOf(document), target));

        Assert.That(broken, Is.Empty);
    }

    // Decisions are listed by their folder.
    [Test]
    public void Every_document_below_docs_stands_in_their_index()
    {
        string index = File.ReadAllText(Repository.PathOf("docs", Readme));

        IEnumerable<string> missing = Documents
            .Where(path => path.StartsWith("docs/", StringComparison.Ordinal) && path != $"docs/{Readme}")
            .Where(path => !path.StartsWith("docs/decisions/", StringComparison.Ordinal))
            .Where(path => !index.Contains($"({path["docs/".Length..]})", StringComparison.Ordinal));

        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void The_readme_fits_on_one_screen()
    {
        if (Documents.Contains(Readme))
        {
            Assert.That(File.ReadAllLines(Repository.PathOf(Readme)), Has.Length.AtMost(ReadmeLines));
        }
    }

    [Test]
    public void The_readme_and_the_check_of_every_change_use_the_same_test_command()
    {
        if (Documents.Contains(Readme))
        {
            Assert.That(File.ReadAllLines(Repository.PathOf(Readme)).Any(IsTestCommand), Is.True);
        }

        Assert.That(File.ReadAllLines(Repository.PathOf(".ci", "run")), Has.Member("tests debug test"));
    }

    private static bool LeadsSomewhere(string folder, string self, string target)
    {
        string[] parts = target.Split('#', 2);
        string path = parts[0].Length == 0 ? self : Path.Combine(folder, Uri.UnescapeDataString(parts[0]));

        if (!File.Exists(path))
        {
            return Directory.Exists(path);
        }

        return parts.Length == 1 || !path.EndsWith(".md", StringComparison.Ordinal) || HasHeading(path, parts[1]);
    }

    // The command alone, perhaps with a comment behind it.
    private static bool IsTestCommand(string line) => line.Split('#')[0].Trim() == "dotnet test";

    // As code hosts make anchors: lower case, punctuation dropped, spaces as hyphens.
    private static bool HasHeading(string path, string anchor)
        => Heading().Matches(WithoutCode(File.ReadAllText(path)))
            .Select(match => match.Groups["text"].Value.Trim().ToLowerInvariant())
            .Select(text => NoAnchor().Replace(text, "").Replace(' ', '-'))
            .Contains(anchor);

    private static string WithoutCode(string text) => CodeBlock().Replace(text, "");

    [GeneratedRegex(@"(?<!!)\[[^\]]*\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
