using System;
using System.Threading;

namespace Gudp.Core.Loop;

// The turn lock: one integer, 0 or the leader's thread. Taken by compare and exchange, never waited for, never re-entered.
//
// Releasing it is a write, a full fence, and a look at what was asked for meanwhile. Asking is the mirror of it: publish,
// try the lock, and if it is taken say so, a full fence, and try once more. So either the asker gets the lock, or the
// leader sees that it was asked: nothing published by somebody who wanted a turn waits for a turn that nobody runs.
internal sealed partial class EventLoop
{
    private int _leader;
    private int _isAsked;

    /// <summary>True while this thread is inside a turn.</summary>
    internal bool IsLedByCaller => Volatile.Read(ref _leader) == Environment.CurrentManagedThreadId;

    /// <summary>Somebody wanted a turn and did not get the lock. Any thread.</summary>
    internal bool IsAsked => Volatile.Read(ref _isAsked) != 0;

    /// <summary>Users have published something that no turn has taken yet. Any thread.</summary>
    internal bool HasPublished
        => !_touched.IsEmpty || !_commands.IsEmpty || Volatile.Read(ref _isReleaseAsked) != 0;

    /// <summary>Takes the lock unless somebody has it. Not from inside a turn.</summary>
    internal bool TryLead()
        => Volatile.Read(ref _leader) == 0
            && Interlocked.CompareExchange(ref _leader, Environment.CurrentManagedThreadId, 0) == 0;

    /// <summary>
    /// As <see cref="TryLead"/>, and if somebody else leads, that one runs another turn before it lets go for good.
    /// </summary>
    internal bool TryLeadOrAsk()
    {
        if (TryLead())
        {
            return true;
        }

        // The exchange is the fence between asking and the second try; the leader's is in Release.
        Interlocked.Exchange(ref _isAsked, 1);
        return TryLead();
    }

    /// <summary>Whoever leads, or is to lead next, runs a turn. Any thread; wakes nobody.</summary>
    internal void Ask() => Interlocked.Exchange(ref _isAsked, 1);

    /// <summary>Gives the lock back.</summary>
    /// <returns>True: somebody asked meanwhile, and whoever releases runs another turn or sees to it.</returns>
    internal bool Release()
    {
        Volatile.Write(ref _leader, 0);

        // Between letting go and looking: see TryLeadOrAsk.
        Interlocked.MemoryBarrier();
        return IsAsked;
    }

    /// <summary>One bounded pass, by the thread that calls: nobody else leads now.</summary>
    /// <returns>How much was done; zero lets the caller wait.</returns>
    internal int Turn(Instant now)
    {
        SpinWait spin = default;

        // A sender that came too late for the daemon's end holds the lock for a moment, sees that, and lets go.
        while (!TryLead())
        {
            Invariant.Require(!IsLedByCaller, "A turn is led by one thread at a time and never re-entered.");
            spin.SpinOnce();
        }

        try
        {
            return LedTurn(now);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>One bounded pass by whoever holds the lock.</summary>
    /// <returns>How much was done; zero lets the caller wait.</returns>
    internal int LedTurn(Instant now)
    {
        // Before anything is read: who asks from now on wants another turn.
        if (IsAsked)
        {
            Interlocked.Exchange(ref _isAsked, 0);
        }

        // A clock may stand still between turns, and a caller's may lag: time never goes backwards in here.
        now = Instant.Later(now, _lastTurn);
        _quickTurns = now - _lastTurn <= QuickTurn ? Math.Min(_quickTurns + 1, QuickTurnsInARow) : 0;
        _lastTurn = now;
        _counters.Turns++;

        _isPumpedFast = false;              // after a pause everything is read
        int work = RecoverFromOwnPause(now);
        int published = RunCommands(now);
        _isPumpedFast = IsPumped && work == 0 && _quickTurns == QuickTurnsInARow
            && now >= _streamUntil;
        _hasNews = published > 0;
        work += published;
        work += ReceiveDatagrams(now);      // before transmitting, so that acknowledgements ride on data
        work += FireDeadlines(now);         // before transmitting, so that probes leave in the same turn
        work += TransmitDatagrams(now);
        return work;
    }
}
