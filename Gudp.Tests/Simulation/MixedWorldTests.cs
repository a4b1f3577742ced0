using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

// Goal: as MixedSwarmTests, with everything below the messages: handshakes, windows, acknowledgements, path sizes,
// pauses and kills of processes.
// Method: one seed draws nodes, configs, links, faults and traffic; see MixedWorld.

/// <summary>Many worlds of mixed traffic, one seed each; see docs/TESTING.md.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class MixedWorldTests
{
    private const string SeedsVariable = "GUDP_MIXED_WORLDS";
    private const int Seeds = 100;
    private const int SeedsPerCase = 25;
    private const int SeedsRunTwice = 10;       // every tenth

    private static IEnumerable<int[]> Ranges => SeedRange.Parts(Seeds, SeedsPerCase);

    [TestCaseSource(nameof(Ranges))]
    public void Every_message_has_one_end_whatever_the_network_does(int from, int to) => RunSeeds(from, to);

    /// <summary>The longer run: as many seeds as wanted.</summary>
    [Test]
    public void Mixed_worlds_of_the_environment_pass_too()
    {
        (int from, int to) = SeedRange.OfEnvironment(SeedsVariable);
        RunSeeds(from, to);
    }

    private static void RunSeeds(int from, int to)
    {
        MixedAccount total = new();

        for (int seed = from; seed <= to; seed++)
        {
            ulong trace = RunSeed((ulong)seed, total);

            if (seed % SeedsRunTwice == 0)
            {
                ulong again = RunSeed((ulong)seed, new MixedAccount());
                Assert.That(again, Is.EqualTo(trace), $"Seed {seed} has two histories.");
            }
        }

        TestContext.Out.WriteLine(total);
    }

    private static ulong RunSeed(ulong seed, MixedAccount total)
    {
        using MixedWorld world = new(seed);

        try
        {
            ulong trace = world.Run();
            total.Add(world.Account);
            return trace;
        }
        catch (Exception problem)
        {
            TestContext.Out.WriteLine(world.Story);
            throw new AssertionException(
                $"{world.ReplayLine}; again with: {SeedsVariable}={seed}-{seed} dotnet test --filter "
                    + $"Name~Mixed_worlds_of_the_environment\n{problem.Message}\n{world.Standing}",
                problem);
        }
    }
}
