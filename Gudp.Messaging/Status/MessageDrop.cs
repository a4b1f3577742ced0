namespace Gudp.Messaging;

/// <summary>Why a message was thrown away that nobody asked to give up. Each is counted under exactly one cause.</summary>
public enum MessageDrop
{
    /// <summary>It was not.</summary>
    None,

    /// <summary>Received: a newer message of its sequenced lane was handed out before.</summary>
    Outdated,

    /// <summary>Received: the application does not want messages of this sender.</summary>
    Blocked,

    /// <summary>Received: an unreliable message for which there was no room or no memory.</summary>
    NoRoom,

    /// <summary>Received: an unreliable message of which a part never came.</summary>
    Incomplete,

    /// <summary>Received: an unreliable message longer than this end takes.</summary>
    TooLong,

    /// <summary>To be sent: the lane was full and its rule is <see cref="FullPolicy.DropOldest"/>.</summary>
    OldestOfFullLane,

    /// <summary>To be sent: the lane was full and its rule is <see cref="FullPolicy.DropNewest"/>.</summary>
    NewestOfFullLane,

    /// <summary>To be sent: an unreliable message that no longer fitted a packet, because the path became narrower.</summary>
    PathNarrowed,
}
