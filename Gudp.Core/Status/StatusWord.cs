// The state of a connection as one atomic number.
//
//   bits 31..24  final reasons. Written by an unconditional OR: ending needs no lock and always succeeds.
//   bits 23..0   working levels. Written by a compare-and-swap that gives up once a final bit is set.
//
// Always true:
//   - a final bit once set stays set, and the working bits no longer change;
//   - whenever a final bit can be seen, the close reason can be seen too: it is stored before the OR;
//   - every change of the word is followed by a signal to those who wait for one.
using System;
using System.Threading;
using System.Threading.Tasks;

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
    internal const uint PacketSizeReducedBit = 1u << 7;

    /// <summary>The bits that <see cref="TrySetLevels"/> writes.</summary>
    internal const uint LevelsMask
        = CongestionMask | PathValidatedBit | PeerSilentBit | SendQueueMask | PacketSizeReducedBit;

    private readonly StatusWaiters _waiters;
    private uint _word;
    private CloseReason? _reason;

    /// <param name="watch">Lets a thread run the turns it waits for; null: it only sleeps.</param>
    internal StatusWord(ITurnWatch? watch = null) => _waiters = new StatusWaiters(this, watch);

    /// <summary>Why it ended; never null once a final bit was seen.</summary>
    internal CloseReason? Reason => Volatile.Read(ref _reason);

    internal ConnectionStatus Read() => new(Volatile.Read(ref _word));

    /// <summary>Ends the connection. Always succeeds; later callers add their bits, the first reason stays.</summary>
    /// <returns>True for the one caller that turned it from working to final.</returns>
    internal bool End(FinalReasons reasons, CloseReason reason)
    {
        Invariant.Require(reasons != FinalReasons.None, "Ending needs a reason.");
        Invariant.Require(((uint)reasons & ~FinalMask) == 0, "A final reason may not touch the working bits.");

        // Before the bits: who sees the end must also see why (G17, S-8.2).
        Interlocked.CompareExchange(ref _reason, reason, null);
        uint before = Interlocked.Or(ref _word, (uint)reasons);
        _waiters.Signal();
        return before < LowestFinalBit;
    }

    /// <summary>
    /// The handshake is done, and with it the path is validated (S-8.4). False: the connection has ended.
    /// </summary>
    internal bool TrySetOpen() => TrySetWorking(OpenBit | PathValidatedBit, OpenBit | PathValidatedBit);

    /// <summary>
    /// Publishes all levels of a turn at once (S-8.1). Without a change it costs one read.
    /// </summary>
    /// <returns>False: the connection has ended.</returns>
    internal bool TrySetLevels(in WorkingLevels levels) => TrySetWorking(LevelsMask, levels.Bits);

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

            if (after == before)
            {
                return true;
            }

            uint seen = Interlocked.CompareExchange(ref _word, after, before);

            if (seen == before)
            {
                _waiters.Signal();
                return true;
            }

            before = seen;
        }

        return false;
    }

    /// <summary>Blocks until the word differs from <paramref name="since"/> within the mask, or is final.</summary>
    /// <returns>False: the time passed first.</returns>
    internal bool WaitForChange(StatusMask mask, ConnectionStatus since, TimeSpan timeout, out ConnectionStatus now)
    {
        now = Read();
        return HasChanged(mask, since, now) || _waiters.Wait(mask, since, timeout, out now);
    }

    /// <summary>As <see cref="WaitForChange"/>, without a thread.</summary>
    internal async ValueTask<ConnectionStatus> WaitForChangeAsync(
        StatusMask mask, ConnectionStatus since, CancellationToken cancellation)
    {
        while (true)
        {
            // Before the look: a change after it completes this task.
            Task next = _waiters.WhenSignalled();
            ConnectionStatus now = Read();

            if (HasChanged(mask, since, now))
            {
                return now;
            }

            await next.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    internal static bool HasChanged(StatusMask mask, ConnectionStatus since, ConnectionStatus now)
        => now.IsFinal || now.DiffersFrom(since, mask);
}

/// <summary>The levels one turn publishes; the bits of <see cref="StatusWord.LevelsMask"/>.</summary>
internal readonly record struct WorkingLevels(
    CongestionLevel Congestion, SendQueueLevel SendQueue, bool IsPathValidated, bool IsPacketSizeReduced,
    bool IsPeerSilent)
{
    internal uint Bits
        => (uint)Congestion
            | ((uint)SendQueue << StatusWord.SendQueueShift)
            | (IsPathValidated ? StatusWord.PathValidatedBit : 0)
            | (IsPacketSizeReduced ? StatusWord.PacketSizeReducedBit : 0)
            | (IsPeerSilent ? StatusWord.PeerSilentBit : 0);
}
