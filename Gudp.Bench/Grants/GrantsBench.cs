using System.Diagnostics;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Grants;

/// <summary>Runs every cell for every round and takes the medians.</summary>
/// <param name="rounds">Runs of each cell.</param>
/// <param name="span">How long each is measured.</param>
/// <param name="log">A line for every cell.</param>
internal sealed class GrantsBench(int rounds, TimeSpan span, TextWriter log)
{
    internal IReadOnlyList<GrantRow> Rows(IEnumerable<GrantCell> cells) => [.. cells.Select(Row)];

    internal IReadOnlyList<EvaluateRow> Evaluate()
        => [.. from shape in Enum.GetValues<RunShape>()
               from waits in Enum.GetValues<RunWaits>()
               from members in GrantFloors.EvaluateMembers
               select Pass(shape, waits, members)];

    private GrantRow Row(GrantCell cell)
    {
        GrantSample[] samples = [.. Enumerable.Range(0, rounds).Select(_ => Sample(cell))];
        GrantRow row = new()
        {
            Work = cell.Work,
            Transport = cell.Transport,
            Members = cell.Members,
            Processes = cell.Processes,
            Grants = Over(samples, sample => sample.GrantsPerSecond),
            Processor = Over(samples, sample => sample.ProcessorMicroseconds),
            EventsPerSecond = Over(samples, sample => sample.EventsPerSecond),
            MessagesUp = Over(samples, sample => sample.MessagesUp),
            MessagesDown = Over(samples, sample => sample.MessagesDown),
            AllocatedBytes = Over(samples, sample => sample.AllocatedBytes),
        };
        Log($"{cell}: {row.GrantsPerSecond:0} grants/s, {row.ProcessorMicroseconds:0.##} us, {row.EventsPerSecond.Median:0} events/s");
        return row;
    }

    private GrantSample Sample(GrantCell cell)
    {
        if (cell.Transport == GrantCell.InProcess)
        {
            return new EngineRun(cell.Kind, cell.Members).Measure(span);
        }

        using UdpRun run = new(cell.Kind, cell.Members);
        return run.Measure(span);
    }

    private EvaluateRow Pass(RunShape shape, RunWaits waits, int members)
    {
        RuleSetup setup = new(shape, waits, members);
        TimeSpan part = span / (GrantFloors.EvaluateMembers.Length * 2);
        Time(setup, part);
        double[] samples = [.. Enumerable.Range(0, rounds).Select(_ => Time(setup, part))];
        EvaluateRow row = new() { Shape = shape, Waits = waits, Members = members, Microseconds = Spread.Of(samples) };
        Log($"evaluate, {shape}, {waits}, {members} members: {row.Microseconds.Median:0.###} us");
        return row;
    }

    private static double Time(RuleSetup setup, TimeSpan span)
    {
        long start = Stopwatch.GetTimestamp();
        long passes = 0;

        do
        {
            setup.Bounds();
            passes++;
        }
        while (Stopwatch.GetElapsedTime(start) < span);

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / passes;
    }

    private static Spread Over(GrantSample[] samples, Func<GrantSample, double> value)
        => Spread.Of([.. samples.Select(value)]);

    private void Log(FormattableString line) => log.WriteLine(FormattableString.Invariant(line));
}
