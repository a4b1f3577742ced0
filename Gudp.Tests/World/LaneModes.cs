using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.World;

/// <summary>Which lane of mixed traffic has which mode.</summary>
internal static class LaneModes
{
    private const int Million = 1_000_000;
    private const int Modes = 5;

    /// <summary>Lane 0 as it must be; the others in any mode, priority and weight.</summary>
    internal static IReadOnlyList<LaneOptions> Drawn(Prng draws)
    {
        LaneOptions[] lanes = new LaneOptions[MixedPlan.LaneCount];

        bool hasPriorities = draws.NextChance(Million / 2);
        bool hasWeights = draws.NextChance(Million / 2);
        bool hasRepeats = draws.NextChance(Million / 3);

        for (int lane = 1; lane < lanes.Length; lane++)
        {
            LaneMode mode = (LaneMode)draws.NextBelow(Modes);
            int priority = (int)draws.NextBetween(-2, 2);
            int weight = (int)draws.NextBetween(1, 8);
            int repeats = (int)draws.NextBetween(0, 3);
            FullPolicy policy = (FullPolicy)draws.NextBetween(0, 2);
            lanes[lane] = new LaneOptions
            {
                Mode = mode,
                Priority = hasPriorities ? priority : 0,
                Weight = hasWeights ? weight : LaneOptions.DefaultWeight,
                Repeats = hasRepeats ? repeats : 0,
                WhenFull = mode >= LaneMode.SequencedUnreliable ? policy : FullPolicy.Refuse,
            };
        }

        return lanes;
    }

    /// <summary>The config with these lanes.</summary>
    internal static MessagingConfig Apply(IReadOnlyList<LaneOptions> lanes, MessagingConfig config)
    {
        LanePlan plan = LanePlan.Default;

        for (int lane = 1; lane < lanes.Count; lane++)
        {
            plan = plan.With(lane, lanes[lane]);
        }

        return config with { LanePlan = plan };
    }
}
