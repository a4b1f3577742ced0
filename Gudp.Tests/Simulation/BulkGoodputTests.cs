using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>How much of a bottleneck a transfer gets, in virtual time.</summary>
[TestFixture, Category("Release")]
public sealed class BulkGoodputTests
{
    private const long Transfer = 20_000_000;

    // P13, one seed; the measurements of all controllers are a table in docs.
    [TestCase(20, 0, 90)]
    [TestCase(20, 10_000, 85)]
    [TestCase(20, 50_000, 75)]
    [TestCase(100, 10_000, 60)]
    public void The_lossy_preset_reaches_its_floor(int roundTripMs, int lossPpm, double floor)
    {
        LinkModel link = new()
        {
            Delay = TimeSpan.FromMilliseconds(roundTripMs / 2.0),
            LossPpm = lossPpm,
            RateBytesPerSecond = 12_500_000,
            QueueBytes = 625_000,
        };

        Outcome outcome = Run(GudpConfig.Lossy, link, Transfer, ringBytes: 4 << 20);

        double least = Math.Ceiling(Transfer / (double)outcome.PacketBytes) / (1 - (lossPpm / 1e6));
        Assert.That(outcome.MegabitsPerSecond, Is.GreaterThanOrEqualTo(floor));
        Assert.That(outcome.Datagrams, Is.LessThanOrEqualTo(1.10 * least));
    }

    [TestCase(0)]
    public void T14_A_long_fat_path_is_used_to_four_fifths(int lossPpm)
    {
        LinkModel link = new()
        {
            Delay = TimeSpan.FromMilliseconds(50),
            LossPpm = lossPpm,
            RateBytesPerSecond = 125_000_000,
            QueueBytes = 12_500_000,
        };

        Outcome outcome = Run(GudpConfig.Bulk, link, 1_000_000_000, ringBytes: 16 << 20);

        Assert.That(outcome.MegabitsPerSecond, Is.GreaterThanOrEqualTo(800));
    }

    private static Outcome Run(GudpConfig preset, LinkModel link, long bytes, int ringBytes)
    {
        GudpConfig core = preset with
        {
            Connections = preset.Connections with { Security = new SecurityConfig { Protection = Protection.Plain } },
        };
        MessagingConfig config = new() { Core = core, LaneRingBytes = ringBytes, PeerMemoryBytes = 256 << 20 };
        using SimWorld world = new(seed: 13);
        world.Network.DefaultLink = link;
        Node left = world.AddNode(core);
        Node right = world.AddNode(core);
        using MessageEndpoint from = new(left.Daemon, left.Host.Address.WithPort(7000), config);
        using MessageEndpoint to = new(right.Daemon, right.Host.Address.WithPort(7000), config);
        to.Listen();
        Peer sender = from.Connect(to.LocalAddress);
        Peer? receiver = null;
        world.RunUntil(() => sender.Status.IsOpen && to.TryAccept(out receiver), TimeSpan.FromSeconds(10));
        Instant start = world.Now;
        byte[] message = new byte[16_000];
        long sent = 0;
        long received = 0;

        world.RunUntil(
            () =>
            {
                while (sent < bytes && sender.TrySend(message) == SendStatus.Accepted)
                {
                    sent += message.Length;
                }

                while (receiver!.TryReceive(out ReceivedMessage arrived))
                {
                    received += arrived.Span.Length;
                    arrived.Dispose();
                }

                return received >= bytes;
            },
            TimeSpan.FromSeconds(120));

        return new Outcome(
            received * 8 / 1e6 / (world.Now - start).TotalSeconds,
            sender.Connection.ReadCounters().DatagramsSent,
            sender.Connection.MaxPacketBytes);
    }

    private readonly record struct Outcome(double MegabitsPerSecond, long Datagrams, int PacketBytes);
}
