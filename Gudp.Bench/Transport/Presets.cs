using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;

namespace Gudp.Bench.Transport;

/// <summary>The configs and links that are measured.</summary>
internal static class Presets
{
    internal const string Default = "default";
    internal const string Lossy = "Lossy";
    internal const string Lockstep = "Lockstep";

    private const int PartsPerMillionInPercent = 10_000;

    /// <summary>A config of Core by its name in tables.</summary>
    internal static GudpConfig ByName(string name) => name switch
    {
        Lossy => GudpConfig.Lossy,
        Lockstep => GudpConfig.Lockstep,
        _ => default,
    };

    /// <summary>What a preset chooses when nobody says otherwise.</summary>
    internal static CongestionAlgorithm AlgorithmOf(string name) => ByName(name).Connections.Congestion.Algorithm;

    internal static GudpConfig Plain(GudpConfig config) => config with
    {
        Connections = config.Connections with { Security = new() { Protection = Protection.Plain } },
    };

    internal static GudpConfig With(GudpConfig config, CongestionAlgorithm algorithm) => config with
    {
        Connections = config.Connections with
        {
            Congestion = config.Connections.Congestion with { Algorithm = algorithm },
        },
    };

    /// <summary>The message layer's preset with one controller, everything else as a user gets it.</summary>
    internal static MessagingConfig Messaging(string name, CongestionAlgorithm algorithm)
    {
        MessagingConfig config = name == Default ? default : MessagingConfig.Preset(name);
        return config with { Core = With(Plain(config.Core), algorithm) };
    }

    /// <summary>A gigabit over 100 ms has 12.5 MB under way: rings, credit and packets in flight to match.</summary>
    internal static MessagingConfig LongFat(CongestionAlgorithm algorithm)
    {
        GudpConfig core = With(Plain(GudpConfig.Bulk), algorithm);
        ConnectionConfig connections = core.Connections with
        {
            Path = core.Connections.Path with { MaxPacketsInFlight = 32_768 },
        };

        return new MessagingConfig
        {
            Core = core with { Connections = connections },
            LaneRingBytes = 32 * 1024 * 1024,
            PeerMemoryBytes = 256L * 1024 * 1024,
        };
    }

    /// <summary>The same in both directions, the loss too.</summary>
    internal static LinkModel Link(double megabits, double roundTripMs, double lossPercent, int queueBytes) => new()
    {
        Delay = TimeSpan.FromMilliseconds(roundTripMs / 2),
        LossPpm = (int)Math.Round(lossPercent * PartsPerMillionInPercent),
        RateBytesPerSecond = (long)(megabits * 1e6 / 8),
        QueueBytes = queueBytes,
    };
}
