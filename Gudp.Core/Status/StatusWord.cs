// The state of a connection as one atomic number.
//
//   bits 31..24  final reasons. Written by an unconditional OR: ending needs no lock and always succeeds.
//   bits 23..0   working levels. Written by a compare-and-swap that gives up once a final bit is set.
//
// Always true:
//   - a final bit once set stays set, and the working bits no longer change;
//   - whenever a final bit can be seen, the close reason can be seen too: it is stored before the OR.
using System.Threading;

namespace Gudp.Core;

/// <summary>
/// State of a connection that any thread may read and end, without a lock (G9, G12-G15, G17). All members may be called
/// by any thread at any time.
/// </summary>
internal sealed class StatusWord
{
    internal const uint LowestFinalBit = 1u << 24;
    internal const uint FinalMask = ~(LowestFinalBit - 1);
    internal const uint CongestionMask = 0b11;
    internal const uint OpenBit = 1u << 2;
    internal const uint PathValidatedBit = 1u << 3;
    internal const uint PeerSilentBit = 1u << 4;
    internal const uint SendQueueMask = 0b11 << SendQueueShift;
    internal const int SendQueueShift = 5;

    private uint _word;
    private CloseReason? _reason;

    /// <summary>Why it ended; never null once a final bit was seen.</summary>
    internal CloseReason? Reason => Volatile.Read(ref _reason);

    internal ConnectionStatus Read() => new(Volatile.Read(ref _word));

    /// <summary>Ends the connection. Always succeeds; later callers add their bits, the first reason stays.</summary>
    /// <returns>True for the one caller that turned it from working to final.</returns>
    internal bool End(FinalReasons reasons, CloseReason reason)
    {
        Invariant.Require(reasons != FinalReasons.None, "Ending needs a reason.");
        Invariant.Require(((uint)reasons & ~FinalMask) == 0, "A final reason may not touch the working bits.");

        // Before the bits: who sees the end must also see why (G17).
        Interlocked.CompareExchange(ref _reason, reason, null);
        uint before = Interlocked.Or(ref _word, (uint)reasons);
        return before < LowestFinalBit;
    }

    /// <summary>Publishes the congestion level. False: the connection has ended.</summary>
    internal bool TrySetCongestion(CongestionLevel level) => TrySetWorking(CongestionMask, (uint)level);

    /// <summary>The handshake is done. False: the connection has ended.</summary>
    internal bool TrySetOpen() => TrySetWorking(OpenBit, OpenBit);

    /// <summary>The peer has proven to receive at its address. False: the connection has ended.</summary>
    internal bool TrySetPathValidated(bool isValidated)
        => TrySetWorking(PathValidatedBit, isValidated ? PathValidatedBit : 0);

    /// <summary>A heartbeat of the peer is overdue. False: the connection has ended.</summary>
    internal bool TrySetPeerSilent(bool isSilent) => TrySetWorking(PeerSilentBit, isSilent ? PeerSilentBit : 0);

    /// <summary>How full the send queue is, in quarters. False: the connection has ended.</summary>
    internal bool TrySetSendQueueLevel(int quarters)
    {
        Invariant.Require(quarters is >= 0 and <= 3, "The level of the send queue is 0 to 3.");
        return TrySetWorking(SendQueueMask, (uint)quarters << SendQueueShift);
    }

    /// <summary>
    /// Replaces the working bits under <paramref name="mask"/>. Final never becomes working (G12, G13).
    /// </summary>
    /// <returns>False: the connection has ended and nothing was changed.</returns>
    internal bool TrySetWorking(uint mask, uint value)
    {
        Invariant.Require((mask & FinalMask) == 0, "Working levels may not touch the final bits.");
        Invariant.Require((value & ~mask) == 0, "The value has bits outside its mask.");

        uint before = Volatile.Read(ref _word);

        while (before < LowestFinalBit)
        {
            uint after = (before & ~mask) | value;
            uint seen = after == before ? before : Interlocked.CompareExchange(ref _word, after, before);

            if (seen == before)
            {
                return true;
            }

            before = seen;
        }

        return false;
    }
}
