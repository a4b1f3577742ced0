using Gudp.Bench.Transport;
using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>What the sender of a stream asks to be told of each message.</summary>
internal enum AskedReceipts
{
    Off,
    Received,
    Taken,
}

/// <summary>One cell of the streams: a mode, a size, what is asked.</summary>
internal sealed record StreamCell(LaneMode Mode, int Bytes, AskedReceipts Receipts);

/// <summary>The modes and sizes that are measured: one table, from which all parts and the judge take theirs.</summary>
internal static class StreamCells
{
    // The control lane, the default lane and the unreliable one stay what they are.
    private const int FirstLane = 3;

    private const int UnreliableLimit = 64 * 1024;

    internal static readonly int[] Sizes = [32, 256, 1_024, 16 * 1_024, 1_024 * 1_024];

    /// <summary>Every mode there is.</summary>
    internal static IReadOnlyList<LaneMode> Modes { get; } = Enum.GetValues<LaneMode>();

    /// <summary>Every cell: an unreliable mode only up to its limit.</summary>
    internal static IEnumerable<StreamCell> All
        => from mode in Modes
           from bytes in Sizes
           where IsAllowed(mode, bytes)
           from receipts in Enum.GetValues<AskedReceipts>()
           select new StreamCell(mode, bytes, receipts);

    /// <summary>An unreliable message has a limit of its own.</summary>
    internal static bool IsAllowed(LaneMode mode, int bytes) => !IsUnreliable(mode) || bytes <= UnreliableLimit;

    /// <summary>A message may be lost without the connection ending, and nobody repeats it.</summary>
    internal static bool IsUnreliable(LaneMode mode) => mode is LaneMode.SequencedUnreliable or LaneMode.Unreliable;

    /// <summary>A newer message takes the place of older ones.</summary>
    internal static bool IsSequenced(LaneMode mode)
        => mode is LaneMode.SequencedReliable or LaneMode.SequencedUnreliable;

    /// <summary>As a user gets it, with so many lanes of the mode.</summary>
    internal static MessagingConfig Config(LaneMode mode, int lanes)
    {
        LanePlan plan = LanePlan.Default;

        for (int i = 0; i < lanes; i++)
        {
            plan = plan.With(FirstLane + i, new LaneOptions { Mode = mode });
        }

        MessagingConfig config = new() { Core = Presets.Plain(default), LanePlan = plan };

        return config with { Lanes = Math.Max(config.Lanes, FirstLane + lanes) };
    }

    /// <summary>
    /// The default lane of this mode, with messages sent again so often before anything is known lost.
    /// </summary>
    internal static MessagingConfig WithRepeats(MessagingConfig config, LaneMode mode, int repeats)
    {
        LaneOptions lane = config.LanePlan[SendOptions.DefaultLane] with { Mode = mode, Repeats = repeats };
        return config with { LanePlan = config.LanePlan.With(SendOptions.DefaultLane, lane) };
    }

    /// <summary>The lane of the message of that number, when so many are used in turn.</summary>
    internal static int LaneOf(long number, int lanes) => FirstLane + (int)(number % lanes);
}
