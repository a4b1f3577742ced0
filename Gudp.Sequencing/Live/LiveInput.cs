using System;

namespace Gudp.Sequencing.Live;

/// <summary>One input of a gate: its channel, the tag it was stamped with, and its bytes.</summary>
internal readonly record struct LiveInput(string Channel, Tag Arrival, ReadOnlyMemory<byte> Payload)
{
    /// <summary>What an input counts besides its payload.</summary>
    internal const int HeadBytes = 64;
}
