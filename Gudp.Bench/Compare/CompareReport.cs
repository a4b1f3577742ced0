using System.Text.Json;
using System.Text.Json.Serialization;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Compare;

/// <summary>Everything one comparison found: the JSON file, value for value.</summary>
internal sealed record CompareReport
{
    internal const int CurrentSchema = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Of the file; a reader of another one refuses it.</summary>
    public int Schema { get; init; } = CurrentSchema;

    public string Machine { get; init; } = "";

    /// <summary>Of the sources; empty: not known.</summary>
    public string Commit { get; init; } = "";

    /// <summary>smoke, quick or full.</summary>
    public string Extent { get; init; } = "";

    public double WarmUpSeconds { get; init; }

    public double Seconds { get; init; }

    public bool IsPinned { get; init; }

    /// <summary>Of the machine's processor time, what others used meanwhile: the median over all runs, in percent.</summary>
    public double ForeignPercent { get; init; }

    /// <summary>What the system's clock is, where it tells; and what a look at it costs.</summary>
    public string Clock { get; init; } = "";

    public double ClockNs { get; init; }

    /// <summary>Systems that are not on this machine, with what installs them.</summary>
    public IReadOnlyDictionary<string, string> Missing { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<CompareRow> Rows { get; init; } = [];

    /// <summary>What the system below everything can do; computed from the rows.</summary>
    public IReadOnlyList<CompareLimit> Limits { get; init; } = [];

    /// <summary>Gudp's rows over those of the others; computed from the rows.</summary>
    public IReadOnlyList<CompareRatio> Ratios { get; init; } = [];

    /// <summary>What <see cref="CompareFloors"/> made of the above.</summary>
    public IReadOnlyList<FloorRow> Floors { get; init; } = [];

    /// <exception cref="InvalidOperationException">The file has another schema.</exception>
    internal static CompareReport Parse(string json)
    {
        CompareReport? report = JsonSerializer.Deserialize<CompareReport>(json, Json);
        return report?.Schema == CurrentSchema
            ? report
            : throw new InvalidOperationException($"Schema {report?.Schema} is not {CurrentSchema}; measure anew.");
    }

    /// <summary>With all that follows from the rows.</summary>
    internal CompareReport WithConclusions() => this with
    {
        Limits = CompareLimit.Of(this),
        Ratios = CompareRatio.Of(this),
        Floors = CompareFloors.Judge(this),
    };

    internal string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>The row of a cell; null: it was not measured.</summary>
    internal CompareRow? Find(LoadCell cell) => Rows.FirstOrDefault(row => row.IsOf(cell));
}

/// <summary>The median of some rounds, with the least and the largest; -1: not measured.</summary>
internal sealed record Rounds(double Median, double Min, double Max)
{
    internal static Rounds Of(IReadOnlyCollection<double> samples)
    {
        Spread spread = Spread.Of(samples);
        return new Rounds(spread.Median, spread.Least, spread.Most);
    }
}

/// <summary>One cell of a comparison.</summary>
internal sealed record CompareRow
{
    internal const string Framework = "framework";

    public required string System { get; init; }

    public required string Work { get; init; }

    public int Size { get; init; }

    public int Peers { get; init; }

    /// <summary>poll or block.</summary>
    public required string Waiting { get; init; }

    public bool Offload { get; init; }

    /// <summary>system: the system's calls; framework: those of .NET's socket.</summary>
    public string Socket { get; init; } = "system";

    /// <summary>Intended messages a second and link; 0: all that go.</summary>
    public double Rate { get; init; }

    [JsonPropertyName("rounds")]
    public int RoundCount { get; init; }

    public required Rounds MessagesPerS { get; init; }

    public required Rounds MbPerS { get; init; }

    /// <summary>With request-response the round trip, else from due to arrived.</summary>
    public required Rounds RttUsP50 { get; init; }

    public required Rounds RttUsP90 { get; init; }

    public required Rounds RttUsP99 { get; init; }

    [JsonPropertyName("rtt_us_p99_9")]
    public required Rounds RttUsP999 { get; init; }

    public required Rounds RttUsMax { get; init; }

    /// <summary>Of all processes.</summary>
    public required Rounds CpuUsPerMessage { get; init; }

