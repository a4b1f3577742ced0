using System;
using System.Threading;

namespace Gudp.Core.Sockets;

/// <summary>Ends the sleep of one thread from any other, by a bell that it hears while it waits for sockets.</summary>
/// <remarks>
/// <see cref="Set"/> and <see cref="Dispose"/>: any thread. The rest: the waiting thread.
/// Always true: a Set is never lost. It either finds the sleeper and rings once, or leaves the mark that the
/// next <see cref="TrySleep"/> finds. Setting a signal that is already set costs one exchange and no system call.
/// </remarks>
internal sealed class WakeSignal(ISocketWaiter waiter) : IDisposable
{
    private const int Awake = 0;
    private const int Asleep = 1;
    private const int Signalled = 2;

    private int _state = Awake;

    /// <summary>False: a signal was set since the last look, do not sleep.</summary>
    internal bool TrySleep()
    {
        if (Interlocked.CompareExchange(ref _state, Asleep, Awake) == Awake)
        {
            return true;
        }

        // A full fence: what was published before a Set that finds the mark still there is seen from here on.
        Interlocked.Exchange(ref _state, Awake);
        return false;
    }

    /// <summary>The sleep is over. True if somebody ended it.</summary>
    internal bool Rise() => Interlocked.Exchange(ref _state, Awake) == Signalled;

    internal void Set()
    {
        if (Interlocked.Exchange(ref _state, Signalled) != Asleep)
        {
            return;
        }

        try
        {
            waiter.Ring();
        }
        catch (ObjectDisposedException)
        {
            // Disposing ended the wait already.
        }
    }

    public void Dispose()
    {
        Set();
        waiter.Dispose();
    }
}
