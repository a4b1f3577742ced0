using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Scenarios;

/// <summary>T12: one bottleneck with others in it.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class FairnessTests
{
    private const long Bytes = 25_000_000;
    private const int RivalPort = 9_000;

    // 20 Mbit/s, 40 ms, and a queue of one round trip.
    private static readonly LinkModel Bottleneck = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        RateBytesPerSecond = 2_500_000,
        QueueBytes = 100_000,
    };

    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    [Test]
    public void T12_Beside_tcp_cubic_neither_gets_more_than_twice_the_other([Values(1, 2, 3, 4, 5)] int seed)
    {
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = Bottleneck;
        using PeerPair pair = PeerPair.In(world, Plain);

        // Odd seeds: the other was there first.
        bool areWeLater = seed % 2 == 1;
        TimeSpan gap = TimeSpan.FromMilliseconds(world.Draws.NextBetween(100, 2_000));
        ReferenceFlow rival = new(
            world.Nodes[0].Host, world.Nodes[1].Host, RivalPort, world.Now + (areWeLater ? TimeSpan.Zero : gap));
        BulkFlow ours = new(pair.Client, pair.Server, Bytes);
        world.Actors.Add(rival);

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
        TestContext.Out.WriteLine($"{share:0.00} of the other's share, {used:0.00} of the link used");
        Assert.That(share, Is.InRange(0.5, 2.0));
        Assert.That(used, Is.GreaterThan(0.8), "Both really ask for all there is.");
    }
}