    public required Rounds AllocBytesPerMessage { get; init; }

    /// <summary>Resident, of the larger process.</summary>
    public required Rounds MemoryMb { get; init; }

    /// <summary>Of bare datagrams and unreliable modes.</summary>
    public required Rounds LostPercent { get; init; }

    /// <summary>Of all processes, where the system counts it; else -1.</summary>
    public required Rounds PacketsPerS { get; init; }

    /// <summary>UDP payload of these.</summary>
    public required Rounds WireMbPerS { get; init; }

    /// <summary>Packets that counted as lost, in the measured time; -1: not counted.</summary>
    public required Rounds PacketsLost { get; init; }

    /// <summary>Times content was sent once more.</summary>
    public required Rounds Retransmissions { get; init; }

    /// <summary>The most of one piece of content.</summary>
    public required Rounds MostRetransmissions { get; init; }

    /// <summary>Spans above twice their median.</summary>
    public required Rounds DelayedPercent { get; init; }

    /// <summary>Of the machine's processor time, what others used meanwhile.</summary>
    public required Rounds ForeignPercent { get; init; }

    /// <summary>Messages damaged, twice, out of order or missing where none may be; over all rounds.</summary>
    public long Errors { get; init; }

    /// <summary>The first of them.</summary>
    public string? Fault { get; init; }

    internal static CompareRow Of(LoadCell cell, IReadOnlyList<LoadSample> samples) => new()
    {
        System = cell.System,
        Work = LoadNames.Of(cell.Work),
        Size = cell.Bytes,
        Peers = cell.Peers,
        Waiting = NameOf(cell.Waiting),
        Offload = cell.HasOffload,
        Socket = NameOf(cell.IsFrameworkOnly),
        Rate = cell.Rate,
        RoundCount = samples.Count,
        MessagesPerS = Over(samples, sample => sample.MessagesPerSecond),
        MbPerS = Over(samples, sample => sample.MegabytesPerSecond),
        RttUsP50 = Over(samples, sample => sample.Spans.Percentile(50)),
        RttUsP90 = Over(samples, sample => sample.Spans.Percentile(90)),
        RttUsP99 = Over(samples, sample => sample.Spans.Percentile(99)),
        RttUsP999 = Over(samples, sample => sample.Spans.Percentile(99.9)),
        RttUsMax = Over(samples, sample => sample.Spans.MostMicroseconds),
        CpuUsPerMessage = Over(samples, sample => sample.ProcessorMicroseconds),
        AllocBytesPerMessage = Over(samples, sample => sample.AllocatedBytes),
        MemoryMb = Over(samples, sample => sample.MemoryMegabytes),
        LostPercent = Over(samples, sample => sample.LostPercent),
        PacketsPerS = Over(samples, sample => sample.PacketsPerSecond),
        WireMbPerS = Over(samples, sample => sample.WireMegabytesPerSecond),
        PacketsLost = Over(samples, sample => sample.Traffic.PacketsLost),
        Retransmissions = Over(samples, sample => sample.Traffic.Retransmissions),
        MostRetransmissions = Over(samples, sample => sample.Traffic.MostRetransmissions),
        DelayedPercent = Over(samples, sample => sample.DelayedPercent),
        ForeignPercent = Over(samples, sample => sample.ForeignPercent),
        Errors = samples.Sum(sample => sample.Errors),
        Fault = samples.Select(sample => sample.Fault).FirstOrDefault(fault => fault is not null),
    };

    internal bool IsOf(LoadCell cell)
        => System == cell.System && Work == LoadNames.Of(cell.Work) && Size == cell.Bytes && Peers == cell.Peers
        && Waiting == NameOf(cell.Waiting) && Offload == cell.HasOffload && Socket == NameOf(cell.IsFrameworkOnly)
        && Rate.Equals(cell.Rate);

    private static string NameOf(bool isFrameworkOnly) => isFrameworkOnly ? Framework : "system";

    private static string NameOf(LoadWaiting waiting) => waiting == LoadWaiting.Block ? "block" : "poll";

    private static Rounds Over(IReadOnlyList<LoadSample> samples, Func<LoadSample, double> value)
        => Rounds.Of([.. samples.Select(value)]);
}
