using System.Text;
using Gudp.Core;
using Gudp.Core.Simulation;

namespace Gudp.Tests.World;

/// <summary>How often what happened over many worlds. Any thread.</summary>
internal sealed class SwarmTally
{
    private readonly object _gate = new();
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    internal void Add(string what, long count)
    {
        lock (_gate)
        {
            _counts[what] = _counts.GetValueOrDefault(what) + count;
        }
    }

    internal void Add(SimulatedFaults faults)
    {
        Add("network Sent", faults.Sent);
        Add("network Injected", faults.Injected);
        Add("network Duplicated", faults.Duplicated);
        Add("network Delivered", faults.Delivered);
        Add("network Lost", faults.Lost);
        Add("network CutDropped", faults.CutDropped);
        Add("network TooLongDropped", faults.TooLongDropped);
        Add("network QueueDropped", faults.QueueDropped);
        Add("network OverflowDropped", faults.OverflowDropped);
        Add("network Undeliverable", faults.Undeliverable);
        Add("network UnmappedDropped", faults.UnmappedDropped);
        Add("network Refused", faults.Refused);
        Add("network Blocked", faults.Blocked);
        Add("network RunsSent", faults.RunsSent);
        Add("network RunsRefused", faults.RunsRefused);
        Add("network RunsReceived", faults.RunsReceived);
        Add("network Rebindings", faults.Rebindings);
        Add("network OutageDropped", faults.OutageDropped);
        Add("network Clogged", faults.Clogged);
        Add("network Slowed", faults.Slowed);
        Add("network Reordered", faults.Reordered);
        Add("network Corrupted", faults.Corrupted);
    }

    internal void Add(in DaemonCounters counters)
    {
        Add("daemon Accepted", counters.DatagramsAccepted);

        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            if (reason != DropReason.None)
            {
                Add($"dropped {reason}", counters.Dropped(reason));
            }
        }
    }

    internal void Add(in ConnectionCounters counters)
    {
        Add("connection SizeProbesLost", counters.SizeProbesLost);
        Add("connection PacketSizeReductions", counters.PacketSizeReductions);
        Add("connection PathChallengesSent", counters.PathChallengesSent);
        Add("connection PathChanges", counters.PathChanges);
        Add("connection PersistentCongestions", counters.PersistentCongestions);
        Add("connection PacketsSpuriouslyLost", counters.PacketsSpuriouslyLost);
        Add("connection ReductionsUndone", counters.ReductionsUndone);
        Add("connection Retransmits", counters.Retransmits);
    }

    internal void Add(SwarmTally other)
    {
        KeyValuePair<string, long>[] theirs = other.Snapshot();

        foreach ((string what, long count) in theirs)
        {
            Add(what, count);
        }
    }

    /// <summary>What never happened, without what cannot.</summary>
    internal IReadOnlyList<string> Missing(IReadOnlyCollection<string> unreachable)
        => [.. Snapshot().Where(entry => entry.Value == 0 && !unreachable.Contains(entry.Key)).Select(entry => entry.Key)];

    public override string ToString()
    {
        StringBuilder text = new();

        foreach ((string what, long count) in Snapshot())
        {
            text.Append(what.PadRight(40)).Append(count).AppendLine();
        }

        return text.ToString();
    }

    private KeyValuePair<string, long>[] Snapshot()
    {
        lock (_gate)
        {
            return [.. _counts];
        }
    }
}
