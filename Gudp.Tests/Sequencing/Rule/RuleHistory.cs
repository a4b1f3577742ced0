using Gudp.Sequencing;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>What came to a run from outside: played again, it leaves nothing to the schedule.</summary>
internal sealed record RuleFacts(Tag? Stop)
{
    /// <summary>By whom was lost for good: where, as the server had it.</summary>
    internal Dictionary<string, (ulong Step, ulong Grants)> Lost { get; } = [];

    /// <summary>Those who never came.</summary>
    internal HashSet<string> Missing { get; } = [];
}

/// <summary>What all members saw, by name.</summary>
internal sealed class RuleHistory
{
    private readonly SortedDictionary<string, List<(Tag Tag, ulong Value)>> _grants = new(StringComparer.Ordinal);

    /// <summary>Of the engine; the bare rule has none.</summary>
    internal ulong RunDigest { get; init; }

    /// <summary>Whom the run went on without: a fact from outside. It may have been there in another execution.</summary>
    internal IReadOnlyList<string> Removed { get; init; } = [];

    internal RuleFacts? Facts { get; init; }

    /// <summary>The loss of a member ended it: nobody saw more than the beginning.</summary>
    internal bool IsAborted { get; init; }

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

        // Who comes too late for the stop has nothing to tell.
        if (script.History.Count > 0)
        {
            _grants.Add(member, script.History);
        }

        Grants += script.History.Count;
        Deliveries += script.Deliveries;
    }

    /// <summary>The first difference, in words; null if there is none.</summary>
    internal string? DifferenceTo(RuleHistory other)
    {
        foreach ((string member, List<(Tag Tag, ulong Value)> own) in _grants)
        {
            if (Removed.Contains(member) || other.Removed.Contains(member))
            {
                continue;
            }

            List<(Tag Tag, ulong Value)> others = other._grants.GetValueOrDefault(member, []);
            int count = IsAborted || other.IsAborted
                ? Math.Min(own.Count, others.Count)
                : Math.Max(own.Count, others.Count);

            for (int i = 0; i < count; i++)
            {
                string mine = i < own.Count ? $"{own[i].Tag} {own[i].Value:x16}" : "nothing";
                string theirs = i < others.Count ? $"{others[i].Tag} {others[i].Value:x16}" : "nothing";

                if (mine != theirs)
                {
                    return $"grant {i} of {member} is {mine} and {theirs}";
                }
            }
        }

        if (IsAborted || other.IsAborted)
        {
            return null;
        }

        if (other._grants.Keys.Except(_grants.Keys).Except(Removed).FirstOrDefault() is string missing)
        {
            return $"{missing} is not there";
        }

        return !Removed.ToHashSet().SetEquals(other.Removed) || RunDigest == 0 || other.RunDigest == 0 || RunDigest == other.RunDigest
            ? null
            : $"the run's digest is {RunDigest:x16} and {other.RunDigest:x16}";
    }
}
