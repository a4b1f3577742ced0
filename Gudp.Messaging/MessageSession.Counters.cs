using System.Collections.Generic;
using System.Threading;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <content>What is counted, as copies for users.</content>
internal sealed partial class MessageSession
{
    private readonly MessageTally?[] _tallies;

    /// <summary>Lanes in each direction, used or not.</summary>
    internal int LaneCount => _tallies.Length;

    /// <summary>Any thread. What a lane counts, in both directions; made on first use.</summary>
    internal MessageTally TallyOf(int lane)
    {
        if (Volatile.Read(ref _tallies[lane]) is { } known)
        {
            return known;
        }

        MessageTally made = new();
        return Interlocked.CompareExchange(ref _tallies[lane], made, null) ?? made;
    }

    /// <summary>Any thread. A copy of one lane's counters.</summary>
    internal LaneCounters ReadLane(int number)
    {
        MessageCounts counts = default;
        Volatile.Read(ref _tallies[number])?.AddTo(ref counts);

        return new LaneCounters(
            number,
            _config.LanePlan[number].Mode,
            new MessageCounters(counts),
            ReadSendQueue(number),
            ReadReceiveQueue(number),
            ReadUpdates(number));
    }

    /// <summary>Any thread. The lanes that were used in either direction, in their order. A new list.</summary>
    internal List<int> ReadUsedLanes()
    {
        List<int> used = [];

        for (int number = 0; number < _tallies.Length; number++)
        {
            if (Volatile.Read(ref _tallies[number]) is not null
                || Volatile.Read(ref _sendLanes[number]) is not null
                || Volatile.Read(ref _receiveLanes[number]) is not null)
            {
                used.Add(number);
            }
        }

        return used;
    }

    /// <summary>Any thread. A copy of the sums over all lanes.</summary>
    internal PeerCounters ReadCounters()
    {
        MessageCounts counts = default;
        QueueCounters waiting = new("waiting", 0, 0, 0, 0, 0, 0, 0);
        QueueCounters unread = new("unread", 0, 0, 0, 0, 0, 0, 0);

        foreach (int number in ReadUsedLanes())
        {
            Volatile.Read(ref _tallies[number])?.AddTo(ref counts);
            waiting = Sum(waiting, ReadSendQueue(number));
            unread = Sum(unread, ReadReceiveQueue(number));
        }

        return new PeerCounters(new MessageCounters(counts), waiting, unread, _memory.ReadCounters());
    }

    // Limits are summed over the lanes that are used.
    private static QueueCounters Sum(in QueueCounters sum, in QueueCounters queue) => sum with
    {
        LimitBytes = sum.LimitBytes + queue.LimitBytes,
        LimitItems = sum.LimitItems + queue.LimitItems,
        Bytes = sum.Bytes + queue.Bytes,
        Items = sum.Items + queue.Items,
        HighBytes = sum.HighBytes + queue.HighBytes,
        HighItems = sum.HighItems + queue.HighItems,
        Refused = sum.Refused + queue.Refused,
    };

    private QueueCounters ReadSendQueue(int number) => new($"lane {number} send", 0, 0, 0, 0, 0, 0, 0);

    private QueueCounters ReadReceiveQueue(int number) => new($"lane {number} receive", 0, 0, 0, 0, 0, 0, 0);

    private QueueCounters ReadUpdates(int number)
        => new($"lane {number} updates", 0, ReceiptBook.MostNotes, 0, 0, 0, 0, 0);
}
