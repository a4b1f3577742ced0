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
