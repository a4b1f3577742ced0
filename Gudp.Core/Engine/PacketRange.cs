namespace Gudp.Core.Engine;

/// <summary>Consecutive packet numbers, both ends included.</summary>
/// <param name="Smallest">0 or more.</param>
/// <param name="Largest">Not below <paramref name="Smallest"/>.</param>
internal readonly record struct PacketRange(long Smallest, long Largest);
