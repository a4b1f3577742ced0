using System;

namespace Gudp.Sequencing;

/// <summary>What a run record says about the run as a whole (clause ).</summary>
public sealed class RunRecordHead
{
    /// <summary>Over all that members can see of the configuration; seeds every digest (lock-time 8.1).</summary>
    public ulong ConfigHash { get; init; }

    /// <summary>
    /// Over the rest of the configuration: seeds, tie policy, crash policies, pacing, limits. 0: not known.
    /// </summary>
    public ulong OtherHash { get; init; }

    /// <summary>
    /// The configuration as text, one "key = value" in each line, so that two are compared line by line. At most
    /// 64 MiB of UTF-8.
    /// </summary>
    public string Configuration { get; init; } = "";

    /// <summary>The program that recorded, and its version; at most 1,024 bytes of UTF-8.</summary>
    public string Version { get; init; } = "";

    /// <summary>The run's id.</summary>
    public UInt128 RunId { get; init; }

    /// <summary>
    /// Ordinal of the member that recorded itself alone, 0 or more; null if the server recorded all. A member's record
    /// is compared with another one for this member only.
    /// </summary>
    public int? RecordedBy { get; init; }

    /// <summary>
    /// Payloads up to this many bytes are kept whole, longer ones as their length and XXH64. Default all; 0 keeps none.
    /// No payload above 16 MiB is kept.
    /// </summary>
    public int KeepPayloadBytes { get; init; } = int.MaxValue;
}
