using System.Text.Json.Serialization;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Grants;

/// <summary>Everything one run of the grant measurements found: the JSON file, value for value.</summary>
internal sealed record GrantsReport
{
    internal const int CurrentSchema = 1;

    /// <summary>Of the file; a reader of another one refuses it.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>Runs of each cell; every figure is their median.</summary>
    public int Rounds { get; init; }

    /// <summary>How long each was measured.</summary>
    public double SpanMs { get; init; }

    public int Processors { get; init; }

    public IReadOnlyList<GrantRow> Rows { get; init; } = [];

    public IReadOnlyList<EvaluateRow> Evaluate { get; init; } = [];

    /// <summary>What <see cref="GrantFloors"/> made of the above.</summary>
    public IReadOnlyList<FloorRow> Floors { get; init; } = [];

    internal static GrantsReport Parse(string json)
        => ReportJson.Parse<GrantsReport>(json, report => report.Schema, CurrentSchema);

    internal string ToJson() => ReportJson.ToJson(this);
}

/// <summary>What is measured: a work, by so many members, over that.</summary>
internal readonly record struct GrantCell(string Work, string Transport, int Members)
{
    internal const string Udp = "udp";
    internal const string InProcess = "in-process";
    internal const string Ticks = "ticks";
    internal const string Phold = "phold";

    internal GrantWork Kind => Work == Phold ? GrantWork.Phold : GrantWork.Ticks;

    internal int Processes => Transport == Udp ? UdpRun.ProcessesOf(Members) : 1;

    public override string ToString() => FormattableString.Invariant($"{Work}, {Transport}, {Members} members");
}

/// <summary>One cell of grants. The two figures most asked for stand as plain numbers, which are the medians.</summary>
internal sealed record GrantRow
{
    [JsonPropertyName("work")]
    public required string Work { get; init; }

    [JsonPropertyName("transport")]
    public required string Transport { get; init; }

    [JsonPropertyName("members")]
    public required int Members { get; init; }

    /// <summary>Over which the members are spread; over UDP the server has one more.</summary>
    [JsonPropertyName("processes")]
    public required int Processes { get; init; }

    [JsonPropertyName("grants_per_s")]
    public double GrantsPerSecond => Grants.Median;

    [JsonPropertyName("cpu_us_per_grant")]
    public double ProcessorMicroseconds => Processor.Median;

    public required Spread Grants { get; init; }

    /// <summary>Microseconds of processor time per grant, of all processes.</summary>
    public required Spread Processor { get; init; }

    /// <summary>Messages published a second.</summary>
    public required Spread EventsPerSecond { get; init; }

    /// <summary>Messages per grant from members to the server.</summary>
    public required Spread MessagesUp { get; init; }

    /// <summary>Messages per grant from the server to members.</summary>
    public required Spread MessagesDown { get; init; }

    /// <summary>Per grant on the managed heap, server and members; -1 over UDP.</summary>
    public required Spread AllocatedBytes { get; init; }

    internal GrantCell Cell => new(Work, Transport, Members);
}

/// <summary>One pass of the rule over all members.</summary>
internal sealed record EvaluateRow
{
    public RunShape Shape { get; init; }

    public RunWaits Waits { get; init; }

    public int Members { get; init; }

    /// <summary>Microseconds for the pass.</summary>
    public required Spread Microseconds { get; init; }
}
