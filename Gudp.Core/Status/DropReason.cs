namespace Gudp.Core;

/// <summary>
/// Why a received datagram was discarded. Every datagram has exactly one fate: <see cref="None"/> or one of the
/// others, so that received = accepted + the sum of all drops.
/// </summary>
public enum DropReason : byte
{
    /// <summary>Not discarded.</summary>
    None,

    /// <summary>Shorter than the least packet of its form; empty datagrams, which UDP allows, included.</summary>
    TooShort,

    /// <summary>The first byte is none that a packet of ours can start with.</summary>
    BadFirstByte,

    /// <summary>Bits that this version keeps at zero are set.</summary>
    ReservedBits,

    /// <summary>It carries the role of its receiver: our own packet came back.</summary>
    Reflected,

    /// <summary>A handshake packet of a version that is not spoken here.</summary>
    UnknownVersion,

    /// <summary>The checksum does not match: damage, or another application's or version's packet.</summary>
    BadChecksum,

    /// <summary>A handshake packet of another application.</summary>
    ForeignApplication,

    /// <summary>It names a connection that does not exist here.</summary>
    UnknownConnection,

    /// <summary>A packet of a connection whose handshake has not ended; what is missing will be repeated.</summary>
    NotEstablished,

    /// <summary>A packet number that was received before.</summary>
    Duplicate,

    /// <summary>A packet number so far behind that nobody knows any more whether it was received.</summary>
    TooOld,

    /// <summary>Intact, but its frames do not follow the rules.</summary>
    Malformed,

    /// <summary>A handshake parameter is unknown, repeated, missing, cut or out of range.</summary>
    BadParameter,

    /// <summary>A hello below 1200 bytes, which could be used to amplify traffic towards a third party.</summary>
    HelloTooShort,

    /// <summary>The cookie was not given by us, not to this address, or too long ago.</summary>
    BadCookie,

    /// <summary>No room for another half-open connection.</summary>
    CandidateTableFull,

    /// <summary>No room for another connection, here or for this address prefix.</summary>
    Busy,

    /// <summary>The sender is blocked.</summary>
    Blocked,

    /// <summary>A handshake packet that nobody waits for.</summary>
    Unexpected,

    /// <summary>The connection has ended.</summary>
    ConnectionClosed,

    /// <summary>The layer above had no memory for its content; it is not acknowledged and will come again.</summary>
    Refused,

    /// <summary>An answer would have sent more to an unproved address than came from it.</summary>
    AmplificationLimited,
}
