using System;

namespace Gudp.Messaging.Wire;

/// <summary>
/// View of one frame. Which fields mean something depends on the type; made only by <see cref="LaneFrameReader"/>,
/// which has checked that the frame lies within its packet and that no sum of its fields overflows.
/// </summary>
internal readonly ref struct LaneFrame
{
    internal FrameType Type { get; init; }

    /// <summary>All types but ConnectionCredit.</summary>
    internal int Lane { get; init; }

    /// <summary>
    /// LaneData, LaneSkip: from; credits, LaneBlocked, LaneTaken: the limit or offset; Message, Fragment, LaneSettled:
    /// the id.
    /// </summary>
    internal long Offset { get; init; }

    /// <summary>LaneData, LaneSkip: up to and without.</summary>
    internal long End { get; init; }

    /// <summary>Fragment: where its content starts in the message.</summary>
    internal long Start { get; init; }

    /// <summary>Message, Fragment: length of the whole message; LaneSkip: bytes charged for what is given up.</summary>
    internal long Total { get; init; }

    /// <summary>LaneOpen: the mode; Message, Fragment: the flags.</summary>
    internal byte Code { get; init; }

    /// <summary>
    /// LaneData, Message, Fragment: the content; MessagesTaken, MessagesRefused: their id ranges, still to be read.
    /// </summary>
    internal ReadOnlySpan<byte> Content { get; init; }
}
