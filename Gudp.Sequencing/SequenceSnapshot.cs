using System;

namespace Gudp.Sequencing;

/// <summary>
/// The state of a member at one of its sequence points, published for those who join late (lock-time section 10).
/// </summary>
/// <param name="Tag">Everything that had arrived at its member by then is in it; what comes with it arrives later.</param>
/// <param name="Sender">Whose state it is.</param>
/// <param name="Name">What its sender called it.</param>
/// <param name="Payload">Owned by the grant it came with, and never reused: it may be kept.</param>
public sealed record SequenceSnapshot(Tag Tag, string Sender, string Name, ReadOnlyMemory<byte> Payload);
