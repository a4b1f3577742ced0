using System.Collections.Generic;
using Gudp.Core;

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
    private ConnectionCounters _endedPackets;
    private long _sessions;
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
            _sessions += _live.Add(session) ? 1 : 0;
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
                _endedPackets = _endedPackets.Plus(session.Connection.ReadCounters().WithoutLevels());
            }
        }
    }

    /// <summary>
    /// A session goes on another connection, in the place of one that was never used: the connection it leaves counted
    /// this.
    /// </summary>
    internal void Replace(MessageSession unused, in ConnectionCounters left)
    {
        lock (_gate)
        {
            _sessions -= _live.Remove(unused) ? 1 : 0;
            _endedPackets = _endedPackets.Plus(left.WithoutLevels());
        }
    }

    internal PeerStatistics ReadStatistics(in QueueCounters memory)
    {
        lock (_gate)
        {
            ConnectionCounters packets = _endedPackets;

            foreach (MessageSession session in _live)
            {
                packets = packets.Plus(session.Connection.ReadCounters());
            }

            return new PeerStatistics(packets, ReadTotal(memory)) { Sessions = _sessions };
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
