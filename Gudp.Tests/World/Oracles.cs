using Gudp.Core;
using Gudp.Core.Simulation;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>What must hold in every world, whatever the network does. One instance per world.</summary>
internal sealed class Oracles(SimWorld world)
{
    // Counting all daemons is cheap, but not for nothing at every moment of a swarm.
    private const int MomentsBetweenCounts = 16;

    private int _moments;

    /// <summary>After every moment.</summary>
    internal void Watch()
    {
        if (++_moments % MomentsBetweenCounts == 0)
        {
            AssertCountedOnce();
        }
    }

    /// <summary>No daemon stopped, and each counted every datagram it took once: accepted, or under one reason.</summary>
    internal void AssertCountedOnce()
    {
        for (int i = 0; i < world.Nodes.Count; i++)
        {
            Daemon daemon = world.Nodes[i].Daemon;
            DaemonCounters counters = daemon.ReadCounters();

            if (daemon.Fault is not null
                || counters.DatagramsReceived != counters.DatagramsAccepted + counters.DatagramsDropped
                || counters.Dropped(DropReason.None) != 0)
            {
                // Built only when it fails: this is asked very often.
                Assert.Fail($"Node {i} faulted or miscounted: {daemon.Fault}, received {counters.DatagramsReceived}, "
                    + $"accepted {counters.DatagramsAccepted}, dropped {counters.DatagramsDropped}.");
            }
        }
    }

    /// <summary>
    /// The network's own count agrees with the daemons': nothing was taken twice, nothing forgotten. At a moment when
    /// everything that was delivered has been read.
    /// </summary>
    /// <param name="readElsewhere">Datagrams delivered to sockets that no daemon owns.</param>
    internal void AssertNetworkAgrees(long readElsewhere)
    {
        long received = world.ReceivedByKilled + world.UnreadByKilled;
        long sent = world.SentByKilled;

        foreach (Node node in world.Nodes)
        {
            DaemonCounters counters = node.Daemon.ReadCounters();
            received += counters.DatagramsReceived;
            sent += counters.DatagramsSent;
        }

        Assert.That(received + readElsewhere, Is.EqualTo(world.Network.Faults.Delivered), "Datagrams received.");
        SimulatedFaults faults = world.Network.Faults;
        Assert.That(
            sent, Is.EqualTo(faults.Sent + faults.Refused + faults.Blocked), "Datagrams handed to sockets.");
    }

    /// <summary>Nobody closed it, so it must not have ended.</summary>
    internal static void AssertAlive(Connection connection, string name)
    {
        if (connection.Status.IsFinal)
        {
            Assert.Fail($"{name} ended by itself: {connection.Status}, {connection.CloseReason}.");
        }
    }
}
