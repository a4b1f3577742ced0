using System.Collections.Generic;
using System.Threading;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <content>What is counted, as copies for users.</content>
internal sealed partial class MessageSession
{
    private MessageTally?[] _tallies;           // as _sendLanes

    // Sends that were refused before they got as far as a lane.
    private MessageTally? _refusedBeforeLanes;

    /// <summary>Lanes in each direction, used or not.</summary>
    internal int LaneCount => _sendLanes.Length;

    /// <summary>Any thread. What a lane counts, in both directions; made on first use.</summary>
    internal MessageTally TallyOf(int lane)
    {
        if (Volatile.Read(ref _tallies[lane]) is { } known)
        {
            return known;
        }

        if (Volatile.Read(ref _tallies) == _config.NoTallies)
        {
            Interlocked.CompareExchange(ref _tallies, new MessageTally?[_config.Lanes], _config.NoTallies);
        }

        MessageTally made = new();
        return Interlocked.CompareExchange(ref _tallies[lane], made, null) ?? made;
    }

    // Made with the first: most sessions refuse nothing.
    private MessageTally RefusedBeforeLanes
        => Volatile.Read(ref _refusedBeforeLanes)
            ?? Interlocked.CompareExchange(ref _refusedBeforeLanes, new MessageTally(), null) ?? _refusedBeforeLanes;

    /// <summary>Any thread. A copy of one lane's counters.</summary>
    internal LaneCounters ReadLane(int number)
    {
        MessageCounts counts = default;
        AddLane(number, ref counts);

        return new LaneCounters(
            number,
            _config.LanePlan[number].Mode,
            new MessageCounters(counts),
            ReadSendQueue(number),
            ReadReceiveQueue(number),
            Volatile.Read(ref _sendLanes[number])?.ReadUpdates() ?? Unused(number, "updates"));
    }

    /// <summary>Any thread. The lanes that were used in either direction, in their order. A new list.</summary>
    internal List<int> ReadUsedLanes()
    {
        List<int> used = [];

        for (int number = 0; number < _sendLanes.Length; number++)
        {
            if (Volatile.Read(ref _sendLanes[number]) is not null
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
        Volatile.Read(ref _refusedBeforeLanes)?.AddTo(ref counts);
        QueueCounters waiting = new("waiting", 0, 0, 0, 0, 0, 0, 0);
        QueueCounters unread = new("unread", 0, 0, 0, 0, 0, 0, 0);

        foreach (int number in ReadUsedLanes())
        {
            AddLane(number, ref counts);
            waiting = waiting.Plus(ReadSendQueue(number));
            unread = unread.Plus(ReadReceiveQueue(number));
        }

        return new PeerCounters(new MessageCounters(counts), waiting, unread, _memory.ReadCounters())
        {
            SlowStages = Volatile.Read(ref _slowStages),
        };
    }

    private void AddLane(int number, ref MessageCounts counts)
    {
        Volatile.Read(ref _tallies[number])?.AddTo(ref counts);
    }

    private QueueCounters ReadSendQueue(int number)
        => Volatile.Read(ref _sendLanes[number])?.ReadQueue() ?? Unused(number, "send");

    private QueueCounters ReadReceiveQueue(int number)
        => Volatile.Read(ref _receiveLanes[number])?.ReadQueue() ?? Unused(number, "receive");

    private static QueueCounters Unused(int number, string queue) => new($"lane {number} {queue}", 0, 0, 0, 0, 0, 0, 0);
}
