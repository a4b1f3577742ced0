using System.Diagnostics.CodeAnalysis;
using Gudp.Messaging;

namespace Gudp.Sequencing;

// Who waits for whom, for the program that runs the server (lock-time section 14).
public sealed partial class SequenceServer
{
    /// <summary>
    /// Who keeps a member waiting: the chain from it to the root, as of now. Any thread; a turn that runs is waited for.
    /// </summary>
    /// <param name="member">A name of the roster.</param>
    /// <returns>Null if nobody has that name, or it does not wait.</returns>
    public WaitReport? WhoBlocks(string member)
    {
        lock (_gate)
        {
            return _engine.WhoBlocks(member, _daemon.Now);
        }
    }

    /// <summary>How the run stands, as of now. Any thread; a turn that runs is waited for.</summary>
    public RunStatus ReadStatus()
    {
        lock (_gate)
        {
            return _engine.ReadStatus(_daemon.Now);
        }
    }

    /// <summary>
    /// What was counted since the run began, as the meter "Gudp.Sequencing" shows it. Any thread; a turn that runs is
    /// waited for.
    /// </summary>
    public RunCounters ReadCounters()
    {
        lock (_gate)
        {
            return _engine.Counters;
        }
    }

    /// <summary>
    /// How long each member has waited because of each root; what the meter "Gudp.Sequencing" shows as
    /// <c>gudp.grant.blocked</c>. Any thread; a turn that runs is waited for. A new array, by member.
    /// </summary>
    public BlockedTime[] ReadBlocked()
    {
        lock (_gate)
        {
            return _engine.ReadBlocked(_daemon.Now);
        }
    }

    /// <summary>
    /// The next report of a wait that was longer than <see cref="SequencingConfig.HealthLimit"/>, then than 3, 6 and 10
    /// times of it, or whose root was lost. Any thread. The last 64 are kept.
    /// </summary>
    /// <param name="report">What the waiting member was told too.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeWaitReport([NotNullWhen(true)] out WaitReport? report)
    {
        lock (_gate)
        {
            return _engine.TryTakeReport(out report);
        }
    }

    /// <summary>What went over the connections of all members, for measurements.</summary>
    internal PeerCounters ReadTraffic() => _endpoint.ReadCounters();
}
