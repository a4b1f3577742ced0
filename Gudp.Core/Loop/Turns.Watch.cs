using System;
using System.Threading;
using Gudp.Core.Buffers;

namespace Gudp.Core.Loop;

// The watch: exactly one thread waits in the kernel for all sockets of the daemon, without the turn lock, until the
// earliest deadline. The daemon's own thread has it, unless a single user thread waits for something: that one takes it,
// runs the turns itself and leaves when it has what it wanted. For a lease after that nobody takes the watch back, since
// it is likely to come again; who streams and runs a turn for each full run has such a lease too, or every ack would wake
// a thread beside it; the loop's thread sleeps until the lease is over, and without a limit while a user has been
// in the kernel for longer than one. An idle daemon has no tick.
//
// Always true:
//   - who is in the kernel holds the watch; the holder changes under _gate;
//   - a user takes the watch only if no other thread or task waits. If one comes, it is served by the turns of the
//     holder; when the holder leaves, by the loop's thread at once.
internal sealed partial class Turns
{
    private const long Awake = 0;

    /// <summary>After a user left the watch: the time in which it may come back without waking anybody.</summary>
    internal static readonly TimeSpan Lease = TimeSpan.FromMilliseconds(1);

    // How long an idle daemon sleeps at most.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly object _gate = new();
    private volatile Holder _holder;
    private int _users;         // threads in Wait; under the gate
    private int _tasks;         // under the gate
    private volatile bool _isStopAsked;
    private bool _isWanted;     // by a user, of the loop's thread
    private int _watcher;       // the user thread that took it last
    private int _takes;         // how often a user took the watch
    private int _takesSeen;     // the loop's thread: as of its last look
    private int _tailsSeen;     // the same, of _tails
    private long _leaseUntil;
    private long _watchUntil = Instant.Never.Ticks;     // of who sleeps in the kernel; Never: nobody does
    private long _restUntil = Instant.Never.Ticks;      // of the loop's thread, while it has not the watch

    private enum Holder
    {
        Nobody,
        Loop,
        User,
    }

    /// <inheritdoc/>
    public bool Wait(IWaitPlace place, long token, TimeSpan limit)
    {
        // What is left of a limit may happen to be what elsewhere means for ever.
        limit = limit > TimeSpan.Zero ? limit : TimeSpan.Zero;

        if (!IsOpen || _loop.IsLedByCaller)
        {
            return place.Park(token, limit);
        }

        if (place.IsOver(token))
        {
            return true;
        }

        if (limit <= TimeSpan.Zero)
        {
            LeadForPublished();
            return place.IsOver(token);
        }

        WaitLimit left = new(limit);
        bool hasWatch = Enter(left);
        bool isIn = true;

        try
        {
            if (hasWatch && TryWatch(place, token, left, out bool isOver))
            {
                return isOver;
            }

            if (hasWatch)
            {
                // The daemon is ending: who ends it waits for the watch, and this wait for the end.
                Leave(hasWatch: true);
                isIn = false;
            }

            LeadForPublished();
            return place.Park(token, left.Left);
        }
        finally
        {
            if (isIn)
            {
                Leave(hasWatch);
            }
        }
    }

    /// <inheritdoc/>
    public void Nudge()
    {
        // Who holds the watch looks after each turn it runs itself. The loop's thread has no place, unless a user waits
        // for its watch: then it is about to be given away.
        if (_holder == Holder.User && Volatile.Read(ref _watcher) != Environment.CurrentManagedThreadId)
        {
            _network.Wake();
        }
    }

    /// <inheritdoc/>
    public void BeginTask()
    {
        lock (_gate)
        {
            _tasks++;
            HandleNewcomer();
        }
    }

    /// <inheritdoc/>
    public void EndTask()
    {
        lock (_gate)
        {
            _tasks--;
        }
    }

    // Who is about to sleep sees to what it sent.
    private void LeadForPublished()
    {
        if (_loop.HasPublished && IsOpen)
        {
            LeadOrSummon();
        }
    }

    private bool IsAlone => _users + _tasks == 1;

