using System;
using System.Threading;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <summary>
/// A message copied out of its lane and held by the application. The object is used again for later messages; the
/// generation tells a handle of an earlier one.
/// </summary>
internal sealed class HeldMessage
{
    private long _generation;

    internal long Generation => Volatile.Read(ref _generation);

    internal byte[] Block { get; set; } = [];

    internal int Length { get; set; }

    internal int LaneNumber { get; set; }

    internal LaneMode Mode { get; set; }

    /// <summary>The lane that waits for this message, null if nobody asked.</summary>
    internal ReceiveLane? Asking { get; set; }

    /// <summary>The message's number in that lane.</summary>
    internal long Entry { get; set; }

    internal MessageSession? Session { get; set; }

    /// <summary>True for the one caller that ends this generation.</summary>
    internal bool TryEnd(long generation)
        => Interlocked.CompareExchange(ref _generation, generation + 1, generation) == generation;
}
