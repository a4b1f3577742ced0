using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// docs/lock-time.md: a whole simulation in its first block, and a member in each face, the third and the fourth, that
/// begin as the second does. All are built and run.
/// </summary>
[TestFixture, Category("Release")]
public sealed class LockTimeDocumentTests
{
    private const int MaxMemberLines = 10;

    private static string[] Blocks => [.. NewcomerProject.CodeIn("docs/lock-time.md")];

    [Test]
    public void The_simulation_of_two_members_builds_and_runs_twice_the_same()
    {
        using NewcomerProject project = new();

        project.BuildAndRun(Blocks[0]);
    }

    [TestCase(2)]
    [TestCase(3)]
    public void The_timed_member_of_each_face_takes_ten_lines_builds_and_ends_well(int member)
    {
        using NewcomerProject project = new();

        Assert.That(Blocks, Has.Length.EqualTo(4));
        Assert.That(Blocks[member].TrimEnd('\n').Split('\n'), Has.Length.AtMost(MaxMemberLines));
        project.BuildAndRun($"{Blocks[1]}\n{Blocks[member]}");
    }
}
