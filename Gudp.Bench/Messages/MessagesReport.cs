using Gudp.Bench.Transport;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>Everything one run of the message measurements found: the JSON file, value for value.</summary>
internal sealed record MessagesReport
{
    internal const int CurrentSchema = 1;

    /// <summary>Of the file; a reader of another one refuses it.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>Runs of each cell, and seeds of the simulated part; every figure is their median.</summary>
    public int Rounds { get; init; }

    /// <summary>How long each stream was measured.</summary>
    public double SpanMs { get; init; }

    public int Processors { get; init; }

    public IReadOnlyList<StreamRow> Streams { get; init; } = [];

    public IReadOnlyList<LaneRow> Lanes { get; init; } = [];

    public IReadOnlyList<RepeatRow> Repeats { get; init; } = [];

    /// <summary>What <see cref="MessageFloors"/> made of the above.</summary>
    public IReadOnlyList<FloorRow> Floors { get; init; } = [];

    internal static MessagesReport Parse(string json)
        => ReportJson.Parse<MessagesReport>(json, report => report.Schema, CurrentSchema);

    internal string ToJson() => ReportJson.ToJson(this);
}

/// <summary>One cell of the streams; all costs are per message sent.</summary>
internal sealed record StreamRow
{
    public LaneMode Mode { get; init; }

    public int Bytes { get; init; }

    public AskedReceipts Receipts { get; init; }

    public required Spread MessagesPerSecond { get; init; }

    /// <summary>Arrived of those sent meanwhile.</summary>
    public required Spread ArrivedPercent { get; init; }

    /// <summary>Processor time of the whole process, both ends.</summary>
    public required Spread ProcessorMicroseconds { get; init; }

    /// <summary>On the managed heap, by the whole process, both ends.</summary>
    public required Spread AllocatedBytes { get; init; }

    /// <summary>In the sender's packets, besides the message layer's frames.</summary>
    public required Spread PacketOverheadBytes { get; init; }

    /// <summary>The sender's bytes on the wire less the message's own; -1 on mode 2, which sends few of them.</summary>
    public required Spread MessageOverheadBytes { get; init; }

    /// <summary>The receiver's bytes on the wire.</summary>
    public required Spread ReturnBytes { get; init; }

    internal StreamCell Cell => new(Mode, Bytes, Receipts);

    /// <summary>What the wire format says the sender's bytes for one message are.</summary>
    internal double FormatBytes => Bytes + WireOverhead.PerMessage(Mode, Bytes);

    /// <summary>What they were.</summary>
    internal double WireBytes => Bytes + MessageOverheadBytes.Median;
}

/// <summary>The same messages over one lane, over 64 in turn, and over one of 64 that are open.</summary>
internal sealed record LaneRow
{
    public LaneMode Mode { get; init; }

    public int Bytes { get; init; }

    /// <summary>Microseconds of processor time per message over one lane.</summary>
    public required Spread OneLane { get; init; }

    public required Spread ManyLanes { get; init; }

    public required Spread OneOfMany { get; init; }

    /// <summary>64 over one: the median of the rounds' ratios.</summary>
    public required Spread Ratio { get; init; }

    /// <summary>One of 64 over one.</summary>
    public required Spread IdleRatio { get; init; }
}

/// <summary>P14 with messages sent again before anything is known lost.</summary>
internal sealed record RepeatRow
{
    public LaneMode Mode { get; init; }

    public int Repeats { get; init; }

    public double LossPercent { get; init; }

    public required Spread P50Ms { get; init; }

    public required Spread P99Ms { get; init; }

    public required Spread MostMs { get; init; }

    /// <summary>The sender's bytes on the wire for each message of 200 bytes.</summary>
    public required Spread WireBytes { get; init; }

    /// <summary>Of all messages; 100 on reliable lanes.</summary>
    public required Spread ArrivedPercent { get; init; }
}
