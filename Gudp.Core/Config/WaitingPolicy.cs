namespace Gudp.Core;

/// <summary>How a daemon's loop waits for the next datagram, command or deadline.</summary>
public enum WaitingPolicy
{
    /// <summary>
    /// Spins briefly, yields, then sleeps. The default: quick while there is traffic, no cost when idle.
    /// </summary>
    Hybrid = 0,

    /// <summary>Sleeps at once. Least processor time; each wake-up costs 13 to 60 us.</summary>
    Block = 1,

    /// <summary>
    /// Never sleeps: one processor is busy all the time. Least latency; refused with fewer than four processors.
    /// </summary>
    Spin = 2,
}
