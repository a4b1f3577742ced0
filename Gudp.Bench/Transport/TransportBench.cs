using System.Diagnostics;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;

namespace Gudp.Bench.Transport;

/// <summary>Runs every cell for every seed, as many at a time as there are processors, and takes the medians.</summary>
internal sealed class TransportBench(int seeds, TextWriter log)
{
    private const int GridQueueBytes = 625_000;
    private const int LongFatQueueBytes = 12_500_000;
    private const int SpeedNodes = 8;
    private const int SpeedWarmUps = 3;

    private static readonly double[] GridRoundTripsMs = [20, 100];
    private static readonly double[] GridLossPercents = [0, 1, 5];
    private static readonly double[] CurveLossPercents = [0, 0.001, 0.01, 0.1];
    private static readonly double[] TickLossPercents = [0, 2, 10];
    private static readonly TimeSpan SpeedSpan = TimeSpan.FromSeconds(300);

    internal int Seeds => seeds;

    /// <summary>P13's grid, and T13.</summary>
    internal IReadOnlyList<TransferRow> Grid()
    {
        List<TransferRow> rows = [];

        foreach (string config in (string[])[Presets.Default, Presets.Lossy])
        {
            foreach (CongestionAlgorithm algorithm in Enum.GetValues<CongestionAlgorithm>())
            {
                foreach (double roundTrip in GridRoundTripsMs)
                {
                    foreach (double loss in GridLossPercents)
                    {
                        LinkModel link = Presets.Link(100, roundTrip, loss, GridQueueBytes);
                        TransferPlan plan = new(Presets.Messaging(config, algorithm), link);
                        rows.Add(Measure(TransferRow.Grid, config, algorithm, plan));
                    }
                }
            }
        }

        // T13 counts its queue in packets.
        CongestionAlgorithm usual = Presets.AlgorithmOf(Presets.Default);
        TransferPlan small = new(Presets.Messaging(Presets.Default, usual), Presets.Link(10, 30, 0, 25 * 1_452))
        {
            Bytes = 10_000_000,
        };
        rows.Add(Measure(TransferRow.Goodput, Presets.Default, usual, small));
        return rows;
    }

    /// <summary>T14: ten seconds over a gigabit and 100 ms, clean and with little loss.</summary>
    internal IReadOnlyList<TransferRow> LongFat()
    {
        List<TransferRow> rows = [];

        foreach (CongestionAlgorithm algorithm in Enum.GetValues<CongestionAlgorithm>())
        {
            foreach (double loss in CurveLossPercents)
            {
                LinkModel link = Presets.Link(1_000, 100, loss, LongFatQueueBytes);
                TransferPlan plan = new(Presets.LongFat(algorithm), link)
                {
                    Bytes = long.MaxValue,
                    Limit = TimeSpan.FromSeconds(10),
                };
                rows.Add(Measure(TransferRow.LongFat, "long fat", algorithm, plan));
            }
        }

        return rows;
    }

    internal IReadOnlyList<FairnessRow> Fairness()
    {
        List<FairnessRow> rows = [];

        foreach (CongestionAlgorithm algorithm in Enum.GetValues<CongestionAlgorithm>())
        {
            foreach (Rival rival in Enum.GetValues<Rival>())
            {
                FairnessSample[] samples = ForSeeds(seed => FairnessRun.Run(algorithm, rival, seed));
                FairnessRow row = new()
                {
                    Algorithm = algorithm.ToString(),
                    Rival = rival,
                    OursMbit = Over(samples, sample => sample.OursMbit),
                    TheirsMbit = Over(samples, sample => sample.TheirsMbit),
                    Ratio = Over(samples, sample => sample.OursMbit / Math.Max(1e-3, sample.TheirsMbit)),
                    JainIndex = Over(samples, sample => Statistics.JainIndex([sample.OursMbit, sample.TheirsMbit])),
                    OursBySecond = [.. samples[0].OursBySecond.Select(value => Math.Round(value, 2))],
                    TheirsBySecond = [.. samples[0].TheirsBySecond.Select(value => Math.Round(value, 2))],
                };
                rows.Add(row);
                Log($"fairness {algorithm} beside {rival}: {row.OursMbit.Median:0.0} : {row.TheirsMbit.Median:0.0}");
            }
        }

        return rows;
    }

