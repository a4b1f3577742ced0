using System.Collections.Generic;

namespace Gudp.Messaging.Status;

// Always true:
//   - a session is in it from its beginning until it has ended;
//   - what an ended session counted stands in the totals, once.

/// <summary>The live sessions of an endpoint, and what those that ended had counted. Any thread; one lock.</summary>
internal sealed class SessionRegister
{
    private readonly object _gate = new();
    private readonly HashSet<MessageSession> _live = [];
    private MessageCounts _ended;
    private long _endedSlow;

    internal int LiveCount
    {
        get
        {
            lock (_gate)
            {
                return _live.Count;
            }
        }
    }

    internal void Add(MessageSession session)
    {
        lock (_gate)
        {
            _live.Add(session);
        }
    }

    internal void Remove(MessageSession session)
    {
        lock (_gate)
        {
            if (_live.Remove(session))
            {
                PeerCounters last = session.ReadCounters();
                _ended.Add(last.Messages.Counts);
                _endedSlow += last.SlowStages;
            }
        }
    }

    /// <summary>The live ones. A new array.</summary>
    internal MessageSession[] ReadLive()
    {
        lock (_gate)
        {
            return [.. _live];
        }
    }

    internal PeerCounters ReadTotal(in QueueCounters memory)
    {
        lock (_gate)
        {
            MessageCounts counts = _ended;
            long slow = _endedSlow;
            QueueCounters waiting = new("waiting", 0, 0, 0, 0, 0, 0, 0);
            QueueCounters unread = new("unread", 0, 0, 0, 0, 0, 0, 0);

            foreach (MessageSession session in _live)
            {
                PeerCounters counters = session.ReadCounters();
                counts.Add(counters.Messages.Counts);
                slow += counters.SlowStages;
                waiting = waiting.Plus(counters.Waiting);
                unread = unread.Plus(counters.Unread);
            }

            return new PeerCounters(new MessageCounters(counts), waiting, unread, memory) { SlowStages = slow };
        }
    }
}
