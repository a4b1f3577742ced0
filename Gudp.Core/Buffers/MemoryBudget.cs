using System.Threading;

namespace Gudp.Core.Buffers;

/// <summary>
/// Bytes that may be in use at one time (<c>MemoryBudgetBytes</c>). Any thread. Always true: what is in use is at most
/// the limit.
/// </summary>
internal sealed class MemoryBudget
{
    private long _inUse;
    private long _refusals;

    internal MemoryBudget(long limitBytes) => LimitBytes = limitBytes;

    internal long LimitBytes { get; }

    internal long InUseBytes => Volatile.Read(ref _inUse);

    /// <summary>How often there was not enough left.</summary>
    internal long Refusals => Volatile.Read(ref _refusals);

    /// <summary>False: not enough is left and nothing was taken.</summary>
    internal bool TryReserve(long bytes)
    {
        long before = Volatile.Read(ref _inUse);

        while (bytes <= LimitBytes - before)
        {
            long seen = Interlocked.CompareExchange(ref _inUse, before + bytes, before);

            if (seen == before)
            {
                return true;
            }

            before = seen;
        }

        Interlocked.Increment(ref _refusals);
        return false;
    }

    internal void Release(long bytes)
    {
        long left = Interlocked.Add(ref _inUse, -bytes);
        Invariant.Require(left >= 0, "More memory was given back than was taken.");
    }
}
