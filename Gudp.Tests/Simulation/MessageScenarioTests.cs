using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

// Scenario T1 in messages: eight lanes of all modes in both directions, over a link of two seconds there and back that
// loses a quarter, doubles a quarter and reorders; ten minutes of virtual time.

/// <summary>The terrible link, in messages.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class MessageScenarioTests
{
    private const int Port = 7000;
    private const int Seeds = 5;
    private const string SeedsVariable = "GUDP_T1_SEEDS";

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

    private static IEnumerable<int> ChosenSeeds
    {
        get
        {
            bool isChosen = int.TryParse(Environment.GetEnvironmentVariable(SeedsVariable), out int seeds);
            return Enumerable.Range(1, isChosen ? seeds : Seeds);
        }
    }

    [TestCaseSource(nameof(ChosenSeeds))]
    public void T1_Every_lane_mode_keeps_its_contract_on_a_terrible_link(int seed) => Run(seed, Lasting, default);

    // Where numbers stop fitting in 30, 31 or 32 bits, and close to the largest there is; lanes come past it within the
    // first messages, and send some hundred thousand ids and hundreds of megabytes at most.
    [TestCase((1L << 30) - 20_000, (1L << 30) - 10)]
    [TestCase((1L << 31) - 20_000, (1L << 31) - 10)]
    [TestCase((1L << 32) - 20_000, (1L << 32) - 10)]
    [TestCase((1L << 62) - 1_000_000_000, (1L << 62) - 1_000_000)]
    public void T26_Offsets_and_ids_may_begin_anywhere(long firstOffset, long firstId)
        => Run(26, TimeSpan.FromMinutes(2), new FirstPlaces(firstOffset, firstId));

    private static void Run(int seed, TimeSpan lasting, FirstPlaces first)
    {
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = Terrible;
        Oracles oracles = new(world);
        world.Watch = oracles.Watch;
        Prng draws = new Prng((ulong)seed).Split(1);
        IReadOnlyList<LaneOptions> lanes = LaneModes.Drawn(draws);
        MessageEndpoint left = Open(world, lanes, seed);
        left.FirstPlaces = first;
        MessageEndpoint right = Open(world, lanes, seed);
        right.FirstPlaces = first;
        right.Listen();
        Peer client = left.Connect(right.LocalAddress);
        Peer? server = null;
        world.RunUntil(() => client.Status.IsOpen && right.TryAccept(out server), TimeSpan.FromSeconds(60));
        MixedTraffic there = new("there", client, draws.Split(2), Plan(lanes, ReadManner.Hold)) { Receiver = server };
        MixedTraffic back = new("back", server!, draws.Split(3), Plan(lanes, ReadManner.Poll)) { Receiver = client };
        MixedAccount account = new();

        try
        {
            Exchange(world, lasting, there, back);
            client.Close();
            End(world, there, back);
            there.AssertEnded(account);
            back.AssertEnded(account);
        }
        catch (AssertionException problem)
        {
            throw new AssertionException(
                $"{world.ReplayLine}\n{problem.Message}\n{there.Standing}\n{back.Standing}", problem);
        }

        TestContext.Out.WriteLine($"{account}; {world.Network.Faults.Sent} datagrams");
        Assert.That(account.Accepted, Is.GreaterThan((int)lasting.TotalSeconds * 5 / 6));
        Assert.That(left.Memory.UsedBytes + right.Memory.UsedBytes, Is.Zero, "Memory is back to what it was.");
    }

    private static MixedPlan Plan(IReadOnlyList<LaneOptions> lanes, ReadManner manner) => new()
    {
        Lanes = lanes,
        Messages = int.MaxValue,
        MostBytes = 64 * 1024,
        MostPerMoment = 1,
        BurstPpm = 20_000,
        MostBurst = 64,
        AskReceivedPpm = 300_000,
        AskTakenPpm = 500_000,
        TimeoutPpm = 100_000,
        AttemptsPpm = 100_000,
        CancelPpm = 20_000,
        MostTimeout = TimeSpan.FromSeconds(30),
        ClaimPpm = 200_000,
        Manner = manner,
        RefusePpm = 100_000,
    };

    private static MessageEndpoint Open(SimWorld world, IReadOnlyList<LaneOptions> lanes, int seed)
    {
        // On odd seeds the path carries the largest datagrams, on even ones only what every path does.
        GudpConfig core = SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                IdleTimeout = TimeSpan.FromSeconds(60),
                HandshakeTimeout = TimeSpan.FromSeconds(60),
                LingerTimeout = TimeSpan.FromSeconds(60),
                Path = new PathConfig { PacketBytes = seed % 2 == 1 ? 65_507 : 1_200 },
            },
        };
        Node node = world.AddNode(core);
        MessagingConfig config = new() { Core = core, Lanes = MixedPlan.LaneCount };
        config = LaneModes.Apply(lanes, config);
        return new MessageEndpoint(node.Daemon, node.Host.Address.WithPort(Port), config);
    }

    private static void Exchange(SimWorld world, TimeSpan lasting, MixedTraffic there, MixedTraffic back)
    {
        for (Instant end = world.Now + lasting; world.Now < end;)
        {
            Advance(world, there, back);
        }

        there.Stop();
        back.Stop();
        there.IsHealed = true;
        back.IsHealed = true;

        for (Instant end = world.Now + FinishLimit; !(there.IsFinished && back.IsFinished) && world.Now < end;)
        {
            Advance(world, there, back);
        }

        Assert.That(there.IsFinished && back.IsFinished, Is.True, "Not everything ended.");
    }

    private static void Advance(SimWorld world, MixedTraffic there, MixedTraffic back)
    {
        world.Run(Tick);
        there.Send();
        back.Send();
        there.Read();
        back.Read();
        Oracles.AssertAlive(there.Sender.Connection, "client");
        Oracles.AssertAlive(back.Sender.Connection, "server");
    }

    private static void End(SimWorld world, MixedTraffic there, MixedTraffic back)
    {
        there.HasConnectionEnded = true;
        back.HasConnectionEnded = true;

        for (Instant end = world.Now + TimeSpan.FromMinutes(4); world.Now < end;)
        {
            // A copy of what was given up may still come, and keeps its memory until it is read.
            world.Run(TimeSpan.FromSeconds(10));
            there.Read();
            back.Read();
        }
    }
}
