using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

// Goal: all modes at once on eight lanes keep their promises whatever the path does, receipts tell the truth, and every
// message has exactly one end.
// Method: one seed draws lanes, sizes, wishes, readers and the path; see MixedPair and the oracles of MixedTraffic.

/// <summary>Many pairs of sessions, one seed each; see docs/TESTING.md.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class MixedSwarmTests
{
    private const string SeedsVariable = "GUDP_MIXED_SEEDS";
    private const int Seeds = 1_000;
    private const int SeedsPerCase = 125;

    private static IEnumerable<int[]> Ranges => SeedRange.Parts(Seeds, SeedsPerCase);

    [TestCaseSource(nameof(Ranges))]
    public void Every_message_of_every_mode_has_one_end_and_it_is_true(int from, int to) => RunSeeds(from, to);

    /// <summary>The longer run: as many seeds as wanted.</summary>
    [Test]
    public void Mixed_seeds_of_the_environment_pass_too()
    {
        (int from, int to) = SeedRange.OfEnvironment(SeedsVariable);
        RunSeeds(from, to);
    }

    private static void RunSeeds(int from, int to)
    {
        MixedAccount total = new();

        for (int seed = from; seed <= to; seed++)
        {
            RunSeed((ulong)seed, total);
        }

        total.AssertExact("All seeds together");
        TestContext.Out.WriteLine(total);
    }

    private static void RunSeed(ulong seed, MixedAccount total)
    {
        MixedPair world = new(seed);

        try
        {
            world.Run();
            total.Add(world.Account);
        }
        catch (Exception problem)
        {
            throw new AssertionException(
                $"Seed {seed}; again with: {SeedsVariable}={seed}-{seed} dotnet test --filter "
                    + $"Name~Mixed_seeds_of_the_environment\n{problem.Message}\n{world.Standing}",
                problem);
        }

        world.Dispose();
    }
}
