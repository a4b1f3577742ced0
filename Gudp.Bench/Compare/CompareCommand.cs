using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Compare;

/// <summary><c>compare [--smoke | --quick] [--only WORK] [--rounds N] [--pin] [--json F] [--html F] [--markdown F]</c>.</summary>
internal sealed class CompareCommand
{
    private readonly ReportFiles _files = new();
    private readonly List<LoadWork> _only = [];
    private CompareExtent _extent = CompareExtent.Full;
    private bool _isPinned;
    private int _rounds;

    /// <returns>0: every message was what it should be; 1: not so; 2: the arguments name something else.</returns>
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter log)
    {
        CompareCommand command = new();

        if (!command._files.TryRead(arguments, command.TryFlag, command.TryTake))
        {
            log.WriteLine(
                "compare [--smoke | --quick] [--only WORK] [--rounds N] [--pin] [--json F] [--html F] [--markdown F]");
            log.WriteLine($"WORK: {string.Join(", ", LoadNames.All)}");
            return 2;
        }

        CompareReport report = await command.MeasureAsync(log).ConfigureAwait(false);
        command._files.Write(report.ToJson, CompareText.Page(report));
        log.WriteLine();
        log.Write(FloorRow.ToTable(report.Floors).ToMarkdown());
        return report.Rows.All(row => row.Errors == 0) ? 0 : 1;
    }

    private bool TryFlag(string name)
    {
        switch (name)
        {
            case "--smoke":
                _extent = CompareExtent.Smoke;
                return true;
            case "--quick":
                _extent = CompareExtent.Quick;
                return true;
            case "--pin":
                _isPinned = true;
                return true;
            default:
                return false;
        }
    }

    private bool TryTake(string name, string value)
    {
        switch (name)
        {
            case "--only" when LoadNames.TryRead(value, out LoadWork work):
                _only.Add(work);
                return true;
            case "--rounds":
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _rounds) && _rounds > 0;
            default:
                return false;
        }
    }

    private async Task<CompareReport> MeasureAsync(TextWriter log)
    {
        LoadTiming timing = CompareCells.TimingOf(_extent) with { IsPinned = _isPinned };
        Dictionary<string, string> missing = LoadSystems.All
            .Where(system => LoadSystems.Missing(system) is not null)
            .ToDictionary(system => system, system => LoadSystems.Missing(system)!);
        CompareReport former = Former();
        List<CompareRow> rows = [];
        List<double> foreign = [];

        foreach (IReadOnlyList<LoadCell> group in CompareCells.Groups(_extent))
        {
            LoadCell[] cells = [.. group.Where(cell => Wants(cell) && !missing.ContainsKey(cell.System))];
            rows.AddRange(await MeasureAsync(cells, timing, foreign, log).ConfigureAwait(false));
        }

        CompareReport report = former with
        {
            Machine = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, "
                + $"{RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors",
            Commit = CommitOf(Assembly.GetExecutingAssembly()),
            Extent = _extent.ToString().ToLowerInvariant(),
            WarmUpSeconds = timing.WarmUp.TotalSeconds,
            Seconds = timing.Span.TotalSeconds,
            IsPinned = _isPinned,
            ForeignPercent = Spread.Round(foreign.Count == 0 ? former.ForeignPercent : Statistics.Median(foreign)),
            Missing = missing,
            Rows = [.. InOrder(rows.Concat(former.Rows))],
        };
        return report with { Floors = CompareFloors.Judge(report) };
    }

    // All systems have their turn in each round, so that what else the machine does meets all of them.
    private async Task<IEnumerable<CompareRow>> MeasureAsync(
        LoadCell[] cells, LoadTiming timing, List<double> foreign, TextWriter log)
    {
        List<LoadSample>[] samples = [.. cells.Select(_ => new List<LoadSample>())];
        int rounds = _rounds > 0 ? _rounds : CompareCells.RoundsOf(_extent);

        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < cells.Length; i++)
            {
                ForeignLoad load = ForeignLoad.Start();
                samples[i].Add(await LoadRun.MeasureAsync(cells[i], timing).ConfigureAwait(false));
                foreign.Add(load.Percent());
            }
        }

        CompareRow[] rows = [.. cells.Select((cell, i) => CompareRow.Of(cell, samples[i]))];

        for (int i = 0; i < rows.Length; i++)
        {
            CompareRow row = rows[i];
            log.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{cells[i]}: {row.MessagesPerS.Median:#,0} /s, {row.MbPerS.Median:#,0.0} MB/s, p50 {row.RttUsP50.Median:0.0} us,"
                + $" CPU {row.CpuUsPerMessage.Median:0.###} us, errors {row.Errors} {row.Fault}"));
        }

        return rows;
    }

    private bool Wants(LoadCell cell) => _only.Count == 0 || _only.Contains(cell.Work);

    // What is not measured this time stays as it was.
    private CompareReport Former()
        => _only.Count > 0 && _files.FormerJson() is { } json ? CompareReport.Parse(json) : new CompareReport();

    private IEnumerable<CompareRow> InOrder(IEnumerable<CompareRow> rows)
    {
        List<CompareRow> all = [.. rows];
        return CompareCells.Groups(_extent).SelectMany(group => group)
            .Select(cell => all.Find(row => row.IsOf(cell)))
            .OfType<CompareRow>();
    }

    // The compiler writes it behind the version.
    private static string CommitOf(Assembly assembly)
    {
        string version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? "" : version[(plus + 1)..];
    }

    /// <summary>How busy the machine was, other than with what was measured: from the system's own counts.</summary>
    private readonly record struct ForeignLoad(long Timestamp, double Busy, TimeSpan Children)
    {
        internal static ForeignLoad Start() => new(Stopwatch.GetTimestamp(), SystemLoad.BusySeconds(), SystemLoad.Ours());

        internal double Percent()
        {
            double seconds = Stopwatch.GetElapsedTime(Timestamp).TotalSeconds * Environment.ProcessorCount;
            double ours = (SystemLoad.Ours() - Children).TotalSeconds;
            return Math.Max(0, 100 * (SystemLoad.BusySeconds() - Busy - ours) / seconds);
        }
    }
}
