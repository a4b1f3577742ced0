using System.Collections.Generic;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Channels;

/// <summary>All channels of a run by index: those of the configuration, and those that later members brought.</summary>
internal sealed class ChannelTable
{
    private readonly List<ChannelLayout> _all = [];
    private readonly Dictionary<string, int> _byName = [];

    internal int Count => _all.Count;

    /// <summary>Ticks by which a message may arrive later than its nominal arrival, at most.</summary>
    internal long LongestExtra { get; private set; }

    internal ChannelLayout this[int index] => _all[index];

    internal bool TryFind(string name, out int index) => _byName.TryGetValue(name, out index);

    /// <summary>The next index; the reach gets the same.</summary>
    internal void Add(ChannelLayout channel, Reach reach)
    {
        int index = reach.AddChannel(channel.MinimumLatency);
        Invariant.Require(index == _all.Count, "A channel has one index everywhere.");
        LatencyModel latency = channel.Model.Latency;
        long extra = latency.IsDrawn ? latency.Maximum.Time - latency.Minimum.Time : 0;
        LongestExtra = System.Math.Max(LongestExtra, extra);
        _all.Add(channel);
        _byName.Add(channel.Name, index);
    }
}
