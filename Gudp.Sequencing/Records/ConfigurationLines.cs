using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Records;

/// <summary>Compares configurations line by line (clause ).</summary>
internal static class ConfigurationLines
{
    private const string Equal = " = ";

    internal static List<ConfigurationDifference> Compare(string left, string right)
    {
        SortedDictionary<string, string> ofLeft = Parse(left);
        SortedDictionary<string, string> ofRight = Parse(right);
        List<ConfigurationDifference> found = [];

        foreach ((string key, string value) in ofLeft)
        {
            string? other = ofRight.GetValueOrDefault(key);

            if (other != value)
            {
                found.Add(new ConfigurationDifference(key, value, other));
            }
        }

        foreach ((string key, string value) in ofRight)
        {
            if (!ofLeft.ContainsKey(key))
            {
                found.Add(new ConfigurationDifference(key, null, value));
            }
        }

        found.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        return found;
    }

    internal static string[] Of(string text)
        => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // A key that stands twice keeps both lines, told apart by their number.
    private static SortedDictionary<string, string> Parse(string text)
    {
        SortedDictionary<string, string> lines = new(StringComparer.Ordinal);
        Dictionary<string, int> repeats = [];

        foreach (string line in Of(text))
        {
            int at = line.IndexOf(Equal, StringComparison.Ordinal);
            string key = at < 0 ? line : line[..at];
            string value = at < 0 ? "" : line[(at + Equal.Length)..];
            int seen = repeats[key] = repeats.GetValueOrDefault(key) + 1;
            lines[seen == 1 ? key : FormattableString.Invariant($"{key} ({seen})")] = value;
        }

        return lines;
    }
}
