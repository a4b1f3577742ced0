using Gudp.Sequencing;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>What all members saw, by name.</summary>
internal sealed class RuleHistory
{
    private readonly SortedDictionary<string, List<(Tag Tag, ulong Value)>> _grants = new(StringComparer.Ordinal);

    /// <summary>Of the engine; the bare rule has none.</summary>
    internal ulong RunDigest { get; init; }

    internal long Grants { get; private set; }

    internal long Deliveries { get; private set; }

    /// <summary>How often all members together did what.</summary>
    internal SortedDictionary<string, int> Deeds { get; } = new(StringComparer.Ordinal);

    internal void Add(string member, RuleScript script)
    {
        foreach ((string deed, int count) in script.Deeds)
        {
            Deeds[deed] = Deeds.GetValueOrDefault(deed) + count;
        }

        _grants.Add(member, script.History);
        Grants += script.History.Count;
        Deliveries += script.Deliveries;
    }

    /// <summary>The first difference, in words; null if there is none.</summary>
    internal string? DifferenceTo(RuleHistory other)
    {
        foreach ((string member, List<(Tag Tag, ulong Value)> own) in _grants)
        {
            List<(Tag Tag, ulong Value)> others = other._grants[member];

            for (int i = 0; i < Math.Max(own.Count, others.Count); i++)
            {
                string mine = i < own.Count ? $"{own[i].Tag} {own[i].Value:x16}" : "nothing";
                string theirs = i < others.Count ? $"{others[i].Tag} {others[i].Value:x16}" : "nothing";

                if (mine != theirs)
                {
                    return $"grant {i} of {member} is {mine} and {theirs}";
                }
            }
        }

        return RunDigest == 0 || other.RunDigest == 0 || RunDigest == other.RunDigest
            ? null
            : $"the run's digest is {RunDigest:x16} and {other.RunDigest:x16}";
    }
}
