using System;
using System.Collections.Generic;

namespace Gudp.Core;

// Always true:
//   - a connection is in it from its making until it has ended;
//   - what an ended connection counted stands in the totals, once.

/// <summary>The live connections of a daemon, and what those that ended had counted. Any thread; one lock.</summary>
internal sealed class ConnectionRegister
{
    private readonly object _gate = new();
    private readonly HashSet<Connection> _live = [];
    private readonly long[] _endedCounts = new long[ConnectionCounters.Table.Rows.Count];

    internal void Add(Connection connection)
    {
        lock (_gate)
        {
            _live.Add(connection);
        }
    }

    internal void Remove(Connection connection)
    {
        lock (_gate)
        {
            if (!_live.Remove(connection))
            {
                return;
            }

            IReadOnlyList<CounterRow<ConnectionCounters>> rows = ConnectionCounters.Table.Rows;
            ConnectionCounters last = connection.ReadCounters();

            for (int i = 0; i < rows.Count; i++)
            {
                if (rows[i].Kind == CounterKind.Count)
                {
                    _endedCounts[i] += rows[i].Read(last);
                }
            }
        }
    }

    internal Connection[] ReadLive()
    {
        lock (_gate)
        {
            return [.. _live];
        }
    }

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

    /// <summary>
    /// One counter over all connections: counts and levels as sums, with the counts of those that ended; of spans the
    /// longest.
    /// </summary>
    internal long ReadTotal(int rowIndex)
    {
        CounterRow<ConnectionCounters> row = ConnectionCounters.Table.Rows[rowIndex];

        lock (_gate)
        {
            long total = _endedCounts[rowIndex];

            foreach (Connection connection in _live)
            {
                long value = row.Read(connection.ReadCounters());
                total = row.Kind == CounterKind.Span ? Math.Max(total, value) : total + value;
            }

            return total;
        }
    }
}
