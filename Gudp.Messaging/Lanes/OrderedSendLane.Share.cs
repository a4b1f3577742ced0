using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <content>What the lane may hold beside its ring: no more than it leaves to the other lanes (D-3.7).</content>
internal sealed partial class OrderedSendLane
{
    // Written by the leader.
    private long _largeBytesFreed;

    // Under the lane lock; what a writer was refused, 0 if he lacked something else.
    private int _wantedShare;

    // A glance.
    private long HeldBeside => Volatile.Read(ref _reservedLargeBytes) - Volatile.Read(ref _largeBytesFreed);

    // Under the lane lock. Whether another message may stand beside the ring, whose bytes are lent already but for these.
    private bool HasShare(int length, int toCome)
    {
        if (IsWithinShare(length, toCome))
        {
            return true;
        }

        // As in HasRoom; any room in the ring then stands for a share.
        Volatile.Write(ref _wantedShare, length);
        Volatile.Write(ref _wantedBytes, 1);
        Interlocked.MemoryBarrier();
        return IsWithinShare(length, toCome);
    }

    // One message may stand there in every case.
    private bool IsWithinShare(int length, int toCome)
        => HeldBeside == 0 || _memory.MayHold(HeldBeside + length, toCome);

    // Any thread. Without memory a lane that holds as much as it may is full, and hears of it as of any other room.
    private SendStatus RefusalOf(SendStatus status, int length)
    {
        if (status != SendStatus.PeerFull || HeldBeside == 0)
        {
            return status;
        }

        lock (_gate)
        {
            return HasShare(length, length) ? status : IsHeldByPeer ? SendStatus.NoCredit : SendStatus.LaneFull;
        }
    }
}
