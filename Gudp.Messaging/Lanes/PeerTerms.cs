using System;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <summary>What the peer allows: known once the handshake is done, read by every thread that sends.</summary>
internal sealed class PeerTerms
{
    private bool _isKnown;

    internal bool IsKnown => Volatile.Read(ref _isKnown);

    internal long LaneCreditBytes { get; private set; }

    internal long LargestMessageBytes { get; private set; }

    internal int Lanes { get; private set; }

    /// <summary>
    /// Half of the connection's credit beyond a largest message: what a message lane that is not read leaves to the
    /// others (D-8.3).
    /// </summary>
    internal long ReserveBytes { get; private set; }

    /// <summary>What others can go on with while credit is kept for a large message (D-8.9).</summary>
    internal long LeftBesideKept => ReserveBytes / 4;

    internal void Learn(in PayloadParameters peer)
    {
        LaneCreditBytes = peer.LaneCreditBytes;
        LargestMessageBytes = peer.LargestMessageBytes;
        Lanes = peer.Lanes;
        ReserveBytes = Math.Max(0, peer.ConnectionCreditBytes - peer.LargestMessageBytes) / 2;
        Volatile.Write(ref _isKnown, true);
    }
}
