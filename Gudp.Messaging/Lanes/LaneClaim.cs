using System;

namespace Gudp.Messaging.Lanes;

/// <summary>Room taken for one message whose bytes are still being written.</summary>
/// <param name="Index">Names the claim, -1 for one that takes its place in the lane only when committed.</param>
/// <param name="Room">Where the caller writes: all of it is the message.</param>
/// <param name="Block">The block the room lies in if it is the claim's own.</param>
/// <param name="Options">How the message is sent.</param>
internal readonly record struct LaneClaim(long Index, Memory<byte> Room, byte[]? Block, SendOptions Options)
{
    internal int Length => Room.Length;
}
