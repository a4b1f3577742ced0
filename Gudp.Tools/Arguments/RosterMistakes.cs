using Gudp.Core;

namespace Gudp.Tools.Arguments;

/// <summary>Every mistake of a roster with its JSON path; and which properties were looked for, for the schema's test.</summary>
internal sealed class RosterMistakes
{
    private readonly List<string> _found = [];
    private readonly HashSet<string> _paths = [];

    /// <summary>Kinds of objects, and the properties the reader knows of each.</summary>
    internal SortedSet<(string Kind, string Property)> Known { get; } = [];

    /// <param name="path">A JSON path such as <c>$.members[0].name</c>.</param>
    /// <param name="sentence">What is wrong there, from the verb on.</param>
    internal void Add(string path, string sentence)
    {
        _paths.Add(path);
        _found.Add($"{path} {sentence}");
    }

    /// <summary>A value of the wrong form.</summary>
    internal void Add(string path, string given, string allowed) => Add(path, $"is {given}; allowed is {allowed}.");

    /// <summary>Adds what the configuration says of itself, its paths in the terms of the file.</summary>
    internal void AddRules(IReadOnlyList<string> problems)
    {
        foreach (string problem in problems)
        {
            int end = problem.IndexOf(" is ", StringComparison.Ordinal);
            string path = PathOf(problem[..end]);

            // A value that could not be read was replaced, and so may break a rule as well.
            if (!_paths.Any(known => path.StartsWith(known, StringComparison.Ordinal)))
            {
                _found.Add(path + problem[end..]);
            }
        }
    }

    /// <exception cref="GudpConfigException">Something was found.</exception>
    internal void ThrowIfAny()
    {
        if (_found.Count > 0)
        {
            throw new GudpConfigException("the roster", [.. _found]);
        }
    }

    // Roster[0].Lookahead is $.members[0].lookahead.
    private static string PathOf(string rulePath)
    {
        IEnumerable<string> parts = rulePath.Split('.').Select(part => char.ToLowerInvariant(part[0]) + part[1..]);
        string path = "$." + string.Join('.', parts);
        return path.StartsWith("$.roster", StringComparison.Ordinal) ? "$.members" + path["$.roster".Length..] : path;
    }
}
