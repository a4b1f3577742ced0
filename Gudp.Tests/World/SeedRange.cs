using System.Globalization;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>Seeds in a row, for tests that run many.</summary>
internal static class SeedRange
{
    /// <summary>Seeds 1 to <paramref name="seeds"/> in parts, which tell how far a run has come.</summary>
    internal static IEnumerable<int[]> Parts(int seeds, int seedsPerPart)
    {
        for (int from = 1; from < seeds; from += seedsPerPart)
        {
            yield return [from, from + seedsPerPart - 1];
        }
    }

    /// <summary>The seeds an environment variable names as <c>from-to</c>; without it the test is ignored.</summary>
    internal static (int From, int To) OfEnvironment(string variable)
    {
        string? range = Environment.GetEnvironmentVariable(variable);

        if (range is null)
        {
            Assert.Ignore($"{variable}=from-to runs these seeds.");
        }

        string[] ends = range.Split('-');
        return (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[^1], CultureInfo.InvariantCulture));
    }
}