    private bool Enter(in WaitLimit limit)
    {
        lock (_gate)
        {
            _users++;

            if (!IsOpen || !IsAlone || _holder == Holder.User)
            {
                HandleNewcomer();
                return false;
            }

            if (_holder == Holder.Loop && !TryTakeFromLoopOrGo(limit))
            {
                return false;
            }

            _takes++;
            Volatile.Write(ref _watcher, Environment.CurrentManagedThreadId);
            Volatile.Write(ref _watchUntil, Awake);
            _holder = Holder.User;
            return true;
        }
    }

    // Under the gate. One more waits, and does not take the watch.
    private void HandleNewcomer()
    {
        if (_isWanted)
        {
            Monitor.PulseAll(_gate);
        }

        if (_holder == Holder.Nobody)
        {
            _nap?.End();
        }
    }

    // Under the gate. Who is interrupted on the way has never been here.
    private bool TryTakeFromLoopOrGo(in WaitLimit limit)
    {
        try
        {
            return TryTakeFromLoop(limit);
        }
        catch (ThreadInterruptedException)
        {
            _users--;
            HandleNewcomer();
            throw;
        }
    }

    private bool TryTakeFromLoop(in WaitLimit limit)
    {
        Volatile.Write(ref _isWanted, true);
        _network.Wake();

        try
        {
            for (int left = limit.NextMilliseconds; left > 0 && _holder == Holder.Loop && IsOpen && IsAlone;
                left = limit.NextMilliseconds)
            {
                Monitor.Wait(_gate, left);
            }
        }
        finally
        {
            Volatile.Write(ref _isWanted, false);
        }

        if (_holder == Holder.Nobody && IsOpen && IsAlone)
        {
            return true;
        }

        HandleNewcomer();
        return false;
    }

    private void Leave(bool hasWatch)
    {
        bool areOthersThere;

        lock (_gate)
        {
            _users--;

            if (!hasWatch)
            {
                return;
            }

            areOthersThere = _users + _tasks > 0;
            Volatile.Write(ref _leaseUntil, areOthersThere ? 0 : Volatile.Read(ref _lastTurn) + Lease.Ticks);
            Volatile.Write(ref _watchUntil, Instant.Never.Ticks);
            _holder = Holder.Nobody;

            if (!IsOpen)
            {
                Monitor.PulseAll(_gate);
                return;
            }
        }

        // Between leaving and looking at what was left to the holder.
        Interlocked.MemoryBarrier();

        if (areOthersThere || _loop.IsAsked)
        {
            _nap!.End();
        }
        else
        {
            CoverNext(Volatile.Read(ref _leaseUntil));
        }
    }

    // True: the wait is over, or its time. False: the daemon is ending, or others lead in a way that only they can say.
    private bool TryWatch(IWaitPlace place, long token, in WaitLimit limit, out bool isOver)
    {
        while (IsOpen)
        {
            TryRun(out int work);
            isOver = place.IsOver(token);

            if (isOver)
            {
                return true;
            }

            // Also while there is always something to do: for others, perhaps.
            TimeSpan left = limit.Left;

            if (left <= TimeSpan.Zero)
            {
                return true;
            }

            if (work > 0)
            {
                continue;
            }

            if (!TrySpin(place, token, left))
            {
                SleepInKernel(left, isLoop: false);
            }

            // Others may have led meanwhile.
            isOver = place.IsOver(token);

            if (isOver)
            {
                return true;
            }
        }

        isOver = false;
        return false;
    }

    /// <summary>The loop's thread, all its life.</summary>
    internal void ServeUntilStopped()
    {
        while (IsOpen && !_isStopAsked)
        {
            if (TryTakeForLoop())
            {
                WatchForAll();
            }
            else
            {
                Rest();
            }
        }
    }

    /// <summary>Ends <see cref="ServeUntilStopped"/> soon. Any thread.</summary>
    internal void AskToStop()
    {
        _isStopAsked = true;
        _network.Wake();
        _nap!.End();
    }

    private bool TryTakeForLoop()
    {
        lock (_gate)
        {
            if (_holder != Holder.Nobody || _isWanted || IsLeased)
            {
                return false;
            }

            Volatile.Write(ref _watchUntil, Awake);
            _holder = Holder.Loop;
            Volatile.Write(ref _restUntil, Instant.Never.Ticks);
            return true;
        }
    }

