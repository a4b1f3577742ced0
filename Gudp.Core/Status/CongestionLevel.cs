namespace Gudp.Core;

/// <summary>
/// How the path copes with what is sent, as a coarse working level of the status word (G13). Each level is worse than
/// the one before it. A program that can send less, or less often, does so when the level rises.
/// </summary>
public enum CongestionLevel : byte
{
    /// <summary>Nothing was lost in the last round trip: the window may grow.</summary>
    Clear = 0,

    /// <summary>A loss reduced the window, and nothing sent since then has been acknowledged yet.</summary>
    Busy = 1,

    /// <summary>The window is down to its minimum of two packets, for example after persistent congestion.</summary>
    Bad = 2,
}
