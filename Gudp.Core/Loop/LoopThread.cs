using System;
using System.Threading;
using Gudp.Core.Sockets;

namespace Gudp.Core.Loop;

/// <summary>The daemon's thread: turn, wait, turn. Ends when asked to, or with the fault that stopped it.</summary>
internal sealed class LoopThread
{
    // How long an idle loop sleeps at most; a wake or a datagram ends it earlier.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly EventLoop _loop;
    private readonly IDatagramNetwork _network;
    private readonly LoopClock _clock;
    private readonly WaitingPolicy _waiting;
    private readonly Action<Exception> _onFault;
    private readonly Thread _thread;
    private volatile bool _stopAsked;

    internal LoopThread(
        string name,
        EventLoop loop,
        IDatagramNetwork network,
        LoopClock clock,
        WaitingPolicy waiting,
        Action<Exception> onFault)
    {
        _loop = loop;
        _network = network;
        _clock = clock;
        _waiting = waiting;
        _onFault = onFault;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    internal bool IsCurrent => Thread.CurrentThread == _thread;

    internal void Start() => _thread.Start();

    /// <summary>Asks for the end and waits for it. Not from the loop thread itself.</summary>
    internal void Stop()
    {
        _stopAsked = true;
        _network.Wake();
        _thread.Join();
    }

    private void Run()
    {
        try
        {
            while (!_stopAsked)
            {
                int work = _loop.Turn(_clock.Now);
                _loop.NoteTurnEnd(_clock.Now);

                if (work == 0)
                {
                    Wait();
                }
            }
        }
        catch (Exception fault)
        {
            // A rule of our own was broken, or a sink threw: stop, say so, wake everybody. Going on could corrupt
            // peers.
            _onFault(fault);
        }
    }

    private void Wait()
    {
        Instant now = _clock.Now;
        TimeSpan limit = UntilNext(now);

        if (limit <= TimeSpan.Zero)
        {
            return;
        }

        if (_waiting != WaitingPolicy.Block && SpinUntilWork(now))
        {
            return;
        }

        _network.Wait(limit);
    }

    private TimeSpan UntilNext(Instant now)
    {
        Instant next = _loop.NextDeadline(now);
        return next.IsNever || next - now > LongestWait ? LongestWait : next - now;
    }

    /// <summary>A wake through the kernel costs tens of microseconds: look a few times before parking.</summary>
    private bool SpinUntilWork(Instant start)
    {
        TimeSpan spinFor = _waiting == WaitingPolicy.Spin ? LongestWait : TimeSpan.FromTicks(200);
        SpinWait spin = default;

        while (!_stopAsked && _clock.Now - start < spinFor)
        {
            if (_network.Wait(TimeSpan.Zero) || _loop.NextDeadline(_clock.Now) <= _clock.Now)
            {
                return true;
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }

        return false;
    }
}

/// <summary>The one place that turns a <see cref="TimeProvider"/> into the engine's moments.</summary>
internal sealed class LoopClock
{
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly bool _isInTicks;

    internal LoopClock(TimeProvider time)
    {
        _time = time;

        // The engine adds spans to moments: an origin of its own keeps them far from both ends of the range.
        _origin = time.GetTimestamp();

        // Virtual time needs no conversion, which would be floating point and be asked for at every turn.
        _isInTicks = time.TimestampFrequency == TimeSpan.TicksPerSecond;
    }

    internal Instant Now => _isInTicks
        ? new(_time.GetTimestamp() - _origin)
        : new(_time.GetElapsedTime(_origin).Ticks);
}
