using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

[TestFixture]
public sealed class CongestionScenarioTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    // Goal: the level in the status word follows Fiedler's rule, whatever the controller (P-5.8).
    [TestCase(CongestionAlgorithm.Cubic)]
    [TestCase(CongestionAlgorithm.Bbr)]
    [TestCase(CongestionAlgorithm.TwoMode)]
    public void T29_The_level_is_bad_at_once_and_good_after_the_penalty_which_doubles_and_halves(
        CongestionAlgorithm algorithm)
    {
        using SimWorld world = new(seed: 29);
        SetRoundTrip(world, 100);
        Pair pair = world.AddConnectedPair(With(algorithm));
        TimeSpan clearAtFirst = RunUntil(world, pair, CongestionLevel.Clear);

        SetRoundTrip(world, 300);
        TimeSpan untilBad = RunUntil(world, pair, CongestionLevel.Bad);
        SetRoundTrip(world, 100);
        TimeSpan untilGood = RunUntil(world, pair, CongestionLevel.Clear);
        SetRoundTrip(world, 300);
        RunUntil(world, pair, CongestionLevel.Bad);
        SetRoundTrip(world, 100);
        TimeSpan untilGoodAgain = RunUntil(world, pair, CongestionLevel.Clear);
        RunFor(world, pair, TimeSpan.FromSeconds(45));
        SetRoundTrip(world, 300);
        RunUntil(world, pair, CongestionLevel.Bad);
        SetRoundTrip(world, 100);
        TimeSpan untilGoodAtLast = RunUntil(world, pair, CongestionLevel.Clear);

        // The average takes fourteen samples to exceed 250 ms, and a few to sink again. The first good time and the
        // second were below ten seconds: 4 s doubled twice; then 45 s of good halved 16 s four times.
        Assert.That(clearAtFirst, Is.LessThan(TimeSpan.FromSeconds(1)));
        Assert.That(untilBad, Is.LessThan(TimeSpan.FromSeconds(3)));
        Assert.That(untilGood.TotalSeconds, Is.InRange(8, 10));
        Assert.That(untilGoodAgain.TotalSeconds, Is.InRange(16, 18));
        Assert.That(untilGoodAtLast.TotalSeconds, Is.InRange(1, 3));
    }

    [Test]
    public void Two_mode_sends_ten_packets_a_second_at_first_and_thirty_once_the_path_proved_good()
    {
        using SimWorld world = new(seed: 30);
        SetRoundTrip(world, 100);
        Pair pair = world.AddConnectedPair(With(CongestionAlgorithm.TwoMode));

        long atFirst = ReceivedWithin(world, pair, TimeSpan.FromSeconds(3));
        ReceivedWithin(world, pair, TimeSpan.FromSeconds(5));
        long later = ReceivedWithin(world, pair, TimeSpan.FromSeconds(3));

        Assert.That(atFirst, Is.InRange(25, 35));
        Assert.That(later, Is.InRange(80, 100));
    }

    [Test]
    public void Fixed_keeps_its_rate_on_a_path_that_loses()
    {
        using SimWorld world = new(seed: 31);
        SetRoundTrip(world, 20, lossPpm: 100_000);
        Pair pair = world.AddConnectedPair(With(CongestionAlgorithm.Fixed, c => c with { FixedBytesPerSecond = 20_000 }));
        ReceivedWithin(world, pair, TimeSpan.FromSeconds(1));

        long packets = ReceivedWithin(world, pair, TimeSpan.FromSeconds(10));

        // 900 bytes and the headers, nine in ten arrive.
        Assert.That(packets, Is.InRange(180, 205));
    }

    private static GudpConfig With(
        CongestionAlgorithm algorithm, Func<CongestionConfig, CongestionConfig>? change = null)
    {
        CongestionConfig congestion = new() { Algorithm = algorithm };
        return new GudpConfig
        {
            Connections = SimWorld.Plain.Connections with { Congestion = change?.Invoke(congestion) ?? congestion },
        };
    }

    private static void SetRoundTrip(SimWorld world, double milliseconds, int lossPpm = 0)
        => world.Network.DefaultLink = new LinkModel
        {
            Delay = TimeSpan.FromMilliseconds(milliseconds / 2),
            LossPpm = lossPpm,
        };

    private static TimeSpan RunUntil(SimWorld world, Pair pair, CongestionLevel level)
    {
        Instant start = world.Now;

        for (int i = 0; i < 1_000 && pair.Client.Status.Congestion != level; i++)
        {
            RunFor(world, pair, Tick);
        }

        Assert.That(pair.Client.Status.Congestion, Is.EqualTo(level), world.ReplayLine);
        return world.Now - start;
    }

    private static void RunFor(SimWorld world, Pair pair, TimeSpan span)
    {
        for (Instant end = world.Now + span; world.Now < end;)
        {
            pair.Client.TrySend(new byte[100]);
            world.Run(Tick);
            pair.Server.TryReceive(new byte[100], out _);
        }
    }

    private static long ReceivedWithin(SimWorld world, Pair pair, TimeSpan span)
    {
        byte[] buffer = new byte[2_000];
        long received = 0;

        for (Instant end = world.Now + span; world.Now < end;)
        {
            while (pair.Client.TrySend(new byte[900]) == SendStatus.Accepted)
            {
            }

            world.Run(Tick);

            while (pair.Server.TryReceive(buffer, out _) == ReceiveStatus.Received)
            {
                received++;
            }
        }

        return received;
    }
}
