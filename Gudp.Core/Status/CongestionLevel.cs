namespace Gudp.Core;

/// <summary>
/// How the path copes with what is sent, as a coarse working level of the status word (G13). Each level is worse than
/// the one before it. A program that can send less, or less often, does so when the level rises.
/// </summary>
/// <remarks>The same with every congestion controller. A fresh connection is clear.</remarks>
public enum CongestionLevel : byte
{
    /// <summary>Nothing was lost in the last round trip, and round trips are short enough.</summary>
    Clear = 0,

    /// <summary>A packet was lost, and nothing sent since that was noticed has been acknowledged yet.</summary>
    Busy = 1,

    /// <summary>
    /// The average round trip exceeded 250 ms, and has not been fine for the penalty since then: 4 s at first, twice as
    /// long after each good time of less than 10 s, half after each 10 s of good; 1 to 60 s (Fiedler's two modes).
    /// </summary>
    Bad = 2,
}
