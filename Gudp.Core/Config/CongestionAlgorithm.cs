namespace Gudp.Core;

/// <summary>Which rule decides how much may be in flight and how fast it leaves.</summary>
public enum CongestionAlgorithm
{
    /// <summary>CUBIC, RFC 9438. The default: shares fairly with TCP.</summary>
    Cubic = 0,

    /// <summary>NewReno, RFC 9002 appendix B: the reference the others are compared with.</summary>
    NewReno = 1,

    /// <summary>
    /// BBR, after version 3: follows the measured delivery rate, so that a single loss costs nothing. For long, fat
    /// and lossy paths; takes more than its share beside flows that obey losses.
    /// </summary>
    Bbr = 2,

    /// <summary>
    /// Glenn Fiedler's good and bad: two packet rates, chosen by the round trip. For games and simulations that send at
    /// a steady tick.
    /// </summary>
    TwoMode = 3,

    /// <summary>Always <c>FixedBytesPerSecond</c>, whatever the path says; only for networks shared by plan.</summary>
    Fixed = 4,
}
