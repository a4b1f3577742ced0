using Gudp.Core;

namespace Gudp.Sequencing.Config;

/// <summary>What the declaration of a channel must keep, beside its name.</summary>
internal static class ChannelRules
{
    private const int Million = 1_000_000;
    private const string WhyChance = "a chance is in parts per million";

    internal static void Check(ConfigErrors errors, ChannelDeclaration channel, uint maxRounds)
    {
        SequencingRules.CheckDelay(errors, "MinimumLatency", channel.MinimumLatency, Delay.None, maxRounds);

        if (channel.HasLatencyModel && channel.Latency.Minimum != channel.MinimumLatency)
        {
            errors.Add(
                "MinimumLatency", $"{channel.MinimumLatency}", $"{channel.Latency.Minimum}, or nothing",
                "Latency says the least one already");
        }

        SequencingRules.CheckRange(errors, "SenderLossPpm", channel.SenderLossPpm, 0, Million, WhyChance);
        SequencingRules.CheckRange(errors, "ReceiverLossPpm", channel.ReceiverLossPpm, 0, Million, WhyChance);
        SequencingRules.CheckRange(errors, "SenderDuplicatePpm", channel.SenderDuplicatePpm, 0, Million, WhyChance);
        SequencingRules.CheckRange(errors, "ReceiverDuplicatePpm", channel.ReceiverDuplicatePpm, 0, Million, WhyChance);
        SequencingRules.CheckRange(
            errors, "HistoryBytes", channel.HistoryBytes ?? 0, 0, SequencingRules.LargestLogBytes, "memory is finite");
        SequencingRules.CheckRange(
            errors, "HistoryTicks", channel.HistoryTicks ?? 0, 0, LatencyModel.MaxTicks, "times must fit");
    }
}
