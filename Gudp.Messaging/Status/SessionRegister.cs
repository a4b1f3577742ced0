using System;
using System.Collections.Generic;
using Gudp.Core;

namespace Gudp.Messaging.Status;

// Always true:
//   - a session is in it from its beginning until it has ended and nothing of it can be counted any more: what it
//     received is read, dropped or given up, and nobody holds any of it;
//   - what a session counted that is not in it any more stands in the totals, once.
//
// Those that have ended are looked through when they have doubled in number, so that an end costs nothing by the many
// before it. There are never more of them than the memory has room for what keeps them, and as many again.

/// <summary>
/// The sessions of an endpoint that count, live and ended, and what those before had counted. Any thread; one lock.
/// </summary>
internal sealed class SessionRegister
{
    private readonly object _gate = new();
    private const int FirstLook = 16;

    private readonly HashSet<MessageSession> _live = [];
    private readonly List<MessageSession> _ended = [];
    private int _lookAt = FirstLook;
    private MessageCounts _past;
    private ConnectionCounters _pastPackets;
    private long _sessions;
    private long _pastSlow;

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
            if (!_live.Remove(session))
            {
                return;
            }

            _pastPackets = _pastPackets.Plus(session.Connection.ReadCounters().WithoutLevels());
            _ended.Add(session);

            if (_ended.Count >= _lookAt)
            {
                _ = _ended.RemoveAll(LetGoIfDone);
                _lookAt = Math.Max(FirstLook, _ended.Count * 2);
            }
        }
    }

    /// <summary>Another session takes the place of this one, which never counted anything.</summary>
    internal void RemoveUnused(MessageSession unused)
    {
        lock (_gate)
        {
            _sessions -= _live.Remove(unused) ? 1 : 0;
        }
    }

    /// <summary>A session goes on another connection: the one it leaves counted this.</summary>
    internal void CountLeft(in ConnectionCounters left)
    {
        lock (_gate)
        {
            _pastPackets = _pastPackets.Plus(left.WithoutLevels());
        }
    }

    internal PeerStatistics ReadStatistics(in QueueCounters memory)
    {
        lock (_gate)
        {
            ConnectionCounters packets = _pastPackets;

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
            MessageCounts counts = _past;
            long slow = _pastSlow;
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

            foreach (MessageSession session in _ended)
            {
                PeerCounters counters = session.ReadCounters();
                counts.Add(counters.Messages.Counts);
                slow += counters.SlowStages;
            }

            return new PeerCounters(new MessageCounters(counts), waiting, unread, memory) { SlowStages = slow };
        }
    }

    private bool LetGoIfDone(MessageSession session)
    {
        if (session.HasUnread || session.IsHeldFrom)
        {
            return false;
        }

        PeerCounters last = session.ReadCounters();
        _past.Add(last.Messages.Counts);
        _pastSlow += last.SlowStages;
        return true;
    }
}
