using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// docs/EXAMPLES.md: its first block is how the tasks' programs begin, a block that begins with a using directive is a
/// program of its own, the others are tasks. All are built and run.
/// </summary>
[TestFixture, Category("Release")]
public sealed class ExampleTests
{
    private const string Document = "docs/EXAMPLES.md";
    private const int MaxTaskLines = 10;
    private const int MaxProgramLines = 25;

    private static IEnumerable<string> Blocks => NewcomerProject.CodeIn(Document);

    private static IEnumerable<TestCaseData> Tasks => Numbered(Blocks.Skip(1).Where(block => !IsProgram(block)), "Task");

    private static IEnumerable<TestCaseData> Programs => Numbered(Blocks.Skip(1).Where(IsProgram), "Program");

    [TestCaseSource(nameof(Tasks))]
    public void A_task_takes_ten_lines_builds_and_ends_well(string task)
    {
        using NewcomerProject project = new();

        Assert.That(CodeLines(task), Is.AtMost(MaxTaskLines));
        project.BuildAndRun($"{Blocks.First()}\n{task}");
    }

    [TestCaseSource(nameof(Programs))]
    public void A_program_is_as_short_as_that_of_the_readme_builds_and_ends_well(string program)
    {
        using NewcomerProject project = new();

        Assert.That(program.TrimEnd('\n').Split('\n'), Has.Length.AtMost(MaxProgramLines));
        project.BuildAndRun(program);
    }

    [Test]
    public void The_three_most_common_tasks_and_a_program_of_each_face_are_there()
    {
        Assert.That(Tasks.Count(), Is.EqualTo(3));
        Assert.That(Programs.Count(), Is.EqualTo(2));
    }

    private static IEnumerable<TestCaseData> Numbered(IEnumerable<string> blocks, string kind)
        => blocks.Select((block, index) => new TestCaseData(block).SetArgDisplayNames($"{kind} {index + 1}"));

    private static bool IsProgram(string block) => block.StartsWith("using ", StringComparison.Ordinal);

    // Everything that is not blank, a line of its own for a brace too.
    private static int CodeLines(string task) => task.Split('\n').Count(line => line.Trim().Length > 0);
}
