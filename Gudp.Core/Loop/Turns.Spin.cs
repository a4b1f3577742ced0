using System;
using System.Threading;

namespace Gudp.Core.Loop;

// A wake through the kernel costs tens of microseconds: who holds the watch may look a few times before it sleeps. A look
// is a turn; there is no cheaper one, since only the kernel knows whether a datagram is there.
internal sealed partial class Turns
{
    // Twice what it takes to wake the other end, or two ends that both sleep never find each other awake.
    private static readonly TimeSpan SpinFor = TimeSpan.FromMicroseconds(60);

    // True: something was done, or the wait is over; look again. False: sleep now.
    private bool TrySpin(IWaitPlace? place, long token, TimeSpan limit)
    {
        if (_waiting == WaitingPolicy.Block || (_waiting == WaitingPolicy.Hybrid && !_spins.IsWorthIt()))
        {
            return false;
        }

        limit = limit < LongestWait ? limit : LongestWait;
        TimeSpan most = _waiting == WaitingPolicy.Spin || limit < SpinFor ? limit : SpinFor;
        long end = Volatile.Read(ref _lastTurn) + most.Ticks;

        do
        {
            // Whoever leads now may be waiting for this very processor.
            if (!TryRun(out int work, asks: false))
            {
                return false;
            }

            if (work > 0 || place?.IsOver(token) == true)
            {
                _spins.Note(hasPaid: true);
                return true;
            }

            if (!IsOpen || Volatile.Read(ref _isWanted) || _isStopAsked)
            {
                return true;
            }
        }
        while (Volatile.Read(ref _lastTurn) < end);

        _spins.Note(hasPaid: false);
        return false;
    }
}
