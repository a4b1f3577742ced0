using Gudp.Core.Simulation;
using Gudp.Tools.Relay;

namespace Gudp.Bench.Load;

/// <summary>What a relay between the processes does: a name for the usual, or settings such as loss=5%,delay=20ms.</summary>
internal static class LoadImpairment
{
    /// <summary>As many clients as a relay serves.</summary>
    internal const int MostPeers = 200;

    private static readonly (string Name, string Settings)[] Presets =
    [
        ("loss", "loss=1%"),
        ("delay", "delay=10ms"),
        ("reorder", "reorder=2%,delay=1ms"),
        ("bad", "loss=5%,delay=20ms,jitter=5ms,reorder=1%,duplicate=1%"),
    ];

    /// <summary>What may be said, for usage and mistakes.</summary>
    internal static string Form => $"{string.Join('|', Presets.Select(preset => preset.Name))}|{LinkSetting.TextForm}";

    /// <param name="text">A preset's name, or settings; both directions get them.</param>
    /// <param name="link">What it says.</param>
    /// <param name="problem">What is wrong with it: a sentence; empty: nothing.</param>
    internal static bool TryRead(string text, out LinkModel link, out string problem)
    {
        string settings = Presets.FirstOrDefault(preset => preset.Name == text).Settings ?? text;
        return LinkSetting.TryApplyAll(LinkModel.Perfect, settings, out link, out problem);
    }
}
