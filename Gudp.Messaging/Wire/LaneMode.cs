namespace Gudp.Messaging.Wire;

/// <summary>How a lane delivers; the value stands in LaneOpen.</summary>
internal enum LaneMode : byte
{
    OrderedReliable = 0,
    UnorderedReliable = 1,
    SequencedReliable = 2,
    SequencedUnreliable = 3,
    Unreliable = 4,
}
