using System;
using System.Threading;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// What the peer must hear of the asked messages of one message lane: which were taken, and which refused (M44 to M46).
/// </summary>
/// <remarks>
/// Any thread, under one lock that is held for a few steps. An answer stays here until it goes into a packet; from then
/// on the outbox remembers it, and brings it back if the packet is lost. Always true: an id gets one answer; open
/// messages of the application and unsent ranges are at most <see cref="MostOpen"/> before another asked message is
/// handed out; nothing below what the peer has settled is kept.
/// </remarks>
internal sealed class AnswerBook
{
    /// <summary>So many asked messages may be held or wait to be answered before handing out stops.</summary>
    internal const int MostOpen = 1024;

    // Answers that came back with lost packets, or that the library gave, need room beyond.
    private const int MostRanges = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly RangeSet _taken = new(MostRanges, prefix: -1);
    private readonly RangeSet _refused = new(MostRanges, prefix: -1);
    private long _settledBelow;
    private int _held;
    private int _unsent;
    private long _forgotten;

    /// <summary>Answers that had no room; only a peer that acknowledges nothing gets so far.</summary>
    internal long Forgotten => Volatile.Read(ref _forgotten);

    internal bool HasUnsent => Volatile.Read(ref _unsent) > 0;

    /// <summary>
    /// Whether another asked message may be handed out. Only the lane's reader adds, so the answer holds for it.
    /// </summary>
    internal bool HasRoom => Volatile.Read(ref _held) + Volatile.Read(ref _unsent) < MostOpen;

    /// <summary>An asked message was handed out and is held.</summary>
    internal void Hold() => Interlocked.Increment(ref _held);

    /// <summary>A held message was taken or refused.</summary>
    internal void Settle(long id, bool refused)
    {
        Add(id, refused);
        Interlocked.Decrement(ref _held);
    }

    /// <summary>The answer for a message that nobody holds.</summary>
    internal void Add(long id, bool refused) => Add(new OffsetRange(id, id + 1), refused);

    /// <summary>Leader. The packet with these answers was lost, or is overdue: they must be sent again.</summary>
    internal void Add(OffsetRange ids, bool refused)
    {
        lock (_gate)
        {
            ids = ids with { From = Math.Max(ids.From, _settledBelow) };

            if (ids.Length > 0 && !(refused ? _refused : _taken).TryAdd(ids.From, ids.To))
            {
                Volatile.Write(ref _forgotten, _forgotten + 1);
            }

            CountUnsent();
        }
    }

    /// <summary>Leader. Takes out answers that go into a packet, highest first.</summary>
    /// <returns>How many ranges.</returns>
    internal int TakeUnsent(bool refused, Span<OffsetRange> ids)
    {
        lock (_gate)
        {
            RangeSet answers = refused ? _refused : _taken;
            int count = 0;

            while (count < ids.Length && answers.TryTakeHighest(out ids[count]))
            {
                count++;
            }

            CountUnsent();
            return count;
        }
    }

    /// <summary>Leader. The peer has no question about anything below (LaneSettled).</summary>
    internal void SettleBelow(long id)
    {
        lock (_gate)
        {
            if (id > _settledBelow)
            {
                _settledBelow = id;
                _taken.RemoveBelow(id);
                _refused.RemoveBelow(id);
                CountUnsent();
            }
        }
    }

    private void CountUnsent() => Volatile.Write(ref _unsent, _taken.Count + _refused.Count);
}
