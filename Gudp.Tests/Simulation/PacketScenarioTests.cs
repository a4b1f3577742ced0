using Gudp.Core;
using Gudp.Core.Engine;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

// Scenarios T1, T3 and T26 in Core's own packet modes: one connection, packets of all modes in both directions, over a
// link that loses a quarter, doubles a quarter and reorders. Scaled in rate only: as much as congestion control lets
// through a path of two seconds that loses so much.

/// <summary>The terrible link.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class PacketScenarioTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Lasting = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FinishLimit = TimeSpan.FromHours(3);

    private static readonly LinkModel Terrible = new()
    {
        Delay = TimeSpan.FromMilliseconds(900),
        Jitter = TimeSpan.FromMilliseconds(200),
        LossPpm = 250_000,
        DuplicatePpm = 250_000,
        DuplicateBy = TimeSpan.FromSeconds(1),
    };

    private static readonly PacketPlan AllSizes = new()
    {
        Packets = int.MaxValue,
        MostBytes = 64 * 1024,
        MostBurst = 64,
        BurstPpm = 50_000,
        MostTimeout = TimeSpan.FromSeconds(20),
    };

    private static readonly PacketPlan ManySmall = new()
    {
        Packets = 100_000,
        MostBytes = 8,
        MostBurst = 1_000,
        BurstPpm = 100_000,
        MostTimeout = TimeSpan.FromSeconds(20),
    };

    [Test]
    public void T1_Every_mode_keeps_its_contract_on_a_terrible_link([NUnit.Framework.Range(1, 20)] int seed)
        => Run((ulong)seed, AllSizes, default);

    [Test]
    public void T3_The_terrible_link_has_one_history_per_seed([NUnit.Framework.Range(101, 105)] int seed)
    {
        ulong first = Run((ulong)seed, AllSizes, default);
        ulong again = Run((ulong)seed, AllSizes, default);

        Assert.That(again, Is.EqualTo(first));
    }

    // Where numbers stop fitting in 30, 31 or 32 bits, and close to the largest there is.
    [TestCase((1L << 30) - 300, (1L << 30) - 40_000)]
    [TestCase((1L << 31) - 300, (1L << 31) - 40_000)]
    [TestCase((1L << 32) - 300, (1L << 32) - 40_000)]
    [TestCase((1L << 62) - 1_000_000, (1L << 62) - 200_000)]
    public void T26_Numbers_may_begin_anywhere(long firstPacket, long firstId)
        => Run(26, ManySmall, new FirstNumbers(firstPacket, firstId));

    private static ulong Run(ulong seed, PacketPlan plan, FirstNumbers numbers)
    {
        using SimWorld world = new(seed);
        world.Network.DefaultLink = Terrible;
        Oracles oracles = new(world);
        world.Watch = oracles.Watch;
        Node left = AddNode(world, seed, numbers);
        Node right = AddNode(world, seed, numbers);
        Endpoint server = right.Open(7000);
        server.Listen();
        Connection client = left.Open(0).Connect(server.LocalAddress);
        Connection? accepted = null;
        world.RunUntil(() => client.Status.IsOpen && server.TryAccept(out accepted), TimeSpan.FromSeconds(60));
        PacketFlow there = new("there", client, new Prng(seed).Split(1), plan) { Receiver = accepted };
        PacketFlow back = new("back", accepted!, new Prng(seed).Split(2), plan) { Receiver = client };

        try
        {
            Exchange(world, plan, there, back);
            AssertClosed(world, there, back);
        }
        catch (AssertionException problem)
        {
            throw new AssertionException($"{world.ReplayLine}\n{problem.Message}", problem);
        }

        return world.Network.TraceHash;
    }

    private static Node AddNode(SimWorld world, ulong seed, FirstNumbers numbers)
    {
        // On odd seeds the path carries the largest datagrams, on even ones only what every path does.
        Node node = world.AddNode(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                IdleTimeout = TimeSpan.FromSeconds(60),
                HandshakeTimeout = TimeSpan.FromSeconds(60),
                LingerTimeout = TimeSpan.FromSeconds(60),
                Path = new PathConfig { PacketBytes = seed % 2 == 1 ? 65_507 : 1_200 },
                Queues = new QueueConfig { SendPackets = 4_096, ReceivePackets = 4_096 },
            },
        });
        node.Daemon.FirstNumbers = numbers;
        return node;
    }

    private static void Exchange(SimWorld world, PacketPlan plan, PacketFlow there, PacketFlow back)
    {
        for (Instant end = world.Now + Lasting; world.Now < end;)
        {
            Advance(world, there, back);
        }

        if (plan.Packets == int.MaxValue)
        {
            there.Stop();
            back.Stop();
        }

        for (Instant end = world.Now + FinishLimit; !(there.IsFinished && back.IsFinished) && world.Now < end;)
        {
            Advance(world, there, back);
        }

        Assert.That(there.IsFinished && back.IsFinished, Is.True, $"{there.Standing}; {back.Standing}");
        there.AssertKept();
        back.AssertKept();
        Assert.That(there.Received, Is.GreaterThan(500));
        Assert.That(there.Outcomes(PacketOutcome.Lost), Is.Positive);
        Assert.That(there.Outcomes(PacketOutcome.TimedOut), Is.Positive);
        Assert.That(there.Outcomes(PacketOutcome.Cancelled), Is.Positive);
    }

    private static void Advance(SimWorld world, PacketFlow there, PacketFlow back)
    {
        world.Run(Tick);
        there.Advance();
        back.Advance();
        there.AssertAlive();
        back.AssertAlive();
    }

    private static void AssertClosed(SimWorld world, PacketFlow there, PacketFlow back)
    {
        TestContext.Out.WriteLine(
            $"{there.Standing}, {there.Refusals} refused; {back.Standing}; {world.Network.Faults.Sent} datagrams");
        there.Sender.Close();

        for (Instant end = world.Now + TimeSpan.FromMinutes(4); world.Now < end;)
        {
            // A copy of what was given up may still come, and keeps its memory until it is read.
            world.Run(TimeSpan.FromSeconds(10));
            there.Advance();
            back.Advance();
        }

        there.AssertEnded();
        back.AssertEnded();

        foreach (Node node in world.Nodes)
        {
            Assert.That(node.Daemon.Memory.InUseBytes, Is.Zero, "Memory is back to what it was.");
        }
    }
}
