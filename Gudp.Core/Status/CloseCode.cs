namespace Gudp.Core;

/// <summary>The precise cause of an end, as it also travels to the peer.</summary>
public enum CloseCode : ushort
{
    /// <summary>The application asked for it.</summary>
    None = 0,

    /// <summary>Nothing valid came for <c>Connections.IdleTimeout</c> (G26).</summary>
    IdleTimeout,

    /// <summary>No answer within <c>Connections.HandshakeTimeout</c> (G20).</summary>
    HandshakeTimeout,

    /// <summary>The peer does not know this connection any more.</summary>
    PeerLostState,

    /// <summary>The peer started anew from the same address.</summary>
    PeerRestarted,

    /// <summary>The two ends saw different handshakes: somebody changed it on the way.</summary>
    NegotiationTampered,

    /// <summary>The peer acked a packet that was never sent.</summary>
    AckedUnsent,

    /// <summary>A frame could not be read.</summary>
    MalformedFrame,

    /// <summary>A frame type nobody knows and nobody may skip.</summary>
    UnknownFrame,

    /// <summary>A handshake parameter is missing or out of range.</summary>
    BadParameter,

    /// <summary>The peer sent more than it was allowed.</summary>
    CreditExceeded,

    /// <summary>The peer has no room for another connection now.</summary>
    Busy,

    /// <summary>The peer belongs to another application; compare <c>ApplicationId</c>.</summary>
    ApplicationMismatch,

    /// <summary>The two ends' configs do not fit together.</summary>
    ConfigMismatch,

    /// <summary>No version of the protocol is common to both.</summary>
    VersionMismatch,

    /// <summary>The two ends use different layers above the packets.</summary>
    PayloadMismatch,

    /// <summary>The socket failed.</summary>
    SocketError,

    /// <summary>The daemon's loop stopped on a fault of its own; <c>Daemon.Fault</c> says which.</summary>
    LoopFault,

    /// <summary>A lane was used in a way it does not allow.</summary>
    LaneViolation,

    /// <summary>A message larger than the limit agreed on.</summary>
    MessageTooLarge,

    /// <summary>Loss or round trip were beyond <c>Connections.Quality</c> for its patience.</summary>
    QualityTooLow,

    /// <summary>The two ends have another connection that took the place of this one.</summary>
    Superseded,

    /// <summary>Parts of a message contradict each other: other lengths, or other bytes in the same place.</summary>
    FragmentConflict,

    /// <summary>
    /// One of the applications reads too slowly, for so long that the rule of the other end, or its own, says to end it.
    /// </summary>
    SlowConsumer,

    /// <summary>The application's own code threw where the library called it.</summary>
    HandlerFault,

    /// <summary>The first code that is free for applications.</summary>
    Application = 0x100,
}
