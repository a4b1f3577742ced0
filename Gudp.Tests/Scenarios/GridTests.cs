using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Scenarios;

// T2: the grid of GameNetworkingSockets' own connection tests, as rate in bytes per second, loss in per cent, lag in
// milliseconds each way, share of reordered datagrams in per cent, and by how many milliseconds:
//
//   (128 k, 10,  50,  2, 50)  (1 M,    5,  10, 1, 10)  (2 M,   0,  50, 30, 40)
//   ( 64 k, 20, 100,  4, 50)  (128 k, 20, 100, 4, 40)  (500 k, 20, 100, 4, 30)
//   (  1 M, 20, 100,  4, 10)  (1 M,    2,   5, 2,  1)  (2 M,    0,   0, 0,  0)
//
// Both directions are like that. The queue in front of the rate holds one round trip, and 64 KB at least. A lag of 0 is
// 1 ms, as a world without any delay stands still.

/// <summary>T2.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class GridTests
{
    private const int Seeds = 5;
    private const int LeastQueueBytes = 64 * 1024;
    private const double LeastShare = 0.7;

    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan GameTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static IEnumerable<LinkCase> Grid =>
    [
        new(128_000, 10, 50, 2, 50), new(1_000_000, 5, 10, 1, 10), new(2_000_000, 0, 50, 30, 40),
        new(64_000, 20, 100, 4, 50), new(128_000, 20, 100, 4, 40), new(500_000, 20, 100, 4, 30),
        new(1_000_000, 20, 100, 4, 10), new(1_000_000, 2, 5, 2, 1), new(2_000_000, 0, 0, 0, 0),
    ];

    [TestCaseSource(nameof(Grid))]
    public void T2_Bulk_gets_its_share_of_the_rate(LinkCase link)
    {
        double[] shares = [.. Enumerable.Range(1, Seeds).Select(seed => BulkShare(link, (ulong)seed))];

        TestContext.Out.WriteLine(string.Join(' ', shares.Select(share => share.ToString("0.00"))));
        Assert.That(shares, Is.All.GreaterThanOrEqualTo(LeastShare));
    }

    [TestCaseSource(nameof(Grid))]
    public void T2_Packets_of_core_get_their_share_of_the_rate(LinkCase link)
        => Assert.That(PacketShare(link), Is.GreaterThanOrEqualTo(LeastShare));

    [TestCaseSource(nameof(Grid))]
    public void T2_A_game_goes_on_and_all_that_is_reliable_arrives(LinkCase link)
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            PlayGame(link, seed);
        }
    }

    /// <returns>Goodput as a share of the rate that losses leave.</returns>
    private static double BulkShare(LinkCase link, ulong seed)
    {
        using SimWorld world = new(seed);
        world.Network.DefaultLink = link.Model;
        using PeerPair pair = PeerPair.In(world, Lossy);
        long bytes = link.BytesPerSecond * 15;
        BulkFlow bulk = new(pair.Client, pair.Server, bytes);
        Instant start = world.Now;

        world.RunUntil(bulk.Advance, Patience, "The bulk's arrival");

        pair.AssertAlive();
        double left = link.BytesPerSecond * (1 - (link.LossPercent / 100.0));
        return bytes / (world.Now - start).TotalSeconds / left;
    }

    /// <returns>As <see cref="BulkShare"/>, of reliable packets of Core.</returns>
    private static double PacketShare(LinkCase link)
    {
        using SimWorld world = new(seed: 1);
        world.Network.DefaultLink = link.Model;
        Pair pair = world.AddConnectedPair(Lossy.Core);
        PacketBulk bulk = new(pair.Client, pair.Server, link.BytesPerSecond * 10);
        Instant start = world.Now;

        world.RunUntil(bulk.Advance, Patience, "The bulk's arrival");

        Oracles.AssertAlive(pair.Client, "client");
        double left = link.BytesPerSecond * (1 - (link.LossPercent / 100.0));
        double share = bulk.ReceivedBytes / (world.Now - start).TotalSeconds / left;
        TestContext.Out.WriteLine(share.ToString("0.00"));
        return share;
    }

    private static void PlayGame(LinkCase link, ulong seed)
    {
        using SimWorld world = new(seed);
        world.Network.DefaultLink = link.Model;
        using PeerPair pair = PeerPair.In(world, Lossy);
        GameFlow game = new(pair.Client, pair.Server, world.Draws.Split(1));

        for (Instant end = world.Now + GameTime; world.Now < end;)
        {
            game.SendFrame();
            world.Run(Frame);
            game.Read();
        }

        world.RunUntil(
            () =>
            {
                game.SendRefused();
                game.Read();
                return game.IsFinished;
            },
            Patience,
            "The reliable messages' arrival");

        pair.AssertAlive();
        Assert.That(game.ReliableSent, Is.GreaterThan(100));
        Assert.That(game.UnreliableReceived, Is.GreaterThan(100));
    }

    private static MessagingConfig Lossy => new()
    {
        Core = GudpConfig.Lossy with
        {
            Connections = GudpConfig.Lossy.Connections with
            {
                Security = new SecurityConfig { Protection = Protection.Plain },
            },
        },
        LaneRingBytes = 4 * 1024 * 1024,
    };

    /// <summary>One tuple of the grid.</summary>
    public sealed record LinkCase(long BytesPerSecond, int LossPercent, int LagMs, int ReorderPercent, int ReorderByMs)
    {
        internal LinkModel Model { get; } = new()
        {
            Delay = TimeSpan.FromMilliseconds(Math.Max(1, LagMs)),
            LossPpm = LossPercent * 10_000,
            ReorderPpm = ReorderPercent * 10_000,
            ReorderBy = TimeSpan.FromMilliseconds(ReorderByMs),
            RateBytesPerSecond = BytesPerSecond,
            QueueBytes = (int)Math.Max(LeastQueueBytes, BytesPerSecond * 2 * LagMs / 1000),
        };

        public override string ToString()
            => $"{BytesPerSecond / 1000} kB/s, {LossPercent} %, {LagMs} ms, {ReorderPercent} % by {ReorderByMs} ms";
    }
}
