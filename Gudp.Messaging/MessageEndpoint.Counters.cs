namespace Gudp.Messaging;

/// <content>What it counts (M11).</content>
public sealed partial class MessageEndpoint
{
    /// <summary>
    /// The sums over all peers this endpoint ever had; of the queues those of the connected ones, and as memory the
    /// endpoint's own (<see cref="MessagingConfig.EndpointMemoryBytes"/>). Any thread; cold path.
    /// </summary>
    /// <remarks>What is read of a peer after its end is not counted.</remarks>
    public PeerCounters ReadCounters() => Sessions.ReadTotal(Memory.ReadCounters());
}
