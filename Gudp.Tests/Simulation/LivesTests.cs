using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>I8 and I9: one life after the other, in many worlds; see LivesWorld.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class LivesTests
{
    private const string SeedsVariable = "GUDP_LIVES";

    [TestCase(1, 15)]
    [TestCase(16, 30)]
    public void Nothing_of_one_life_comes_after_anything_of_the_next(int from, int to) => RunSeeds(from, to);

    /// <summary>The longer run: as many seeds as wanted.</summary>
    [Test]
    public void Lives_of_the_environment_pass_too()
    {
        (int from, int to) = SeedRange.OfEnvironment(SeedsVariable);
        RunSeeds(from, to);
    }

    private static void RunSeeds(int from, int to)
    {
        int lives = 0;

        for (int seed = from; seed <= to; seed++)
        {
            using LivesWorld world = new((ulong)seed);

            try
            {
                world.Run();
            }
            catch (Exception problem)
            {
                throw new AssertionException(
                    $"{world.ReplayLine}; again with: {SeedsVariable}={seed}-{seed} dotnet test --filter "
                        + $"Name~Lives_of_the_environment\n{problem.Message}",
                    problem);
            }

            lives += world.LivesSeen;
        }

        TestContext.Out.WriteLine($"{lives} lives.");
        Assert.That(lives, Is.GreaterThan(6 * (to - from + 1)), "Each world sees more than two lives of a client.");
    }
}
