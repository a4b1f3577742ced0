using System;
using System.IO;

namespace Gudp.Sequencing;

/// <summary>How a <see cref="LiveGate"/> turns moments of the wall into tags, and where it records them.</summary>
public sealed class LiveGateOptions
{
    /// <summary>What "now" is. Default the system's clock; a simulated one makes a gate testable.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>
    /// Wall time of one tick at pace 1, as the run's <see cref="SequencingConfig.TickLength"/>. Default 1 ms; more than 0.
    /// </summary>
    public TimeSpan TickLength { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Ticks pass this many times as fast. Default 1; more than 0.</summary>
    public double Pace { get; init; } = 1;

    /// <summary>
    /// How far behind its moment an input arrives. Default 1 tick. With at least the time of a step and the look-ahead,
    /// every input gets the tag of its own moment; with less, one that comes between two steps is moved to the next
    /// tag the gate may still use.
    /// </summary>
    public Delay Guard { get; init; } = Delay.Ticks(1);

    /// <summary>
    /// Most bytes that wait for the next step, 64 for each input included. Default 4 MiB; 64 bytes to 15 MiB. More is
    /// refused.
    /// </summary>
    public int MaxWaitingBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Where every step is written before it is said, in the form of docs/protocol/live.md. The caller flushes and closes
    /// it. Default null: no record, and the run cannot be repeated.
    /// </summary>
    public Stream? Record { get; init; }
}
