using System;

namespace Gudp.Sequencing.Time;

/// <summary>A way for messages from one member to another (lock-time 3.1).</summary>
/// <param name="To">Ordinal of the receiver.</param>
/// <param name="Link">The smallest minimum latency of the channels that connect the two.</param>
/// <param name="Wakes">Whether any of them can shorten the receiver's Next.</param>
/// <param name="WakingLink">The smallest minimum latency of those that can; meaningless otherwise.</param>
internal readonly record struct Edge(int To, Delay Link, bool Wakes, Delay WakingLink);

/// <summary>Who can send to whom, fixed when the run is laid out: edges in one array, grouped by sender.</summary>
internal sealed class EdgeTable
{
    private readonly Edge[] _edges;
    private readonly int[] _starts;

    /// <param name="edgesBySender">One list per member, by ordinal.</param>
    internal EdgeTable(ReadOnlySpan<Edge[]> edgesBySender)
    {
        int count = 0;
        _starts = new int[edgesBySender.Length + 1];

        for (int sender = 0; sender < edgesBySender.Length; sender++)
        {
            _starts[sender] = count;
            count += edgesBySender[sender].Length;
        }

        _starts[^1] = count;
        _edges = new Edge[count];

        for (int sender = 0; sender < edgesBySender.Length; sender++)
        {
            edgesBySender[sender].CopyTo(_edges, _starts[sender]);
        }
    }

    internal ReadOnlySpan<Edge> From(int sender) => _edges.AsSpan(_starts[sender].._starts[sender + 1]);
}
