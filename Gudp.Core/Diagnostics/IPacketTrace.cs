namespace Gudp.Core;

/// <summary>
/// Takes what happens to packets, as it happens; for <see cref="Daemon.Trace"/>. Names and meanings are those of qlog
/// where it has them (docs/protocol/trace.md).
/// </summary>
/// <remarks>
/// Called by the thread that leads the turn, several times per packet: it may only record. It must not block, throw,
/// or call back into the daemon. One instance may serve several daemons only if the same thread drives them.
/// </remarks>
public interface IPacketTrace
{
    /// <summary>Something happened; the events of a daemon come in order.</summary>
    /// <param name="happened">Valid during the call; copy what is kept.</param>
    void Record(in TraceEvent happened);
}