    // Somebody runs turns all the time, or will come back to the watch; and nobody else waits.
    private bool IsLeased => Volatile.Read(ref _leaseUntil) != 0
        && Volatile.Read(ref _users) + Volatile.Read(ref _tasks) == 0
        && _clock.Now.Ticks < Volatile.Read(ref _leaseUntil);

    private void WatchForAll()
    {
        while (IsOpen && !Volatile.Read(ref _isWanted) && !_isStopAsked)
        {
            TryRun(out int work);

            if (IsLeased)
            {
                break;
            }

            if (work == 0 && !TrySpin(place: null, token: 0, LongestWait))
            {
                SleepInKernel(LongestWait, isLoop: true);
            }
        }

        lock (_gate)
        {
            Volatile.Write(ref _restUntil, Awake);
            Volatile.Write(ref _watchUntil, Instant.Never.Ticks);
            _holder = Holder.Nobody;
            Monitor.PulseAll(_gate);
        }
    }

    // Says until when, a fence, looks again, sleeps.
    private void SleepInKernel(TimeSpan limit, bool isLoop)
    {
        Instant now = _clock.Now;
        limit = limit < LongestWait ? limit : LongestWait;
        long until = Math.Min((now + limit).Ticks, Volatile.Read(ref _next));
        until = isLoop ? Math.Min(until, NextTail(now)) : until;
        Volatile.Write(ref _watchUntil, until);
        Interlocked.MemoryBarrier();

        if (until > now.Ticks && !IsWantedBefore(until) && !(isLoop && (_isWanted || _isStopAsked)) && IsOpen)
        {
            _network.Wait(new TimeSpan(until - now.Ticks));
        }

        Volatile.Write(ref _watchUntil, Awake);
    }

    // Something was published after the last turn that does not wait so long. What wakes this thread from now on is heard.
    private bool IsWantedBefore(long until)
    {
        long tail = Volatile.Read(ref _tailAt);
        return _loop.IsAsked || (tail != 0 && tail < until) || Volatile.Read(ref _next) < until;
    }

    // While tails come the loop's thread is up to look after them, and need not be woken for each.
    private long NextTail(Instant now)
    {
        long tail = Volatile.Read(ref _tailAt);
        int tails = Volatile.Read(ref _tails);
        long next = tail != 0 ? tail
            : tails != _tailsSeen ? (now + TailDelay).Ticks
            : Instant.Never.Ticks;
        _tailsSeen = tails;
        return next;
    }

    // A user has the watch, or has just left it.
    private void Rest()
    {
        Instant now = _clock.Now;
        Holder holder = _holder;
        long next = Volatile.Read(ref _next);
        long until = NextTail(now);
        int takes = Volatile.Read(ref _takes);

        // What the last turn left to do at once is a tail, unless nobody said so.
        next = next <= Volatile.Read(ref _lastTurn) && Volatile.Read(ref _tailAt) != 0 ? Instant.Never.Ticks : next;
        until = IsLeftToRest(holder, next) ? Math.Min(until, next) : until;

        if (holder == Holder.Nobody)
        {
            until = Math.Min(until, Volatile.Read(ref _leaseUntil));
        }
        else if (takes != _takesSeen)
        {
            until = Math.Min(until, (now + Lease).Ticks);
        }

        _takesSeen = takes;

        if (until <= now.Ticks || _loop.IsAsked)
        {
            TryRun(out _);
            return;
        }

        Volatile.Write(ref _restUntil, until);
        Interlocked.MemoryBarrier();
        long tail = Volatile.Read(ref _tailAt);
        next = Volatile.Read(ref _next);

        if (_holder == holder && !_loop.IsAsked && (tail == 0 || tail >= until)
            && (tail != 0 || next >= until || !IsLeftToRest(holder, next)) && IsOpen && !_isStopAsked)
        {
            _nap!.Sleep(until == Instant.Never.Ticks ? LongestWait : new TimeSpan(until - now.Ticks));
        }

        Volatile.Write(ref _restUntil, Awake);
    }

    // A user in the kernel keeps the deadlines it knew of when it went to sleep; a sender's turn may have made an earlier
    // one, and wakes the loop's thread for it, not the user.
    private bool IsLeftToRest(Holder holder, long next)
        => holder == Holder.Nobody || next < Volatile.Read(ref _watchUntil) - SlackTicks;
}
