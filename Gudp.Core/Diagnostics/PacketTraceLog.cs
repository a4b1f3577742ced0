using System;
using System.Collections.Generic;
using System.IO;
using Gudp.Core.Diagnostics;

namespace Gudp.Core;

/// <summary>
/// A packet trace in memory: for tests, and for simulations, where one seed gives the same trace to the byte.
/// </summary>
/// <remarks>One thread at a time; read it when no turn is running.</remarks>
public sealed class PacketTraceLog : IPacketTrace
{
    private const int DefaultMostEvents = 1_000_000;

    private readonly List<TraceEvent> _events = [];
    private readonly int _mostEvents;

    /// <summary>An empty log.</summary>
    /// <param name="mostEvents">
    /// What comes beyond is counted, not kept. Default 1,000,000 events of about 200 bytes; 1 or more.
    /// </param>
    public PacketTraceLog(int mostEvents = DefaultMostEvents)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostEvents, 1);
        _mostEvents = mostEvents;
    }

    /// <summary>What happened, in order.</summary>
    public IReadOnlyList<TraceEvent> Events => _events;

    /// <summary>Events that came when it was full.</summary>
    public long EventsLost { get; private set; }

    /// <inheritdoc/>
    public void Record(in TraceEvent happened)
    {
        if (_events.Count < _mostEvents)
        {
            _events.Add(happened);
        }
        else
        {
            EventsLost++;
        }
    }

    /// <summary>Writes it as a trace file (T-1). Cold path.</summary>
    /// <param name="file">Stays open.</param>
    /// <param name="title">For people.</param>
    public void WriteTo(Stream file, string title = "gudp")
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(title);
        file.Write(TraceJson.Head(title));
        Span<byte> room = stackalloc byte[TraceJson.MostEventBytes];

        foreach (TraceEvent happened in _events)
        {
            file.Write(room[..TraceJson.Write(room, happened)]);
        }

        if (EventsLost > 0)
        {
            file.Write(room[..TraceJson.WriteGap(room, _events[^1].At, EventsLost)]);
        }
    }
}
