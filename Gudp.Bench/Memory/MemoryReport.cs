using System.Text.Json.Serialization;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Memory;

/// <summary>Everything one run of the memory measurement found: the JSON file, value for value.</summary>
internal sealed record MemoryReport
{
    internal const int CurrentSchema = 1;

    // P12, and its goal.
    private const double FloorBytes = 6 * 1024;
    private const double GoalBytes = 2 * 1024;

    /// <summary>Of the file; a reader of another one refuses it.</summary>
    public int Schema { get; init; } = CurrentSchema;

    public IReadOnlyList<MemoryRow> Rows { get; init; } = [];

    /// <summary>P12 as computed from the rows.</summary>
    public IReadOnlyList<FloorRow> Floors { get; init; } = [];

    internal static MemoryReport Parse(string json)
        => ReportJson.Parse<MemoryReport>(json, report => report.Schema, CurrentSchema);

    /// <summary>P12: what an idle connection takes at the server's side, in the process's pages.</summary>
    internal static IReadOnlyList<FloorRow> Judge(IReadOnlyList<MemoryRow> rows)
    {
        double? bytes = rows.FirstOrDefault(row => row is { Layer: MemoryPlan.Messages, End: MemoryRow.Server })?
            .ResidentBytes;
        return
        [
            FloorRow.Most("P12", "bytes of an idle connection, server", bytes, FloorBytes),
            FloorRow.Most("goal P12", "bytes of an idle connection, server", bytes, GoalBytes),
        ];
    }

    internal string ToJson() => ReportJson.ToJson(this);
}

/// <summary>One end of one layer. Bytes are for each connection.</summary>
internal sealed record MemoryRow
{
    internal const string Server = "server";
    internal const string Client = "client";

    [JsonPropertyName("layer")]
    public required string Layer { get; init; }

    [JsonPropertyName("end")]
    public required string End { get; init; }

    [JsonPropertyName("connections")]
    public required int Connections { get; init; }

    [JsonPropertyName("managed_bytes")]
    public required double ManagedBytes { get; init; }

    [JsonPropertyName("resident_bytes")]
    public required double ResidentBytes { get; init; }

    [JsonPropertyName("idle_us_per_s")]
    public required double IdleMicroseconds { get; init; }

    /// <summary>By type, the largest first.</summary>
    [JsonPropertyName("heap")]
    public required IReadOnlyList<HeapRow> Heap { get; init; }
}
