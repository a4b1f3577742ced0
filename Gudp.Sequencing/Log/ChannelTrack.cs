// One channel in the log: what it wants kept, and the chain of what is.
//
// Always true:
//   - count and bytes are those of the messages of the channel in the log; the oldest is the first of them;
//   - early count and bytes are those of the ones that arrive up to where it is held.

namespace Gudp.Sequencing.Log;

/// <summary>What a channel wants kept, within what the log has room for.</summary>
/// <param name="History">Which messages.</param>
/// <param name="MaxBytes">Most bytes of them, with <see cref="SealedLog.EntryBytes"/> each.</param>
/// <param name="MaxTicks">How far their arrivals may be behind the floor of the run.</param>
internal readonly record struct Retention(ChannelHistory History, long MaxBytes, long MaxTicks)
{
    internal static Retention Default => new(ChannelHistory.All, long.MaxValue, long.MaxValue);
}

internal sealed class ChannelTrack(in Retention retention)
{
    internal ChannelHistory History { get; } = retention.History;

    internal long MaxBytes { get; } = retention.MaxBytes;

    internal long MaxTicks { get; } = retention.MaxTicks;

    /// <summary>Whether it can have too much when a message was added.</summary>
    internal bool HasLimit => !History.KeepsAll || MaxBytes < long.MaxValue;

    internal int Count { get; set; }

    internal long Bytes { get; set; }

    /// <summary>Whether anything but the room of the log takes messages of it.</summary>
    internal bool IsLimited => HasLimit || MaxTicks < long.MaxValue;

    /// <summary>
    /// The first join that is still to come of a member that hears it. What arrives later takes nothing from the past
    /// that the member will be given: only what arrives up to here counts against the channel's limits. Top: nobody is
    /// to come.
    /// </summary>
    internal Tag HeldFor { get; set; } = Tag.Top;

    /// <summary>Messages that count against its limits.</summary>
    internal int Early { get; set; }

    /// <summary>What they take.</summary>
    internal long EarlyBytes { get; set; }

    /// <summary>Number of its first message kept; only meaningful if there is one.</summary>
    internal long Oldest { get; set; }

    /// <summary>Number of its last message kept; only meaningful if there is one.</summary>
    internal long Newest { get; set; }

    /// <summary>Number and arrival of the last that a limit took, and not its kind of history; 0 if none was.</summary>
    internal long Cut { get; set; }

    internal Tag CutArrival { get; set; }

    /// <summary>A message was added since the log was last trimmed.</summary>
    internal bool IsTouched { get; set; }
}
