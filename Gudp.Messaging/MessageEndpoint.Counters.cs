using System;

namespace Gudp.Messaging;

/// <content>What it counts (M11), and its end by a deadline (R17).</content>
public sealed partial class MessageEndpoint
{
    /// <summary>
    /// The sums over all peers this endpoint ever had; of the queues those of the connected ones, and as memory the
    /// endpoint's own (<see cref="MessagingConfig.EndpointMemoryBytes"/>). Any thread; cold path.
    /// </summary>
    public PeerCounters ReadCounters() => Sessions.ReadTotal(Memory.ReadCounters());

    /// <summary>
    /// As <see cref="ReadCounters"/>, with the packets of all connections this endpoint ever had (M11). Any thread; cold
    /// path.
    /// </summary>
    public PeerStatistics ReadStatistics() => Sessions.ReadStatistics(Memory.ReadCounters());

    /// <summary>The sum over the peers of a kind, each over all its connections (M11). Any thread; cold path.</summary>
    /// <param name="filter">Which, for instance <see cref="PeerFilter.Active"/>.</param>
    public PeerStatistics ReadStatistics(PeerFilter filter) => Peers.ReadStatistics(filter);

    /// <summary>
    /// As <see cref="Peer.Shutdown"/> for all peers at once, by one deadline; then the endpoint is disposed.
    /// </summary>
    /// <param name="deadline">How long to wait at most, for all together.</param>
    /// <returns>
    /// One entry per peer with something left; of peers whose connection had ended before, <see cref="Peer.Shutdown"/> tells.
    /// </returns>
    /// <exception cref="InvalidOperationException">As for <see cref="Peer.Shutdown"/>.</exception>
    /// <remarks>As <see cref="Peer.Shutdown"/>.</remarks>
    public MessageDrainReport Shutdown(TimeSpan deadline)
    {
        MessageDrainReport report = Gudp.Messaging.Shutdown.Run(Sessions.ReadLive(), deadline);
        Dispose();
        return report;
    }
}
