using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>Rings that start small keep pace with the window (D-3.6).</summary>
[TestFixture]
public sealed class RingGrowthPaceTests
{
    private static readonly LinkModel LongFast = new()
    {
        Delay = TimeSpan.FromMilliseconds(50),
        RateBytesPerSecond = 12_500_000,
        QueueBytes = 4_000_000,
    };

    // 100 ms and 100 Mbit/s. Held against an unordered lane, whose credit is as large from the start and needs no ring.
    [TestCase(1_000_000, CongestionAlgorithm.Cubic)]
    [TestCase(8_000_000, CongestionAlgorithm.Cubic)]
    [TestCase(8_000_000, CongestionAlgorithm.Bbr)]
    [TestCase(40_000_000, CongestionAlgorithm.Bbr)]
    public void A_transfer_takes_at_most_a_tenth_longer_than_with_all_its_credit_at_once(
        int bytes, CongestionAlgorithm control)
    {
        TimeSpan growing = Run(bytes, control, LaneMode.OrderedReliable);
        TimeSpan whole = Run(bytes, control, LaneMode.UnorderedReliable);

        TestContext.Out.WriteLine($"{growing.TotalMilliseconds:F0} ms, whole {whole.TotalMilliseconds:F0} ms");
        Assert.That(growing, Is.LessThanOrEqualTo(whole * 1.1));
    }

    private static TimeSpan Run(int bytes, CongestionAlgorithm control, LaneMode mode)
    {
        GudpConfig core = SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                Congestion = SimWorld.Plain.Connections.Congestion with { Algorithm = control },
            },
        };
        MessagingConfig config = new()
        {
            Core = core,
            LaneRingBytes = 4 * 1024 * 1024,
            LanePlan = LanePlan.Default.With(3, new LaneOptions { Mode = mode }),
        };
        using SimWorld world = new(seed: 5);
        world.Network.DefaultLink = LongFast;
        using PeerPair pair = PeerPair.In(world, config);
        Instant start = world.Now;
        byte[] message = new byte[10_000];
        int sent = 0;
        int received = 0;

        world.RunUntil(
            () =>
            {
                while (sent < bytes && pair.Client.TrySend(message, new SendOptions { Lane = 3 }) == SendStatus.Accepted)
                {
                    sent += message.Length;
                }

                while (pair.Server.TryReceive(out ReceivedMessage arrived))
                {
                    received += arrived.Span.Length;
                    arrived.Dispose();
                }

                return received >= bytes;
            },
            TimeSpan.FromSeconds(60));
        return world.Now - start;
    }
}
