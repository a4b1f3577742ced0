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

    internal void Learn(in PayloadParameters peer)
    {
        LaneCreditBytes = peer.LaneCreditBytes;
        LargestMessageBytes = peer.LargestMessageBytes;
        Lanes = peer.Lanes;
        Volatile.Write(ref _isKnown, true);
    }
}
