using System;

namespace Gudp.Sequencing;

/// <summary>How long a member has waited because of one root so far (lock-time section 14). A measurement.</summary>
/// <param name="Member">Who waited.</param>
/// <param name="Root">
/// At whose door the waits ended: with a barrier or pacing the member they held; empty for roots beyond the 1,024 first.
/// </param>
/// <param name="Kind">What the root was.</param>
/// <param name="Time">All waits together, the present one included.</param>
public readonly record struct BlockedTime(string Member, string Root, WaitKind Kind, TimeSpan Time);
