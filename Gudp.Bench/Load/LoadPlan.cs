using System.Text.Json;

namespace Gudp.Bench.Load;

/// <summary>What one process of a cell has to do; it is given to it as JSON.</summary>
internal sealed record NodePlan
{
    public required LoadCell Cell { get; init; }

    public required LoadTiming Timing { get; init; }

    /// <summary>Stands in the messages of its first link; those of the next ones follow.</summary>
    public int FirstSender { get; init; }

    /// <summary>Nodes it opens links to.</summary>
    public int[] Ports { get; init; } = [];

    /// <summary>Links to each of these.</summary>
    public int LinksEach { get; init; } = 1;

    /// <summary>Links that others open to it.</summary>
    public int Expected { get; init; }

    /// <summary>It sends over the links it opened.</summary>
    public bool Sends { get; init; }

    /// <summary>It sends over the links that others opened, once something came over them.</summary>
    public bool SendsBack { get; init; }

    /// <summary>The processor it keeps to; -1: any.</summary>
    public int Processor { get; init; } = -1;

    internal int Links => (Ports.Length * LinksEach) + Expected;

    /// <summary>How many others say that they have ended.</summary>
    internal int ExpectedEnds => Cell.Work switch
    {
        LoadWork.RequestResponse => 0,
        LoadWork.OneWay or LoadWork.NTo1 => Expected,
        _ => Links,
    };

    internal static NodePlan Parse(string json) => JsonSerializer.Deserialize<NodePlan>(json)!;

    internal string ToJson() => JsonSerializer.Serialize(this);
}

/// <summary>What a process tells: first the port it listens at, in the end what it measured.</summary>
internal sealed record NodeLine
{
    public int Port { get; init; }

    public NodeResult? Result { get; init; }

    /// <returns>Null if the line is something else.</returns>
    internal static NodeLine? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<NodeLine>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal void Write(TextWriter output)
    {
        output.WriteLine(JsonSerializer.Serialize(this));
        output.Flush();
    }
}

/// <summary>What one process measured between the edges of its window.</summary>
internal sealed record NodeResult
{
    public double Seconds { get; init; }

    public long Sent { get; init; }

    /// <summary>Messages that arrived; with request and response, answers.</summary>
    public long Arrived { get; init; }

    /// <summary>Processor time of all its threads.</summary>
    public double ProcessorSeconds { get; init; }

    /// <summary>On the managed heap.</summary>
    public long AllocatedBytes { get; init; }

    /// <summary>Resident, at the end.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Over the whole run: damaged, out of order, twice, or missing where nothing may be missing.</summary>
    public long Errors { get; init; }

    /// <summary>The first of these.</summary>
    public string? Fault { get; init; }

    /// <summary>Over the whole run: missing where that may be.</summary>
    public long Lost { get; init; }

    /// <summary>Over the whole run.</summary>
    public long AllSent { get; init; }

    /// <summary>From the moment a message was due to its arrival, or to that of its answer.</summary>
    public long[] Spans { get; init; } = [];

    public double MostSpan { get; init; }

    /// <summary>Of the system's own counters.</summary>
    public LoadTraffic Traffic { get; init; } = LoadTraffic.Unknown;
}
