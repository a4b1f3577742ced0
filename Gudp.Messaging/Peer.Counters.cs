using System;
using System.Collections.Generic;
using System.Linq;

namespace Gudp.Messaging;

/// <content>What it counts (M11, R1).</content>
public sealed partial class Peer
{
    /// <summary>The sum over all its connections so far, packets and messages. Any thread; cold path.</summary>
    public PeerStatistics ReadStatistics() => Home.ReadSessions();

    /// <summary>
    /// A copy of what was sent and received on the present connection, and of what it holds. Any thread; cold path.
    /// </summary>
    public PeerCounters ReadCounters() => Session.ReadCounters();

    /// <summary>
    /// Who holds up the messages of this peer; null if nobody does. Any thread; as of the last look, which is taken each
    /// <see cref="MessagingConfig.SlowConsumerLimit"/> while something waits (D-13.3).
    /// </summary>
    /// <remarks>A sink that blocks holds up the loop itself, and with it this.</remarks>
    public SlowConsumerReport? SlowConsumer => Session.SlowConsumer;

    /// <summary>A copy of one lane's counters. Any thread; cold path.</summary>
    /// <param name="lane">0 to <see cref="MessagingConfig.Lanes"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane.</exception>
    public LaneCounters ReadLane(int lane)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lane);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lane, Session.LaneCount);
        return Session.ReadLane(lane);
    }

    /// <summary>
    /// The counters of every lane that was used in either direction, in their order. Any thread; a new array, cold path.
    /// </summary>
    public LaneCounters[] ReadLanes()
    {
        MessageSession session = Session;
        return [.. session.ReadUsedLanes().Select(session.ReadLane)];
    }

    /// <summary>
    /// Every place of this peer where something waits, with its limits (R1): per used lane what is to be sent, what is
    /// unread and the updates, then the memory. Any thread; a new array, cold path.
    /// </summary>
    public QueueCounters[] ReadQueues()
    {
        List<QueueCounters> queues = [];

        foreach (LaneCounters lane in ReadLanes())
        {
            queues.Add(lane.SendQueue);
            queues.Add(lane.ReceiveQueue);
            queues.Add(lane.Updates);
        }

        queues.Add(ReadCounters().Memory);
        return [.. queues];
    }
}
