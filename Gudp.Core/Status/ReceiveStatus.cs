namespace Gudp.Core;

/// <summary>What became of a receive.</summary>
public enum ReceiveStatus
{
    /// <summary>A packet or message was handed out.</summary>
    Received,

    /// <summary>Nothing is there now (G19).</summary>
    Empty,

    /// <summary>Nothing came within the time given.</summary>
    TimedOut,

    /// <summary>
    /// The caller's buffer is too small; the packet stays for a larger one, and the length says which (G18).
    /// </summary>
    BufferTooSmall,

    /// <summary>
    /// The connection has ended and everything received before was handed out. Final, the same each time (G16).
    /// </summary>
    Closed,
}
