using System.Reflection;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// The public surface of the libraries changes only on purpose: docs/api holds the approved one. To approve a change,
/// run this fixture with the environment variable GUDP_UPDATE_API=1 and commit the files.
/// </summary>
[TestFixture]
public sealed class PublicApiTests
{
    private const string UpdateVariable = "GUDP_UPDATE_API";
    private const int MaxLinesShown = 60;

    [TestCaseSource(typeof(Repository), nameof(Repository.Libraries))]
    public void The_public_surface_is_the_approved_one(string library)
    {
        string approvedPath = Repository.PathOf("docs", "api", library + ".txt");
        string receivedPath = Repository.PathOf("docs", "api", library + ".received.txt");
        string received = PublicSurface.Describe(Assembly.Load(library));

        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            File.WriteAllText(approvedPath, received);
            File.Delete(receivedPath);
            return;
        }

        string approved = File.Exists(approvedPath) ? File.ReadAllText(approvedPath).ReplaceLineEndings("\n") : "";

        if (approved == received)
        {
            File.Delete(receivedPath);
            return;
        }

        File.WriteAllText(receivedPath, received);
        Assert.Fail($"{library} shows its users something else than docs/api/{library}.txt says:\n"
            + $"{Difference(approved, received)}\nIf that is meant: {UpdateVariable}=1 dotnet test --filter PublicApi");
    }

    // Lines are compared together with their type's line: the same member may stand in many types.
    private static string Difference(string approved, string received)
    {
        HashSet<string> before = [.. Qualified(approved)];
        HashSet<string> after = [.. Qualified(received)];

        string[] lines = [.. before.Except(after).Select(line => "  - " + line)
            .Concat(after.Except(before).Select(line => "  + " + line))];
        string rest = lines.Length > MaxLinesShown ? $"\n  and {lines.Length - MaxLinesShown} lines more" : "";
        return string.Join('\n', lines.Take(MaxLinesShown)) + rest;
    }

    private static IEnumerable<string> Qualified(string surface)
    {
        string type = "";

        foreach (string line in surface.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith(' '))
            {
                yield return $"{type} | {line.Trim()}";
            }
            else
            {
                type = line;
                yield return line;
            }
        }
    }
}
