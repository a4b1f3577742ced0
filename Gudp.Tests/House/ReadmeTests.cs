using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// The programs in the READMEs, those of the packages too, are built and run as a newcomer would: a new console project,
/// the program pasted in.
/// </summary>
[TestFixture, Category("Release")]
public sealed class ReadmeTests
{
    private const int MaxProgramLines = 25;

    private static readonly string[] Readmes =
        ["README.md", .. Repository.Libraries.Select(library => $"{library}/README.md")];

    [TestCaseSource(nameof(Readmes))]
    public void The_programs_of_a_readme_are_short_build_and_end_well(string readme)
    {
        string[] programs = [.. NewcomerProject.CodeIn(readme)];
        Assert.That(programs, Is.Not.Empty);

        using NewcomerProject project = new();

        foreach (string program in programs)
        {
            Assert.That(program.TrimEnd('\n').Split('\n'), Has.Length.AtMost(MaxProgramLines));
            project.BuildAndRun(program);
        }
    }
}
