using System.Threading;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// Stretches of a lane's stream that came as batches, and how many messages each holds: so that they can be counted
/// without a look at each message.
/// </summary>
/// <remarks>
/// Writers add under the lane's lock, the leader takes the oldest. Always true: stretches stand in the order of their
/// offsets and do not overlap; of one that found no place here the messages are counted one by one.
/// </remarks>
internal sealed class BatchRuns
{
    // With 16 KB each more than a ring of the default size holds.
    private const int MostRuns = 128;

    private readonly BatchRun[] _runs = new BatchRun[MostRuns];
    private long _next;
    private long _oldest;

    /// <summary>Writers, before the stretch is published.</summary>
    internal void Add(OffsetRange place, int messages)
    {
        if (_next - Volatile.Read(ref _oldest) < MostRuns)
        {
            _runs[_next & (MostRuns - 1)] = new BatchRun(place, messages);
            Volatile.Write(ref _next, _next + 1);
        }
    }

    /// <summary>Leader. The stretch with the lowest offsets.</summary>
    internal bool TryPeek(out BatchRun run)
    {
        bool isThere = _oldest < Volatile.Read(ref _next);
        run = isThere ? _runs[_oldest & (MostRuns - 1)] : default;
        return isThere;
    }

    /// <summary>Leader. The oldest is counted.</summary>
    internal void Remove() => Volatile.Write(ref _oldest, _oldest + 1);
}

/// <summary>One of them.</summary>
internal readonly record struct BatchRun(OffsetRange Place, int Messages);
