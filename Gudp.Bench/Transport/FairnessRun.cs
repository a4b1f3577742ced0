using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;

namespace Gudp.Bench.Transport;

/// <summary>Who shares the link with a Gudp flow.</summary>
internal enum Rival
{
    TcpReno,
    TcpCubic,
    Gudp,
}

/// <summary>What two flows got of one link, in one seed.</summary>
/// <param name="OursMbit">Of the Gudp flow, over the whole time both were there.</param>
/// <param name="TheirsMbit">Of its rival.</param>
internal readonly record struct FairnessSample(double OursMbit, double TheirsMbit)
{
    /// <summary>Mbit/s of each second, ours.</summary>
    internal IReadOnlyList<double> OursBySecond { get; init; } = [];

    internal IReadOnlyList<double> TheirsBySecond { get; init; } = [];
}

/// <summary>Two greedy flows from one host to another, through one queue.</summary>
internal static class FairnessRun
{
    internal const double LinkMbit = 20;
    internal const double RoundTripMs = 40;

    /// <summary>Bandwidth times round trip.</summary>
    internal const int QueueBytes = (int)(LinkMbit * 1e6 / 8 * RoundTripMs / 1000);

    internal const int Seconds = 60;

    private const int RivalPort = 9_000;

    internal static FairnessSample Run(CongestionAlgorithm algorithm, Rival rival, ulong seed)
    {
        using BenchWorld world = new(seed);
        MessagingConfig config = Presets.Messaging(Presets.Default, algorithm);
        PeerWorld peers = world.AddPeers(config, Presets.Link(LinkMbit, RoundTripMs, 0, QueueBytes));
        (Peer sender, Peer receiver) = world.Connect(peers);

        // Who is second, and by how much, is the seed's: a drop-tail queue without chance would repeat one pattern.
        Instant soon = world.Now + TimeSpan.FromMilliseconds(100);
        Instant later = soon + new TimeSpan(world.Draws.NextBelow(TimeSpan.TicksPerSecond));
        bool areWeFirst = seed % 2 == 0;
        BulkFlow ours = new(sender, receiver, 16 * 1024) { Start = areWeFirst ? soon : later };
        Func<long> theirs = AddRival(world, peers, rival, areWeFirst ? later : soon);
        world.Add(ours);
        world.RunTo(later);
        return Measure(world, () => ours.Received, theirs);
    }

    private static FairnessSample Measure(BenchWorld world, Func<long> ours, Func<long> theirs)
    {
        List<double> oursBySecond = [];
        List<double> theirsBySecond = [];

        for (int i = 0; i < Seconds; i++)
        {
            (long oursBefore, long theirsBefore) = (ours(), theirs());
            world.RunTo(world.Now + TimeSpan.FromSeconds(1));
            oursBySecond.Add((ours() - oursBefore) * 8 / 1e6);
            theirsBySecond.Add((theirs() - theirsBefore) * 8 / 1e6);
        }

        return new FairnessSample(oursBySecond.Average(), theirsBySecond.Average())
        {
            OursBySecond = oursBySecond,
            TheirsBySecond = theirsBySecond,
        };
    }

    /// <returns>What it has received so far.</returns>
    private static Func<long> AddRival(BenchWorld world, PeerWorld peers, Rival rival, Instant start)
    {
        if (rival == Rival.Gudp)
        {
            (Peer sender, Peer receiver) = world.Connect(peers);
            BulkFlow flow = new(sender, receiver, 16 * 1024) { Start = start };
            world.Add(flow);
            return () => flow.Received;
        }

        ReferenceTcpReceiver end = new(peers.Right, RivalPort);
        ReferenceRule rule = rival == Rival.TcpReno ? ReferenceRule.Reno : ReferenceRule.Cubic;
        world.Add(new ReferenceTcpSender(peers.Left, end.Address, rule, start));
        world.Add(end);
        return () => end.ReceivedBytes;
    }
}
