// Who runs the turns of a daemon that was started: whoever is there. A thread that sends, a thread that waits, or the
// daemon's own, which is the leader of last resort (decision 20).
//
// A turn per send would cost a stream its speed 200 times over. So a send leads at once only if nothing is in flight on
// its connection, or no turn was lately; else when a full run waits. What is left, the tail, leaves with whatever turn
// comes next (an ack, a wait, a deadline), and after TailDelay at the latest: somebody is awake by then, see Cover.
//
// Always true:
//   - no thread leads before Open or after Close has returned;
//   - what was published is taken by a turn that began after it, or _tailAt says when one will be, or the loop's thread
//     was woken;
//   - whoever sleeps has said until when (_watchUntil, _restUntil) before it looked for the last time.
using System;
using System.Threading;
using Gudp.Core.Sockets;
using Gudp.Core.Wire;

namespace Gudp.Core.Loop;

/// <summary>Leader and followers of one daemon; see the comment on top. Any thread.</summary>
internal sealed partial class Turns : ITurnWatch
{
    /// <summary>A send that finds so much waiting on its connection leads: it fills a run of datagrams.</summary>
    internal const int FullRunBytes = WireFormat.MaxDatagramBytes;

    // Sleeps until so long after what was promised are good enough: the system's timers are no finer.
    private const long SlackTicks = 50 * TimeSpan.TicksPerMicrosecond;

    // A leader that others keep asking goes its own way after so many turns; the loop's thread goes on.
    private const int MostRounds = 4;

    /// <summary>What is sent while other packets are in flight waits so long for company at most.</summary>
    internal static readonly TimeSpan TailDelay = TimeSpan.FromMicroseconds(200);

    // Whoever sends more seldom than this is no stream, and waits for nothing.
    private static readonly TimeSpan Lately = TimeSpan.FromMicroseconds(50);

    private readonly EventLoop _loop;
    private readonly IDatagramNetwork _network;
    private readonly LoopClock _clock;
    private readonly WaitingPolicy _waiting;
    private SpinScore _spins;       // of who holds the watch
    private Nap? _nap;
    private Action<Exception>? _onFault;
    private bool _isOpen;
    private int _isFaulting;
    private int _callers;
    private long _lastTurn;
    private long _next = Instant.Never.Ticks;
    private long _tailAt;
    private int _tails;

    internal Turns(EventLoop loop, IDatagramNetwork network, LoopClock clock, WaitingPolicy waiting)
    {
        _waiting = waiting;
        _loop = loop;
        _network = network;
        _clock = clock;
    }

    private bool IsOpen => Volatile.Read(ref _isOpen);

    /// <summary>
    /// Turns call code of the user's (sinks), which must not run inside a plain send: only who waits, and the loop's
    /// thread, lead. Counts endpoints that do; none of them takes it back.
    /// </summary>
    internal void CountCaller() => Interlocked.Increment(ref _callers);

    /// <summary>From now on every thread may lead.</summary>
    /// <param name="onFault">
    /// Called by the thread whose turn threw, once, after the last turn: nobody leads any more.
    /// </param>
    internal void Open(Action<Exception> onFault)
    {
        _nap = Nap.Open();
        _spins = new SpinScore();
        _onFault = onFault;
        Volatile.Write(ref _isOpen, true);
    }

    /// <summary>Nobody leads or watches when this returns. Not from inside a turn; the loop's thread has ended.</summary>
    internal void Close()
    {
        Shut();
        SpinWait spin = default;

        lock (_gate)
        {
            while (_holder == Holder.User)
            {
                Monitor.Wait(_gate);
            }
        }

        // Whoever gets the lock from now on sees that it is over.
        while (!_loop.TryLead() || Volatile.Read(ref _isFaulting) != 0)
        {
            if (_loop.IsLedByCaller)
            {
                _loop.Release();
            }

            spin.SpinOnce();
        }

        _loop.Release();
        _nap?.Dispose();
    }

    /// <summary>Any thread, after publishing something that is wanted soon but belongs to no connection in particular.</summary>
    internal void OnPublished()
    {
        if (!IsOpen)
        {
            _network.Wake();
        }
        else if (!_loop.IsLedByCaller)
        {
            // Who asks may hold a lock and stand in the middle of changing what a turn reads: it does not lead.
            Summon();
        }
    }

