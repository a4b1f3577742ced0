using Gudp.Core;
using Gudp.Core.Simulation;

namespace Gudp.Bench.Transport;

/// <summary>Samples round trip and queue of one flow, once a virtual millisecond while something happens.</summary>
internal sealed class PathProbe(SimulatedNetwork network, SimulatedHost from, SimulatedHost to, Connection connection)
    : IWorldActor
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private Instant _next;

    internal List<double> RoundTripsMs { get; } = [];

    internal List<double> QueueDelaysMs { get; } = [];

    // It never wakes the world: a sample of a moment at which nothing happens would be the last one again.
    public Instant NextDeadline => Instant.Never;

    public bool Run(Instant now)
    {
        if (now >= _next)
        {
            RoundTripsMs.Add(connection.ReadCounters().LatestRtt.TotalMilliseconds);
            QueueDelaysMs.Add(network.QueueDelayOf(from, to).TotalMilliseconds);
            _next = now + Step;
        }

        return false;
    }
}
