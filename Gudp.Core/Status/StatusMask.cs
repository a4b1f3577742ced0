using System;

namespace Gudp.Core;

/// <summary>
/// Which parts of a <see cref="ConnectionStatus"/> <see cref="Connection.WaitForChange"/> waits for. The end of a
/// connection is waited for in every case.
/// </summary>
[Flags]
public enum StatusMask : uint
{
    /// <summary>Nothing but the end.</summary>
    None = 0,

    /// <summary><see cref="ConnectionStatus.Congestion"/>.</summary>
    Congestion = StatusWord.CongestionMask,

    /// <summary><see cref="ConnectionStatus.IsOpen"/>: the handshake is done.</summary>
    Open = StatusWord.OpenBit,

    /// <summary><see cref="ConnectionStatus.IsPathValidated"/>.</summary>
    PathValidated = StatusWord.PathValidatedBit,

    /// <summary><see cref="ConnectionStatus.IsPeerSilent"/>.</summary>
    PeerSilent = StatusWord.PeerSilentBit,

    /// <summary><see cref="ConnectionStatus.SendQueueLevel"/>.</summary>
    SendQueue = StatusWord.SendQueueMask,

    /// <summary><see cref="ConnectionStatus.IsPacketSizeReduced"/>.</summary>
    PacketSizeReduced = StatusWord.PacketSizeReducedBit,

    /// <summary>Every working level.</summary>
    All = Congestion | Open | PathValidated | PeerSilent | SendQueue | PacketSizeReduced,
}
