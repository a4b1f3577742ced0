using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;

namespace Gudp.Bench.Transport;

/// <summary>What one transfer is: how much, over which link, with which config.</summary>
internal sealed record TransferPlan(MessagingConfig Config, LinkModel Link)
{
    internal long Bytes { get; init; } = 20_000_000;

    /// <summary>Of the two hosts, which decide the draws; default: the next free ones.</summary>
    internal (uint Left, uint Right)? Addresses { get; init; }

    internal int MessageBytes { get; init; } = 16 * 1024;

    /// <summary>The transfer is cut off here, and what has arrived until then counts.</summary>
    internal TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(1_200);
}

/// <summary>What one transfer of one seed gave.</summary>
internal readonly record struct TransferSample
{
    public double MegabitsPerSecond { get; init; }

    /// <summary>Datagrams the sender sent, over the least that carry what arrived.</summary>
    public double DatagramsOverLeast { get; init; }

    /// <summary>Ranges sent again, per datagram sent, in percent.</summary>
    public double RetransmittedPercent { get; init; }

    public double RoundTripP50Ms { get; init; }

    public double RoundTripP99Ms { get; init; }

    public double QueueDelayP50Ms { get; init; }

    public double QueueDelayP99Ms { get; init; }
}

/// <summary>One message flow from one host to another, alone on its link.</summary>
internal static class TransferRun
{
    internal static TransferSample Run(TransferPlan plan, ulong seed)
    {
        using BenchWorld world = new(seed);
        PeerWorld peers = world.AddPeers(plan.Config, plan.Link, plan.Addresses);
        (Peer sender, Peer receiver) = world.Connect(peers);
        long before = sender.Connection.ReadCounters().DatagramsSent;
        BulkFlow flow = new(sender, receiver, plan.MessageBytes, plan.Bytes);
        PathProbe probe = new(world.Network, peers.Left, peers.Right, sender.Connection);
        world.Add(flow);
        world.Add(probe);
        Instant start = world.Now;
        world.RunUntil(() => flow.IsDone || sender.Status.IsFinal, start + plan.Limit);
        world.Require(!sender.Status.IsFinal, $"The connection ended: {sender.CloseReason}");

        double seconds = (world.Now - start).TotalSeconds;
        ConnectionCounters counters = sender.Connection.ReadCounters();
        long datagrams = counters.DatagramsSent - before;
        double least = Math.Ceiling((double)flow.Received / sender.Connection.MaxPacketBytes);

        return new TransferSample
        {
            MegabitsPerSecond = flow.Received * 8 / seconds / 1e6,
            DatagramsOverLeast = datagrams / least,
            RetransmittedPercent = 100.0 * counters.Retransmits / Math.Max(1, datagrams),
            RoundTripP50Ms = Statistics.Percentile(probe.RoundTripsMs, 50),
            RoundTripP99Ms = Statistics.Percentile(probe.RoundTripsMs, 99),
            QueueDelayP50Ms = Statistics.Percentile(probe.QueueDelaysMs, 50),
            QueueDelayP99Ms = Statistics.Percentile(probe.QueueDelaysMs, 99),
        };
    }
}
