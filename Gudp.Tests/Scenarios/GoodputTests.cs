using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Scenarios;

/// <summary>T13 and T14: how much of a clean link one connection uses.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class GoodputTests
{
    private const int Megabyte = 1_000_000;
    private const int DatagramBytes = 1_200;
    private const long LongFatRate = 1_000L * Megabyte / 8;
    private const int CreditBytes = 16 * 1024 * 1024;

    private static readonly LinkModel ShortQueue = new()
    {
        Delay = TimeSpan.FromMilliseconds(15),
        RateBytesPerSecond = 10 * Megabyte / 8,
        QueueBytes = 25 * DatagramBytes,
    };

    private static readonly LinkModel LongFat = new()
    {
        Delay = TimeSpan.FromMilliseconds(50),
        RateBytesPerSecond = LongFatRate,
        QueueBytes = (int)(LongFatRate / 10),
    };

    private static readonly MessagingConfig Bulk = new()
    {
        Core = GudpConfig.Bulk with
        {
            Connections = GudpConfig.Bulk.Connections with
            {
                Security = new SecurityConfig { Protection = Protection.Plain },
            },
        },
        LaneRingBytes = CreditBytes,
        PeerMemoryBytes = 8L * CreditBytes,
    };

    [Test]
    public void T13_Ten_megabytes_through_a_short_queue_use_nine_tenths_of_the_rate()
    {
        MessagingConfig config = new() { Core = SimWorld.Plain };

        double[] megabits = [.. Enumerable.Range(1, 5).Select(seed => MegabitsOf(config, ShortQueue, (ulong)seed))];

        TestContext.Out.WriteLine(string.Join(' ', megabits.Select(rate => rate.ToString("0.00"))));
        Assert.That(megabits.Average(), Is.GreaterThanOrEqualTo(9.0));
    }

    [Test]
    public void T13_Packets_of_core_use_nine_tenths_of_the_rate_too()
    {
        const long Bytes = 10 * Megabyte;
        using SimWorld world = new(seed: 1);
        world.Network.DefaultLink = ShortQueue;
        Pair pair = world.AddConnectedPair();
        PacketBulk bulk = new(pair.Client, pair.Server, Bytes);
        Instant start = world.Now;

        world.RunUntil(bulk.Advance, TimeSpan.FromMinutes(2), "The bulk's arrival");

        double megabits = Bytes * 8 / (world.Now - start).TotalSeconds / Megabyte;
        TestContext.Out.WriteLine($"{megabits:0.00}");
        Assert.That(megabits, Is.GreaterThanOrEqualTo(9.0));
    }

    // The measurements show the curve over losses; here it only has to go through.
    [Test]
    [Category("Release")]
    public void T14_A_long_fat_path_that_loses_one_in_ten_thousand_carries_it_all()
    {
        const long Bytes = 200L * Megabyte;
        using SimWorld world = new(seed: 1);
        world.Network.DefaultLink = LongFat with { LossPpm = 100 };
        using PeerPair pair = PeerPair.In(world, Bulk);
        BulkFlow bulk = new(pair.Client, pair.Server, Bytes);
        Instant start = world.Now;

        world.RunUntil(bulk.Advance, TimeSpan.FromMinutes(2), "The bulk's arrival");

        pair.AssertAlive();
        Assert.That(world.Network.Faults.Lost, Is.Positive);
        TestContext.Out.WriteLine($"{Bytes / (world.Now - start).TotalSeconds / LongFatRate:0.00}");
    }

    // Ten seconds are a million datagrams, which the checks of Debug would take minutes for.
    [Test]
    [Category("Release")]
    public void T14_A_long_fat_path_is_used_to_four_fifths()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = LongFat;
        using PeerPair pair = PeerPair.In(world, Bulk);
        BulkFlow bulk = new(pair.Client, pair.Server, long.MaxValue);
        Instant end = world.Now + TimeSpan.FromSeconds(10);

        do
        {
            bulk.Advance();
        }
        while (world.Step(end));

        double share = bulk.ReceivedBytes / (10.0 * LongFatRate);
        TestContext.Out.WriteLine($"{share:0.00}");
        pair.AssertAlive();
        Assert.That(share, Is.GreaterThanOrEqualTo(0.8));
    }

    private static double MegabitsOf(MessagingConfig config, LinkModel link, ulong seed)
    {
        const long Bytes = 10 * Megabyte;
        using SimWorld world = new(seed);
        world.Network.DefaultLink = link;
        using PeerPair pair = PeerPair.In(world, config);
        BulkFlow bulk = new(pair.Client, pair.Server, Bytes);
        Instant start = world.Now;

        world.RunUntil(bulk.Advance, TimeSpan.FromMinutes(2), "The bulk's arrival");

        return Bytes * 8 / (world.Now - start).TotalSeconds / Megabyte;
    }
}
