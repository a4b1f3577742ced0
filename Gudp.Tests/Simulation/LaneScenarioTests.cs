using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

// Scenarios T10 (lanes) and T11 (a stalled reader) in messages: two endpoints, one link.

/// <summary>Lanes beside each other, and readers that sleep.</summary>
[TestFixture]
public sealed class LaneScenarioTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    // T10: 512 KB of background wait all the time at 10 Mbit/s and 50 ms; an urgent message every 20 ms.
    [TestCase(LaneMode.OrderedReliable)]
    [TestCase(LaneMode.UnorderedReliable)]
    [TestCase(LaneMode.Unreliable)]
    public void T10_Urgent_messages_pass_512_KB_of_background(LaneMode mode)
    {
        TimeSpan roundTrip = TimeSpan.FromMilliseconds(50);
        using SimWorld world = new(10);
        world.Network.DefaultLink = new LinkModel
        {
            Delay = roundTrip / 2,
            RateBytesPerSecond = 1_250_000,
            QueueBytes = 64 * 1024,
        };
        MessagingConfig config = new()
        {
            Core = SimWorld.Plain,
            LanePlan = LanePlan.Default.With(4, new LaneOptions { Mode = mode, Priority = 1 }),
        };
        using PeerPair pair = PeerPair.In(world, config);
        Dictionary<int, Instant> sentAt = [];
        List<TimeSpan> latencies = [];
        int background = 0;
        long read = 0;

        for (int tick = 0; tick < 5_000; tick++)
        {
            while ((background * 1_024L) - read < 512 * 1024
                && pair.Client.TrySend(NumberedMessages.Make(background, 1_024)) == SendStatus.Accepted)
            {
                background++;
            }

            if (tick % 20 == 0)
            {
                sentAt[tick] = world.Now;
                SendStatus status = pair.Client.TrySend(
                    NumberedMessages.Make(tick, 100), new SendOptions { Lane = 4 });
                Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            }

            world.Run(TimeSpan.FromMilliseconds(1));

            foreach ((int lane, int number) in NumberedMessages.ReadAll(pair.Server))
            {
                read += lane == 1 ? 1_024 : 0;

                if (lane == 4)
                {
                    latencies.Add(world.Now - sentAt[number]);
                }
            }
        }

        latencies.Sort();
        TimeSpan p99 = latencies[latencies.Count * 99 / 100];
        TestContext.Out.WriteLine($"p50 {latencies[latencies.Count / 2]}, p99 {p99}, {read * 8 / 5_000_000.0:F1} Mbit/s");

        Assert.That(p99, Is.LessThan((2 * roundTrip) + TimeSpan.FromMilliseconds(50)));
        Assert.That(latencies, Has.Count.GreaterThan(mode == LaneMode.Unreliable ? 220 : 240));
        Assert.That(read, Is.GreaterThan(3_000_000), "The background goes on.");
    }

    // T10: weights 1, 2 and 5, by what arrives.
    [Test]
    public void T10_Lanes_arrive_by_their_weights()
    {
        using SimWorld world = new(12);
        world.Network.DefaultLink = new LinkModel
        {
            Delay = TimeSpan.FromMilliseconds(20),
            RateBytesPerSecond = 1_250_000,
            QueueBytes = 64 * 1024,
        };
        MessagingConfig config = new()
        {
            Core = SimWorld.Plain,
            LanePlan = LanePlan.Default
                .With(3, new LaneOptions { Mode = LaneMode.UnorderedReliable })
                .With(4, new LaneOptions { Weight = 2 })
                .With(5, new LaneOptions { Mode = LaneMode.UnorderedReliable, Weight = 5 }),
        };
        using PeerPair pair = PeerPair.In(world, config);
        Dictionary<int, int> read = [];

        for (int tick = 0; tick < 1_000; tick++)
        {
            foreach (int lane in (int[])[3, 4, 5])
            {
                while (pair.Client.TrySend(new byte[500], new SendOptions { Lane = lane }) == SendStatus.Accepted)
                {
                    // All three always have something to send.
                }
            }

            world.Run(Tick);

            foreach ((int lane, int _) in NumberedMessages.ReadAll(pair.Server))
            {
                read[lane] = read.GetValueOrDefault(lane) + 1;
            }
        }

        double share = read.Values.Sum() / 8.0;
        TestContext.Out.WriteLine($"{read[3] / share:F2} {read[4] / share:F2} {read[5] / share:F2}");

        Assert.That(read[3], Is.EqualTo(share).Within(share * 0.1));
        Assert.That(read[4], Is.EqualTo(2 * share).Within(2 * share * 0.1));
        Assert.That(read[5], Is.EqualTo(5 * share).Within(5 * share * 0.1));
    }

    // T11: six seconds asleep, 2,000 messages of 1,000 bytes, room for few of them.
    [Test]
    public void T11_A_sleeping_reader_stops_its_lane_and_nothing_else()
    {
        using SimWorld world = new(11);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(20) };
        MessagingConfig config = new() { Core = SimWorld.Plain, LaneRingBytes = 64 * 1024 };
        using PeerPair pair = PeerPair.In(world, config);
        HashSet<SendStatus> refusals = [];
        int sent = 0;
        int answers = 0;

        for (Instant end = world.Now + TimeSpan.FromSeconds(6); world.Now < end;)
        {
            sent += SendNumbered(pair.Client, sent, most: 2_000, refusals);
            Assert.That(pair.Server.TrySend([1], new SendOptions { Lane = 3 }), Is.EqualTo(SendStatus.Accepted));
            world.Run(Tick);
            answers += NumberedMessages.ReadAll(pair.Client).Count;
        }

        int sentAsleep = sent;
        SendStatus other = pair.Client.TrySend([2], new SendOptions { Lane = 3 });
        pair.AssertAlive();
        List<int> received = [];

        while (received.Count < 2_000)
        {
            Assert.That(world.Now - default(Instant), Is.LessThan(TimeSpan.FromSeconds(60)));
            sent += SendNumbered(pair.Client, sent, most: 2_000, refusals);
            received.AddRange(
                NumberedMessages.ReadAll(pair.Server).Where(read => read.Lane == 1).Select(read => read.Number));
            world.Run(Tick);
        }

        Assert.That(sentAsleep, Is.LessThan(200), "No more than both rings hold.");
        Assert.That(refusals, Does.Contain(SendStatus.NoCredit), "The sender is told that the reader is the limit.");
        Assert.That(other, Is.EqualTo(SendStatus.Accepted), "Another lane is not stopped.");
        Assert.That(answers, Is.GreaterThan(550), "The other direction flows.");
        Assert.That(received, Is.EqualTo(Enumerable.Range(0, 2_000)));
        pair.AssertAlive();
    }

    private static int SendNumbered(Peer sender, int next, int most, HashSet<SendStatus> refusals)
    {
        int sent = 0;

        for (; next + sent < most; sent++)
        {
            SendStatus status = sender.TrySend(NumberedMessages.Make(next + sent, 1_000));

            if (status != SendStatus.Accepted)
            {
                refusals.Add(status);
                break;
            }
        }

        return sent;
    }
}
