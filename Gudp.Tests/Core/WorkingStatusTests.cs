using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What the status word and the forecast say while packets flow (S-8).</summary>
[TestFixture]
public sealed class WorkingStatusTests
{
    private const int MessageBytes = 1_000;
    private const int FrameBytes = MessageBytes + 3;

    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(25);

    // S-8.4
    [Test]
    public void An_open_connection_has_a_validated_path_and_nothing_to_complain_of()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();

        ConnectionStatus status = pair.Client.Status;

        Assert.That(status.ToString(), Is.EqualTo("Open, Clear"));
        Assert.That(status.IsPathValidated, Is.True);
        Assert.That(pair.Server.Status.IsPathValidated, Is.True);
    }

    [Test]
    public void The_send_queue_s_level_rises_with_the_queue_and_falls_as_it_empties()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = SlowLink;
        Pair pair = AddPair(world, new QueueConfig { SendPackets = 100 });
        List<SendQueueLevel> levels = [];

        for (int i = 0; i < 100; i++)
        {
            Send(world, pair.Client, 1);
            Note(levels, pair.Client);
        }

        world.Watch = () => Note(levels, pair.Client);
        world.Run(TimeSpan.FromSeconds(5));

        Assert.That(levels, Is.EqualTo(new[]
        {
            SendQueueLevel.Clear, SendQueueLevel.Busy, SendQueueLevel.Full, SendQueueLevel.Busy, SendQueueLevel.Clear,
        }));
        Assert.That(pair.Client.PredictedQueueDelay, Is.EqualTo(TimeSpan.Zero));
    }

    // S-8.5. The heartbeat starts after 1 s; three probe time-outs later nobody has answered.
    [Test]
    public void A_peer_that_answers_no_heartbeat_is_silent_long_before_it_counts_as_dead()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = OneWay };
        Pair pair = world.AddConnectedPair();
        world.Run(TimeSpan.FromSeconds(3));
        bool before = pair.Client.Status.IsPeerSilent;

        world.Network.SetLinks(pair.Left.Host, pair.Right.Host, new LinkModel { Cut = true });
        Instant cutAt = world.Now;
        world.RunUntil(() => pair.Client.Status.IsPeerSilent, TimeSpan.FromSeconds(10));
        TimeSpan noticed = world.Now - cutAt;

        Assert.That(before, Is.False);
        Assert.That(noticed, Is.LessThan(TimeSpan.FromSeconds(2.5)));
        Assert.That(pair.Client.Status.IsOpen, Is.True);
    }

    [Test]
    public void A_silent_peer_that_is_heard_again_is_no_longer_silent()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = OneWay };
        Pair pair = world.AddConnectedPair();
        world.Network.SetLinks(pair.Left.Host, pair.Right.Host, new LinkModel { Cut = true });
        world.RunUntil(() => pair.Client.Status.IsPeerSilent, TimeSpan.FromSeconds(10));

        world.Network.SetLinks(pair.Left.Host, pair.Right.Host, null);
        world.RunUntil(() => !pair.Client.Status.IsPeerSilent, TimeSpan.FromSeconds(10));

        Assert.That(pair.Client.Status.IsOpen, Is.True);
    }

    [Test]
    public void A_connection_at_rest_is_never_silent()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = OneWay, Jitter = OneWay };
        Pair pair = world.AddConnectedPair();
        int silent = 0;
        world.Watch = () => silent += pair.Client.Status.IsPeerSilent || pair.Server.Status.IsPeerSilent ? 1 : 0;

        world.Run(TimeSpan.FromMinutes(2));

        Assert.That(silent, Is.Zero);
    }

    // T24, S-8.7. The link carries 128 KB/s. A queue stands for some seconds, so that the pace is known; then 100 messages are
    // handed over one by one, each after a look at the forecast, and the moment each leaves is written down.
    //
    // Packets leave in pairs, one pair per ack, so the first few messages can be no better than that. At 80 ms the flow
    // is in slow start, where the window opens in leaps of a whole round trip: there single messages may miss by more.
    [TestCase(5, 16, 20)]
    [TestCase(25, 32, 20)]
    [TestCase(80, 64, 25)]
    public void T24_The_delay_foretold_is_the_delay_that_comes(
        int oneWayMilliseconds, int queueKilobytes, int mostPercent)
    {
        const int Settled = 20;
        const int Before = 400;
        const int Messages = 100;
        using SimWorld world = new(1);
        world.Network.DefaultLink = SlowLink with
        {
            Delay = TimeSpan.FromMilliseconds(oneWayMilliseconds),
            QueueBytes = queueKilobytes * 1024,
        };
        Pair pair = AddPair(world, new QueueConfig { SendPackets = 1_000 });
        List<Instant> departures = [];
        world.Watch = () => NoteDepartures(departures, pair.Client, world.Now);
        Send(world, pair.Client, Before);
        world.RunUntil(
            () => pair.Client.PredictedQueueDelay < TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        Instant handedOver = world.Now;
        List<double> foretold = [];

        for (int i = 0; i < Messages; i++)
        {
            foretold.Add(pair.Client.PredictedQueueDelay.TotalMilliseconds);
            Send(world, pair.Client, 1);
        }

        world.RunUntil(() => departures.Count == Before + Messages, TimeSpan.FromMinutes(1));
        List<double> actual = [.. departures.Skip(Before).Select(left => (left - handedOver).TotalMilliseconds)];
        string both = string.Join(' ', foretold.Zip(actual, (said, was) => $"{said:0}/{was:0}"));
        TestContext.Out.WriteLine(both);

        Assert.That(foretold[^1], Is.EqualTo(actual[^1]).Within(20).Percent, both);
        Assert.That(foretold.Sum(), Is.EqualTo(actual.Sum()).Within(20).Percent, both);
        List<double> misses = [.. foretold.Zip(actual, (said, was) => Math.Abs(said - was) / was)];
        Assert.That(misses.Average(), Is.LessThan(0.2), both);
        Assert.That(100 * misses.Skip(Settled).Max(), Is.LessThanOrEqualTo(mostPercent), both);
    }

    private static LinkModel SlowLink { get; } = new()
    {
        Delay = OneWay,
        RateBytesPerSecond = 128 * 1024,
        QueueBytes = 32 * 1024,
    };

    private static Pair AddPair(SimWorld world, QueueConfig queues) => world.AddConnectedPair(SimWorld.Plain with
    {
        Connections = SimWorld.Plain.Connections with { Queues = queues },
    });

    private static void Send(SimWorld world, Connection connection, int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            Assert.That(connection.TrySend(new byte[MessageBytes]), Is.EqualTo(SendStatus.Accepted));
            world.Settle();
        }
    }

    // One message fills more than half a packet, so each leaves in one of its own.
    private static void NoteDepartures(List<Instant> departures, Connection connection, Instant now)
    {
        long left = connection.ReadCounters().PayloadBytesSent / FrameBytes;

        while (departures.Count < left)
        {
            departures.Add(now);
        }
    }

    private static void Note(List<SendQueueLevel> levels, Connection connection)
    {
        SendQueueLevel level = connection.Status.SendQueueLevel;

        if (levels.Count == 0 || levels[^1] != level)
        {
            levels.Add(level);
        }
    }
}
