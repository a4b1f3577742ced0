using System;

namespace Gudp.Core.Sockets;

/// <summary>
/// The sleep of one thread that any other can end, to a fraction of a millisecond where the system can; the framework's
/// own waits know whole ones only.
/// </summary>
internal sealed class Nap : IDisposable
{
    private readonly ISocketWaiter _waiter;
    private readonly WakeSignal _signal;

    private Nap()
    {
        _waiter = OffloadTrial.OfThisSystem.HasWait ? new PollWaiter() : new SelectWaiter();
        _signal = new WakeSignal(_waiter);
    }

    /// <summary>To be disposed once nobody sleeps.</summary>
    internal static Nap Open() => new();

    /// <summary>One thread. Returns at once if <see cref="End"/> was called since the last sleep.</summary>
    internal void Sleep(TimeSpan limit)
    {
        if (_signal.TrySleep())
        {
            _waiter.Wait([], limit);
            _signal.Rise();
        }
    }

    /// <summary>Any thread: ends the present sleep, or the next one.</summary>
    internal void End() => _signal.Set();

    public void Dispose() => _signal.Dispose();
}
