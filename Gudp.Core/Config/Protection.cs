namespace Gudp.Core;

/// <summary>How packets are protected against people on the path.</summary>
public enum Protection
{
    /// <summary>
    /// Not chosen. The default, and refused when opening: nobody should send unprotected packets unaware.
    /// </summary>
    Unset = 0,

    /// <summary>
    /// A checksum against damage, nothing against people: whoever sees the packets can read and change them. For
    /// machines and networks you trust.
    /// </summary>
    Plain = 1,
}
