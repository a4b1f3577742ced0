// Tags at or above which nobody is granted for the time being (lock-time 12). Each operator has one, by its name, so that
// a barrier outlives the connection it was set on; the smallest counts.
//
// Barriers only delay: they are outside the rule's bounds, the digest and every request.

using System.Collections.Generic;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal sealed class Barriers(RunState run)
{
    /// <summary>Operators that hold the run at one time.</summary>
    internal const int MaxBarriers = 64;

    /// <summary>Steps an operator may ask for ahead.</summary>
    internal const long MaxSteps = 1L << 40;

    private readonly List<Entry> _entries = [];

    /// <summary>Steps that were asked for and not taken yet, of all operators.</summary>
    internal long PendingSteps
    {
        get
        {
            long pending = 0;

            foreach (Entry entry in _entries)
            {
                pending += entry.Steps;
            }

            return pending;
        }
    }

    /// <summary>Sets or moves an operator's barrier; it may be below grants that were given, which stay.</summary>
    /// <returns>False if there are too many.</returns>
    internal bool TrySet(string name, Tag barrier)
    {
        if (Find(name) is not { } entry)
        {
            if (_entries.Count == MaxBarriers)
            {
                return false;
            }

            entry = new Entry(name);
            _entries.Add(entry);
        }

        entry.Barrier = barrier;
        entry.Steps = 0;
        Apply();
        run.HasChanged = true;
        return true;
    }

    /// <summary>Takes an operator's barrier away; nothing happens if there is none.</summary>
    internal void Clear(string name)
    {
        if (Find(name) is { } entry)
        {
            _entries.Remove(entry);
            Apply();
            run.HasChanged = true;
        }
    }

    /// <summary>
    /// Lets the next tag pass, so many times, and holds again. Whoever had no barrier holds everything from now on.
    /// </summary>
    /// <returns>False if there are too many.</returns>
    internal bool TryAddSteps(string name, long steps)
    {
        if (Find(name) is null && !TrySet(name, Tag.Zero))
        {
            return false;
        }

        Entry entry = Find(name)!;
        entry.Steps = entry.Steps > MaxSteps - steps ? MaxSteps : entry.Steps + steps;
        run.HasChanged = true;
        return true;
    }

    /// <summary>
    /// Nobody can be granted any more: takes a step, if one was asked for and the smallest barrier is the one to raise.
    /// </summary>
    /// <returns>Whether it was raised.</returns>
    internal bool TryStep()
    {
        if (PendingSteps == 0 || NextGrant() is not Tag next)
        {
            return false;
        }

        bool raised = false;

        foreach (Entry entry in _entries)
        {
            if (entry.Steps > 0 && entry.Barrier <= next)
            {
                entry.Barrier = next + Delay.OneRound;
                entry.Steps--;
                raised = true;
            }
        }

        Tag before = run.Limits.Barrier;
        Apply();
        return raised && run.Limits.Barrier > before;
    }

    /// <summary>
    /// The smallest grant that only a barrier keeps back; null if there is none, or if one below the barrier still waits for
    /// the wall or a full receiver: the step before is not done.
    /// </summary>
    private Tag? NextGrant()
    {
        Tag? next = null;

        foreach (Member member in run.Members.All)
        {
            ref readonly MemberState state = ref run.Members.StateOf(member);

            if (member.Life != MemberLife.Live || !state.IsWaiting)
            {
                continue;
            }

            Tag grant = AdvanceRule.GrantOf(in state, run.Limits.Stop);

            if (run.Bounds.Bound[member.Ordinal] <= grant)
            {
                continue;
            }

            if (grant < run.Limits.Barrier)
            {
                return null;
            }

            if (!(grant >= next))
            {
                next = grant;
            }
        }

        return next;
    }

    private Entry? Find(string name)
    {
        foreach (Entry entry in _entries)
        {
            if (entry.Name == name)
            {
                return entry;
            }
        }

        return null;
    }

    private void Apply()
    {
        Tag smallest = Tag.Top;

        foreach (Entry entry in _entries)
        {
            smallest = Tag.Earlier(smallest, entry.Barrier);
        }

        run.Limits = run.Limits with { Barrier = smallest };
    }

    private sealed class Entry(string name)
    {
        internal string Name { get; } = name;
        internal Tag Barrier { get; set; }
        internal long Steps { get; set; }
    }
}
