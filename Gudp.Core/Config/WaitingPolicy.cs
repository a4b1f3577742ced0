namespace Gudp.Core;

/// <summary>How who holds a daemon's watch waits for the next datagram, command or deadline.</summary>
public enum WaitingPolicy
{
    /// <summary>
    /// Looks for 60 us before it sleeps, as long as that pays: quick while there is traffic, no cost when idle. The
    /// default.
    /// </summary>
    Hybrid = 0,

    /// <summary>Sleeps at once. Least processor time; each wake-up costs 13 to 60 us.</summary>
    Block = 1,

    /// <summary>
    /// Never sleeps: one processor is busy all the time. Least latency; refused with fewer than four processors.
    /// </summary>
    Spin = 2,
}
