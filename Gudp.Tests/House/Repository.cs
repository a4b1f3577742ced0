namespace Gudp.Tests.House;

/// <summary>The checked-out tree the tests were built from.</summary>
internal static class Repository
{
    internal static readonly string[] Libraries = ["Gudp.Core", "Gudp.Messaging", "Gudp.Sequencing"];

    private static readonly string[] Projects = [.. Libraries, "Gudp.Tools", "Gudp.Bench", "Gudp.Tests", "samples"];

    internal static string Root { get; } = FindRoot();

    internal static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Our own C# files below a project, nothing generated; paths relative to the root.</summary>
    internal static IEnumerable<string> SourcesOf(string project)
        => Directory.EnumerateFiles(PathOf(project), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal)
                && !path.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    internal static IEnumerable<string> AllSources() => Projects.SelectMany(SourcesOf);

    /// <summary>The documents in the root and below docs; paths relative to the root.</summary>
    internal static IEnumerable<string> Documents()
    {
        IEnumerable<string> below = Directory.Exists(PathOf("docs"))
            ? Directory.EnumerateFiles(PathOf("docs"), "*.md", SearchOption.AllDirectories)
            : [];

        return Directory.EnumerateFiles(Root, "*.md")
            .Concat(below)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal);
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);

        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Gudp.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException($"No Gudp.sln above {AppContext.BaseDirectory}: run in the tree.");
    }
}
