using System;

namespace Gudp.Messaging;

/// <summary>Which of the peers an endpoint knows; of several, a peer needs to be one.</summary>
[Flags]
public enum PeerFilter
{
    /// <summary>Nobody.</summary>
    None = 0,

    /// <summary>Connected now: the handshake is done and the connection has not ended.</summary>
    Active = 1,

    /// <summary>Wished to be connected, whether it is or not; <see cref="Peer.Pin"/>.</summary>
    Pinned = 2,

    /// <summary>Its messages are dropped; <see cref="Peer.Block"/>.</summary>
    Blocked = 4,

    /// <summary>Everybody the endpoint knows: these, those being dialled, and those gone with unread messages.</summary>
    Known = 8,
}

/// <summary>A change of the set of active peers, as <see cref="MessageEndpoint.TakePeerChanges"/> tells it.</summary>
/// <param name="Peer">Whose.</param>
/// <param name="Change">
/// <see cref="PeerChange.Opened"/>: it is active now, and was not, or on another connection;
/// <see cref="PeerChange.Restarted"/>: the same, as another process; <see cref="PeerChange.Closed"/>: it was active and
/// is not.
/// </param>
/// <param name="Incarnation">Of the connection that is active now; 0 if it is closed.</param>
public readonly record struct PeerEvent(Peer Peer, PeerChange Change, int Incarnation);
