namespace Gudp.Messaging;

/// <summary>Names a peer within this process; never used again.</summary>
/// <param name="Value">Grows by one per peer.</param>
public readonly record struct PeerId(long Value);
