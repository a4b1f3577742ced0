using System;

namespace Gudp.Messaging.Lanes;

/// <summary>A message at the front of a lane, in place: valid until the lane's reader releases it.</summary>
internal readonly ref struct MessageView
{
    internal ReadOnlySpan<byte> Content { get; init; }

    /// <summary>On an ordered lane where it ends in the stream.</summary>
    internal long Id { get; init; }

    /// <summary>Whether its sender wants to know when it is taken.</summary>
    internal bool AsksTaken { get; init; }
}
