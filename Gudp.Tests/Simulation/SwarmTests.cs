using Gudp.Core;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

// Goal: whatever the network and strangers do for a while, ordered lanes deliver exactly what was sent, receipts tell
// the truth, every datagram is counted once, and the same seed gives the same history.
// Method: one seed draws nodes, configs, links, faults, messages and attacks; see SwarmWorld. The even seeds are the
// hard ones: three or more nodes, a paused reader, a large message, and a cut of more than three probe time-outs.

/// <summary>Many worlds, one seed each; see docs/TESTING.md.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class SwarmTests
{
    private const string SeedsVariable = "GUDP_SWARM_SEEDS";
    private const int SeedsRunTwice = 10;       // every tenth

    private const int Seeds = 500;

    // With fewer worlds a fault may be missing by chance.
    private const int SeedsPerCase = 50;

    // What no datagram can cause yet, and why.
    private static readonly string[] Unreachable =
    [
        $"dropped {DropReason.Blocked}",        // peers cannot be blocked before the security issue
        $"dropped {DropReason.CandidateTableFull}",         // only while half of the table is taken: CandidateTableTests
        $"dropped {DropReason.AmplificationLimited}",       // room for as many answers as a turn takes datagrams
    ];

    private readonly SwarmTally _total = new();

    /// <summary>Seeds 1 to 500, in parts that tell how far it has come.</summary>
    private static IEnumerable<int[]> Ranges => SeedRange.Parts(Seeds, SeedsPerCase);

    [TestCaseSource(nameof(Ranges))]
    public void Everything_arrives_once_in_order_and_is_known_to_have(int from, int to) => RunSeeds(from, to);

    /// <summary>The longer run: as many seeds as wanted.</summary>
    [Test]
    public void Seeds_of_the_environment_pass_too()
    {
        (int from, int to) = SeedRange.OfEnvironment(SeedsVariable);
        RunSeeds(from, to);
    }

    [OneTimeTearDown]
    public void PrintWhatHappened() => TestContext.Progress.WriteLine($"The swarm in numbers:\n{_total}");

    private void RunSeeds(int from, int to)
    {
        SwarmTally tally = new();

        for (int seed = from; seed <= to; seed++)
        {
            ulong trace = RunSeed(seed, tally);

            if (seed % SeedsRunTwice == 0)
            {
                Assert.That(RunSeed(seed, new SwarmTally()), Is.EqualTo(trace), $"Seed {seed} has two histories.");
            }
        }

        _total.Add(tally);
        TestContext.Out.WriteLine(tally);

        if (to - from + 1 >= SeedsPerCase)
        {
            Assert.That(tally.Missing(Unreachable), Is.Empty, "What never happened was not tested.");
        }
    }

    private static ulong RunSeed(int seed, SwarmTally tally)
    {
        using SwarmWorld world = new((ulong)seed);

        try
        {
            ulong trace = world.Run();
            tally.Add(world.Tally);
            return trace;
        }
        catch (Exception problem)
        {
            TestContext.Out.WriteLine(world.Story);
            throw new AssertionException($"{world.ReplayLine}\n{problem.Message}", problem);
        }
    }
}
