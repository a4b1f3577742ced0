using Gudp.Bench.Transport;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;
using BulkFlow = Gudp.Tests.World.BulkFlow;

namespace Gudp.Tests.Scenarios;

/// <summary>T12: one bottleneck with others in it.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class FairnessTests
{
    private const long Bytes = 25_000_000;
    private const int RivalPort = 9_000;
    private const int Seeds = 5;

    // 20 Mbit/s, 40 ms, and a queue of one round trip.
    private static readonly LinkModel Bottleneck = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        RateBytesPerSecond = 2_500_000,
        QueueBytes = 100_000,
    };

    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    // Who comes later to a full queue needs most of 25 MB to get its half: a TCP flow beside another one gets 0.5 to 1.0
    // of its share here. So the five seeds are judged by their median, and each by a wider limit.
    [Test]
    public void T12_Beside_tcp_cubic_neither_gets_more_than_twice_the_other()
    {
        double[] shares = [.. Enumerable.Range(1, Seeds).Select(seed => ShareOf((ulong)seed)).Order()];

        TestContext.Out.WriteLine(string.Join(' ', shares.Select(share => share.ToString("0.00"))));
        Assert.That(shares[Seeds / 2], Is.InRange(0.5, 2.0));
        Assert.That(shares, Is.All.InRange(0.33, 3.0));
    }

    /// <returns>What we got of the link, by what the other got, while both were there.</returns>
    private static double ShareOf(ulong seed)
    {
        using SimWorld world = new(seed);
        world.Network.DefaultLink = Bottleneck;
        using PeerPair pair = PeerPair.In(world, Plain);

        // Odd seeds: the other was there first.
        bool areWeLater = seed % 2 == 1;
        TimeSpan gap = TimeSpan.FromMilliseconds(world.Draws.NextBetween(100, 2_000));
        ReferenceTcpReceiver rival = new(world.Nodes[1].Host, RivalPort);
        Instant rivalStart = world.Now + (areWeLater ? TimeSpan.Zero : gap);
        world.Actors.Add(
            new ReferenceTcpSender(world.Nodes[0].Host, rival.Address, ReferenceRule.Cubic, rivalStart));
        world.Actors.Add(rival);
        BulkFlow ours = new(pair.Client, pair.Server, Bytes);

        if (areWeLater)
        {
            world.Run(gap);
        }
        else
        {
            Instant begin = world.Now + gap;
            world.RunUntil(() => ours.Advance() || world.Now >= begin, 2 * gap);
        }

        (long oursBefore, long theirsBefore) = (ours.ReceivedBytes, rival.ReceivedBytes);
        Instant start = world.Now;
        world.RunUntil(ours.Advance, TimeSpan.FromMinutes(2), "The bulk's arrival");

        double share = (double)(Bytes - oursBefore) / (rival.ReceivedBytes - theirsBefore);
        double used = (Bytes - oursBefore + rival.ReceivedBytes - theirsBefore)
            / (world.Now - start).TotalSeconds / Bottleneck.RateBytesPerSecond;
        Assert.That(used, Is.GreaterThan(0.8), "Both really ask for all there is.");
        return share;
    }
}
