using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.World;

/// <summary>Which lane of mixed traffic has which mode.</summary>
internal static class LaneModes
{
    /// <summary>Lanes 0 and 1 in order, lane 2 unreliable, the others in order too.</summary>
    internal static IReadOnlyList<LaneOptions> Drawn(Prng draws)
    {
        LaneOptions[] lanes = new LaneOptions[MixedPlan.LaneCount];
        lanes[SendOptions.UnreliableLane] = new LaneOptions { Mode = LaneMode.Unreliable };
        return lanes;
    }
}
