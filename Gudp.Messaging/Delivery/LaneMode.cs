namespace Gudp.Messaging;

/// <summary>What a lane promises about its messages; the value stands in LaneOpen (wire.md section 3).</summary>
public enum LaneMode : byte
{
    /// <summary>
    /// Every message arrives exactly once, in the order it was sent, or the connection ends. A message with a time-out,
    /// a limit of attempts or a cancellation may be given up; the later ones then pass over it.
    /// </summary>
    OrderedReliable = 0,

    /// <summary>Every message arrives exactly once, as soon as it is here, in any order. Given up as above.</summary>
    UnorderedReliable = 1,

    /// <summary>
    /// The latest wins: an older message is given up once a newer one was sent, or thrown away if a newer one was handed
    /// out. The last one sent arrives.
    /// </summary>
    SequencedReliable = 2,

    /// <summary>Sent once; arrives never after a newer one was handed out, or not at all.</summary>
    SequencedUnreliable = 3,

    /// <summary>Sent once; arrives at most once, in any order, or not at all.</summary>
    Unreliable = 4,
}