    internal IReadOnlyList<TickRow> Ticks()
    {
        List<TickRow> rows = [];

        foreach (string config in (string[])[Presets.Default, Presets.Lockstep])
        {
            foreach (double loss in TickLossPercents)
            {
                MessagingConfig messaging = Presets.Messaging(config, Presets.AlgorithmOf(config));
                LinkModel link = Presets.Link(0, 50, loss, 0);
                IReadOnlyList<double>[] runs = ForSeeds(seed => TickRun.Run(messaging, link, seed));
                TickRow row = new()
                {
                    Config = config,
                    LossPercent = loss,
                    P50Ms = Over(runs, run => Statistics.Percentile(run, 50)),
                    P99Ms = Over(runs, run => Statistics.Percentile(run, 99)),
                    MostMs = Over(runs, run => Statistics.Percentile(run, 100)),
                };
                rows.Add(row);
                Log($"60 Hz {config} {loss} %: p50 {row.P50Ms.Median} p99 {row.P99Ms.Median} ms");
            }
        }

        return rows;
    }

    /// <summary>One run after the other: a second one beside it would be measured too.</summary>
    internal SpeedRow Speed()
    {
        List<double> perWall = [];
        List<double> perProcessor = [];

        // Not measured: processor time is that of the compiler's thread too, which is busy for a second or two.
        for (int i = 0; i < SpeedWarmUps; i++)
        {
            SpeedRun.Run(SpeedNodes, SpeedSpan, seed: 1);
        }

        for (int i = 1; i <= seeds; i++)
        {
            (double wall, double processor) = SpeedRun.Run(SpeedNodes, SpeedSpan, (ulong)i);
            perWall.Add(wall);
            perProcessor.Add(processor);
        }

        SpeedRow row = new()
        {
            Nodes = SpeedNodes,
            PerWallSecond = Spread.Of(perWall),
            PerProcessorSecond = Spread.Of(perProcessor),
        };
        Log($"simulator: {row.PerWallSecond.Median:0} virtual s/s, {row.PerProcessorSecond.Median:0} per processor s");
        return row;
    }

    internal T[] ForSeeds<T>(Func<ulong, T> run)
    {
        T[] results = new T[seeds];
        ParallelOptions options = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, seeds, options, i => results[i] = run((ulong)(i + 1)));
        return results;
    }

    private static Spread Over<T>(T[] samples, Func<T, double> value) => Spread.Of([.. samples.Select(value)]);

    private TransferRow Measure(string group, string config, CongestionAlgorithm algorithm, TransferPlan plan)
    {
        long start = Stopwatch.GetTimestamp();
        TransferSample[] samples = ForSeeds(seed => TransferRun.Run(plan, seed));
        LinkModel link = plan.Link;
        TransferRow row = new()
        {
            Group = group,
            Config = config,
            Algorithm = algorithm.ToString(),
            IsPresetsChoice = algorithm == Presets.AlgorithmOf(config),
            LinkMbit = link.RateBytesPerSecond * 8 / 1e6,
            RoundTripMs = 2 * link.Delay.TotalMilliseconds,
            LossPercent = link.LossPpm / 1e4,
            QueueBytes = link.QueueBytes,
            GoodputMbit = Over(samples, sample => sample.MegabitsPerSecond),
            DatagramsOverLeast = Over(samples, sample => sample.DatagramsOverLeast),
            RetransmittedPercent = Over(samples, sample => sample.RetransmittedPercent),
            RoundTripP50Ms = Over(samples, sample => sample.RoundTripP50Ms),
            RoundTripP99Ms = Over(samples, sample => sample.RoundTripP99Ms),
            QueueDelayP50Ms = Over(samples, sample => sample.QueueDelayP50Ms),
            QueueDelayP99Ms = Over(samples, sample => sample.QueueDelayP99Ms),
        };
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Log($"{group} {config} {algorithm} {row.LinkName}: {row.GoodputMbit.Median:0.0} Mbit/s, took {seconds:0.0} s");
        return row;
    }

    private void Log(FormattableString line) => log.WriteLine(FormattableString.Invariant(line));
}
