namespace Gudp.Core;

/// <summary>Which rule decides how much may be in flight.</summary>
public enum CongestionAlgorithm
{
    /// <summary>CUBIC, RFC 9438. The default: shares fairly with TCP.</summary>
    Cubic = 0,

    /// <summary>NewReno, RFC 9002 appendix B: the reference the others are compared with.</summary>
    NewReno = 1,
}
