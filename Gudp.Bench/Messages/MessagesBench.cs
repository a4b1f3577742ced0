using Gudp.Bench.Transport;
using Gudp.Core.Simulation;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>Runs every cell for every round and takes the medians.</summary>
/// <param name="rounds">Runs of each cell.</param>
/// <param name="span">How long a stream is measured; that long or longer it settles before.</param>
/// <param name="modes">Of the streams and lanes.</param>
/// <param name="sizes">Of their messages.</param>
/// <param name="log">A line for every cell.</param>
internal sealed class MessagesBench(
    int rounds, TimeSpan span, IReadOnlyCollection<LaneMode> modes, IReadOnlyCollection<int> sizes, TextWriter log)
{
    // A second of processor time, or a part of it, is enough for two digits.
    private const int LaneMessages = 300_000;
    private const double LaneSpanSeconds = 0.6;

    // A turn for each of them costs more.
    private const int SequencedPart = 8;

    /// <summary>One run after the other: a second one beside it would be measured too.</summary>
    internal IReadOnlyList<StreamRow> Streams()
    {
        // The compiler's thread is busy in the first seconds.
        StreamCell[] cells =
            [.. StreamCells.All.Where(cell => modes.Contains(cell.Mode) && sizes.Contains(cell.Bytes))];

        if (cells.Length > 0)
        {
            StreamRun.Run(cells[0], span);
        }

        return [.. cells.Select(Stream)];
    }

    internal IReadOnlyList<LaneRow> Lanes()
        => [.. from mode in StreamCells.Modes
               where modes.Contains(mode)
               from bytes in MessageFloors.LaneSizes
               where sizes.Contains(bytes)
               select Lane(mode, bytes)];

    internal IReadOnlyList<RepeatRow> Repeats()
        => [.. from mode in MessageFloors.RepeatModes
               from loss in MessageFloors.LossPercents
               from repeats in MessageFloors.Repeats
               select Repeat(mode, repeats, loss)];

    private StreamRow Stream(StreamCell cell)
    {
        StreamSample[] samples = [.. Enumerable.Range(0, rounds).Select(_ => StreamRun.Run(cell, span))];
        StreamRow row = new()
        {
            Mode = cell.Mode,
            Bytes = cell.Bytes,
            Receipts = cell.Receipts,
            MessagesPerSecond = Over(samples, sample => sample.MessagesPerSecond),
            ArrivedPercent = Over(samples, sample => sample.ArrivedPercent),
            ProcessorMicroseconds = Over(samples, sample => sample.ProcessorMicroseconds),
            AllocatedBytes = Spread.Of([.. samples.SelectMany(sample => sample.AllocatedBytes)]),
            PacketOverheadBytes = Over(samples, sample => sample.PacketOverheadBytes),
            MessageOverheadBytes = Over(samples, sample => sample.MessageOverheadBytes),
            ReturnBytes = Over(samples, sample => sample.ReturnBytes),
        };
        string name = $"{cell.Mode} {cell.Bytes} B, receipts {cell.Receipts}";
        (double allocated, _, double most) = row.AllocatedBytes;
        string costs = FormattableString.Invariant(
            $"{row.ProcessorMicroseconds.Median:0.###} us, {allocated} B allocated, at most {most}");
        Log($"{name}: {row.MessagesPerSecond.Median:0} /s, {costs}, {row.MessageOverheadBytes.Median:0.#} B over");
        return row;
    }

    // In one round all three, so that what else the machine does falls on all of them; before the first the compiler
    // has its turn.
    private LaneRow Lane(LaneMode mode, int bytes)
    {
        int messages = (int)(LaneMessages * Math.Min(1, span.TotalSeconds / LaneSpanSeconds));
        messages /= mode == LaneMode.SequencedReliable ? SequencedPart : 1;
        LaneRun.Run(mode, bytes, (LaneRun.MostLanes, LaneRun.MostLanes), messages);
        List<double> one = [];
        List<double> many = [];
        List<double> idle = [];

        for (int i = 0; i < rounds; i++)
        {
            one.Add(LaneRun.Run(mode, bytes, (1, 1), messages));
            many.Add(LaneRun.Run(mode, bytes, (LaneRun.MostLanes, LaneRun.MostLanes), messages));
            idle.Add(LaneRun.Run(mode, bytes, (LaneRun.MostLanes, 1), messages));
        }

        LaneRow row = new()
        {
            Mode = mode,
            Bytes = bytes,
            OneLane = Spread.Of(one),
            ManyLanes = Spread.Of(many),
            OneOfMany = Spread.Of(idle),
            Ratio = Spread.Of([.. one.Zip(many, (first, second) => second / first)]),
            IdleRatio = Spread.Of([.. one.Zip(idle, (first, second) => second / first)]),
        };
        Log($"{mode} {bytes} B: {row.OneLane.Median} us, 64 lanes {row.Ratio.Median}, 63 idle {row.IdleRatio.Median}");
        return row;
    }

    private RepeatRow Repeat(LaneMode mode, int repeats, double loss)
    {
        MessagingConfig lockstep = Presets.Messaging(Presets.Lockstep, Presets.AlgorithmOf(Presets.Lockstep));
        LinkModel link = Presets.Link(0, 50, loss, 0);
        TickSample[] samples = new TickSample[rounds];
        MessagingConfig config = StreamCells.WithRepeats(lockstep, mode, repeats);
        Parallel.For(0, rounds, i => samples[i] = TickRun.Measure(config, link, (ulong)(i + 1)));
        RepeatRow row = new()
        {
            Mode = mode,
            Repeats = repeats,
            LossPercent = loss,
            P50Ms = Over(samples, sample => Statistics.Percentile(sample.DelaysMs, 50)),
            P99Ms = Over(samples, sample => Statistics.Percentile(sample.DelaysMs, 99)),
            MostMs = Over(samples, sample => Statistics.Percentile(sample.DelaysMs, 100)),
            WireBytes = Over(samples, sample => sample.WireBytesPerMessage),
            ArrivedPercent = Over(samples, sample => sample.ArrivedPercent),
        };
        string cost = FormattableString.Invariant(
            $"{row.WireBytes.Median:0} B on the wire, {row.ArrivedPercent.Median:0.00} % arrived");
        Log($"60 Hz {mode} {loss} %, {repeats} repeats: p99 {row.P99Ms.Median} ms, {cost}");
        return row;
    }

    private static Spread Over<T>(T[] samples, Func<T, double> value) => Spread.Of([.. samples.Select(value)]);

    private void Log(FormattableString line) => log.WriteLine(FormattableString.Invariant(line));
}
