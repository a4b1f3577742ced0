using System;

namespace Gudp.Core;

/// <summary>Why a connection ended; several may hold. Bits only ever join (G12, G14, G17).</summary>
[Flags]
public enum FinalReasons : uint
{
    /// <summary>It has not ended.</summary>
    None = 0,

    /// <summary>The daemon's loop stopped on a fault of its own.</summary>
    LoopFaulted = 1u << 25,

    /// <summary>The peer did not want the connection.</summary>
    Refused = 1u << 26,

    /// <summary>The peer broke the protocol.</summary>
    ProtocolViolated = 1u << 27,

    /// <summary>Nothing valid came for the time allowed, or the path was too poor for it.</summary>
    TimedOut = 1u << 28,

    /// <summary>The socket failed.</summary>
    SocketFailed = 1u << 29,

    /// <summary>The peer closed, restarted or lost the connection.</summary>
    ClosedByPeer = 1u << 30,

    /// <summary>This side closed.</summary>
    ClosedLocally = 1u << 31,
}