    /// <summary>Any thread, after a connection was touched.</summary>
    /// <param name="leadsNow">Nothing is in flight that would bring a turn: the sender is not to wait.</param>
    /// <param name="isFullRun">So much waits that it fills a run: as above.</param>
    /// <param name="isSend">Somebody sent something; false: a fact for the peer that may wait for company.</param>
    internal void OnTouched(bool leadsNow, bool isFullRun, bool isSend)
    {
        if (!IsOpen)
        {
            _network.Wake();
            return;
        }

        // Inside a turn nothing need be said: before who leads goes to sleep, it looks.
        if (_loop.IsLedByCaller)
        {
            return;
        }

        if (isFullRun && Volatile.Read(ref _callers) == 0)
        {
            if (TryRun(out _))
            {
                // The next run brings the next look at the sockets.
                Volatile.Write(ref _leaseUntil, Volatile.Read(ref _lastTurn) + Lease.Ticks);
                CoverNext(Volatile.Read(ref _leaseUntil));
            }
        }
        else if (leadsNow || isFullRun || (isSend && (Volatile.Read(ref _callers) > 0 || !WasTurnLately())))
        {
            LeadOrSummon();
        }
        else
        {
            LeaveTail();
        }
    }

    /// <summary>Runs a turn unless another thread does, and more while others ask.</summary>
    /// <param name="work">What was done.</param>
    /// <param name="asks">If somebody else leads: that one runs one more turn.</param>
    /// <returns>False: somebody else leads.</returns>
    internal bool TryRun(out int work, bool asks = true)
    {
        work = 0;

        for (int rounds = 1; ; rounds++)
        {
            if (!(asks ? _loop.TryLeadOrAsk() : _loop.TryLead()))
            {
                return rounds > 1;
            }

            bool isAsked;

            try
            {
                work += IsOpen ? RunOne() : 0;
            }
            catch (Exception fault)
            {
                // A rule of our own was broken, or a sink threw: stop, say so, wake everybody. Going on could corrupt
                // peers. Nobody else leads from here on.
                Volatile.Write(ref _isFaulting, 1);
                Shut();
                _loop.Release();
                End(fault);
                return true;
            }

            isAsked = _loop.Release();

            if (!isAsked || !IsOpen)
            {
                return true;
            }

            if (rounds == MostRounds)
            {
                Summon();
                return true;
            }
        }
    }

    private void End(Exception fault)
    {
        try
        {
            _onFault!(fault);
        }
        finally
        {
            Volatile.Write(ref _isFaulting, 0);
        }
    }

    // Nobody begins to lead or to watch any more; who does, ends it soon.
    private void Shut()
    {
        Volatile.Write(ref _isOpen, false);
        _network.Wake();
        _nap?.End();

        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private int RunOne()
    {
        Instant now = _clock.Now;

        // Before the turn takes what was published, with a fence: who publishes later says anew when it is due.
        if (Volatile.Read(ref _tailAt) != 0)
        {
            Interlocked.Exchange(ref _tailAt, 0);
        }

        int work = _loop.LedTurn(now);
        Volatile.Write(ref _next, _loop.NextDeadline(now).Ticks);
        Volatile.Write(ref _lastTurn, now.Ticks);

        if (work > 0)
        {
            _loop.NoteTurnEnd(_clock.Now);
        }

        return work;
    }

    private bool WasTurnLately() => _clock.Now.Ticks - Volatile.Read(ref _lastTurn) < Lately.Ticks;

    private void LeadOrSummon()
    {
        if (Volatile.Read(ref _callers) > 0)
        {
            Summon();
            return;
        }

        if (TryRun(out _))
        {
            CoverNext(Instant.Never.Ticks);
        }
    }

    // The deadlines the last turn made, or the moment given if that comes first. What it had left to do at once (the rest
    // of a run, a budget used up) goes with the next turn, as other tails do: whoever streams runs one soon.
    private void CoverNext(long at)
    {
        long next = Volatile.Read(ref _next);

        if (next <= Volatile.Read(ref _lastTurn))
        {
            LeaveTail();
            next = Instant.Never.Ticks;
        }

        long tail = Volatile.Read(ref _tailAt);
        next = Math.Min(next, at);
        Cover(tail == 0 ? next : Math.Min(next, tail));
    }

    private void LeaveTail()
    {
        if (Volatile.Read(ref _tailAt) != 0)
        {
            // Published before this look, with the fence of the touch: the turn that takes the tail takes this too.
            return;
        }

        long at = _clock.Now.Ticks + TailDelay.Ticks;

        if (Interlocked.CompareExchange(ref _tailAt, at, 0) == 0)
        {
            Interlocked.Increment(ref _tails);
            Cover(at);
        }
    }

    // A turn is wanted now, and not of this thread.
    private void Summon()
    {
        _loop.Ask();

        if (_holder != Holder.Nobody)
        {
            _network.Wake();
        }
        else
        {
            _nap!.End();
        }
    }

    // Somebody is to be awake by then. The moment was published, and a fence came after it; whoever sleeps has said until
    // when before its last look, with a fence between. So one of the two sees the other.
    private void Cover(long at)
    {
        long latest = at > Instant.Never.Ticks - SlackTicks ? at : at + SlackTicks;

        if (Volatile.Read(ref _watchUntil) <= latest || Volatile.Read(ref _restUntil) <= latest)
        {
            return;
        }

        if (_holder == Holder.Loop)
        {
            _network.Wake();
        }
        else
        {
            _nap!.End();
        }
    }
}
