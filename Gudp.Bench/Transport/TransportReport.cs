namespace Gudp.Bench.Transport;

/// <summary>Everything one run of the transport measurements found: the JSON file, value for value.</summary>
internal sealed record TransportReport
{
    internal const int CurrentSchema = 1;

    /// <summary>Of the file; a reader of another one refuses it.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>Seeds 1 to this; every figure is their median.</summary>
    public int Seeds { get; init; }

    public IReadOnlyList<TransferRow> Transfers { get; init; } = [];

    public IReadOnlyList<FairnessRow> Fairness { get; init; } = [];

    public IReadOnlyList<TickRow> Ticks { get; init; } = [];

    public SpeedRow? Speed { get; init; }

    public IReadOnlyList<RelayRow> Relay { get; init; } = [];

    /// <summary>What <see cref="FloorJudge"/> made of the above.</summary>
    public IReadOnlyList<FloorRow> Floors { get; init; } = [];

    internal static TransportReport Parse(string json)
        => ReportJson.Parse<TransportReport>(json, report => report.Schema, CurrentSchema);

    internal string ToJson() => ReportJson.ToJson(this);
}

/// <summary>One cell of transfers.</summary>
internal sealed record TransferRow
{
    internal const string Grid = "grid";
    internal const string LongFat = "long-fat";
    internal const string Goodput = "goodput";

    /// <summary>Which table it belongs to.</summary>
    public required string Group { get; init; }

    /// <summary>The preset of Core's config.</summary>
    public required string Config { get; init; }

    public required string Algorithm { get; init; }

    /// <summary>True if the preset chooses this algorithm by itself.</summary>
    public bool IsPresetsChoice { get; init; }

    public double LinkMbit { get; init; }

    public double RoundTripMs { get; init; }

    public double LossPercent { get; init; }

    public int QueueBytes { get; init; }

    public required Spread GoodputMbit { get; init; }

    public required Spread DatagramsOverLeast { get; init; }

    public required Spread RetransmittedPercent { get; init; }

    public required Spread RoundTripP50Ms { get; init; }

    public required Spread RoundTripP99Ms { get; init; }

    public required Spread QueueDelayP50Ms { get; init; }

    public required Spread QueueDelayP99Ms { get; init; }

    internal string LinkName => FormattableString.Invariant($"{RoundTripMs} ms, {LossPercent} %");
}

/// <summary>Two flows on one link.</summary>
internal sealed record FairnessRow
{
    public required string Algorithm { get; init; }

    public Rival Rival { get; init; }

    public required Spread OursMbit { get; init; }

    public required Spread TheirsMbit { get; init; }

    /// <summary>Ours over theirs, the median of the seeds' ratios.</summary>
    public required Spread Ratio { get; init; }

    public required Spread JainIndex { get; init; }

    /// <summary>Mbit/s second by second of the first seed.</summary>
    public IReadOnlyList<double> OursBySecond { get; init; } = [];

    public IReadOnlyList<double> TheirsBySecond { get; init; } = [];
}

/// <summary>P14: small messages at 60 Hz.</summary>
internal sealed record TickRow
{
    public required string Config { get; init; }

    public double LossPercent { get; init; }

    public required Spread P50Ms { get; init; }

    public required Spread P99Ms { get; init; }

    public required Spread MostMs { get; init; }
}

/// <summary>P19; the only figures that depend on the machine, with those of the relay.</summary>
internal sealed record SpeedRow
{
    public int Nodes { get; init; }

    /// <summary>Virtual seconds per second of the clock on the wall.</summary>
    public required Spread PerWallSecond { get; init; }

    /// <summary>Virtual seconds per second of processor time: what other work on the machine does not change.</summary>
    public required Spread PerProcessorSecond { get; init; }
}

/// <summary>The same transfer between two processes through the relay, and in the simulator.</summary>
internal sealed record RelayRow
{
    public double RoundTripMs { get; init; }

    public double LossPercent { get; init; }

    public required Spread RelayMbit { get; init; }

    public required Spread SimulatorMbit { get; init; }

    /// <summary>Relay over simulator, of the medians.</summary>
    public double Ratio { get; init; }
}
