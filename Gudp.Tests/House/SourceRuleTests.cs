using System.Reflection;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>The rules of docs/STYLE.md that a machine can see in the source; a failure lists file and line.</summary>
[TestFixture]
public sealed partial class SourceRuleTests
{
    private const int MaxFileLines = 600;

    // 120 is the rule; a few columns more are reported and left to the reviewer.
    private const int MaxColumns = 120;
    private const int HardMaxColumns = 140;

    private const BindingFlags AllDeclared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    // Words that say nothing about what a type is for.
    private static readonly string[] EmptyWords =
    [
        "Manager", "Managers", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Data", "Info", "Misc",
        "Base",
    ];

    private static readonly string[] UnsafeFolders = ["Sockets", "Buffers", "Topics/Shared"];

    [Test]
    public void No_file_is_longer_than_600_lines()
    {
        IEnumerable<string> tooLong = Repository.AllSources()
            .Select(path => (Path: path, Lines: LinesOf(path).Length))
            .Where(file => file.Lines > MaxFileLines)
            .Select(file => $"{file.Path}: {file.Lines} lines");

        Assert.That(tooLong, Is.Empty);
    }

    [Test]
    public void No_line_is_much_longer_than_120_columns()
    {
        List<string> tooLong = [];

        foreach (string path in Repository.AllSources())
        {
            string[] lines = LinesOf(path);

            for (int i = 0; i < lines.Length; i++)
            {
                if (lines[i].Length > MaxColumns)
                {
                    TestContext.Out.WriteLine($"{path}:{i + 1}: {lines[i].Length} columns");
                }

                if (lines[i].Length > HardMaxColumns)
                {
                    tooLong.Add($"{path}:{i + 1}: {lines[i].Length} columns");
                }
            }
        }

        Assert.That(tooLong, Is.Empty);
    }

    [Test]
    public void No_type_has_a_word_in_its_name_that_says_nothing()
        => AssertNone(Repository.AllSources(), line => TypeDeclaration().Matches(line)
            .SelectMany(match => PascalWord().Matches(match.Groups["name"].Value))
            .Any(word => EmptyWords.Contains(word.Value)));

    [TestCaseSource(typeof(Repository), nameof(Repository.Libraries))]
    public void Process_is_not_a_verb_but_in_ProcessIO(string library)
    {
        IEnumerable<string> verbs = Assembly.Load(library).GetTypes()
            .SelectMany(type => type.GetMethods(AllDeclared))
            .Where(method => ProcessAsVerb().IsMatch(method.Name))
            .Select(method => $"{method.DeclaringType}.{method.Name}");

        Assert.That(verbs, Is.Empty);
    }

    [Test]
    public void What_is_left_to_do_names_its_issue()
        => AssertNone(Repository.AllSources(), line => LeftToDo().IsMatch(line));

    [Test]
    public void Unsafe_code_stands_only_where_the_system_or_the_memory_is_touched()
    {
        IEnumerable<string> bound = LibrarySources()
            .Where(path => !UnsafeFolders.Any(folder => path.Contains($"/{folder}/", StringComparison.Ordinal)));

        AssertNone(bound, line => UnsafeCode().IsMatch(WithoutComment(line)));
    }

    // What measures others has to call them.
    [Test]
    public void Measurements_have_unsafe_code_only_where_they_call_others()
    {
        IEnumerable<string> bound = Repository.SourcesOf("Gudp.Bench")
            .Where(path => !path.StartsWith("Gudp.Bench/Load/Native/", StringComparison.Ordinal)
                && !path.StartsWith("Gudp.Bench/Load/Transports/", StringComparison.Ordinal));

        AssertNone(bound, line => UnsafeCode().IsMatch(WithoutComment(line)));
    }

    [Test]
    public void No_library_sleeps_prints_asks_the_wall_clock_or_shares_a_generator()
        => AssertNone(LibrarySources(), line => Banned().IsMatch(WithoutComment(line)));

    private static IEnumerable<string> LibrarySources() => Repository.Libraries.SelectMany(Repository.SourcesOf);

    private static string[] LinesOf(string path) => File.ReadAllLines(Repository.PathOf(path));

    private static void AssertNone(IEnumerable<string> paths, Func<string, bool> isForbidden)
    {
        List<string> found = [];

        foreach (string path in paths)
        {
            string[] lines = LinesOf(path);

            for (int i = 0; i < lines.Length; i++)
            {
                if (isForbidden(lines[i]))
                {
                    found.Add($"{path}:{i + 1}: {lines[i].Trim()}");
                }
            }
        }

        Assert.That(found, Is.Empty);
    }

    // Good enough for our own sources: no string here contains two slashes and the word unsafe.
    private static string WithoutComment(string line)
    {
        int start = line.IndexOf("//", StringComparison.Ordinal);
        return start < 0 ? line : line[..start];
    }

    [GeneratedRegex(@"^\s*([a-z]+\s+)*(class|struct|interface|enum|record)\s+(?<name>[A-Z]\w*)")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex("[A-Z][a-z0-9]*")]
    private static partial Regex PascalWord();

    [GeneratedRegex("^Process(?!IO$)([A-Z]|$)")]
    private static partial Regex ProcessAsVerb();

    // Written apart, so that this file does not find itself.
    [GeneratedRegex("\\bTO" + "DO\\b(?!\\(#\\d+\\): )")]
    private static partial Regex LeftToDo();

    [GeneratedRegex(@"\bunsafe\b|\bfixed\s*\(|\bDllImport\b|\bLibraryImport\b")]
    private static partial Regex UnsafeCode();

    [GeneratedRegex(@"\bThread\.Sleep\b|\bConsole\.|\bDateTime(Offset)?\.(Utc)?Now\b|\bRandom\.Shared\b")]
    private static partial Regex Banned();
}
