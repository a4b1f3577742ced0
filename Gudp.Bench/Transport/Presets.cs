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

    private const int LossyRingBytes = 4 * 1024 * 1024;
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

    /// <summary>A preset with one controller, everything else as it is, but for the ring of the Lossy one.</summary>
    /// <remarks>
    /// A byte that is lost holds its ring for two round trips and more: 100 Mbit/s over 100 ms need 2.5 MB, where the
    /// default ring has 1 MB. Core's presets cannot say so, since rings are Messaging's.
    /// </remarks>
    internal static MessagingConfig Messaging(string name, CongestionAlgorithm algorithm)
    {
        MessagingConfig config = new() { Core = With(Plain(ByName(name)), algorithm) };
        return name == Lossy ? config with { LaneRingBytes = LossyRingBytes } : config;
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
