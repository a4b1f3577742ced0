using System;
using System.Threading;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// The connection's credit as its receiver keeps it: what all lanes but the control lane received together, what of it
/// was read, and how far the peer may go.
/// </summary>
/// <remarks>
/// The leader counts and grants, any thread adds what was read. Always true: read &lt;= received &lt;= granted
/// &lt;= read + the window's bytes.
/// </remarks>
internal sealed class ReceiveWindow
{
    private readonly long _bytes;
    private long _granted;
    private long _read;
    private long _seen;

    /// <param name="bytes">The most that is received and not read.</param>
    internal ReceiveWindow(long bytes)
    {
        _bytes = bytes;
        _granted = bytes;
    }

    /// <summary>The most that is received and not read.</summary>
    internal long Bytes => _bytes;

    /// <summary>Leader. What was received, each byte or message once.</summary>
    internal long Received { get; private set; }

    /// <summary>The newest limit the peer was granted, or may be at once.</summary>
    internal long Granted => Volatile.Read(ref _granted);

    /// <summary>Any thread. So much was read, thrown away or passed over since the start.</summary>
    internal long Read => Volatile.Read(ref _read);

    /// <summary>Any thread.</summary>
    internal void AddRead(long count) => Interlocked.Add(ref _read, count);

    /// <summary>Leader. A packet is about to be checked.</summary>
    internal void BeginPacket() => _seen = Received;

    /// <summary>Leader. Counts what the packet being checked brings, at most.</summary>
    /// <returns>False if the peer was not allowed to send it.</returns>
    internal bool TryCount(long count)
    {
        // Two numbers of 62 bits: the sum fits.
        if (count > _granted - _seen)
        {
            return false;
        }

        _seen += count;
        return true;
    }

    /// <summary>Leader. So much was taken, as it was counted when it was checked.</summary>
    internal void AddReceived(long count)
    {
        Received += count;
        Invariant.Require(Received <= _granted, "Nothing is taken beyond the credit granted.");
    }

    /// <summary>Any thread. At least so much more can be granted.</summary>
    internal bool IsDue(long step) => Read + _bytes - Granted >= step;

    /// <summary>Leader. A new limit for the peer, as much as was read. Never falls.</summary>
    internal long Grant()
    {
        Volatile.Write(ref _granted, Math.Max(_granted, Read + _bytes));
        return _granted;
    }
}
